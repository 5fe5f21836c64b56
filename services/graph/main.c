/* graph: what is in the graph of entities and relationships. See README.md. */
#include <math.h>
#include <stdio.h>

#include "services/graph/analysis/analyses.h"
#include "services/graph/ask/asked.h"
#include "services/graph/change/changes.h"
#include "services/graph/exchange/exports.h"
#include "services/graph/feed/lag.h"
#include "services/graph/figures.h"
#include "services/graph/import/imports.h"
#include "services/graph/settings.h"
#include "services/graph/vectors/vector_maker.h"
#include "shared/service.h"

enum { METHODS_MAX = 32 };

struct graph_service {
    struct sh_process_config process;
    struct graph_config config;
    struct sh_pg_config pg_config;
    struct sh_jobs_config jobs_config;
    struct sh_workers *askers;
    struct sh_workers *analysts; /* the one thread that analyses it */
    struct sh_workers *writer;   /* the one thread that changes the graph */
    struct sh_pg *pg;
    struct feed *feed;
    struct lag *lag;
    struct sh_rpc_client *embedder;
    struct node_vectors *vectors;
    struct figures figures;
    struct vector_maker *maker; /* NULL: there are to be none */
    struct sh_health_check *index;
    double lag_s; /* NAN: not known */
    bool ever_current;
    struct asker asker;
    struct question_method methods[METHODS_MAX];
    struct changes changes;
    struct analyses analyses;
    struct imports imports;
    struct sh_jobs *jobs;
    struct exports *exports;
};

SH_SETTINGS_DEFINE(graph, "Graph", GRAPH_SETTINGS)

/* --- what is needed --------------------------------------------------------------- */

static void stop_workers(struct sh_service *service, void *self)
{
    struct graph_service *graph = self;

    sh_rpc_server_pace(sh_service_rpc(service), NULL);
    sh_workers_close(&graph->askers);
    sh_workers_close(&graph->writer);
    sh_workers_close(&graph->analysts);
    vector_maker_free(&graph->maker); /* nobody on a thread knows it any more */
    node_vectors_free(&graph->vectors);
}

static enum sh_err start_workers(struct sh_service *service, void *self)
{
    struct graph_service *graph = self;
    uv_loop_t *loop = sh_service_loop(service);
    enum sh_err err = sh_workers_create(loop, "graph", graph->config.threads,
                                        graph->config.queue, &graph->askers);

    if (err == SH_OK)
        err = sh_workers_create(loop, "view", 1, 16, &graph->writer);
    if (err == SH_OK)
        err = sh_workers_create(loop, "analysis", 1, 16, &graph->analysts);
    if (err != SH_OK)
        stop_workers(service, self);
    else
        sh_rpc_server_pace(sh_service_rpc(service), graph->askers);
    return err;
}

/* Questions are answered without it. */
static enum sh_err start_database(struct sh_service *service, void *self)
{
    struct graph_service *graph = self;
    struct sh_health_check *check =
        sh_health_add(sh_service_health(service), "database", false);

    return sh_pg_create(sh_service_loop(service), &graph->pg_config, check, &graph->pg);
}

static void stop_database(struct sh_service *service, void *self)
{
    struct graph_service *graph = self;

    (void)service;
    sh_pg_close(&graph->pg);
}

/* --- the graph -------------------------------------------------------------------- */

/* Once loaded it serves, even while it is loaded anew or the database is away. */
static void on_feed(void *arg)
{
    struct graph_service *graph = arg;
    bool current = feed_current(graph->feed);

    char detail[64] = "{\"lag_seconds\":null}";

    graph->ever_current = graph->ever_current || current;
    if (isfinite(graph->lag_s))
        (void)snprintf(detail, sizeof(detail), "{\"lag_seconds\":%.3f}", graph->lag_s);
    if (current)
        sh_health_set(graph->index, SH_HEALTHY, -1, "", detail);
    else
        sh_health_set(graph->index, graph->ever_current ? SH_DEGRADED : SH_UNHEALTHY, -1,
                      graph->ever_current ? "the graph is being loaded again"
                                          : "the graph is being loaded",
                      detail);
}

static void on_lag(void *arg, double seconds)
{
    struct graph_service *graph = arg;

    graph->lag_s = seconds;
    on_feed(graph);
}

static enum sh_err start_feed(struct sh_service *service, void *self)
{
    struct graph_service *graph = self;
    struct feed_options options = {.pg = graph->pg,
                                   .pg_config = &graph->pg_config,
                                   .writer = graph->writer,
                                   .names = graph->config.names,
                                   .data_dir = graph->config.data_dir,
                                   .snapshot_s = graph->config.snapshot_s,
                                   .outbox_keep_s = graph->config.outbox_keep_s,
                                   .outbox_keep_rows = graph->config.outbox_keep_rows,
                                   .state_changed = on_feed,
                                   .arg = graph};

    graph->index = sh_health_add(sh_service_health(service), "index", true);
    graph->lag_s = (double)NAN;
    if (graph->index == NULL)
        return SH_NOMEM;
    return feed_create(sh_service_loop(service), &options, &graph->feed);
}

static void on_drained(void *arg)
{
    sh_service_release(arg);
}

/* The next start is a quick one. */
static void drain_feed(struct sh_service *service, void *self)
{
    struct graph_service *graph = self;

    sh_service_hold(service);
    feed_drain(graph->feed, on_drained, service);
}

static void stop_feed(struct sh_service *service, void *self)
{
    struct graph_service *graph = self;

    (void)service;
    feed_close(&graph->feed);
}

static enum sh_err start_lag(struct sh_service *service, void *self)
{
    struct graph_service *graph = self;
    const struct lag_options options = {graph->pg, graph->feed, on_lag, graph};

    return lag_open(sh_service_loop(service), &options, &graph->lag);
}

static void stop_lag(struct sh_service *service, void *self)
{
    (void)service;
    lag_close(&((struct graph_service *)self)->lag);
}

/* --- vectors of texts ------------------------------------------------------------- */

/* Whether it is there is nobody's business but theirs who ask for similar nodes. */
static enum sh_err start_embedder(struct sh_service *service, void *self)
{
    struct graph_service *graph = self;
    struct sh_rpc_client_options options = {
        .service = "embedder", .endpoints = graph->config.embedder_endpoints};

    if (graph->config.vectors_max == 0)
        return SH_OK;
    enum sh_err err =
        sh_rpc_client_create(sh_service_zmq(service), &options, &graph->embedder);
    return err == SH_OK ? sh_service_add_peers(service, graph->embedder) : err;
}

static void stop_embedder(struct sh_service *service, void *self)
{
    (void)service;
    sh_rpc_client_close(&((struct graph_service *)self)->embedder);
}

static enum sh_err start_vectors(struct sh_service *service, void *self)
{
    struct graph_service *graph = self;

    if (graph->config.vectors_max == 0)
        return SH_OK;
    enum sh_err err = node_vectors_create(graph->config.vectors_max, &graph->vectors);
    struct vector_maker_options options = {.feed = graph->feed,
                                           .workers = graph->analysts,
                                           .embedder = graph->embedder,
                                           .vectors = graph->vectors,
                                           .text_properties =
                                               graph->config.text_properties,
                                           .dir = graph->config.data_dir};
    if (err == SH_OK)
        err = vector_maker_create(sh_service_loop(service), &options, &graph->maker);
    return err;
}

static void stop_vectors(struct sh_service *service, void *self)
{
    (void)service;
    vector_maker_close(((struct graph_service *)self)->maker);
}

static enum sh_err start_figures(struct sh_service *service, void *self)
{
    struct graph_service *graph = self;

    (void)service;
    graph->figures = (struct figures){graph->feed, graph->vectors};
    return figures_start(&graph->figures);
}

static void stop_figures(struct sh_service *service, void *self)
{
    (void)service;
    figures_stop(&((struct graph_service *)self)->figures);
}

static bool is_behind(void *arg)
{
    const struct graph_service *graph = arg;

    return graph->feed != NULL && feed_behind(graph->feed);
}

static enum sh_err start_methods(struct sh_service *service, void *self)
{
    static const struct question_kind *const kinds[] = {
        &schema_question, &node_question,  &neighbours_question, &label_question,
        &path_question,   &paths_question, &subgraph_question,   &edge_question,
        &search_question, &query_question, &similar_question,
    };
    _Static_assert(SH_COUNT(kinds) <= METHODS_MAX, "room for all");
    struct graph_service *graph = self;
    enum sh_err err = SH_OK;

    graph->asker =
        (struct asker){graph->feed,
                       graph->askers,
                       {graph->config.cypher_rows, graph->config.cypher_timeout_ms,
                        graph->config.cypher_memory_mb, graph->config.cypher_touched},
                       graph->maker,
                       graph->vectors};
    for (size_t i = 0; i < SH_COUNT(kinds) && err == SH_OK; i++) {
        graph->methods[i] = (struct question_method){kinds[i], &graph->asker};
        err = question_serve(sh_service_rpc(service), &graph->methods[i]);
    }
    graph->changes = (struct changes){graph->pg, graph->feed};
    sh_rpc_server_on_behind(sh_service_rpc(service), is_behind, graph);
    if (err == SH_OK)
        err = changes_serve(sh_service_rpc(service), &graph->changes);
    return err == SH_OK
               ? exports_create(sh_service_loop(service), graph->feed, graph->askers,
                                sh_service_rpc(service), &graph->exports)
               : err;
}

static void stop_methods(struct sh_service *service, void *self)
{
    struct graph_service *graph = self;

    (void)service;
    exports_close(&graph->exports);
}

/* --- jobs ------------------------------------------------------------------------- */

static enum sh_err start_jobs(struct sh_service *service, void *self)
{
    struct graph_service *graph = self;
    uv_loop_t *loop = sh_service_loop(service);

    graph->analyses = (struct analyses){.loop = loop,
                                        .pg = graph->pg,
                                        .feed = graph->feed,
                                        .workers = graph->analysts,
                                        .most_by_user = graph->jobs_config.per_user};
    graph->imports =
        (struct imports){.pg = graph->pg,
                         .backlog_bytes = (uint64_t)graph->jobs_config.backlog_mb << 20,
                         .most_by_user = graph->jobs_config.per_user};
    const struct sh_job_kind kinds[] = {analyses_kind(&graph->analyses),
                                        imports_kind(&graph->imports)};
    struct sh_jobs_options options = {.pg = graph->pg,
                                      .pg_config = &graph->pg_config,
                                      .config = &graph->jobs_config,
                                      .kinds = kinds,
                                      .kind_count = SH_COUNT(kinds)};
    enum sh_err err = analyses_serve(&graph->analyses, sh_service_rpc(service));

    if (err == SH_OK)
        err = imports_serve(&graph->imports, sh_service_rpc(service));
    return err == SH_OK ? sh_jobs_create(loop, &options, &graph->jobs) : err;
}

static void drain_jobs(struct sh_service *service, void *self)
{
    sh_service_hold(service);
    sh_jobs_drain(((struct graph_service *)self)->jobs, on_drained, service);
}

static void stop_jobs(struct sh_service *service, void *self)
{
    struct graph_service *graph = self;

    (void)service;
    analyses_stop(&graph->analyses);
    imports_stop(&graph->imports);
    sh_jobs_close(&graph->jobs);
}

/* Order matters: a stage may use the ones above it. */
static const struct sh_stage stages[] = {
    {"workers", start_workers, NULL, stop_workers, NULL},
    {"database", start_database, NULL, stop_database, NULL},
    {"feed", start_feed, drain_feed, stop_feed, NULL},
    {"lag", start_lag, NULL, stop_lag, NULL},
    {"embedder", start_embedder, NULL, stop_embedder, NULL},
    {"vectors", start_vectors, NULL, stop_vectors, NULL},
    {"figures", start_figures, NULL, stop_figures, NULL},
    {"methods", start_methods, NULL, stop_methods, NULL},
    {"jobs", start_jobs, drain_jobs, stop_jobs, NULL},
};

int main(int argc, char **argv)
{
    static struct graph_service graph;
    struct sh_settings settings[] = {graph_settings(&graph.config),
                                     sh_pg_settings(&graph.pg_config),
                                     sh_jobs_settings(&graph.jobs_config)};
    struct sh_service_spec spec = {
        .name = "graph",
        .summary = "what is in the graph of entities and relationships",
        .process = &graph.process,
        .settings = settings,
        .settings_count = SH_COUNT(settings),
        .stages = stages,
        .stage_count = SH_COUNT(stages),
        .rpc = true,
        .ops_port = "9103",
        .rpc_bind = "tcp://127.0.0.1:5603",
        .rpc_callers = "gateway",
        .self = &graph,
    };

    return sh_service_main(argc, argv, &spec);
}
