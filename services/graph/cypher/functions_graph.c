/* Functions of entities and paths. */
#include <sodium.h>
#include <stdio.h>

#include "services/graph/cypher/entity.h"
#include "services/graph/cypher/functions_internal.h"
#include "shared/clock.h"

static bool is_entity(struct cy_value value)
{
    return value.type == CYV_NODE || value.type == CYV_RELATIONSHIP;
}

static bool call_id(struct cy_env *env, const struct cy_expr *call,
                    const struct cy_value *arguments, struct cy_value *out)
{
    if (!is_entity(*arguments))
        return cy_bad_type(env, call, *arguments);
    *out = cyv_integer(cy_entity_number(env, *arguments));
    return true;
}

static bool call_element_id(struct cy_env *env, const struct cy_expr *call,
                            const struct cy_value *arguments, struct cy_value *out)
{
    if (!is_entity(*arguments))
        return cy_bad_type(env, call, *arguments);
    *out = cyv_string(cy_entity_id(env, *arguments));
    return true;
}

static bool call_labels(struct cy_env *env, const struct cy_expr *call,
                        const struct cy_value *arguments, struct cy_value *out)
{
    return arguments->type == CYV_NODE ? cy_node_labels(env, *arguments, out)
                                       : cy_bad_type(env, call, *arguments);
}

static bool call_type(struct cy_env *env, const struct cy_expr *call,
                      const struct cy_value *arguments, struct cy_value *out)
{
    if (arguments->type != CYV_RELATIONSHIP)
        return cy_bad_type(env, call, *arguments);
    *out = cy_relationship_type(env, *arguments);
    return true;
}

static bool call_properties(struct cy_env *env, const struct cy_expr *call,
                            const struct cy_value *arguments, struct cy_value *out)
{
    *out = *arguments;
    if (arguments->type == CYV_MAP)
        return true;
    return is_entity(*arguments) ? cy_entity_properties(env, *arguments, out)
                                 : cy_bad_type(env, call, *arguments);
}

static bool keys_of_map(struct cy_env *env, struct cy_value map, struct cy_value *out)
{
    struct cy_value *items = cy_array(env, map.count, sizeof(*items));
    if (items == NULL)
        return false;
    for (uint32_t i = 0; i < map.count; i++)
        items[i] = cyv_string(map.entries[i].key);
    return cyv_list(env, items, map.count, out);
}

static bool call_keys(struct cy_env *env, const struct cy_expr *call,
                      const struct cy_value *arguments, struct cy_value *out)
{
    if (arguments->type == CYV_MAP)
        return keys_of_map(env, *arguments, out);
    return is_entity(*arguments) ? cy_entity_keys(env, *arguments, out)
                                 : cy_bad_type(env, call, *arguments);
}

static bool call_nodes(struct cy_env *env, const struct cy_expr *call,
                       const struct cy_value *arguments, struct cy_value *out)
{
    return arguments->type == CYV_PATH ? cy_path_nodes(env, arguments->path, out)
                                       : cy_bad_type(env, call, *arguments);
}

static bool call_relationships(struct cy_env *env, const struct cy_expr *call,
                               const struct cy_value *arguments, struct cy_value *out)
{
    return arguments->type == CYV_PATH ? cy_path_relationships(env, arguments->path, out)
                                       : cy_bad_type(env, call, *arguments);
}

static bool call_length(struct cy_env *env, const struct cy_expr *call,
                        const struct cy_value *arguments, struct cy_value *out)
{
    if (arguments->type != CYV_PATH)
        return cy_bad_type(env, call, *arguments);
    *out = cyv_integer(arguments->path->length);
    return true;
}

static bool call_start(struct cy_env *env, const struct cy_expr *call,
                       const struct cy_value *arguments, struct cy_value *out)
{
    if (arguments->type != CYV_RELATIONSHIP)
        return cy_bad_type(env, call, *arguments);
    *out = cy_relationship_start(env, *arguments);
    return true;
}

static bool call_end(struct cy_env *env, const struct cy_expr *call,
                     const struct cy_value *arguments, struct cy_value *out)
{
    if (arguments->type != CYV_RELATIONSHIP)
        return cy_bad_type(env, call, *arguments);
    *out = cy_relationship_end(env, *arguments);
    return true;
}

static bool call_exists(struct cy_env *env, const struct cy_expr *call,
                        const struct cy_value *arguments, struct cy_value *out)
{
    (void)env;
    (void)call;
    *out = cyv_boolean(!cyv_is_null(*arguments) &&
                       (arguments->type != CYV_BOOLEAN || arguments->flag ||
                        call->items[0]->kind != CY_PATTERN_PREDICATE));
    return true;
}

static bool call_coalesce(struct cy_env *env, const struct cy_expr *call,
                          const struct cy_value *arguments, struct cy_value *out)
{
    (void)env;
    for (uint32_t i = 0; i < call->item_count && cyv_is_null(*out); i++)
        *out = arguments[i];
    return true;
}

static bool call_timestamp(struct cy_env *env, const struct cy_expr *call,
                           const struct cy_value *arguments, struct cy_value *out)
{
    (void)env;
    (void)call;
    (void)arguments;
    *out = cyv_integer((int64_t)(sh_wall_time() * 1000));
    return true;
}

/* RFC 9562, version 4. */
static bool call_uuid(struct cy_env *env, const struct cy_expr *call,
                      const struct cy_value *arguments, struct cy_value *out)
{
    unsigned char bytes[16];
    char text[37];
    (void)call;
    (void)arguments;
    randombytes_buf(bytes, sizeof(bytes));
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    char *at = text;
    for (size_t i = 0; i < sizeof(bytes); i++)
        at += snprintf(at, 4, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
                       bytes[i]);
    return cyv_copy(env, sh_bytes_of(text), out);
}

static const struct cy_function functions[] = {
    {"id", 1, 1, false, false, call_id},
    {"elementId", 1, 1, false, false, call_element_id},
    {"labels", 1, 1, false, false, call_labels},
    {"type", 1, 1, false, false, call_type},
    {"properties", 1, 1, false, false, call_properties},
    {"keys", 1, 1, false, false, call_keys},
    {"nodes", 1, 1, false, false, call_nodes},
    {"relationships", 1, 1, false, false, call_relationships},
    {"length", 1, 1, false, false, call_length},
    {"startNode", 1, 1, false, false, call_start},
    {"endNode", 1, 1, false, false, call_end},
    {"exists", 1, 1, true, false, call_exists},
    {"coalesce", 1, UINT32_MAX, true, false, call_coalesce},
    {"timestamp", 0, 0, false, false, call_timestamp},
    {"randomUUID", 0, 0, false, false, call_uuid},
};

const struct cy_function_table functions_graph = {functions, SH_COUNT(functions)};
