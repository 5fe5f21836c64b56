/* bucket: the arithmetic of a token bucket, as the generic cell rate algorithm (ATM Forum
 * TM 4.1, I.371) does it: all that a bucket needs to remember is when it will be full
 * again. Times are microseconds of one clock. Any thread. */
#ifndef GATEWAY_LIMITS_BUCKET_H
#define GATEWAY_LIMITS_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

static inline uint64_t bucket_later(uint64_t a_us, uint64_t b_us)
{
    return a_us > b_us ? a_us : b_us;
}
/* The time from b to a; 0 when that is past. */
static inline uint64_t bucket_less(uint64_t a_us, uint64_t b_us)
{
    return a_us > b_us ? a_us - b_us : 0;
}

struct bucket_rule {
    const char *name;     /* "minute": in keys, headers and metrics; static */
    uint32_t capacity;    /* tokens when full; 0: no such limit */
    uint64_t interval_us; /* between two new ones */
};

/* `count` tokens in `period_us`, of which `capacity` may be taken at once. */
struct bucket_rule bucket_rule(const char *name, double count, uint64_t period_us,
                               uint32_t capacity);
/* The part of it that one of `gateways` may give away by itself: at least one token at
 * once, at that many times the interval. */
struct bucket_rule bucket_share(const struct bucket_rule *rule, uint32_t gateways);
/* From empty to full. */
uint64_t bucket_span_us(const struct bucket_rule *rule);

/* What is in a bucket that will be full at `full_us`. */
uint32_t bucket_tokens(const struct bucket_rule *rule, uint64_t full_us, uint64_t now_us);
/* Take one; false when there is none. */
bool bucket_take(const struct bucket_rule *rule, uint64_t *full_us, uint64_t now_us);
/* Until there is one; 0 when there is. */
uint64_t bucket_wait_us(const struct bucket_rule *rule, uint64_t full_us,
                        uint64_t now_us);

#endif
