/* ledger_internal: what a ledger is made of, for its own files: ledger.c spends,
 * ledger_collect.c finds what Redis must be told. */
#ifndef GATEWAY_LIMITS_LEDGER_INTERNAL_H
#define GATEWAY_LIMITS_LEDGER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "services/gateway/limits/ledger.h"

enum { LEDGER_STRIPES = 64, LEDGER_HEADS = 128 };

struct entry {
    struct entry *next; /* of the same head */
    TAILQ_ENTRY(entry) used;
    TAILQ_ENTRY(entry) lease;
    uint64_t hash;
    struct bucket_rule rule;
    uint64_t said_us;       /* when it is full, by the last word of Redis */
    unsigned told;          /* Redis, of that word, in this doubt */
    unsigned doubts;        /* that word is of that time: see ledger_doubt() */
    uint64_t full_us;       /* when the bucket is full, as far as is known */
    uint64_t blocked_us;    /* known to be empty until then */
    uint64_t owed_until_us; /* spent without Redis: refilled by then */
    uint64_t lease_until_us;
    uint32_t tokens; /* leased, not spent */
    uint32_t spent;  /* of this lease */
    uint32_t want;   /* of the last order */
    bool leasing;    /* in the list of leases */
    size_t key_len;
    char key[];
};

TAILQ_HEAD(entries, entry);

struct stripe {
    pthread_mutex_t lock;
    size_t count;
    struct entries used;   /* least recently first */
    struct entries leases; /* the first to end first */
    struct entry *heads[LEDGER_HEADS];
};

struct ledger {
    uint64_t seed; /* nobody can aim at one list */
    atomic_uint doubts;
    size_t most;      /* entries of a stripe */
    size_t collected; /* the stripe to look at next */
    struct stripe stripes[LEDGER_STRIPES];
};

/* The lock is held. */
void ledger_end_lease(struct stripe *stripe, struct entry *entry);

#endif
