/* Analyses of the graph as a whole, as jobs. */
#include "services/gateway/auth/authorise.h"
#include "services/gateway/handlers/graph_ask.h"
#include "services/gateway/handlers/graph_job.h"
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/handlers/write_key.h"

enum { ADD_MS = 10000 };

struct parameters {
    uint32_t direction;
    double damping;
    double tolerance;
    int64_t iterations;
    double resolution;
    int64_t top;
};

struct analysis_body {
    uint32_t kind;
    struct sh_bytes label, type, write_property;
    struct parameters parameters;
};

/* In the order of their numbers in graph_analysis. */
static const char *const kinds[] = {"degree", "pagerank", "components", "communities",
                                    NULL};
static const char *const directions[] = {"both", "out", "in", NULL};

/* clang-format off */
#define AT(member) offsetof(struct parameters, member)
static const struct schema_field parameter_fields[] = {
    {.name = "direction", .type = SCHEMA_CHOICE, .offset = AT(direction),
     .choices = directions, .fallback = "\"both\"", .help = "degree: what is counted"},
    {.name = "damping", .type = SCHEMA_NUMBER, .offset = AT(damping), .least = 0,
     .most = 0.999, .fallback = "0.85", .help = "pagerank: the share that goes on"},
    {.name = "tolerance", .type = SCHEMA_NUMBER, .offset = AT(tolerance), .least = 0,
     .most = 1, .fallback = "1e-8",
     .help = "pagerank: done when the scores change less in all"},
    {.name = "max_iterations", .type = SCHEMA_INTEGER, .offset = AT(iterations),
     .least = 1, .most = 1000, .fallback = "100", .help = "pagerank"},
    {.name = "resolution", .type = SCHEMA_NUMBER, .offset = AT(resolution),
     .least = 0.001, .most = 1000, .fallback = "1.0",
     .help = "communities: above 1 more and smaller ones"},
    {.name = "top", .type = SCHEMA_INTEGER, .offset = AT(top), .least = 0, .most = 100,
     .fallback = "20", .help = "nodes or groups that the result names"},
};
#undef AT
static const struct schema parameters_schema = {
    "GraphAnalysisParameters", "How it is computed.", sizeof(struct parameters),
    parameter_fields, SH_COUNT(parameter_fields)};
#define AT(member) offsetof(struct analysis_body, member)
static const struct schema_field analysis_fields[] = {
    {.name = "kind", .type = SCHEMA_CHOICE, .offset = AT(kind), .required = true,
     .choices = kinds, .help = "what is computed"},
    {.name = "label", .type = SCHEMA_TEXT, .offset = AT(label), .least = 1,
     .most = GRAPH_ASKED_MAX, .bytes = GRAPH_ASKED_MAX, .help = "only of nodes with it"},
    {.name = "type", .type = SCHEMA_TEXT, .offset = AT(type), .least = 1,
     .most = GRAPH_ASKED_MAX, .bytes = GRAPH_ASKED_MAX,
     .help = "only along relationships of it"},
    {.name = "write_property", .type = SCHEMA_TEXT, .offset = AT(write_property),
     .least = 1, .most = GRAPH_ASKED_MAX, .bytes = GRAPH_ASKED_MAX,
     .help = "each node gets its score, or the number of its group, as this property; "
             "needs write_graph"},
    {.name = "parameters", .type = SCHEMA_OBJECT, .offset = AT(parameters),
     .of = &parameters_schema},
};
#undef AT
/* clang-format on */

const struct schema graph_analysis_schema = {
    "GraphAnalysis", "Something that is computed of the graph as the caller sees it.",
    sizeof(struct analysis_body), analysis_fields, SH_COUNT(analysis_fields)};

void graph_analysis_post(struct exchange *x, void *body_in)
{
    const struct analysis_body *body = body_in;
    const struct parameters *parameters = &body->parameters;
    struct write_key key;
    const struct graph_analysis asked = {
        .kind = body->kind,
        .label = body->label,
        .type = body->type,
        .write_property = body->write_property,
        .direction = parameters->direction,
        .damping = parameters->damping,
        .tolerance = parameters->tolerance,
        .iterations = (uint32_t)parameters->iterations,
        .resolution = parameters->resolution,
        .top = (uint32_t)parameters->top,
    };

    if (body->write_property.len > 0 && !authorised(x, PERMIT_WRITE_GRAPH)) {
        exchange_fail_err(x, SH_FORBIDDEN, "write_property needs write_graph");
        return;
    }
    if (!write_key_read(x, &key))
        return;
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_GRAPH,
                         .method = METHOD_GRAPH_ANALYSE,
                         .kind = SH_RPC_WRITE,
                         .desc = graph_analysis_desc(),
                         .msg = &asked,
                         .key = write_key_bytes(&key),
                         .timeout_ms = ADD_MS,
                         .done = graph_job_begun,
                     });
}
