/* What drivers and browsers ask about the schema. What belongs to nodes is a sum of the
 * tally's counts, which are apart by what must be readable; relationships' properties are
 * in no tally and are looked at. */
#include "services/graph/cypher/drawn.h"
#include "services/graph/cypher/procedures.h"
#include "services/graph/cypher/tallied.h"
#include "services/graph/cypher/value.h"
#include "services/graph/find/value_finder.h"

enum { TYPES = VALUE_MAP + 1 };

static bool is_seen(const struct cy_env *env, const struct tally_item *item,
                    enum tally_kind kind)
{
    return item->key.kind == (uint32_t)kind && cy_tally_is_seen(env, item);
}

static const char *type_name(size_t type)
{
    static const char *const names[TYPES] = {
        [VALUE_NULL] = "Null",    [VALUE_BOOLEAN] = "Boolean", [VALUE_INTEGER] = "Long",
        [VALUE_FLOAT] = "Double", [VALUE_STRING] = "String",   [VALUE_LIST] = "List",
        [VALUE_MAP] = "Map"};
    return names[type];
}

/* A list of the names of those that were counted. */
static bool type_names(struct cy_env *env, const uint64_t counts[TYPES],
                       struct cy_value *out)
{
    struct cy_value *names = cy_array(env, TYPES, sizeof(*names));
    size_t count = 0;
    for (size_t i = 0; names != NULL && i < TYPES; i++)
        if (counts[i] > 0)
            names[count++] = cyv_string(sh_bytes_of(type_name(i)));
    return names != NULL && cyv_list(env, names, count, out);
}

static bool one_name(struct cy_env *env, struct sh_bytes name, struct cy_value *out)
{
    struct cy_value *item = cy_array(env, 1, sizeof(*item));
    if (item == NULL)
        return false;
    *item = cyv_string(name);
    return cyv_list(env, item, 1, out);
}

/* :`name` */
static bool quoted(struct cy_env *env, struct sh_bytes name, struct cy_value *out)
{
    char *text = cy_alloc(env, name.len + 3);
    if (text == NULL)
        return false;
    text[0] = ':';
    text[1] = '`';
    memcpy(text + 2, name.data, name.len);
    text[name.len + 2] = '`';
    *out = cyv_string((struct sh_bytes){text, name.len + 3});
    return true;
}

static uint64_t total(const uint64_t counts[TYPES])
{
    uint64_t sum = 0;
    for (size_t i = 0; i < TYPES; i++)
        sum += counts[i];
    return sum;
}

/* --- nodes ------------------------------------------------------------------------ */

static bool give_node_property(struct cy_env *env, const struct tally_key *key,
                               const uint64_t counts[TYPES], cy_procedure_row_fn *row,
                               void *arg)
{
    const struct graph *graph = env->reader->graph;
    struct sh_bytes label = symbols_text(graph_labels(graph), key->what[0]);
    struct cy_value values[5] = {
        [2] = cyv_string(symbols_text(graph_keys(graph), key->what[1]))};
    values[4] = cyv_boolean(total(counts) == cy_seen_of_label(env, key->what[0]));
    return quoted(env, label, &values[0]) && one_name(env, label, &values[1]) &&
           type_names(env, counts, &values[3]) && cy_step(env) && row(arg, values);
}

bool cy_run_node_properties(struct cy_env *env, cy_procedure_row_fn *row, void *arg)
{
    const struct tally_list *tally = env->reader->version->tally;
    const struct tally_key *last = NULL;
    uint64_t counts[TYPES] = {0};
    for (uint32_t i = 0; tally != NULL && i < tally->count; i++) {
        const struct tally_item *item = &tally->items[i];
        if (!is_seen(env, item, TALLY_PROPERTY))
            continue;
        bool same = last != NULL && last->what[0] == item->key.what[0] &&
                    last->what[1] == item->key.what[1];
        if (last != NULL && !same) {
            if (!give_node_property(env, last, counts, row, arg))
                return false;
            memset(counts, 0, sizeof(counts));
        }
        last = &item->key;
        counts[item->key.what[2] % TYPES] += (uint64_t)item->count;
    }
    return last == NULL || give_node_property(env, last, counts, row, arg);
}

/* --- relationships ---------------------------------------------------------------- */

struct type_keys { /* by type, then key, then type of value */
    uint64_t (*counts)[TYPES];
    uint64_t *edges; /* by type */
    uint32_t keys;
    uint32_t types;
};

static void count_edge(struct type_keys *all, const struct edge_body *body)
{
    uint32_t count = values_count(body->properties);
    all->edges[body->type]++;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t key;
        struct value value;
        values_at(body->properties, i, &key, &value);
        if (key < all->keys)
            all->counts[(size_t)body->type * all->keys + key][value.type]++;
    }
}

static bool count_edges(struct cy_env *env, struct type_keys *all)
{
    const struct graph_reader *reader = env->reader;
    for (uint32_t i = 0; i < reader->version->edge_end; i++) {
        const struct edge *edge = graph_edge(reader, i);
        if (!cy_touch(env))
            return false;
        if (edge != NULL && edge->body->type < all->types &&
            graph_node(reader, edge->body->from) != NULL &&
            graph_node(reader, edge->body->to) != NULL)
            count_edge(all, edge->body);
    }
    return true;
}

/* One without properties has a row all the same. */
static bool give_type(struct cy_env *env, const struct type_keys *all, uint32_t type,
                      cy_procedure_row_fn *row, void *arg)
{
    const struct graph *graph = env->reader->graph;
    struct cy_value values[4] = {{0}};
    bool any = false;
    if (all->edges[type] == 0)
        return true;
    if (!quoted(env, symbols_text(graph_types(graph), type), &values[0]))
        return false;
    for (uint32_t key = 0; key < all->keys; key++) {
        const uint64_t *counts = all->counts[(size_t)type * all->keys + key];
        if (total(counts) == 0)
            continue;
        any = true;
        values[1] = cyv_string(symbols_text(graph_keys(graph), key));
        values[3] = cyv_boolean(total(counts) == all->edges[type]);
        if (!type_names(env, counts, &values[2]) || !row(arg, values))
            return false;
    }
    values[3] = cyv_boolean(false);
    return any || row(arg, values);
}

bool cy_run_type_properties(struct cy_env *env, cy_procedure_row_fn *row, void *arg)
{
    const struct graph *graph = env->reader->graph;
    struct type_keys all = {.keys = symbols_count(graph_keys(graph)),
                            .types = symbols_count(graph_types(graph))};
    all.counts = cy_array(env, (size_t)all.types * all.keys + 1, sizeof(*all.counts));
    all.edges = cy_array(env, (size_t)all.types + 1, sizeof(*all.edges));
    if (all.counts == NULL || all.edges == NULL || !count_edges(env, &all))
        return false;
    for (uint32_t type = 0; type < all.types; type++)
        if (!give_type(env, &all, type, row, arg))
            return false;
    return true;
}

/* --- all of it -------------------------------------------------------------------- */

static bool list_drawn(struct cy_env *env, enum cyv_type type, uint32_t count,
                       struct cy_value *out)
{
    struct cy_value *items = cy_array(env, (size_t)count + 1, sizeof(*items));
    for (uint32_t i = 0; items != NULL && i < count; i++)
        items[i] = (struct cy_value){.type = type, .place = CY_DRAWN_PLACES + i};
    return items != NULL && cyv_list(env, items, count, out);
}

bool cy_run_visualization(struct cy_env *env, cy_procedure_row_fn *row, void *arg)
{
    struct cy_value values[2];
    return cy_draw_schema(env) &&
           list_drawn(env, CYV_NODE, env->drawn->node_count, &values[0]) &&
           list_drawn(env, CYV_RELATIONSHIP, env->drawn->edge_count, &values[1]) &&
           row(arg, values);
}

/* --- indexes ---------------------------------------------------------------------- */

struct index_names {
    struct cy_env *env;
    struct sh_bytes names[64];
    size_t count;
};

/* Under a lock: copied, and given afterwards. */
static void note_index(void *arg, struct sh_bytes property, size_t bytes, size_t entries)
{
    struct index_names *all = arg;
    (void)bytes;
    (void)entries;
    if (all->count < SH_COUNT(all->names)) {
        struct sh_bytes copy = sh_arena_copy(all->env->arena, property);
        if (copy.data != NULL)
            all->names[all->count++] = copy;
    }
}

/* Whether some node that the reader sees has the property. */
static bool key_is_seen(const struct cy_env *env, struct sh_bytes name)
{
    const struct tally_list *tally = env->reader->version->tally;
    uint32_t key;
    if (!symbols_find(graph_keys(env->reader->graph), name, &key))
        return false;
    for (uint32_t i = 0; tally != NULL && i < tally->count; i++)
        if (tally->items[i].key.what[1] == key &&
            is_seen(env, &tally->items[i], TALLY_PROPERTY))
            return true;
    return false;
}

bool cy_run_indexes(struct cy_env *env, cy_procedure_row_fn *row, void *arg)
{
    struct index_names all = {.env = env};
    if (env->values != NULL)
        value_finder_each(env->values, note_index, &all);
    for (size_t i = 0; i < all.count; i++) {
        struct cy_value values[6] = {
            cyv_string(all.names[i]), cyv_string(sh_bytes_of("ONLINE")),
            cyv_string(sh_bytes_of("RANGE")), cyv_string(sh_bytes_of("NODE"))};
        if (!key_is_seen(env, all.names[i]))
            continue;
        if (!cyv_list(env, NULL, 0, &values[4]) ||
            !one_name(env, all.names[i], &values[5]) || !row(arg, values))
            return false;
    }
    return true;
}
