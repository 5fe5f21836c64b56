/* What a search service does. */
#include "services/search/search.h"

/* --- storing and answering -------------------------------------------------------- */

static enum sh_err start_putter(struct sh_service *service, void *self)
{
    struct search *search = self;
    const struct search_config *config = &search->config;
    struct putter_options options = {
        .pg = search->pg,
        .embedder = search->embedder,
        .workers = search->workers.ingester,
        .feed = search->memory.feed,
        .model = search->model,
        .chunk = {config->chunk_tokens, config->chunk_overlap},
        .at_once = config->ingest_concurrency,
        .bytes_max = (size_t)config->ingest_queue_mb << 20,
        .pending = search_pending,
        .arg = search,
    };

    enum sh_err err = putter_create(&options, &search->putter);

    if (err == SH_OK)
        err = upload_parts_start(&search->uploads, sh_service_loop(service),
                                 search->putter, &options, &search->files);
    return err;
}

static void stop_putter(struct sh_service *service, void *self)
{
    (void)service;
    upload_parts_close(&((struct search *)self)->uploads);
    putter_close(&((struct search *)self)->putter);
}

static void on_other_model(void *arg)
{
    model_check(((struct search *)arg)->model);
}

static struct search_backend backend_of(struct search *search)
{
    return search_uses_pgvector(search) ? backend_pgvector(&search->pgvector.backend)
                                        : backend_memory(&search->memory.backend);
}

static enum sh_err start_methods(struct sh_service *service, void *self)
{
    struct search *search = self;
    struct methods_options options = {
        .config = &search->config,
        .pg = search->pg,
        .feed = search->memory.feed,
        .putter = search->putter,
        .file_putter = search->uploads.putter,
        .files = &search->files.files,
        .workers = search->workers.searchers,
        .querier = {
            .backend = backend_of(search),
            .embedder = search->embedder,
            .model = search_uses_pgvector(search) ? &search->pgvector.shown
                                                  : feed_model(search->memory.feed),
            .glossary = search->glossary,
            .reranker = search->reranker,
            .shadow = search_uses_pgvector(search) ? NULL : &search->memory.shadow,
            .yield = search->workers.yield,
            .other_model = on_other_model,
            .arg = search}};

    return methods_start(&search->methods, sh_service_loop(service),
                         sh_service_rpc(service), &options);
}

static void stop_methods(struct sh_service *service, void *self)
{
    (void)service;
    methods_stop(&((struct search *)self)->methods);
}

static enum sh_err start_terms(struct sh_service *service, void *self)
{
    struct search *search = self;
    struct glossary_parts_options options = {.loop = sh_service_loop(service),
                                             .pg = search->pg,
                                             .rpc = sh_service_rpc(service),
                                             .workers = search->workers.ingester,
                                             .searchers = search->workers.searchers,
                                             .embedder = search->embedder,
                                             .model = search->model,
                                             .config = &search->config,
                                             .files = &search->files,
                                             .uploads = &search->uploads.config,
                                             .most_by_user =
                                                 search->jobs_config.per_user};

    return glossary_parts_start(&search->terms, &options);
}

/* --- generations, and jobs -------------------------------------------------------- */

static enum sh_err start_generations(struct sh_service *service, void *self)
{
    struct search *search = self;
    struct generation_parts_options options = {
        .loop = sh_service_loop(service),
        .config = &search->config,
        .pg = search->pg,
        .embedder = search->embedder,
        .model = search->model,
        .first = search->pending,
        .recent = &search->methods.querier.vectors,
        .rpc = sh_service_rpc(service),
        .health = sh_service_health(service),
        .shown = search->methods.querier.model,
    };

    return generation_parts_start(&search->generations, &options);
}

static void drain_generations(struct sh_service *service, void *self)
{
    struct search *search = self;

    (void)service;
    generation_parts_pause(&search->generations);
}

static void stop_generations(struct sh_service *service, void *self)
{
    (void)service;
    generation_parts_close(&((struct search *)self)->generations);
}

static enum sh_err start_jobs(struct sh_service *service, void *self)
{
    struct search *search = self;
    struct sh_job_kind kinds[1 + GENERATION_KINDS + GLOSSARY_KINDS] = {ingest_kind(
        search->putter, 2 * PUT_QUIET_TIMES * search->config.ingest_concurrency)};
    struct job_parts_options options = {
        search->pg, &search->pg_config, &search->jobs_config, sh_service_rpc(service),
        kinds,      SH_COUNT(kinds)};

    generations_kinds(&search->generations.generations, kinds + 1);
    glossary_parts_kinds(&search->terms, kinds + 1 + GENERATION_KINDS);
    return job_parts_start(&search->jobs, sh_service_loop(service), &options);
}

static void on_drained(void *arg)
{
    sh_service_release(arg);
}

static void drain_jobs(struct sh_service *service, void *self)
{
    sh_service_hold(service);
    job_parts_drain(&((struct search *)self)->jobs, on_drained, service);
}

static void stop_jobs(struct sh_service *service, void *self)
{
    struct search *search = self;

    (void)service;
    generations_stop(&search->generations.generations);
    glossary_parts_stop(&search->terms);
    job_parts_close(&search->jobs);
}

static enum sh_err start_watch(struct sh_service *service, void *self)
{
    struct search *search = self;
    struct watch_options options = {.health = sh_service_health(service),
                                    .pg = search->pg,
                                    .embedder = search->embedder,
                                    .model = search->model,
                                    .backend = backend_of(search)};

    options.source = search_uses_pgvector(search) ? pg_watch(&search->pgvector.watch)
                                                  : watch_memory(&search->memory.watch);
    return watch_create(sh_service_loop(service), &options, &search->watch);
}

static void stop_watch(struct sh_service *service, void *self)
{
    (void)service;
    watch_close(&((struct search *)self)->watch);
}

const struct sh_stage search_work[SEARCH_WORK] = {
    {"putter", start_putter, NULL, stop_putter, NULL},
    {"methods", start_methods, NULL, stop_methods, NULL},
    {"terms", start_terms, NULL, NULL, NULL},
    {"generations", start_generations, drain_generations, stop_generations, NULL},
    {"jobs", start_jobs, drain_jobs, stop_jobs, NULL},
    {"watch", start_watch, NULL, stop_watch, NULL},
};
