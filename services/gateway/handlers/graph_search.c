/* Nodes of the graph by their names. */
#include "services/gateway/handlers/graph_ask.h"
#include "services/gateway/handlers/graph_json.h"
#include "services/gateway/handlers/handlers.h"

enum { PAGE_LENGTH = 20, PAGE_LENGTH_MAX = 1000, PAGES_MAX = 1000 };

static void write_found(struct sh_buffer *out, const struct graph_found *reply)
{
    sh_buffer_text(out, "[");
    for (size_t i = 0; i < reply->nodes_count; i++) {
        sh_buffer_text(out, i > 0 ? ",{" : "{");
        graph_write_node_members(out, &reply->nodes[i]);
        if (i < reply->matches_count)
            json_member_text(out, "match", reply->matches[i]);
        sh_buffer_text(out, "}");
    }
    sh_buffer_text(out, "]");
}

static void on_found(struct exchange *x, const struct sh_rpc_response *response)
{
    const struct graph_search_query *query = x->state;
    struct graph_found reply;

    if (!exchange_decode(x, graph_found_desc(), response->payload, &reply))
        return;
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{");
    json_member_text(out, "query", query->q);
    json_member(out, "nodes");
    write_found(out, &reply);
    json_pagination(out, query->page, query->limit, reply.total);
    sh_buffer_text(out, "}");
    audit_counted(&x->audit, reply.nodes_count);
    exchange_answer(x, 200);
}

static bool read_words(struct exchange *x, struct sh_bytes *words)
{
    if (!exchange_query_text(x, "q", GRAPH_ASKED_MAX, words))
        return false;
    x->audit.query = *words;
    if (words->len > 0)
        return true;
    exchange_invalid(x, "q", "q must say what to look for");
    return false;
}

void graph_search_get(struct exchange *x, void *unused)
{
    struct graph_search_query *query = exchange_state(x, sizeof(*query));

    (void)unused;
    if (query == NULL)
        return;
    query->page = 1;
    query->limit = PAGE_LENGTH;
    if (read_words(x, &query->q) &&
        exchange_query_text(x, "label", GRAPH_ASKED_MAX, &query->label) &&
        exchange_query_text(x, "property", GRAPH_ID_MAX, &query->property) &&
        exchange_query_u32(x, "page", 1, PAGES_MAX, &query->page) &&
        exchange_query_u32(x, "limit", 1, PAGE_LENGTH_MAX, &query->limit))
        graph_ask(x, METHOD_GRAPH_SEARCH, graph_search_query_desc(), query, on_found);
}
