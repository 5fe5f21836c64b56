/* script: the buckets in Redis, by one script for everything, so that no two gateways can
 * take the same token: several buckets give a token each, or none gives any. Redis's own
 * clock counts. A key holds when its bucket is full again, and is gone by then. */
#ifndef GATEWAY_LIMITS_SCRIPT_H
#define GATEWAY_LIMITS_SCRIPT_H

#include <hiredis/hiredis.h>

#include "services/gateway/limits/ledger.h"

enum { SCRIPT_BUCKETS = 32, SCRIPT_WORDS = 3 + 6 * SCRIPT_BUCKETS, SCRIPT_NUMBER = 24 };

/* One bucket in a call. */
struct script_item {
    const struct ledger_bucket *bucket;
    uint32_t want;     /* 0: only `owed_us` is booked */
    int64_t owed_us;   /* charged, or credited */
    uint64_t least_us; /* missing at least */
};

/* The words of a command; texts are borrowed from the items, numbers are here. */
struct script_call {
    struct sh_bytes words[SCRIPT_WORDS];
    size_t count;
    char numbers[1 + 5 * SCRIPT_BUCKETS][SCRIPT_NUMBER];
};

/* Once in a process, before the others. Errors: SH_INTERNAL. */
SH_CHECK enum sh_err script_start(void);
/* By its digest, or `whole`, which Redis then keeps. At most SCRIPT_BUCKETS items. */
void script_write(struct script_call *call, const struct script_item *items, size_t count,
                  bool whole);
/* Redis does not know the digest: send it whole. */
bool script_is_unknown(const redisReply *reply);

struct script_grant {
    uint32_t granted; /* tokens: of every item that wants some, or of none */
    struct ledger_state state;
};
/* False: that is no answer of the script. */
SH_CHECK bool script_read(const redisReply *reply, size_t count,
                          struct script_grant *grants);

#endif
