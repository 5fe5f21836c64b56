#include "tests/tck/show.h"

#include "services/graph/cypher/entity.h"
#include "services/graph/cypher/text.h"

static void put_quoted(struct sh_buffer *out, struct sh_bytes text)
{
    sh_buffer_text(out, "'");
    for (size_t i = 0; i < text.len; i++) {
        const char *at = (const char *)text.data + i;
        if (*at == '\'' || *at == '\\')
            sh_buffer_text(out, "\\");
        sh_buffer_append(out, at, 1);
    }
    sh_buffer_text(out, "'");
}

static bool put_list(struct cy_env *env, struct cy_value list, struct sh_buffer *out)
{
    sh_buffer_text(out, "[");
    for (uint32_t i = 0; i < list.count; i++) {
        if (i > 0)
            sh_buffer_text(out, ", ");
        if (!tck_show(env, list.items[i], out))
            return false;
    }
    sh_buffer_text(out, "]");
    return true;
}

static bool put_map(struct cy_env *env, struct cy_value map, struct sh_buffer *out)
{
    sh_buffer_text(out, "{");
    for (uint32_t i = 0; i < map.count; i++) {
        if (i > 0)
            sh_buffer_text(out, ", ");
        sh_buffer_append(out, map.entries[i].key.data, map.entries[i].key.len);
        sh_buffer_text(out, ": ");
        if (!tck_show(env, map.entries[i].value, out))
            return false;
    }
    sh_buffer_text(out, "}");
    return true;
}

static bool put_properties(struct cy_env *env, struct cy_value entity,
                           struct sh_buffer *out)
{
    struct cy_value properties;
    if (!cy_entity_properties(env, entity, &properties))
        return false;
    sh_buffer_text(out, " ");
    return properties.count == 0 || put_map(env, properties, out);
}

static bool put_node(struct cy_env *env, struct cy_value node, struct sh_buffer *out)
{
    struct cy_value labels;
    if (!cy_node_labels(env, node, &labels))
        return false;
    sh_buffer_text(out, "(");
    for (uint32_t i = 0; i < labels.count; i++) {
        sh_buffer_text(out, ":");
        sh_buffer_append(out, labels.items[i].text, labels.items[i].count);
    }
    if (!put_properties(env, node, out))
        return false;
    sh_buffer_text(out, ")");
    return true;
}

static bool put_relationship(struct cy_env *env, struct cy_value relationship,
                             struct sh_buffer *out)
{
    struct sh_bytes type = cyv_text(cy_relationship_type(env, relationship));
    sh_buffer_text(out, "[:");
    sh_buffer_append(out, type.data, type.len);
    if (!put_properties(env, relationship, out))
        return false;
    sh_buffer_text(out, "]");
    return true;
}

static bool put_path(struct cy_env *env, const struct cyv_path *path,
                     struct sh_buffer *out)
{
    sh_buffer_text(out, "<");
    if (!put_node(env, cyv_node(path->nodes[0]), out))
        return false;
    for (uint32_t i = 0; i < path->length; i++) {
        struct cy_value edge = cyv_relationship(path->edges[i]);
        bool along = cy_relationship_start(env, edge).place == path->nodes[i];
        sh_buffer_text(out, along ? "-" : "<-");
        if (!put_relationship(env, edge, out))
            return false;
        sh_buffer_text(out, along ? "->" : "-");
        if (!put_node(env, cyv_node(path->nodes[i + 1]), out))
            return false;
    }
    sh_buffer_text(out, ">");
    return true;
}

static bool put_text_form(struct cy_env *env, struct cy_value value,
                          struct sh_buffer *out)
{
    struct cy_value text;
    if (!cy_text_of(env, value, &text))
        return false;
    if (cyv_is_number(value) || value.type == CYV_BOOLEAN)
        sh_buffer_append(out, text.text, text.count);
    else
        put_quoted(out, cyv_text(text));
    return true;
}

bool tck_show(struct cy_env *env, struct cy_value value, struct sh_buffer *out)
{
    if (value.type == CYV_NULL) {
        sh_buffer_text(out, "null");
        return true;
    }
    if (value.type == CYV_LIST)
        return put_list(env, value, out);
    if (value.type == CYV_MAP)
        return put_map(env, value, out);
    if (value.type == CYV_NODE)
        return put_node(env, value, out);
    if (value.type == CYV_RELATIONSHIP)
        return put_relationship(env, value, out);
    if (value.type == CYV_PATH)
        return put_path(env, value.path, out);
    return put_text_form(env, value, out);
}
