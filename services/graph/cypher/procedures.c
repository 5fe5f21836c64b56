/* What drivers and browsers ask about the database. */
#include "services/graph/cypher/procedures.h"

#include <strings.h>

#include "services/graph/cypher/value.h"

#define CYPHER_NAME    "Cairn"
#define CYPHER_VERSION "5.0.0" /* of the language, as drivers compare it */

/* --- names ------------------------------------------------------------------------ */

/* One bit a symbol that something the reader may see has. */
struct seen {
    unsigned char *flags;
    uint32_t count;
};

static bool begin(struct cy_env *env, const struct symbols *symbols, struct seen *seen)
{
    seen->count = symbols_count(symbols);
    seen->flags = cy_alloc(env, (size_t)seen->count + 1);
    return seen->flags != NULL;
}

static bool give(const struct symbols *symbols, const struct seen *seen,
                 cy_procedure_row_fn *row, void *arg)
{
    for (uint32_t i = 0; i < seen->count; i++) {
        struct cy_value value = cyv_string(symbols_text(symbols, i));
        if (seen->flags[i] && !row(arg, &value))
            return false;
    }
    return true;
}

/* Whether the reader may see all that a count is about. */
static bool counts(const struct graph_reader *reader, const struct tally_item *item)
{
    for (size_t i = 0; i < TALLY_CLASSES; i++)
        if (!graph_permits(reader, item->key.access[i]))
            return false;
    return item->count > 0;
}

/* `part` of what is counted is the symbol. */
static void note_tally(const struct cy_env *env, enum tally_kind kind, size_t part,
                       struct seen *seen)
{
    const struct tally_list *tally = env->reader->version->tally;
    for (uint32_t i = 0; tally != NULL && i < tally->count; i++) {
        const struct tally_item *item = &tally->items[i];
        if (item->key.kind == (uint32_t)kind && counts(env->reader, item) &&
            item->key.what[part] < seen->count)
            seen->flags[item->key.what[part]] = 1;
    }
}

static bool run_labels(struct cy_env *env, cy_procedure_row_fn *row, void *arg)
{
    const struct symbols *symbols = graph_labels(env->reader->graph);
    struct seen seen;
    if (!begin(env, symbols, &seen))
        return false;
    note_tally(env, TALLY_LABEL, 0, &seen);
    return give(symbols, &seen, row, arg);
}

static bool run_types(struct cy_env *env, cy_procedure_row_fn *row, void *arg)
{
    const struct symbols *symbols = graph_types(env->reader->graph);
    struct seen seen;
    if (!begin(env, symbols, &seen))
        return false;
    note_tally(env, TALLY_EDGES, 0, &seen);
    return give(symbols, &seen, row, arg);
}

static void note_keys(struct sh_bytes properties, struct seen *seen)
{
    uint32_t count = values_count(properties);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t key;
        struct value value;
        values_at(properties, i, &key, &value);
        if (key < seen->count)
            seen->flags[key] = 1;
    }
}

/* Keys of relationships, and of nodes without a label, are in no count. */
static bool note_all_keys(struct cy_env *env, struct seen *seen)
{
    const struct graph_reader *reader = env->reader;
    for (uint32_t i = 0; i < reader->version->node_end; i++) {
        const struct node *node = graph_node(reader, i);
        if (!cy_touch(env))
            return false;
        if (node != NULL)
            note_keys(node->body->properties, seen);
    }
    for (uint32_t i = 0; i < reader->version->edge_end; i++) {
        const struct edge *edge = graph_edge(reader, i);
        if (!cy_touch(env))
            return false;
        if (edge != NULL && graph_node(reader, edge->body->from) != NULL &&
            graph_node(reader, edge->body->to) != NULL)
            note_keys(edge->body->properties, seen);
    }
    return true;
}

static bool run_keys(struct cy_env *env, cy_procedure_row_fn *row, void *arg)
{
    const struct symbols *symbols = graph_keys(env->reader->graph);
    struct seen seen;
    return begin(env, symbols, &seen) && note_all_keys(env, &seen) &&
           give(symbols, &seen, row, arg);
}

/* --- the database ----------------------------------------------------------------- */

static bool run_components(struct cy_env *env, cy_procedure_row_fn *row, void *arg)
{
    struct cy_value *version = cy_array(env, 1, sizeof(*version));
    struct cy_value values[3] = {cyv_string(sh_bytes_of(CYPHER_NAME))};
    if (version == NULL)
        return false;
    *version = cyv_string(sh_bytes_of(CYPHER_VERSION));
    if (!cyv_list(env, version, 1, &values[1]))
        return false;
    values[2] = cyv_string(sh_bytes_of("community"));
    return row(arg, values);
}

static bool run_ping(struct cy_env *env, cy_procedure_row_fn *row, void *arg)
{
    struct cy_value value = cyv_boolean(true);
    (void)env;
    return row(arg, &value);
}

/* Who may see a procedure may call it. */
static bool run_procedures(struct cy_env *env, cy_procedure_row_fn *row, void *arg);

static const struct cy_procedure procedures[] = {
    {"db.labels", {"label"}, 1, run_labels},
    {"db.relationshipTypes", {"relationshipType"}, 1, run_types},
    {"db.propertyKeys", {"propertyKey"}, 1, run_keys},
    {"db.schema.nodeTypeProperties",
     {"nodeType", "nodeLabels", "propertyName", "propertyTypes", "mandatory"},
     5,
     cy_run_node_properties},
    {"db.schema.relTypeProperties",
     {"relType", "propertyName", "propertyTypes", "mandatory"},
     4,
     cy_run_type_properties},
    {"db.schema.visualization", {"nodes", "relationships"}, 2, cy_run_visualization},
    {"db.indexes",
     {"name", "state", "type", "entityType", "labelsOrTypes", "properties"},
     6,
     cy_run_indexes},
    {"db.ping", {"success"}, 1, run_ping},
    {"dbms.components", {"name", "versions", "edition"}, 3, run_components},
    {"dbms.procedures", {"name"}, 1, run_procedures},
};

static bool run_procedures(struct cy_env *env, cy_procedure_row_fn *row, void *arg)
{
    (void)env;
    for (size_t i = 0; i < SH_COUNT(procedures); i++) {
        struct cy_value value = cyv_string(sh_bytes_of(procedures[i].name));
        if (!row(arg, &value))
            return false;
    }
    return true;
}

const struct cy_procedure *cy_procedure_find(struct sh_bytes name)
{
    for (size_t i = 0; i < SH_COUNT(procedures); i++)
        if (strlen(procedures[i].name) == name.len &&
            strncasecmp(procedures[i].name, name.data, name.len) == 0)
            return &procedures[i];
    return NULL;
}
