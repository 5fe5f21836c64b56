/* remote: vectors in Redis, shared by replicas and kept over restarts, best effort: every
 * failure is a miss. Keys bear the model's fingerprint. Loop thread only. */
#ifndef EMBEDDER_REMOTE_H
#define EMBEDDER_REMOTE_H

#include "services/embedder/cache/lru.h"
#include "shared/redis.h"

struct remote;

/* One answer per key asked for: `vector` NULL for a miss; borrowed until it returns. */
struct remote_value {
    const float *vector;
    uint32_t tokens;
};
typedef void remote_done_fn(void *arg, const struct remote_value *values, size_t count);

/* `redis` must outlive it. Errors: SH_NOMEM. */
SH_CHECK enum sh_err remote_create(struct sh_redis *redis, unsigned ttl_s,
                                   struct remote **out);
/* After Redis was closed, so that nothing is under way. */
void remote_free(struct remote **self);

struct remote_question {
    const char *fingerprint;
    const uint8_t *keys; /* count × LRU_KEY_BYTES */
    size_t count;
    uint32_t dimension;
};

/* `done` is called exactly once, on a later turn, unless
 * this fails. Errors: SH_UNAVAILABLE, SH_BUSY, SH_NOMEM: as good as all missed. */
SH_CHECK enum sh_err remote_get(struct remote *self,
                                const struct remote_question *question,
                                remote_done_fn *done, void *arg);
void remote_put(struct remote *self, const char *fingerprint,
                const uint8_t key[LRU_KEY_BYTES], const float *vector, uint32_t dimension,
                uint32_t tokens);

#endif
