/* search: keeps the documents, finds passages in them. See README.md. */
#include "services/search/ingest/pending.h"
#include "services/search/ingest/put.h"
#include "services/search/pgvector/pg_parts.h"
#include "services/search/query/backend_memory.h"
#include "services/search/query/documents.h"
#include "services/search/query/query.h"
#include "services/search/query/shown.h"
#include "services/search/query/watch_memory.h"
#include "services/search/settings.h"
#include "shared/rpc_server.h"
#include "shared/service.h"

struct search {
    struct sh_process_config process;
    struct search_config config;
    struct sh_pg_config pg_config;
    struct sh_workers *searchers;
    struct sh_workers *writer;   /* the one thread that changes the view */
    struct sh_workers *ingester; /* decoding, cutting, hashing */
    struct sh_pg *pg;
    struct sh_rpc_client *embedder;
    struct model_binding *model;
    struct feed *feed;
    struct pending *pending;
    struct putter *putter;
    struct boosts boosts;
    struct glossary_feed *glossary;
    struct reranker *reranker;
    struct shadow shadow;
    struct backend_memory memory;
    struct watch_memory memory_watch;
    struct pg_parts pgvector;
    struct querier querier;
    struct documents documents;
    struct shown *shown;
    struct watch *watch;
};

SH_SETTINGS_DEFINE(search, "Search", SEARCH_SETTINGS)

/* Then there is neither feed nor view. */
static bool uses_pgvector(const struct search *search)
{
    return strcmp(search->config.backend, "pgvector") == 0;
}

/* --- what is needed ----------------------------------------------------------------- */

static void stop_workers(struct sh_service *service, void *self)
{
    struct search *search = self;

    (void)service;
    sh_workers_close(&search->searchers);
    sh_workers_close(&search->writer);
    sh_workers_close(&search->ingester);
}

static enum sh_err start_workers(struct sh_service *service, void *self)
{
    struct search *search = self;
    uv_loop_t *loop = sh_service_loop(service);
    enum sh_err err = sh_workers_create(loop, "search", search->config.search_threads,
                                        search->config.search_queue, &search->searchers);

    if (err == SH_OK)
        err = sh_workers_create(loop, "view", 1, 16, &search->writer);
    if (err == SH_OK)
        err = sh_workers_create(loop, "ingest", 0, 1024, &search->ingester);
    if (err != SH_OK)
        stop_workers(service, self);
    return err;
}

static enum sh_err start_database(struct sh_service *service, void *self)
{
    struct search *search = self;

    return sh_pg_create(sh_service_loop(service), &search->pg_config, NULL, &search->pg);
}

static void stop_database(struct sh_service *service, void *self)
{
    struct search *search = self;

    (void)service;
    sh_pg_close(&search->pg);
}

static void on_embedder(void *arg)
{
    struct search *search = arg;

    if (search->model != NULL)
        model_check(search->model);
    if (search->pending != NULL)
        pending_wake(search->pending);
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
    struct search *search = self;

    (void)service;
    sh_rpc_client_close(&search->embedder);
}

/* --- the view and the model --------------------------------------------------------- */

static void on_model(void *arg)
{
    struct search *search = arg;

    if (search->feed != NULL)
        feed_rebuild(search->feed);
    pg_parts_model(&search->pgvector);
    watch_refresh(search->watch);
}

static void on_pending(void *arg)
{
    struct search *search = arg;

    if (search->pending != NULL)
        pending_wake(search->pending);
}

static enum sh_err start_model(struct sh_service *service, void *self)
{
    struct search *search = self;
    struct model_binding_options options = {.pg = search->pg,
                                            .embedder = search->embedder,
                                            .known = on_model,
                                            .changed = on_model,
                                            .pending = on_pending,
                                            .arg = search};

    return model_create(sh_service_loop(service), &options, &search->model);
}

static void stop_model(struct sh_service *service, void *self)
{
    struct search *search = self;

    (void)service;
    model_close(&search->model);
}

static void on_changed(void *arg)
{
    struct search *search = arg;

    watch_refresh(search->watch);
}

static struct view_options view_options(const struct search_config *config)
{
    static const char *const codes[CODE_KINDS] = {"int8", "f16", "f32"};
    struct view_options options = view_defaults();

    for (int i = 0; i < CODE_KINDS; i++)
        if (strcmp(config->vector_codes, codes[i]) == 0)
            options.vectors.codes = (enum code_kind)i;
    options.vectors.links = config->vector_links;
    options.vectors.ef_construction = config->vector_ef_construction;
    options.vectors.ef_search = config->vector_ef_search;
    options.text.k1 = config->text_k1;
    options.text.b = config->text_b;
    options.text.weight[TEXT_TITLE] = config->text_title;
    options.text.weight[TEXT_HEADING] = config->text_heading;
    options.text.weight[TEXT_BODY] = config->text_body;
    return options;
}

/* Loading begins when the model is known. */
static enum sh_err start_feed(struct sh_service *service, void *self)
{
    struct search *search = self;
    struct feed_options options = {.pg = search->pg,
                                   .pg_config = &search->pg_config,
                                   .writer = search->writer,
                                   .view = view_options(&search->config),
                                   .model = model_current(search->model),
                                   .outbox_keep_s = search->config.outbox_keep_s,
                                   .outbox_keep_rows = search->config.outbox_keep_rows,
                                   .data_dir = search->config.data_dir,
                                   .snapshot_s = search->config.snapshot_s,
                                   .state_changed = on_changed,
                                   .arg = search};
    struct pg_parts_options pgvector = {&search->config, search->pg, search->searchers,
                                        search->model,   on_changed, search};

    if (uses_pgvector(search))
        return pg_parts_start(&search->pgvector, sh_service_loop(service), &pgvector);
    return feed_create(sh_service_loop(service), &options, &search->feed);
}

static void on_feed_drained(void *arg)
{
    sh_service_release(arg);
}

static void drain_feed(struct sh_service *service, void *self)
{
    struct search *search = self;

    if (search->feed == NULL)
        return;
    sh_service_hold(service);
    feed_drain(search->feed, on_feed_drained, service);
}

static void stop_feed(struct sh_service *service, void *self)
{
    struct search *search = self;

    (void)service;
    feed_close(&search->feed);
    pg_parts_close(&search->pgvector);
}

static enum sh_err start_glossary(struct sh_service *service, void *self)
{
    struct search *search = self;

    return glossary_feed_create(sh_service_loop(service), search->pg, search->ingester,
                                &search->glossary);
}

static void stop_glossary(struct sh_service *service, void *self)
{
    struct search *search = self;

    (void)service;
    search->querier.glossary = NULL;
    glossary_feed_close(&search->glossary);
}

static enum sh_err start_reranker(struct sh_service *service, void *self)
{
    struct search *search = self;
    const struct search_config *config = &search->config;
    bool cohere = strcmp(config->rerank_shape, "cohere") == 0;
    struct reranker_options options = {.url = config->rerank_url,
                                       .shape = cohere ? RERANK_COHERE : RERANK_TEI,
                                       .model = config->rerank_model,
                                       .api_key = config->rerank_api_key,
                                       .timeout_ms = config->rerank_timeout_ms,
                                       .top = config->rerank_top};

    if (config->rerank_url[0] == '\0')
        return SH_OK;
    return reranker_create(sh_service_loop(service), &options, &search->reranker);
}

static void stop_reranker(struct sh_service *service, void *self)
{
    struct search *search = self;

    (void)service;
    search->querier.reranker = NULL;
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
    struct search *search = self;

    (void)service;
    pending_close(&search->pending);
}

static enum sh_err start_putter(struct sh_service *service, void *self)
{
    struct search *search = self;
    const struct search_config *config = &search->config;
    struct putter_options options = {
        .pg = search->pg,
        .embedder = search->embedder,
        .workers = search->ingester,
        .feed = search->feed,
        .model = search->model,
        .chunk = {config->chunk_tokens, config->chunk_overlap},
        .at_once = config->ingest_concurrency,
        .bytes_max = (size_t)config->ingest_queue_mb << 20,
        .pending = on_pending,
        .arg = search,
    };

    (void)service;
    return putter_create(&options, &search->putter);
}

static void stop_putter(struct sh_service *service, void *self)
{
    struct search *search = self;

    (void)service;
    putter_close(&search->putter);
}

static void on_other_model(void *arg)
{
    struct search *search = arg;

    model_check(search->model);
}

static struct boosts boosts_of(const struct search_config *config)
{
    return (struct boosts){
        .score = config->boost_score,
        .priority = config->boost_priority,
        .campus = {[CAMPUS_central] = config->boost_central,
                   [CAMPUS_kings_buildings] = config->boost_kings_buildings,
                   [CAMPUS_easter_bush] = config->boost_easter_bush,
                   [CAMPUS_western_general] = config->boost_western_general}};
}

static enum sh_err start_methods(struct sh_service *service, void *self)
{
    struct search *search = self;
    struct sh_rpc_server *rpc = sh_service_rpc(service);
    const size_t put_max = (size_t)64 << 20;
    enum sh_err err;

    search->boosts = boosts_of(&search->config);
    search->shadow = (struct shadow){.feed = search->feed,
                                     .workers = search->searchers,
                                     .rate = search->config.shadow_rate};
    search->memory = (struct backend_memory){search->feed, search->searchers};
    search->querier = (struct querier){
        .backend = uses_pgvector(search) ? backend_pgvector(&search->pgvector.backend)
                                         : backend_memory(&search->memory),
        .embedder = search->embedder,
        .model = model_current(search->model),
        .glossary = search->glossary,
        .reranker = search->reranker,
        .shadow = uses_pgvector(search) ? NULL : &search->shadow,
        .boosts = &search->boosts,
        .other_model = on_other_model,
        .arg = search};
    search->documents = (struct documents){search->pg, search->feed, !search->feed};
    err = shown_create(sh_service_loop(service), search->feed, &search->shown);
    if (err != SH_OK)
        return err;
    if ((err = sh_rpc_server_add(rpc, METHOD_SEARCH_QUERY, "search.query", 0,
                                 query_handle, &search->querier)) ||
        (err = sh_rpc_server_add(rpc, METHOD_DOCUMENT_PUT, "search.put", put_max,
                                 putter_handle, search->putter)) ||
        (err = sh_rpc_server_add(rpc, METHOD_DOCUMENT_GET, "search.get", 0, documents_get,
                                 &search->documents)) ||
        (err = sh_rpc_server_add(rpc, METHOD_DOCUMENT_DELETE, "search.delete", 0,
                                 documents_delete, &search->documents)) ||
        (err = sh_rpc_server_add(rpc, METHOD_DOCUMENT_LIST, "search.list", 0,
                                 documents_list, &search->documents)) ||
        (err = sh_rpc_server_add(rpc, METHOD_VIEW_WAIT, "search.shown", 0, shown_handle,
                                 search->shown))) {
        shown_close(&search->shown);
        return err;
    }
    return SH_OK;
}

static void stop_methods(struct sh_service *service, void *self)
{
    struct search *search = self;

    (void)service;
    search->querier.closing = true;
    search->documents.feed = NULL;
    shown_close(&search->shown);
}

static enum sh_err start_watch(struct sh_service *service, void *self)
{
    struct search *search = self;
    struct watch_options options = {.health = sh_service_health(service),
                                    .pg = search->pg,
                                    .embedder = search->embedder,
                                    .model = search->model,
                                    .backend = search->querier.backend};

    search->memory_watch = (struct watch_memory){.feed = search->feed};
    options.source = uses_pgvector(search) ? pg_watch(&search->pgvector.watch)
                                           : watch_memory(&search->memory_watch);
    return watch_create(sh_service_loop(service), &options, &search->watch);
}

static void stop_watch(struct sh_service *service, void *self)
{
    struct search *search = self;

    (void)service;
    watch_close(&search->watch);
}

/* Order matters: a stage may use the ones above it. */
static const struct sh_stage stages[] = {
    {"workers", start_workers, NULL, stop_workers, NULL},
    {"database", start_database, NULL, stop_database, NULL},
    {"embedder", start_embedder, NULL, stop_embedder, NULL},
    {"model", start_model, NULL, stop_model, NULL},
    {"feed", start_feed, drain_feed, stop_feed, NULL},
    {"glossary", start_glossary, NULL, stop_glossary, NULL},
    {"reranker", start_reranker, NULL, stop_reranker, NULL},
    {"pending", start_pending, drain_pending, stop_pending, NULL},
    {"putter", start_putter, NULL, stop_putter, NULL},
    {"methods", start_methods, NULL, stop_methods, NULL},
    {"watch", start_watch, NULL, stop_watch, NULL},
};

int main(int argc, char **argv)
{
    static struct search search;
    struct sh_settings settings[] = {search_settings(&search.config),
                                     sh_pg_settings(&search.pg_config)};
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
        .self = &search,
    };

    return sh_service_main(argc, argv, &spec);
}
