#include "services/graph/cypher/drawn.h"

#include <stdio.h>

#include "services/graph/cypher/tallied.h"

/* --- what they are called
 * ---------------------------------------------------------------
 */

/* -1 is the first: as Neo4j numbers what is in no store. */
static uint64_t number_of(uint32_t index)
{
    return (uint64_t)(-1 - (int64_t)index);
}

static bool id_of(struct cy_env *env, uint32_t index, struct sh_bytes *out)
{
    char text[16];
    struct cy_value copy;
    int len = snprintf(text, sizeof(text), "%lld", -1 - (long long)index);
    if (len <= 0 || !cyv_copy(env, (struct sh_bytes){text, (size_t)len}, &copy))
        return false;
    *out = cyv_text(copy);
    return true;
}

static bool properties_of(struct cy_env *env, struct sh_bytes name, bool node,
                          struct cy_value *out)
{
    struct cyv_entry *entries = cy_array(env, 3, sizeof(*entries));
    struct cy_value none;
    if (entries == NULL || !cyv_list(env, NULL, 0, &none))
        return false;
    entries[0] = (struct cyv_entry){sh_bytes_of("name"), cyv_string(name)};
    entries[1] = (struct cyv_entry){sh_bytes_of("indexes"), none};
    entries[2] = (struct cyv_entry){sh_bytes_of("constraints"), none};
    return cyv_map(env, entries, node ? 3 : 1, out);
}

/* --- nodes
 * -------------------------------------------------------------------------------
 */

static bool draw_node(struct cy_env *env, struct cy_drawn *drawn, uint32_t label)
{
    uint32_t index = drawn->node_count;
    struct node_body *body = cy_alloc(env, sizeof(*body) + sizeof(body->labels[0]));
    struct cy_drawn_node *node = &drawn->nodes[index];
    if (body == NULL || !id_of(env, index, &body->id))
        return false;
    body->number = number_of(index);
    body->label_count = 1;
    body->labels[0] = label;
    node->body = body;
    drawn->node_count++;
    return properties_of(env, symbols_text(graph_labels(env->reader->graph), label), true,
                         &node->properties);
}

/* --- relationships
 * -----------------------------------------------------------------------
 */

/* The place of a label's node; CY_NONE: it has none. They are in order of the labels. */
static uint32_t place_of(const struct cy_drawn *drawn, uint32_t label)
{
    uint32_t low = 0;
    uint32_t high = drawn->node_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (drawn->nodes[middle].body->labels[0] < label)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < drawn->node_count && drawn->nodes[low].body->labels[0] == label;
    return found ? CY_DRAWN_PLACES + low : CY_NONE;
}

static bool draw_edge(struct cy_env *env, struct cy_drawn *drawn, const uint32_t *what)
{
    uint32_t index = drawn->edge_count;
    struct cy_drawn_edge *edge = &drawn->edges[index];
    edge->body = (struct edge_body){.number = number_of(index),
                                    .type = what[0],
                                    .from = place_of(drawn, what[1]),
                                    .to = place_of(drawn, what[2])};
    if (edge->body.from == CY_NONE || edge->body.to == CY_NONE)
        return true;
    drawn->edge_count++;
    return id_of(env, index, &edge->body.id) &&
           properties_of(env, symbols_text(graph_types(env->reader->graph), what[0]),
                         false, &edge->properties);
}

/* --- all of it
 * ---------------------------------------------------------------------------
 */

static bool draw(struct cy_env *env, struct cy_drawn *drawn, enum tally_kind kind)
{
    const struct tally_list *tally = env->reader->version->tally;
    const struct tally_key *last = NULL;
    struct cy_tallied range = cy_tallied(env, kind, NULL, 0);
    for (uint32_t i = range.begin; i < range.end; i++) {
        const struct tally_key *key = &tally->items[i].key;
        if (!cy_tally_is_seen(env, &tally->items[i]) ||
            (last != NULL && memcmp(last->what, key->what, sizeof(key->what)) == 0))
            continue;
        last = key;
        if (!cy_step(env) || !(kind == TALLY_LABEL ? draw_node(env, drawn, key->what[0])
                                                   : draw_edge(env, drawn, key->what)))
            return false;
    }
    return true;
}

static size_t most(const struct cy_env *env, enum tally_kind kind)
{
    struct cy_tallied range = cy_tallied(env, kind, NULL, 0);
    return (size_t)(range.end - range.begin) + 1;
}

bool cy_draw_schema(struct cy_env *env)
{
    if (env->drawn != NULL)
        return true;
    struct cy_drawn *drawn = cy_alloc(env, sizeof(*drawn));
    if (drawn == NULL)
        return false;
    drawn->nodes = cy_array(env, most(env, TALLY_LABEL), sizeof(*drawn->nodes));
    drawn->edges = cy_array(env, most(env, TALLY_JOIN), sizeof(*drawn->edges));
    if (drawn->nodes == NULL || drawn->edges == NULL || !draw(env, drawn, TALLY_LABEL) ||
        !draw(env, drawn, TALLY_JOIN))
        return false;
    env->drawn = drawn;
    return true;
}

const struct cy_drawn_node *cy_drawn_node(const struct cy_env *env, uint32_t place)
{
    if (env->drawn == NULL || place < CY_DRAWN_PLACES ||
        place - CY_DRAWN_PLACES >= env->drawn->node_count)
        return NULL;
    return &env->drawn->nodes[place - CY_DRAWN_PLACES];
}

const struct cy_drawn_edge *cy_drawn_edge(const struct cy_env *env, uint32_t place)
{
    if (env->drawn == NULL || place < CY_DRAWN_PLACES ||
        place - CY_DRAWN_PLACES >= env->drawn->edge_count)
        return NULL;
    return &env->drawn->edges[place - CY_DRAWN_PLACES];
}
