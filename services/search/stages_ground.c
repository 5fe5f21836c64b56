/* What a search service stands on. */
#include "services/search/search.h"

/* --- what is needed --------------------------------------------------------------- */

static enum sh_err start_workers(struct sh_service *service, void *self)
{
    struct search *search = self;

    enum sh_err err =
        worker_parts_start(&search->workers, sh_service_loop(service), &search->config);
    if (err == SH_OK)
        sh_rpc_server_pace(sh_service_rpc(service), search->workers.searchers);
    return err;
}

static void stop_workers(struct sh_service *service, void *self)
{
    sh_rpc_server_pace(sh_service_rpc(service), NULL);
    worker_parts_close(&((struct search *)self)->workers);
}

static void stop_database(struct sh_service *service, void *self)
{
    struct search *search = self;

    (void)service;
    file_parts_close(&search->files);
    sh_pg_close(&search->pg);
}

static enum sh_err start_database(struct sh_service *service, void *self)
{
    struct search *search = self;
    uv_loop_t *loop = sh_service_loop(service);
    enum sh_err err = sh_pg_create(loop, &search->pg_config, NULL, &search->pg);

    if (err == SH_OK)
        err = file_parts_start(&search->files, loop, search->pg);
    if (err != SH_OK)
        stop_database(service, self);
    return err;
}

static void on_embedder(void *arg)
{
    struct search *search = arg;

    if (search->model != NULL)
        model_check(search->model);
    if (search->pending != NULL)
        pending_wake(search->pending);
    generation_parts_wake(&search->generations);
    watch_refresh(search->watch);
}

static enum sh_err start_embedder(struct sh_service *service, void *self)
{
    struct search *search = self;
    struct sh_rpc_client_options options = {
        .service = "embedder", .endpoints = search->config.embedder_endpoints};
    enum sh_err err =
        sh_rpc_client_create(sh_service_zmq(service), &options, &search->embedder);

    if (err == SH_OK)
        sh_rpc_client_on_change(search->embedder, on_embedder, search);
    if (err == SH_OK)
        err = sh_service_add_peers(service, search->embedder);
    return err;
}

static void stop_embedder(struct sh_service *service, void *self)
{
    (void)service;
    sh_rpc_client_close(&((struct search *)self)->embedder);
}

/* --- the view and the model ------------------------------------------------------- */

static void on_model(void *arg)
{
    struct search *search = arg;

    memory_parts_model(&search->memory);
    pg_parts_model(&search->pgvector);
    watch_refresh(search->watch);
}

void search_pending(void *arg)
{
    struct search *search = arg;
    if (search->pending != NULL)
        pending_wake(search->pending);
}

static void on_lost(void *arg, const struct model *instead)
{
    struct search *search = arg;

    generation_parts_lost(&search->generations, instead);
    watch_refresh(search->watch);
}

static enum sh_err start_model(struct sh_service *service, void *self)
{
    struct search *search = self;
    struct model_binding_options options = {.pg = search->pg,
                                            .pg_config = &search->pg_config,
                                            .embedder = search->embedder,
                                            .known = on_model,
                                            .changed = on_model,
                                            .pending = search_pending,
                                            .lost = on_lost,
                                            .arg = search};

    return model_create(sh_service_loop(service), &options, &search->model);
}

static void stop_model(struct sh_service *service, void *self)
{
    (void)service;
    model_close(&((struct search *)self)->model);
}

static void on_changed(void *arg)
{
    watch_refresh(((struct search *)arg)->watch);
}

static void on_moved(void *arg)
{
    methods_moved(&((struct search *)arg)->methods);
}

static enum sh_err start_backend(struct sh_service *service, void *self)
{
    struct search *search = self;
    uv_loop_t *loop = sh_service_loop(service);
    struct pg_parts_options pgvector = {
        &search->config, search->pg, search->workers.searchers,
        search->model,   on_changed, search};
    struct memory_parts_options memory = {
        &search->config, &search->pg_config, search->pg, &search->workers,
        search->model,   on_changed,         on_moved,   search};

    if (search_uses_pgvector(search))
        return pg_parts_start(&search->pgvector, loop, &pgvector);
    return memory_parts_start(&search->memory, loop, &memory);
}

static void on_drained(void *arg)
{
    sh_service_release(arg);
}

static void drain_backend(struct sh_service *service, void *self)
{
    struct search *search = self;

    if (search->memory.feed == NULL)
        return;
    sh_service_hold(service);
    feed_drain(search->memory.feed, on_drained, service);
}

static void stop_backend(struct sh_service *service, void *self)
{
    struct search *search = self;

    (void)service;
    memory_parts_close(&search->memory);
    pg_parts_close(&search->pgvector);
}

static enum sh_err start_glossary(struct sh_service *service, void *self)
{
    struct search *search = self;

    return glossary_feed_create(sh_service_loop(service), search->pg,
                                search->workers.ingester, &search->glossary);
}

static void stop_glossary(struct sh_service *service, void *self)
{
    struct search *search = self;

    (void)service;
    search->methods.querier.glossary = NULL;
    glossary_feed_close(&search->glossary);
}

static enum sh_err start_reranker(struct sh_service *service, void *self)
{
    struct search *search = self;
    return reranker_of_settings(sh_service_loop(service), &search->config,
                                &search->reranker);
}

static void stop_reranker(struct sh_service *service, void *self)
{
    struct search *search = self;

    (void)service;
    search->methods.querier.reranker = NULL;
    reranker_close(&search->reranker);
}

static enum sh_err start_pending(struct sh_service *service, void *self)
{
    struct search *search = self;
    struct pending_options options = {
        .pg = search->pg, .embedder = search->embedder, .model = search->model};

    return pending_create(sh_service_loop(service), &options, &search->pending);
}

static void drain_pending(struct sh_service *service, void *self)
{
    struct search *search = self;

    (void)service;
    pending_pause(search->pending);
}

static void stop_pending(struct sh_service *service, void *self)
{
    (void)service;
    pending_close(&((struct search *)self)->pending);
}

const struct sh_stage search_ground[SEARCH_GROUND] = {
    {"workers", start_workers, NULL, stop_workers, NULL},
    {"database", start_database, NULL, stop_database, NULL},
    {"embedder", start_embedder, NULL, stop_embedder, NULL},
    {"model", start_model, NULL, stop_model, NULL},
    {"backend", start_backend, drain_backend, stop_backend, NULL},
    {"glossary", start_glossary, NULL, stop_glossary, NULL},
    {"reranker", start_reranker, NULL, stop_reranker, NULL},
    {"pending", start_pending, drain_pending, stop_pending, NULL},
};
