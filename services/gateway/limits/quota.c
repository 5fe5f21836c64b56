#include "services/gateway/limits/quota.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t seconds(uint64_t us)
{
    return (us + 999999) / 1000000;
}

static bool is_refusing(const struct ledger_result *result)
{
    return result->outcome == LEDGER_EMPTY ||
           (result->outcome == LEDGER_ASK && result->state.retry_us > 0);
}

/* Refused: the one to wait longest for. Admitted: the one with the least left. */
static size_t tightest(const struct limiter_ask *ask)
{
    size_t at = 0;
    bool found = false;

    for (size_t i = 0; i < ask->count; i++) {
        const struct ledger_state *state = &ask->results[i].state;
        const struct ledger_state *best = &ask->results[at].state;
        if (!ask->admitted && !is_refusing(&ask->results[i]))
            continue;
        if (!found || (ask->admitted ? state->remaining < best->remaining
                                     : state->retry_us > best->retry_us))
            at = i;
        found = true;
    }
    return at;
}

void quota_write(const struct limiter_ask *ask, double now_s, struct quota *quota)
{
    size_t len = 0;

    for (size_t i = 0; i < ask->count; i++) {
        const struct bucket_rule *rule = &ask->buckets[i].rule;
        len +=
            (size_t)snprintf(quota->policy + len, sizeof quota->policy - len,
                             "%s\"%s\";q=%" PRIu32 ";w=%" PRIu64, i > 0 ? ", " : "",
                             rule->name, rule->capacity, seconds(bucket_span_us(rule)));
    }
    size_t at = tightest(ask);
    const struct bucket_rule *rule = &ask->buckets[at].rule;
    const struct ledger_state *state = &ask->results[at].state;
    uint32_t remaining = ask->admitted ? state->remaining : 0;
    (void)snprintf(quota->standing, sizeof quota->standing,
                   "\"%s\";r=%" PRIu32 ";t=%" PRIu64, rule->name, remaining,
                   seconds(state->reset_us));
    (void)snprintf(quota->limit, sizeof quota->limit, "%" PRIu32, rule->capacity);
    (void)snprintf(quota->remaining, sizeof quota->remaining, "%" PRIu32, remaining);
    (void)snprintf(quota->reset, sizeof quota->reset, "%.0f",
                   now_s + (double)state->reset_us / 1e6);
    quota->bucket = rule->name;
    uint64_t retry =
        state->retry_us < 86400 * UINT64_C(1000000) ? seconds(state->retry_us) : 86400;
    quota->retry_after_s = ask->admitted ? 0 : retry > 0 ? (unsigned)retry : 1;
}
