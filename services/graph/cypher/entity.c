#include "services/graph/cypher/entity.h"

#include <jansson.h>

#include "services/graph/cypher/drawn.h"
#include "services/graph/view/graph.h"

/* --- properties ------------------------------------------------------------------- */

/* A value names what is there; nothing is what the compiler fears. */
static const struct node_body *node_of(struct cy_env *env, struct cy_value node)
{
    static const struct node_body nothing;
    const struct cy_drawn_node *drawn = cy_drawn_node(env, node.place);
    const struct node *found = pages_at(&env->reader->version->nodes, node.place);
    if (drawn != NULL)
        return drawn->body;
    return found && found->body ? found->body : &nothing;
}

static const struct edge_body *edge_of(struct cy_env *env, struct cy_value relationship)
{
    static const struct edge_body nothing;
    const struct cy_drawn_edge *drawn = cy_drawn_edge(env, relationship.place);
    const struct edge *found = pages_at(&env->reader->version->edges, relationship.place);
    if (drawn != NULL)
        return &drawn->body;
    return found && found->body ? found->body : &nothing;
}

static struct sh_bytes packed_of(struct cy_env *env, struct cy_value entity)
{
    return entity.type == CYV_NODE ? node_of(env, entity)->properties
                                   : edge_of(env, entity)->properties;
}

/* A map; NULL: it lies in the graph. */
static const struct cy_value *drawn_properties(const struct cy_env *env,
                                               struct cy_value entity)
{
    const struct cy_drawn_node *node =
        entity.type == CYV_NODE ? cy_drawn_node(env, entity.place) : NULL;
    const struct cy_drawn_edge *edge =
        entity.type != CYV_NODE ? cy_drawn_edge(env, entity.place) : NULL;
    return node ? &node->properties : edge ? &edge->properties : NULL;
}

static bool of_json(struct cy_env *env, json_t *json, unsigned depth,
                    struct cy_value *out);

static bool of_array(struct cy_env *env, json_t *json, unsigned depth,
                     struct cy_value *out)
{
    size_t count = json_array_size(json);
    struct cy_value *items = cy_array(env, count, sizeof(*items));
    if (items == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!of_json(env, json_array_get(json, i), depth + 1, &items[i]))
            return false;
    return cyv_list(env, items, count, out);
}

static bool of_object(struct cy_env *env, json_t *json, unsigned depth,
                      struct cy_value *out)
{
    size_t count = 0;
    const char *key;
    json_t *value;
    struct cyv_entry *entries = cy_array(env, json_object_size(json), sizeof(*entries));
    if (entries == NULL)
        return false;
    json_object_foreach(json, key, value)
    {
        struct cy_value name;
        if (!cyv_copy(env, sh_bytes_of(key), &name) ||
            !of_json(env, value, depth + 1, &entries[count].value))
            return false;
        entries[count++].key = cyv_text(name);
    }
    return cyv_map(env, entries, count, out);
}

static bool of_json(struct cy_env *env, json_t *json, unsigned depth,
                    struct cy_value *out)
{
    *out = cyv_null();
    if (depth > CYV_DEPTH_MAX)
        return cy_fail(env, CY_OVER_BUDGET, NULL, (struct cy_at){0, 0},
                       "a property lies more than %d deep", CYV_DEPTH_MAX);
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return of_object(env, json, depth, out);
    case JSON_ARRAY:
        return of_array(env, json, depth, out);
    case JSON_STRING:
        return cyv_copy(
            env, (struct sh_bytes){json_string_value(json), json_string_length(json)},
            out);
    case JSON_INTEGER:
        *out = cyv_integer(json_integer_value(json));
        return true;
    case JSON_REAL:
        *out = cyv_float(json_real_value(json));
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        *out = cyv_boolean(json_is_true(json));
        return true;
    case JSON_NULL:
        break;
    }
    return true;
}

static bool parse(struct cy_env *env, struct sh_bytes text, struct cy_value *out)
{
    json_t *json = json_loadb(text.data, text.len, 0, NULL);
    if (json == NULL) /* it was JSON when it was packed */
        return cy_fail_err(env, SH_NOMEM);
    bool done = of_json(env, json, 0, out);
    json_decref(json);
    return done;
}

static bool of_stored(struct cy_env *env, const struct value *stored,
                      struct cy_value *out)
{
    *out = cyv_null();
    switch (stored->type) {
    case VALUE_NULL:
        break;
    case VALUE_BOOLEAN:
        *out = cyv_boolean(stored->flag);
        break;
    case VALUE_INTEGER:
        *out = cyv_integer(stored->integer);
        break;
    case VALUE_FLOAT:
        *out = cyv_float(stored->real);
        break;
    case VALUE_STRING:
        *out = cyv_string(stored->text);
        break;
    case VALUE_LIST:
    case VALUE_MAP:
        return parse(env, stored->text, out);
    }
    return true;
}

bool cy_entity_property(struct cy_env *env, struct cy_value entity, uint32_t key,
                        struct cy_value *out)
{
    struct value stored;
    *out = cyv_null();
    if (key == CY_NONE || !values_get(packed_of(env, entity), key, &stored))
        return true;
    return of_stored(env, &stored, out);
}

bool cy_entity_named(struct cy_env *env, struct cy_value entity, struct sh_bytes key,
                     struct cy_value *out)
{
    const struct cy_value *drawn = drawn_properties(env, entity);
    uint32_t symbol;
    if (drawn != NULL) {
        const struct cy_value *found = cyv_get(*drawn, key);
        *out = found ? *found : cyv_null();
        return true;
    }
    if (!symbols_find(graph_keys(env->reader->graph), key, &symbol))
        symbol = CY_NONE;
    return cy_entity_property(env, entity, symbol, out);
}

bool cy_entity_properties(struct cy_env *env, struct cy_value entity,
                          struct cy_value *out)
{
    const struct cy_value *drawn = drawn_properties(env, entity);
    if (drawn != NULL) {
        *out = *drawn;
        return true;
    }
    struct sh_bytes packed = packed_of(env, entity);
    uint32_t count = values_count(packed);
    size_t kept = 0;
    struct cyv_entry *entries = cy_array(env, count, sizeof(*entries));
    if (entries == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t key;
        struct value stored;
        values_at(packed, i, &key, &stored);
        if (stored.type == VALUE_NULL)
            continue;
        if (!of_stored(env, &stored, &entries[kept].value))
            return false;
        entries[kept++].key = symbols_text(graph_keys(env->reader->graph), key);
    }
    return cyv_map(env, entries, kept, out);
}

static bool keys_of_map(struct cy_env *env, struct cy_value map, struct cy_value *out)
{
    struct cy_value *items = cy_array(env, map.count, sizeof(*items));
    for (uint32_t i = 0; items != NULL && i < map.count; i++)
        items[i] = cyv_string(map.entries[i].key);
    return items != NULL && cyv_list(env, items, map.count, out);
}

bool cy_entity_keys(struct cy_env *env, struct cy_value entity, struct cy_value *out)
{
    const struct cy_value *drawn = drawn_properties(env, entity);
    if (drawn != NULL)
        return keys_of_map(env, *drawn, out);
    struct sh_bytes packed = packed_of(env, entity);
    uint32_t count = values_count(packed);
    size_t kept = 0;
    struct cy_value *items = cy_array(env, count, sizeof(*items));
    if (items == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t key;
        struct value stored;
        values_at(packed, i, &key, &stored);
        if (stored.type != VALUE_NULL)
            items[kept++] = cyv_string(symbols_text(graph_keys(env->reader->graph), key));
    }
    return cyv_list(env, items, kept, out);
}

/* --- labels, types, ends ---------------------------------------------------------- */

bool cy_node_labels(struct cy_env *env, struct cy_value node, struct cy_value *out)
{
    const struct node_body *body = node_of(env, node);
    struct cy_value *items = cy_array(env, body->label_count, sizeof(*items));
    if (items == NULL)
        return false;
    for (uint32_t i = 0; i < body->label_count; i++)
        items[i] =
            cyv_string(symbols_text(graph_labels(env->reader->graph), body->labels[i]));
    return cyv_list(env, items, body->label_count, out);
}

struct cy_value cy_relationship_type(struct cy_env *env, struct cy_value relationship)
{
    return cyv_string(
        symbols_text(graph_types(env->reader->graph), edge_of(env, relationship)->type));
}

struct cy_value cy_relationship_start(struct cy_env *env, struct cy_value relationship)
{
    return cyv_node(edge_of(env, relationship)->from);
}

struct cy_value cy_relationship_end(struct cy_env *env, struct cy_value relationship)
{
    return cyv_node(edge_of(env, relationship)->to);
}

int64_t cy_entity_number(struct cy_env *env, struct cy_value entity)
{
    uint64_t number = entity.type == CYV_NODE ? node_of(env, entity)->number
                                              : edge_of(env, entity)->number;
    return (int64_t)number;
}

struct sh_bytes cy_entity_id(struct cy_env *env, struct cy_value entity)
{
    return entity.type == CYV_NODE ? node_of(env, entity)->id : edge_of(env, entity)->id;
}

static bool node_has(const struct node_body *body, uint32_t label)
{
    for (uint32_t i = 0; i < body->label_count; i++)
        if (body->labels[i] == label)
            return true;
    return false;
}

bool cy_entity_has(struct cy_env *env, struct cy_value entity,
                   const struct cy_symbols *symbols)
{
    for (uint32_t i = 0; i < symbols->count; i++) {
        bool has = entity.type == CYV_NODE
                       ? node_has(node_of(env, entity), symbols->numbers[i])
                       : sh_bytes_equal(cyv_text(cy_relationship_type(env, entity)),
                                        symbols->texts[i]);
        if (!has)
            return false;
    }
    return true;
}

/* --- paths ------------------------------------------------------------------------ */

static bool list_places(struct cy_env *env, const uint32_t *places, uint32_t count,
                        enum cyv_type type, struct cy_value *out)
{
    struct cy_value *items = cy_array(env, count, sizeof(*items));
    if (items == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++)
        items[i] = (struct cy_value){.type = type, .place = places[i]};
    return cyv_list(env, items, count, out);
}

bool cy_path_nodes(struct cy_env *env, const struct cyv_path *path, struct cy_value *out)
{
    return list_places(env, path->nodes, path->length + 1, CYV_NODE, out);
}

bool cy_path_relationships(struct cy_env *env, const struct cyv_path *path,
                           struct cy_value *out)
{
    return list_places(env, path->edges, path->length, CYV_RELATIONSHIP, out);
}
