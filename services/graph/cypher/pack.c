#include "services/graph/cypher/pack.h"

#include <msgpack.h>
#include <stdlib.h>

#include "services/graph/cypher/entity.h"
#include "services/graph/cypher/env.h"
#include "services/graph/cypher/text.h"

static int write(void *buffer, const char *bytes, size_t len)
{
    sh_buffer_append(buffer, bytes, len);
    return 0; /* a failure sticks in the buffer */
}

static msgpack_packer packer(struct sh_buffer *out)
{
    msgpack_packer result;
    msgpack_packer_init(&result, out, write);
    return result;
}

static void pack_text(struct sh_buffer *out, struct sh_bytes text)
{
    msgpack_packer to = packer(out);
    msgpack_pack_str(&to, text.len);
    msgpack_pack_str_body(&to, text.len ? text.data : "", text.len);
}

static void pack_integer(struct sh_buffer *out, int64_t integer)
{
    msgpack_packer to = packer(out);
    msgpack_pack_int64(&to, integer);
}

void cy_pack_array(struct sh_buffer *out, uint32_t count)
{
    msgpack_packer to = packer(out);
    msgpack_pack_array(&to, count);
}

/* --- entities --------------------------------------------------------------------- */

static bool pack_properties(struct cy_env *env, struct cy_value entity,
                            struct sh_buffer *out)
{
    struct cy_value properties;
    return cy_entity_properties(env, entity, &properties) &&
           cy_pack(env, properties, out);
}

static bool pack_node(struct cy_env *env, struct cy_value node, struct sh_buffer *out)
{
    struct cy_value labels;
    cy_pack_array(out, 4);
    pack_integer(out, cy_entity_number(env, node));
    pack_text(out, cy_entity_id(env, node));
    return cy_node_labels(env, node, &labels) && cy_pack(env, labels, out) &&
           pack_properties(env, node, out);
}

static bool pack_relationship(struct cy_env *env, struct cy_value relationship,
                              struct sh_buffer *out)
{
    struct cy_value start = cy_relationship_start(env, relationship);
    struct cy_value end = cy_relationship_end(env, relationship);
    cy_pack_array(out, 8);
    pack_integer(out, cy_entity_number(env, relationship));
    pack_text(out, cy_entity_id(env, relationship));
    pack_integer(out, cy_entity_number(env, start));
    pack_text(out, cy_entity_id(env, start));
    pack_integer(out, cy_entity_number(env, end));
    pack_text(out, cy_entity_id(env, end));
    pack_text(out, cyv_text(cy_relationship_type(env, relationship)));
    return pack_properties(env, relationship, out);
}

/* --- paths ------------------------------------------------------------------------ */

static int compare_places(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* Each once, in order of their places, but the first one stays first: Bolt's path begins
 * with node 0. */
static uint32_t *distinct(struct cy_env *env, const uint32_t *places, uint32_t count,
                          bool first_stays, uint32_t *kept)
{
    uint32_t *sorted = cy_array(env, (size_t)count + 1, sizeof(*sorted));
    if (sorted == NULL)
        return NULL;
    uint32_t at = 0;
    if (count > 0)
        memcpy(sorted, places, count * sizeof(*sorted));
    if (count > 1)
        qsort(sorted, count, sizeof(*sorted), compare_places);
    for (uint32_t i = 0; i < count; i++)
        if (at == 0 || sorted[at - 1] != sorted[i])
            sorted[at++] = sorted[i];
    for (uint32_t i = 0; i < at && first_stays; i++)
        if (sorted[i] == places[0]) {
            memmove(sorted + 1, sorted, i * sizeof(*sorted));
            sorted[0] = places[0];
            break;
        }
    *kept = at;
    return sorted;
}

/* In all but the first, which stands apart. */
static uint32_t position(const uint32_t *places, uint32_t count, uint32_t place,
                         bool first_apart)
{
    if (first_apart && places[0] == place)
        return 0;
    uint32_t skip = first_apart ? 1 : 0;
    const uint32_t *found =
        bsearch(&place, places + skip, count - skip, sizeof(*places), compare_places);
    return found ? (uint32_t)(found - places) : 0;
}

static bool pack_places(struct cy_env *env, const uint32_t *places, uint32_t count,
                        enum cyv_type type, struct sh_buffer *out)
{
    cy_pack_array(out, count);
    for (uint32_t i = 0; i < count; i++)
        if (!cy_pack(env, (struct cy_value){.type = type, .place = places[i]}, out))
            return false;
    return true;
}

static bool pack_path(struct cy_env *env, struct cy_value value, struct sh_buffer *out)
{
    const struct cyv_path *path = value.path;
    uint32_t node_count;
    uint32_t edge_count;
    uint32_t *nodes = distinct(env, path->nodes, path->length + 1, true, &node_count);
    uint32_t *edges = distinct(env, path->edges, path->length, false, &edge_count);
    if (nodes == NULL || edges == NULL)
        return false;
    cy_pack_array(out, 3);
    if (!pack_places(env, nodes, node_count, CYV_NODE, out) ||
        !pack_places(env, edges, edge_count, CYV_RELATIONSHIP, out))
        return false;
    cy_pack_array(out, path->length * 2);
    for (uint32_t i = 0; i < path->length; i++) {
        int64_t edge = position(edges, edge_count, path->edges[i], false) + 1;
        struct cy_value start =
            cy_relationship_start(env, cyv_relationship(path->edges[i]));
        pack_integer(out, start.place == path->nodes[i] ? edge : -edge);
        pack_integer(out, position(nodes, node_count, path->nodes[i + 1], true));
    }
    return true;
}

/* --- extensions ------------------------------------------------------------------- */

typedef bool pack_fn(struct cy_env *env, struct cy_value value, struct sh_buffer *out);

static bool pack_extension(struct cy_env *env, enum cy_extension kind, pack_fn *write_it,
                           struct cy_value value, struct sh_buffer *out)
{
    struct sh_buffer payload = {0};
    bool done = write_it(env, value, &payload);
    msgpack_packer to = packer(out);
    if (payload.err != SH_OK) {
        out->err = payload.err;
    } else if (done) {
        msgpack_pack_ext(&to, payload.len, (int8_t)kind);
        msgpack_pack_ext_body(&to, payload.data, payload.len);
    }
    sh_buffer_free(&payload);
    return done;
}

/* --- all of them ------------------------------------------------------------------ */

static bool pack_items(struct cy_env *env, struct cy_value list, struct sh_buffer *out)
{
    cy_pack_array(out, list.count);
    for (uint32_t i = 0; i < list.count; i++)
        if (!cy_pack(env, list.items[i], out))
            return false;
    return true;
}

static bool pack_entries(struct cy_env *env, struct cy_value map, struct sh_buffer *out)
{
    msgpack_packer to = packer(out);
    msgpack_pack_map(&to, map.count);
    for (uint32_t i = 0; i < map.count; i++) {
        pack_text(out, map.entries[i].key);
        if (!cy_pack(env, map.entries[i].value, out))
            return false;
    }
    return true;
}

static bool pack_temporal(struct cy_env *env, struct cy_value value,
                          struct sh_buffer *out)
{
    struct cy_value text;
    if (!cy_text_of(env, value, &text))
        return false;
    pack_text(out, cyv_text(text));
    return true;
}

static void pack_plain(struct cy_value value, struct sh_buffer *out)
{
    msgpack_packer to = packer(out);
    if (value.type == CYV_NULL)
        msgpack_pack_nil(&to);
    else if (value.type == CYV_FLOAT)
        msgpack_pack_double(&to, value.real);
    else if (value.flag)
        msgpack_pack_true(&to);
    else
        msgpack_pack_false(&to);
}

bool cy_pack(struct cy_env *env, struct cy_value value, struct sh_buffer *out)
{
    if (!cy_step(env))
        return false;
    switch (value.type) {
    case CYV_NULL:
    case CYV_BOOLEAN:
    case CYV_FLOAT:
        pack_plain(value, out);
        return true;
    case CYV_INTEGER:
        pack_integer(out, value.integer);
        return true;
    case CYV_STRING:
        pack_text(out, cyv_text(value));
        return true;
    case CYV_LIST:
        return pack_items(env, value, out);
    case CYV_MAP:
        return pack_entries(env, value, out);
    case CYV_NODE:
        return pack_extension(env, CY_EXT_NODE, pack_node, value, out);
    case CYV_RELATIONSHIP:
        return pack_extension(env, CY_EXT_RELATIONSHIP, pack_relationship, value, out);
    case CYV_PATH:
        return pack_extension(env, CY_EXT_PATH, pack_path, value, out);
    case CYV_DATE:
    case CYV_LOCAL_TIME:
    case CYV_TIME:
    case CYV_LOCAL_DATETIME:
    case CYV_DATETIME:
    case CYV_DURATION:
        return pack_temporal(env, value, out);
    }
    return true;
}
