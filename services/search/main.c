/* search: keeps the documents, finds passages in them. See README.md. */
#include "services/search/files/file_parts.h"
#include "services/search/generations/generation_parts.h"
#include "services/search/glossary/glossary_parts.h"
#include "services/search/jobs/job_parts.h"
#include "services/search/memory_parts.h"
#include "services/search/methods.h"
#include "services/search/pgvector/pg_parts.h"
#include "services/search/rerank/rerank_config.h"
#include "services/search/settings.h"
#include "services/search/upload_parts.h"
#include "services/search/worker_parts.h"
#include "shared/rpc_server.h"
#include "shared/service.h"

struct search {
    struct sh_process_config process;
    struct search_config config;
    struct sh_pg_config pg_config;
    struct worker_parts workers;
    struct sh_pg *pg;
    struct file_parts files;
    struct sh_rpc_client *embedder;
    struct model_binding *model;
    struct pending *pending;
    struct generation_parts generations;
    struct sh_jobs_config jobs_config;
    struct job_parts jobs;
    struct putter *putter;
    struct upload_parts uploads;
    struct glossary_feed *glossary;
    struct glossary_parts terms;
    struct reranker *reranker;
    struct memory_parts memory;
    struct pg_parts pgvector;
    struct methods methods;
    struct watch *watch;
};

SH_SETTINGS_DEFINE(search, "Search", SEARCH_SETTINGS)

/* Then there is neither feed nor view. */
static bool uses_pgvector(const struct search *search)
{
    return strcmp(search->config.backend, "pgvector") == 0;
}

/* --- what is needed ----------------------------------------------------------------- */

static enum sh_err start_workers(struct sh_service *service, void *self)
{
    struct search *search = self;

    return worker_parts_start(&search->workers, sh_service_loop(service),
                              &search->config);
}

static void stop_workers(struct sh_service *service, void *self)
{
    (void)service;
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

/* --- the view and the model --------------------------------------------------------- */

static void on_model(void *arg)
{
    struct search *search = arg;

    memory_parts_model(&search->memory);
    pg_parts_model(&search->pgvector);
    watch_refresh(search->watch);
}

static void on_pending(void *arg)
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
                                            .pending = on_pending,
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
    struct memory_parts_options memory = {&search->config,
                                          &search->pg_config,
                                          search->pg,
                                          search->workers.searchers,
                                          search->workers.writer,
                                          search->workers.builder,
                                          search->model,
                                          on_changed,
                                          on_moved,
                                          search};

    if (uses_pgvector(search))
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

/* --- what it does ------------------------------------------------------------------- */

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
        .pending = on_pending,
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
    return uses_pgvector(search) ? backend_pgvector(&search->pgvector.backend)
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
        .querier = {.backend = backend_of(search),
                    .embedder = search->embedder,
                    .model = uses_pgvector(search) ? &search->pgvector.shown
                                                   : feed_model(search->memory.feed),
                    .glossary = search->glossary,
                    .reranker = search->reranker,
                    .shadow = uses_pgvector(search) ? NULL : &search->memory.shadow,
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
                                             .files = &search->files,
                                             .uploads = &search->uploads.config,
                                             .most_by_user =
                                                 search->jobs_config.per_user};

    return glossary_parts_start(&search->terms, &options);
}

/* --- generations, and jobs ---------------------------------------------------------- */

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
    struct sh_job_kind kinds[1 + GENERATION_KINDS + GLOSSARY_KINDS] = {
        ingest_kind(search->putter, 2 * search->config.ingest_concurrency)};
    struct job_parts_options options = {
        search->pg, &search->pg_config, &search->jobs_config, sh_service_rpc(service),
        kinds,      SH_COUNT(kinds)};

    generations_kinds(&search->generations.generations, kinds + 1);
    glossary_parts_kinds(&search->terms, kinds + 1 + GENERATION_KINDS);
    return job_parts_start(&search->jobs, sh_service_loop(service), &options);
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

    options.source = uses_pgvector(search) ? pg_watch(&search->pgvector.watch)
                                           : watch_memory(&search->memory.watch);
    return watch_create(sh_service_loop(service), &options, &search->watch);
}

static void stop_watch(struct sh_service *service, void *self)
{
    (void)service;
    watch_close(&((struct search *)self)->watch);
}

/* Order matters: a stage may use the ones above it. */
static const struct sh_stage stages[] = {
    {"workers", start_workers, NULL, stop_workers, NULL},
    {"database", start_database, NULL, stop_database, NULL},
    {"embedder", start_embedder, NULL, stop_embedder, NULL},
    {"model", start_model, NULL, stop_model, NULL},
    {"backend", start_backend, drain_backend, stop_backend, NULL},
    {"glossary", start_glossary, NULL, stop_glossary, NULL},
    {"reranker", start_reranker, NULL, stop_reranker, NULL},
    {"pending", start_pending, drain_pending, stop_pending, NULL},
    {"putter", start_putter, NULL, stop_putter, NULL},
    {"methods", start_methods, NULL, stop_methods, NULL},
    {"terms", start_terms, NULL, NULL, NULL},
    {"generations", start_generations, drain_generations, stop_generations, NULL},
    {"jobs", start_jobs, drain_jobs, stop_jobs, NULL},
    {"watch", start_watch, NULL, stop_watch, NULL},
};

int main(int argc, char **argv)
{
    static struct search search;
    struct sh_settings settings[4 + FILE_PARTS_SETTINGS] = {
        search_settings(&search.config), sh_pg_settings(&search.pg_config),
        sh_jobs_settings(&search.jobs_config), upload_settings(&search.uploads.config)};
    struct sh_service_spec spec = {
        .name = "search",
        .summary = "keeps the documents, finds passages in them",
        .process = &search.process,
        .settings = settings,
        .settings_count = SH_COUNT(settings),
        .stages = stages,
        .stage_count = SH_COUNT(stages),
        .rpc = true,
        .ops_port = "9101",
        .rpc_bind = "tcp://127.0.0.1:5601",
        .rpc_callers = "gateway,embedder",
        .self = &search,
    };

    file_parts_settings(&search.files, settings + 4);
    return sh_service_main(argc, argv, &spec);
}
