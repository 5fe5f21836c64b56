/* policy: which buckets a request takes a token from. Each limit has one scope: a caller
 * whose identity was checked has the role's minute and hour, whatever the address; the
 * others are counted by address, by what they ask for; everybody has a burst, and logins
 * are always counted by address. Any thread. */
#ifndef GATEWAY_LIMITS_POLICY_H
#define GATEWAY_LIMITS_POLICY_H

#include "services/gateway/limits/limiter.h"
#include "services/gateway/limits/settings.h"
#include "services/gateway/router.h"

struct policy {
    struct bucket_rule general;
    struct bucket_rule search;
    struct bucket_rule requests;
    struct bucket_rule api;
    struct bucket_rule upload;
    struct bucket_rule login;
};

struct policy policy_of(const struct limits_config *config);

struct policy_caller {
    struct sh_bytes user_id; /* checked; empty: there is only an address */
    const char *address;     /* the subject of a limit: address_write_subject() */
    uint32_t per_minute;     /* of the user's role */
    uint32_t per_hour;       /* of that, or of who has none */
};

/* The keys of a request's buckets. */
struct policy_keys {
    char text[LIMITER_BUCKETS][LEDGER_KEY];
};

/* False: nothing limits this one (documentation, what has ROUTE_QUIET, limits of 0).
 * `route` NULL: an unknown path. Fills buckets and count of `ask`, keys live in `keys`.
 */
SH_CHECK bool policy_choose(const struct policy *policy, const struct route *route,
                            const struct policy_caller *caller, struct policy_keys *keys,
                            struct limiter_ask *ask);

#endif
