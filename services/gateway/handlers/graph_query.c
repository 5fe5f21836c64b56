/* Queries of the graph in openCypher. */
#include "services/gateway/handlers/graph_values.h"
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_out.h"

enum {
    QUERY_MAX = 65536,
    ROWS_MAX = 1000000,
    TIMEOUT_MAX_MS = 600000,
    ANSWERING_MS = 1000, /* that the graph has besides to say that time is up */
    PARAMETERS_MAX = 1 << 20,
};

struct query_body {
    struct sh_bytes query;
    json_t *parameters;
    int64_t max_rows;
    int64_t timeout_ms;
};

/* clang-format off */
#define AT(member) offsetof(struct query_body, member)
static const struct schema_field fields[] = {
    {.name = "query", .type = SCHEMA_TEXT, .offset = AT(query), .required = true,
     .least = 1, .most = QUERY_MAX, .bytes = QUERY_MAX,
     .help = "in openCypher, as docs/cypher.md describes it; it can only read"},
    {.name = "parameters", .type = SCHEMA_FREEFORM, .offset = AT(parameters),
     .most = PARAMETERS_MAX, .help = "values for the $names in the query"},
    {.name = "max_rows", .type = SCHEMA_INTEGER, .offset = AT(max_rows), .least = 1,
     .most = ROWS_MAX, .help = "at most what CYPHER_MAX_ROWS says, as when absent"},
    {.name = "timeout_ms", .type = SCHEMA_INTEGER, .offset = AT(timeout_ms), .least = 1,
     .most = TIMEOUT_MAX_MS, .help = "at most what CYPHER_TIMEOUT_MS says, as when absent"},
};
#undef AT
/* clang-format on */

const struct schema graph_query_schema = {"GraphQueryRequest", "A query of the graph.",
                                          sizeof(struct query_body), fields,
                                          SH_COUNT(fields)};

static void write_columns(struct sh_buffer *out, const struct cypher_reply *reply)
{
    sh_buffer_text(out, "[");
    for (size_t i = 0; i < reply->columns_count; i++) {
        if (i > 0)
            sh_buffer_text(out, ",");
        json_text(out, reply->columns[i]);
    }
    sh_buffer_text(out, "]");
}

static void on_reply(struct exchange *x, const struct sh_rpc_response *response)
{
    struct cypher_reply reply;

    if (!exchange_decode(x, cypher_reply_desc(), response->payload, &reply))
        return;
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{\"columns\":");
    write_columns(out, &reply);
    json_member(out, "rows");
    enum sh_err err = graph_values_write(reply.rows, out);
    if (err != SH_OK) {
        exchange_fail_err(x, err == SH_MALFORMED ? SH_UPSTREAM : err, NULL);
        return;
    }
    json_member(out, "row_count");
    json_u64(out, reply.row_count);
    json_member(out, "truncated");
    json_bool(out, reply.truncated);
    json_member(out, "time_ms");
    json_number(out, reply.time_ms, 6);
    sh_buffer_text(out, "}");
    x->audit.results = (uint32_t)(reply.row_count < UINT32_MAX ? reply.row_count : 0);
    x->audit.counted = true;
    exchange_answer(x, 200);
}

void graph_query_post(struct exchange *x, void *arg)
{
    const struct query_body *body = arg;
    struct sh_buffer packed = {0};
    uint32_t longest = x->edge->gateway->config.write_timeout_ms;

    x->audit.query = body->query;
    graph_values_pack(body->parameters, &packed);
    struct cypher_query query = {.query = body->query,
                                 .parameters =
                                     sh_arena_copy(&x->arena, sh_buffer_bytes(&packed)),
                                 .max_rows = (uint32_t)body->max_rows,
                                 .timeout_ms = (uint32_t)body->timeout_ms};
    enum sh_err err = query.parameters.data == NULL ? SH_NOMEM : packed.err;
    sh_buffer_free(&packed);
    if (err != SH_OK) {
        exchange_fail_err(x, err, NULL);
        return;
    }
    exchange_call(x,
                  &(struct exchange_call){
                      .peer = PEER_GRAPH,
                      .method = METHOD_GRAPH_QUERY,
                      .kind = SH_RPC_READ,
                      .desc = cypher_query_desc(),
                      .msg = &query,
                      .timeout_ms = query.timeout_ms > 0 ? query.timeout_ms + ANSWERING_MS
                                                         : longest,
                      .done = on_reply,
                  });
}
