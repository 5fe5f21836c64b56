/* graph: what is in the graph of entities and relationships. See README.md. */
#include "services/graph/schema.h"
#include "shared/service.h"

struct graph {
    struct sh_process_config process;
    struct sh_pg_config pg_config;
    struct sh_pg *pg;
};

static enum sh_err start_database(struct sh_service *service, void *self)
{
    struct graph *graph = self;
    struct sh_health_check *check =
        sh_health_add(sh_service_health(service), "database", true);

    return sh_pg_create(sh_service_loop(service), &graph->pg_config, check, &graph->pg);
}

static void stop_database(struct sh_service *service, void *self)
{
    struct graph *graph = self;

    (void)service;
    sh_pg_close(&graph->pg);
}

static enum sh_err start_methods(struct sh_service *service, void *self)
{
    struct graph *graph = self;

    return sh_rpc_server_add(sh_service_rpc(service), METHOD_GRAPH_SCHEMA, "graph.schema",
                             0, schema_handle, graph->pg);
}

/* Order matters: a stage may use the ones above it. */
static const struct sh_stage stages[] = {
    {"database", start_database, NULL, stop_database, NULL},
    {"methods", start_methods, NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static struct graph graph;
    struct sh_settings settings[] = {sh_pg_settings(&graph.pg_config)};
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
