/* quota: what an answer says about the limits that its request was held against:
 * RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers), X-RateLimit-*
 * as people know them, of the bucket with the least left. */
#ifndef GATEWAY_LIMITS_QUOTA_H
#define GATEWAY_LIMITS_QUOTA_H

#include "services/gateway/limits/limiter.h"

enum {
    QUOTA_NAME = 32, /* of a bucket's name: what is longer is cut */
    QUOTA_LINES = 640
};

struct quota {
    /* Header lines, each with its end, for sh_http_add_lines():
     *   RateLimit-Policy: "minute";q=60;w=60, "api";q=20;w=2
     *   RateLimit: "minute";r=12;t=48
     *   X-RateLimit-Limit, X-RateLimit-Remaining
     *   X-RateLimit-Reset: Unix seconds, when the bucket is full again */
    char lines[QUOTA_LINES];
    size_t len;
    unsigned retry_after_s; /* of a refused one; else 0 */
    const char *bucket;     /* the name of that bucket */
};

/* `now_s`: Unix seconds. */
void quota_write(const struct limiter_ask *ask, double now_s, struct quota *quota);

#endif
