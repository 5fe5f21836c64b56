/* quota: what an answer says about the limits that its request was held against:
 * RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers), X-RateLimit-*
 * as people know them, of the bucket with the least left. */
#ifndef GATEWAY_LIMITS_QUOTA_H
#define GATEWAY_LIMITS_QUOTA_H

#include "services/gateway/limits/limiter.h"

enum { QUOTA_TEXT = 256 };

struct quota {
    char policy[QUOTA_TEXT];   /* "minute";q=60;w=60, "api";q=20;w=2 */
    char standing[QUOTA_TEXT]; /* "minute";r=12;t=48 */
    char limit[16];
    char remaining[16];
    char reset[24];         /* Unix seconds: when the bucket is full again */
    unsigned retry_after_s; /* of a refused one; else 0 */
    const char *bucket;     /* the name of that bucket */
};

/* `now_s`: Unix seconds. */
void quota_write(const struct limiter_ask *ask, double now_s, struct quota *quota);

#endif
