/* cache: answers to searches, kept for those who may see and ask the same. In memory for
 * the process, in Redis for all gateways; a search that is under way is not begun again
 * on the same loop. An answer is kept under the state of the data that it was found in,
 * and given only while all replicas of search say that they are in that state: a write
 * makes all before it unreachable, before its sender hears that it is done.
 *
 * Nothing here ever fails a search: what cannot be kept is searched for. */
#ifndef GATEWAY_CACHE_CACHE_H
#define GATEWAY_CACHE_CACHE_H

#include <stdatomic.h>

#include "services/gateway/cache/shelf.h"
#include "shared/config.h"

#define CACHE_SETTINGS(S)                                                                \
    S(u32, memory_mb, "CACHE_MEMORY_MB", "64", 0, 65536, 0, "",                          \
      "most megabytes of answers to searches that a gateway keeps in memory; 0: none")   \
    S(u32, ttl_s, "CACHE_TTL_SEARCH", "900", 0, 86400, 0, "",                            \
      "seconds that an answer to a search is kept, in memory and in Redis; 0: nothing "  \
      "is kept. After a change it is not given any more, however young")

struct sh_redis;

struct cache_config {
    CACHE_SETTINGS(SH_SETTING_MEMBER)
};
struct sh_settings cache_settings(struct cache_config *into);

/* What the process shares. Any thread. */
struct cache {
    struct shelf *shelf;
    uint32_t ttl_s;
    uint32_t redis_ms; /* so long is waited for it; then it is left alone for a while */
    /* Names what Redis holds. 0: not known, Redis is not used. */
    atomic_uint_fast64_t epoch;
    /* Names what it shall hold once it can be told; 0: what it says itself. */
    atomic_uint_fast64_t wanted;
    atomic_uint_fast64_t last;   /* known epoch, also while Redis is away */
    atomic_uint_fast64_t clears; /* what was begun before the last is not kept */
    /* Of the one loop that looks after the epoch. */
    uint64_t looked_at; /* so many clears there were */
    struct sh_redis *looker;
};

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err cache_create(const struct cache_config *config, struct cache **out);
void cache_free(struct cache **self);
/* All that is in memory goes, and nothing that is being searched for comes in. Returns
 * how many answers there were. */
size_t cache_clear(struct cache *self);
/* Unix milliseconds. */
uint64_t cache_now_ms(void);

/* What happened, for the metrics: `cache_operations_total`. */
enum cache_operation {
    CACHE_HIT,    /* given from memory or Redis */
    CACHE_MISS,   /* searched for */
    CACHE_SHARED, /* a search that was under way answered this one, too */
    CACHE_BYPASS, /* neither looked for nor kept */
    CACHE_SET,
    CACHE_GET, /* from Redis */
    CACHE_CLEAR,
    CACHE_OPERATIONS
};
void cache_count(enum cache_operation operation, bool good);

struct cache_figures {
    size_t entries; /* in memory */
    size_t bytes;
    uint64_t
        hits; /* since the start: given from memory, from Redis, by another's search */
    uint64_t misses;
};
struct cache_figures cache_figures(const struct cache *self);

#endif
