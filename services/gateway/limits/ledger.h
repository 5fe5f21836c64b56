/* ledger: what this gateway knows about the buckets of its callers, shared by its loops.
 * The buckets themselves are in Redis. To ask it less often, a gateway leases several
 * tokens of a bucket that is in demand, spends them from here and hands back what is left
 * after a second; a bucket known to be empty is not asked again until it has a token.
 * While Redis is away the ledger gives away this gateway's share by itself, and remembers
 * how much, so that Redis can be told.
 *
 * Leased tokens have been taken out of the bucket, so gateways together never spend more
 * than it held. They are spent up to a second after they were taken: seen from outside, a
 * bucket may run a second ahead of its refill, no more. Any thread. */
#ifndef GATEWAY_LIMITS_LEDGER_H
#define GATEWAY_LIMITS_LEDGER_H

#include "services/gateway/limits/bucket.h"
#include "shared/bytes.h"
#include "shared/err.h"

enum {
    LEDGER_LEASE_US = 1000000, /* life of a leased token */
    LEDGER_BLOCK_US = 1000000, /* longest trust in "empty": others may hand back */
    LEDGER_WANT_MOST = 4096,   /* tokens of one lease */
    LEDGER_KEY = 160,
};

struct ledger;

/* Of at most about `entries` buckets, the least recently used are forgotten. Errors:
 * SH_NOMEM, SH_IO (no randomness). */
SH_CHECK enum sh_err ledger_create(size_t entries, struct ledger **out);
void ledger_free(struct ledger **self);

struct ledger_bucket {
    struct sh_bytes key; /* at most LEDGER_KEY bytes; borrowed */
    struct bucket_rule rule;
};

/* What a bucket held after the last word about it. */
struct ledger_state {
    uint32_t remaining;
    uint64_t reset_us; /* until it is full */
    uint64_t retry_us; /* until there is a token; 0: there is one */
};

enum ledger_outcome {
    LEDGER_SPENT_LEASE, /* a token was spent */
    LEDGER_SPENT_SHARE, /* one of this gateway's own */
    LEDGER_EMPTY,       /* there is none */
    LEDGER_ASK,         /* Redis knows */
};

struct ledger_result {
    enum ledger_outcome outcome;
    struct ledger_state state;
    /* LEDGER_ASK: what Redis is asked for */
    uint32_t want;     /* tokens, if there are many */
    int64_t owed_us;   /* to be charged (spent without Redis), or credited (not spent) */
    uint64_t least_us; /* what is missing at least: 0, unless Redis may have forgotten */
};

/* Spend one token. `gateways` 0: Redis can be asked; else it is away, and the limits are
 * shared by so many: never LEDGER_ASK. */
void ledger_spend(struct ledger *self, const struct ledger_bucket *bucket,
                  uint32_t gateways, uint64_t now_us, struct ledger_result *result);
/* The token that `result` tells of was not needed after all. */
void ledger_unspend(struct ledger *self, const struct ledger_bucket *bucket,
                    uint32_t gateways, const struct ledger_result *result);

/* Redis has answered LEDGER_ASK: `granted` tokens, one of which is spent at once; 0:
 * none. */
void ledger_learn(struct ledger *self, const struct ledger_bucket *bucket,
                  const struct ledger_result *asked, uint32_t granted,
                  const struct ledger_state *said, uint64_t now_us);
/* Redis has not: what was owed still is. */
void ledger_unasked(struct ledger *self, const struct ledger_bucket *bucket,
                    const struct ledger_result *asked, uint64_t now_us);

/* Redis may have lost what it knew: each bucket is asked for once with what was known of
 * it here, so that a restart fills no bucket. */
void ledger_doubt(struct ledger *self);
/* The same for a question that is asked again. */
void ledger_remind(struct ledger *self, const struct ledger_bucket *bucket,
                   uint64_t now_us, struct ledger_result *asked);

/* What Redis must be told of a bucket. */
struct ledger_return {
    char key[LEDGER_KEY];
    size_t key_len;
    struct bucket_rule rule;
    int64_t owed_us;
    uint64_t least_us;
};
/* Leases that ended with tokens unspent, which are no longer here. */
/* At most `max` of them; how many there are. One thread at a time. */
size_t ledger_collect(struct ledger *self, uint64_t now_us, struct ledger_return *out,
                      size_t max);

/* What was known of buckets that are not full: of each once in a doubt. */
size_t ledger_collect_known(struct ledger *self, uint64_t now_us,
                            struct ledger_return *out, size_t max);
/* What was spent without Redis and is still owed. */
size_t ledger_collect_owed(struct ledger *self, uint64_t now_us,
                           struct ledger_return *out, size_t max);

#endif
