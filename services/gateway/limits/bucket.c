#include "services/gateway/limits/bucket.h"

#include <math.h>

struct bucket_rule bucket_rule(const char *name, double count, uint64_t period_us,
                               uint32_t capacity)
{
    struct bucket_rule rule = {.name = name};

    if (count <= 0)
        return rule;
    rule.capacity = capacity;
    rule.interval_us = (uint64_t)ceil((double)period_us / count); /* never too many */
    return rule;
}

struct bucket_rule bucket_share(const struct bucket_rule *rule, uint32_t gateways)
{
    struct bucket_rule share = *rule;

    if (gateways > 1) {
        share.capacity = rule->capacity / gateways;
        share.interval_us = rule->interval_us * gateways;
    }
    if (share.capacity == 0)
        share.capacity = 1;
    return share;
}

uint64_t bucket_span_us(const struct bucket_rule *rule)
{
    return rule->interval_us * rule->capacity;
}

uint32_t bucket_tokens(const struct bucket_rule *rule, uint64_t full_us, uint64_t now_us)
{
    uint64_t missing_us = full_us > now_us ? full_us - now_us : 0;
    uint64_t span_us = bucket_span_us(rule);

    if (rule->interval_us == 0)
        return rule->capacity;
    return missing_us >= span_us ? 0
                                 : (uint32_t)((span_us - missing_us) / rule->interval_us);
}

bool bucket_take(const struct bucket_rule *rule, uint64_t *full_us, uint64_t now_us)
{
    if (bucket_tokens(rule, *full_us, now_us) == 0)
        return false;
    *full_us = (*full_us > now_us ? *full_us : now_us) + rule->interval_us;
    return true;
}

uint64_t bucket_wait_us(const struct bucket_rule *rule, uint64_t full_us, uint64_t now_us)
{
    uint64_t most_us = now_us + bucket_span_us(rule) - rule->interval_us;

    return full_us > most_us ? full_us - most_us : 0;
}
