/* embedder: the service's state, as its stages see it. Loop thread only. */
#ifndef EMBEDDER_EMBEDDER_H
#define EMBEDDER_EMBEDDER_H

#include "services/embedder/batch/desk.h"
#include "services/embedder/settings.h"
#include "shared/redis.h"
#include "shared/service.h"

struct embedder {
    struct sh_process_config process;
    struct embedder_config config;
    struct sh_redis_config redis_config;
    struct sh_redis *redis;
    struct sh_health_check *redis_check;
    struct sh_health_check *model_check;
    struct provider *provider;
    struct lru *lru;
    struct remote *remote;
    struct desk *desk;
    char fingerprint[CARD_HASH_CHARS + 1]; /* of the model that the caches hold */
};

/* embedder.embed and embedder.models; provider and desk are open. */
SH_CHECK enum sh_err methods_add(struct embedder *embedder, struct sh_rpc_server *rpc);

/* The provider of the settings; the reason of a failure is logged. */
SH_CHECK enum sh_err embedder_open_provider(struct embedder *embedder, uv_loop_t *loop);
/* Tell the health check what the provider is like now. */
void embedder_report(struct embedder *embedder);

/* --pack-model, --check-model: true when argv asked for one; *status is then the exit
 * status. */
bool model_command(int argc, char **argv, int *status);

#endif
