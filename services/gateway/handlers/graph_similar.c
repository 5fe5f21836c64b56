/* Nodes whose texts are alike. */
#include "services/gateway/handlers/graph_ask.h"
#include "services/gateway/handlers/graph_json.h"
#include "services/gateway/handlers/handlers.h"

enum { SIMILAR = 10, SIMILAR_MAX = 100, DIGITS = 4 };

static void write_similar(struct sh_buffer *out, const struct graph_similar_node *item)
{
    sh_buffer_text(out, "{");
    graph_write_node_members(out, item->node);
    json_member(out, "similarity");
    json_number(out, item->similarity, DIGITS);
    sh_buffer_text(out, "}");
}

static void on_similar(struct exchange *x, const struct sh_rpc_response *response)
{
    struct graph_similar reply;

    if (!exchange_decode(x, graph_similar_desc(), response->payload, &reply))
        return;
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{\"nodes\":[");
    for (size_t i = 0, shown = 0; i < reply.nodes_count; i++) {
        if (reply.nodes[i].node_count != 1)
            continue;
        if (shown++ > 0)
            sh_buffer_text(out, ",");
        write_similar(out, &reply.nodes[i]);
    }
    sh_buffer_text(out, "]");
    json_member(out, "has_text");
    json_bool(out, reply.has_text);
    json_member(out, "partial");
    json_bool(out, reply.partial);
    sh_buffer_text(out, "}");
    audit_counted(&x->audit, reply.nodes_count);
    exchange_answer(x, 200);
}

void graph_similar_get(struct exchange *x, void *unused)
{
    struct graph_similar_query query = {.limit = SIMILAR};

    (void)unused;
    if (exchange_param_text(x, "id", GRAPH_ID_MAX, &query.id) &&
        exchange_query_text(x, "label", GRAPH_ASKED_MAX, &query.label) &&
        exchange_query_u32(x, "limit", 1, SIMILAR_MAX, &query.limit))
        graph_ask(x, METHOD_GRAPH_SIMILAR, graph_similar_query_desc(), &query,
                  on_similar);
}
