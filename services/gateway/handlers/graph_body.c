#include "services/gateway/handlers/graph_body.h"

#include <stdarg.h>
#include <stdio.h>

#include "services/gateway/handlers/handlers.h"

enum { PROPERTIES_BYTES = 1 << 20, LABELS_MAX = 64 };

/* clang-format off */
#define ACCESS_FIELDS                                                                    \
    {.name = "properties", .type = SCHEMA_FREEFORM, .offset = AT(properties),            \
     .most = PROPERTIES_BYTES, .help = "any JSON values by name"},                       \
    {.name = "clearance_level", .type = SCHEMA_INTEGER, .offset = AT(clearance_level),   \
     .least = 1, .most = 5,                                                              \
     .help = "who may see it; absent: as it is, 1 where it is new"},                     \
    {.name = "department", .type = SCHEMA_TEXT, .offset = AT(department), .most = 256,   \
     .bytes = 256, .present = AT(department_said),                                       \
     .help = "above clearance 2 only this one sees it; empty: none"}
#define ID_FIELD                                                                         \
    {.name = "id", .type = SCHEMA_TEXT, .offset = AT(id), .most = GRAPH_ID_MAX,          \
     .bytes = GRAPH_ID_MAX, .help = "absent: a new one"}
#define NAME_FIELD(name_, bytes_, help_)                                                 \
    {.name = #name_, .type = SCHEMA_TEXT, .offset = AT(name_), .most = (bytes_),         \
     .bytes = (bytes_), .help = (help_)}

#define AT(member) offsetof(struct graph_node_body, member)
static const struct schema_field node_fields[] = {
    ID_FIELD,
    {.name = "labels", .type = SCHEMA_TEXTS, .offset = AT(labels), .most = LABELS_MAX},
    ACCESS_FIELDS,
};
#undef AT
#define AT(member) offsetof(struct graph_edge_body, member)
static const struct schema_field edge_fields[] = {
    ID_FIELD,
    NAME_FIELD(type, GRAPH_NAME_MAX, "what kind of relationship"),
    NAME_FIELD(from, GRAPH_ID_MAX, "id of the node where it begins"),
    NAME_FIELD(to, GRAPH_ID_MAX, "id of the node it leads to"),
    ACCESS_FIELDS,
};
#undef AT
#define AT(member) offsetof(struct graph_merge_body, member)
static const struct schema_field merge_fields[] = {
    {.name = "label", .type = SCHEMA_TEXT, .offset = AT(label), .least = 1,
     .most = GRAPH_NAME_MAX, .bytes = GRAPH_NAME_MAX, .required = true,
     .help = "of the node that is looked for"},
    {.name = "key", .type = SCHEMA_FREEFORM, .offset = AT(key), .required = true,
     .most = 65536, .help = "properties that it has: {\"isbn\":\"…\"}"},
#undef AT
#define AT(member) (offsetof(struct graph_merge_body, node) + \
                    offsetof(struct graph_node_body, member))
    {.name = "labels", .type = SCHEMA_TEXTS, .offset = AT(labels), .most = LABELS_MAX,
     .help = "further labels"},
    ACCESS_FIELDS,
};
#undef AT
/* clang-format on */

const struct schema graph_node_schema = {"GraphNodeBody", "A node of the graph.",
                                         sizeof(struct graph_node_body), node_fields,
                                         SH_COUNT(node_fields)};
const struct schema graph_edge_schema = {
    "GraphEdgeBody", "A relationship between two nodes.", sizeof(struct graph_edge_body),
    edge_fields, SH_COUNT(edge_fields)};
const struct schema graph_merge_schema = {
    "GraphMergeBody", "A node known by its properties, and what it is to have.",
    sizeof(struct graph_merge_body), merge_fields, SH_COUNT(merge_fields)};

__attribute__((format(printf, 3, 4))) static bool
blame(struct schema_fault *fault, const char *field, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fault->err = SH_INVALID;
    (void)snprintf(fault->field, sizeof(fault->field), "%s", field);
    (void)vsnprintf(fault->error, sizeof(fault->error), format, args);
    va_end(args);
    return false;
}

static bool no_memory(struct schema_fault *fault)
{
    *fault = (struct schema_fault){.err = SH_NOMEM};
    (void)snprintf(fault->error, sizeof(fault->error), "%s", sh_err_text(SH_NOMEM));
    return false;
}

static bool within(struct sh_bytes text, const char *field, size_t least, size_t most,
                   struct schema_fault *fault)
{
    if (text.len >= least && text.len <= most)
        return true;
    return blame(fault, field, "%s must have %zu to %zu bytes", field, least, most);
}

bool graph_node_check(const struct graph_node_put *node, struct schema_fault *fault)
{
    if (node->labels_count > LABELS_MAX)
        return blame(fault, "labels", "a node has at most %d labels", LABELS_MAX);
    for (size_t i = 0; i < node->labels_count; i++)
        if (!within(node->labels[i], "labels", 1, GRAPH_NAME_MAX, fault))
            return false;
    return within(node->id, "id", 0, GRAPH_ID_MAX, fault) &&
           within(node->department, "department", 0, GRAPH_NAME_MAX, fault) &&
           within(node->properties, "properties", 0, PROPERTIES_BYTES, fault);
}

bool graph_edge_check(const struct graph_edge_put *edge, struct schema_fault *fault)
{
    return within(edge->id, "id", 0, GRAPH_ID_MAX, fault) &&
           within(edge->type, "type", 0, GRAPH_NAME_MAX, fault) &&
           within(edge->from, "from", 0, GRAPH_ID_MAX, fault) &&
           within(edge->to, "to", 0, GRAPH_ID_MAX, fault) &&
           within(edge->department, "department", 0, GRAPH_NAME_MAX, fault) &&
           within(edge->properties, "properties", 0, PROPERTIES_BYTES, fault);
}

bool graph_properties(json_t *object, struct sh_arena *arena, struct sh_bytes *out,
                      struct schema_fault *fault)
{
    const size_t flags = JSON_COMPACT | JSON_SORT_KEYS;

    *out = sh_bytes_of("{}");
    if (object == NULL || json_object_size(object) == 0)
        return true;
    for (void *at = json_object_iter(object); at != NULL;
         at = json_object_iter_next(object, at))
        if (strlen(json_object_iter_key(at)) > GRAPH_NAME_MAX)
            return blame(fault, "properties",
                         "the name of a property has at most %d bytes", GRAPH_NAME_MAX);
    size_t size = json_dumpb(object, NULL, 0, flags);
    char *text = sh_arena_alloc(arena, size + 1);
    if (text == NULL || size == 0 || json_dumpb(object, text, size, flags) != size)
        return no_memory(fault);
    *out = (struct sh_bytes){text, size};
    return true;
}

bool graph_node_fill(const struct graph_node_body *body, struct sh_arena *arena,
                     struct graph_node_put *out, struct schema_fault *fault)
{
    *out = (struct graph_node_put){.id = body->id,
                                   .labels = body->labels.items,
                                   .labels_count = body->labels.count,
                                   .clearance_level = (uint32_t)body->clearance_level,
                                   .department = body->department,
                                   .department_said = body->department_said};
    return graph_properties(body->properties, arena, &out->properties, fault) &&
           graph_node_check(out, fault);
}

bool graph_edge_fill(const struct graph_edge_body *body, struct sh_arena *arena,
                     struct graph_edge_put *out, struct schema_fault *fault)
{
    *out = (struct graph_edge_put){.id = body->id,
                                   .type = body->type,
                                   .from = body->from,
                                   .to = body->to,
                                   .clearance_level = (uint32_t)body->clearance_level,
                                   .department = body->department,
                                   .department_said = body->department_said};
    return graph_properties(body->properties, arena, &out->properties, fault) &&
           graph_edge_check(out, fault);
}
