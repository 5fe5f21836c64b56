/* The graph's schema, and the labels of it. */
#include "services/gateway/handlers/graph_ask.h"
#include "services/gateway/handlers/graph_json.h"
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_out.h"

static void write_label(struct sh_buffer *out, const struct graph_label *label)
{
    sh_buffer_text(out, "{");
    json_member_text(out, "name", label->name);
    json_member(out, "count");
    json_u64(out, label->count);
    json_member(out, "properties");
    sh_buffer_text(out, "[");
    for (size_t i = 0; i < label->properties_count; i++) {
        sh_buffer_text(out, i > 0 ? ",{" : "{");
        json_member_text(out, "name", label->properties[i].name);
        json_member(out, "types");
        graph_write_texts(out, label->properties[i].types,
                          label->properties[i].types_count);
        sh_buffer_text(out, "}");
    }
    sh_buffer_text(out, "]}");
}

static void write_type(struct sh_buffer *out, const struct graph_type *type)
{
    sh_buffer_text(out, "{");
    json_member_text(out, "name", type->name);
    json_member(out, "count");
    json_u64(out, type->count);
    json_member(out, "from_labels");
    graph_write_texts(out, type->from_labels, type->from_labels_count);
    json_member(out, "to_labels");
    graph_write_texts(out, type->to_labels, type->to_labels_count);
    sh_buffer_text(out, "}");
}

static void on_schema(struct exchange *x, const struct sh_rpc_response *response)
{
    struct graph_schema_reply reply;

    if (!exchange_decode(x, graph_schema_reply_desc(), response->payload, &reply))
        return;
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{\"labels\":[");
    for (size_t i = 0; i < reply.labels_count; i++) {
        if (i > 0)
            sh_buffer_text(out, ",");
        write_label(out, &reply.labels[i]);
    }
    sh_buffer_text(out, "],\"relationship_types\":[");
    for (size_t i = 0; i < reply.types_count; i++) {
        if (i > 0)
            sh_buffer_text(out, ",");
        write_type(out, &reply.types[i]);
    }
    sh_buffer_text(out, "]");
    json_member(out, "nodes");
    json_u64(out, reply.nodes);
    json_member(out, "edges");
    json_u64(out, reply.edges);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

static void on_labels(struct exchange *x, const struct sh_rpc_response *response)
{
    struct graph_schema_reply reply;

    if (!exchange_decode(x, graph_schema_reply_desc(), response->payload, &reply))
        return;
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{\"labels\":[");
    for (size_t i = 0; i < reply.labels_count; i++) {
        sh_buffer_text(out, i > 0 ? ",{" : "{");
        json_member_text(out, "name", reply.labels[i].name);
        json_member(out, "count");
        json_u64(out, reply.labels[i].count);
        sh_buffer_text(out, "}");
    }
    sh_buffer_text(out, "]}");
    exchange_answer(x, 200);
}

void graph_schema(struct exchange *x, void *unused)
{
    static const struct empty nothing;

    (void)unused;
    graph_ask(x, METHOD_GRAPH_SCHEMA, empty_desc(), &nothing, on_schema);
}

void graph_labels(struct exchange *x, void *unused)
{
    static const struct empty nothing;

    (void)unused;
    graph_ask(x, METHOD_GRAPH_SCHEMA, empty_desc(), &nothing, on_labels);
}
