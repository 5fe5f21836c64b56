/* remote: answers in Redis, shared by all gateways and kept over their restarts. Names
 * bear an epoch that is kept in Redis, too: who sets another one has cleared the cache of
 * all gateways, which look four times a second. Whatever Redis does, the worst is a miss.
 * Loop thread only. */
#ifndef GATEWAY_CACHE_REMOTE_H
#define GATEWAY_CACHE_REMOTE_H

#include "services/gateway/cache/cache.h"
#include "shared/redis.h"

/* An answer, checked and unexpired; borrowed until it returns. Empty: there is none. */
typedef void remote_done_fn(void *arg, struct sh_bytes bytes);
struct remote_get;

/* `done` once, on a later turn. Errors: SH_UNAVAILABLE, SH_BUSY, SH_NOMEM: as good as a
 * miss. */
SH_CHECK enum sh_err remote_get(struct cache *cache, struct sh_redis *redis,
                                const struct kept_key *key, remote_done_fn *done,
                                void *arg, struct remote_get **out);
/* `done` is not called any more. */
void remote_forget(struct remote_get *get);
void remote_put(const struct cache *cache, struct sh_redis *redis,
                const struct kept_key *key, struct sh_bytes bytes);

/* --- the epoch -------------------------------------------------------------------- */

/* Ask what it is, or set what is wanted; on one loop, again and again. An epoch that
 * somebody else set clears what is in memory. */
void remote_look(struct cache *cache, struct sh_redis *redis);
/* Another one from now on, for all gateways. `done` once: whether Redis has taken it;
 * else it is told when it is back. Perhaps at once. */
typedef void remote_cleared_fn(void *arg, bool everywhere);
struct remote_clear;
void remote_clear(struct cache *cache, struct sh_redis *redis, remote_cleared_fn *done,
                  void *arg, struct remote_clear **out);
/* `done` is not called any more. NULL is fine. */
void remote_clear_forget(struct remote_clear *clear);

#endif
