/* embedder: the service's state, as its stages see it. Loop thread only. */
#ifndef EMBEDDER_EMBEDDER_H
#define EMBEDDER_EMBEDDER_H

#include "services/embedder/lsa/fitting.h"
#include "services/embedder/shelf.h"
#include "shared/redis.h"
#include "shared/service.h"

struct embedder {
    struct sh_process_config process;
    struct embedder_config config;
    struct sh_redis_config redis_config;
    struct sh_redis *redis;
    struct sh_health_check *redis_check;
    struct sh_health_check *model_check;
    struct lru *lru;
    struct remote *remote;
    struct sh_rpc_client *search;
    struct shelf shelf;
    struct fitting *fitting;
};

/* embedder.embed, embedder.models and embedder.model; the shelf is open. */
SH_CHECK enum sh_err methods_add(struct embedder *embedder, struct sh_rpc_server *rpc);

/* Tell the health check what the default model is like now. */
void embedder_report(struct embedder *embedder);

/* --pack-model, --check-model: true when argv asked for one; *status is then the exit
 * status. */
bool model_command(int argc, char **argv, int *status);

#endif
