#include "services/graph/feed/rows.h"

#include <jansson.h>
#include <stdlib.h>

#include "shared/changefeed.h"
#include "shared/snapshot_keeper.h"

#define NODE_COLUMNS                                                                     \
    "id, array_to_json(labels), properties, clearance_level, department, number FROM "   \
    "graph_nodes "
#define EDGE_COLUMNS                                                                     \
    "id, type, from_id, to_id, properties, clearance_level, department, number FROM "    \
    "graph_edges "

enum node_column {
    NODE_ID,
    NODE_LABELS,
    NODE_PROPERTIES,
    NODE_CLEARANCE,
    NODE_DEPARTMENT,
    NODE_NUMBER,
};

enum edge_column {
    EDGE_ID,
    EDGE_TYPE,
    EDGE_FROM,
    EDGE_TO,
    EDGE_PROPERTIES,
    EDGE_CLEARANCE,
    EDGE_DEPARTMENT,
    EDGE_NUMBER,
};

const struct sh_pg_statement rows_position = {"graph_position",
                                              SH_CHANGEFEED_START_SQL("graph_outbox")};
const struct sh_pg_statement rows_record = {
    "graph_record",
    SH_KEEPER_RECORD_SQL("graph_outbox",
                         "'graph_nodes'::regclass::oid, 'graph_edges'::regclass::oid")};
const struct sh_pg_statement rows_nodes_page = {
    "graph_nodes_page", "SELECT " NODE_COLUMNS "WHERE id > $1 ORDER BY id LIMIT 5000"};
const struct sh_pg_statement rows_edges_page = {
    "graph_edges_page", "SELECT " EDGE_COLUMNS "WHERE id > $1 ORDER BY id LIMIT 5000"};
const struct sh_pg_statement rows_nodes_changed = {
    "graph_nodes_changed", "SELECT " NODE_COLUMNS "WHERE id = ANY($1)"};
const struct sh_pg_statement rows_edges_changed = {
    "graph_edges_changed", "SELECT " EDGE_COLUMNS "WHERE id = ANY($1)"};

/* --- rows ------------------------------------------------------------------------- */

static enum sh_err read_labels(struct sh_bytes json, struct sh_arena *arena,
                               struct graph_node_row *row)
{
    json_t *list = json_loadb(json.data, json.len, 0, NULL);
    size_t count = json_array_size(list);
    struct sh_bytes *labels = sh_arena_array(arena, count + 1, sizeof(*labels));
    enum sh_err err = json_is_array(list) ? SH_OK : SH_MALFORMED;
    if (labels == NULL)
        err = SH_NOMEM;
    row->labels = labels;
    for (size_t i = 0; i < count && err == SH_OK; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text == NULL)
            continue; /* an array may hold NULL */
        labels[row->label_count] = sh_arena_copy(arena, sh_bytes_of(text));
        if (*text != '\0' && labels[row->label_count].data == NULL)
            err = SH_NOMEM;
        row->label_count++;
    }
    json_decref(list);
    return err;
}

static enum sh_err read_nodes(const PGresult *rows, struct sh_arena *arena,
                              struct graph_changes *out)
{
    int count = rows ? PQntuples(rows) : 0;
    struct graph_node_row *nodes =
        sh_arena_array(arena, (size_t)count + 1, sizeof(*nodes));
    enum sh_err err = nodes ? SH_OK : SH_NOMEM;
    for (int i = 0; i < count && err == SH_OK; i++) {
        nodes[i] = (struct graph_node_row){
            .number = sh_pg_u64(rows, i, NODE_NUMBER),
            .id = sh_pg_text(rows, i, NODE_ID),
            .properties = sh_pg_text(rows, i, NODE_PROPERTIES),
            .clearance = (uint32_t)sh_pg_u64(rows, i, NODE_CLEARANCE),
            .department = sh_pg_text(rows, i, NODE_DEPARTMENT),
        };
        err = read_labels(sh_pg_text(rows, i, NODE_LABELS), arena, &nodes[i]);
    }
    out->nodes = nodes;
    out->node_count = (size_t)count;
    return err;
}

static enum sh_err read_edges(const PGresult *rows, struct sh_arena *arena,
                              struct graph_changes *out)
{
    int count = rows ? PQntuples(rows) : 0;
    struct graph_edge_row *edges =
        sh_arena_array(arena, (size_t)count + 1, sizeof(*edges));
    for (int i = 0; i < count && edges != NULL; i++)
        edges[i] = (struct graph_edge_row){
            .number = sh_pg_u64(rows, i, EDGE_NUMBER),
            .id = sh_pg_text(rows, i, EDGE_ID),
            .type = sh_pg_text(rows, i, EDGE_TYPE),
            .from = sh_pg_text(rows, i, EDGE_FROM),
            .to = sh_pg_text(rows, i, EDGE_TO),
            .properties = sh_pg_text(rows, i, EDGE_PROPERTIES),
            .clearance = (uint32_t)sh_pg_u64(rows, i, EDGE_CLEARANCE),
            .department = sh_pg_text(rows, i, EDGE_DEPARTMENT),
        };
    out->edges = edges;
    out->edge_count = (size_t)count;
    return edges ? SH_OK : SH_NOMEM;
}

/* --- what is gone ----------------------------------------------------------------- */

static int compare_ids(const void *left, const void *right)
{
    const struct sh_bytes *a = left;
    const struct sh_bytes *b = right;
    size_t len = a->len < b->len ? a->len : b->len;
    int order = len > 0 ? memcmp(a->data, b->data, len) : 0;
    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

/* Those of `ids` that no row has; the ids are sorted by this. NULL: out of memory. */
static struct sh_bytes *gone(struct sh_bytes *ids, size_t count, const PGresult *rows,
                             struct sh_arena *arena, size_t *gone_count)
{
    struct sh_bytes *missing = sh_arena_array(arena, count + 1, sizeof(*missing));
    bool *found = sh_arena_array(arena, count + 1, sizeof(*found));
    if (missing == NULL || found == NULL)
        return NULL;
    if (count > 0)
        qsort(ids, count, sizeof(*ids), compare_ids);
    for (int i = 0; rows != NULL && count > 0 && i < PQntuples(rows); i++) {
        struct sh_bytes id = sh_pg_text(rows, i, 0);
        const struct sh_bytes *place =
            bsearch(&id, ids, count, sizeof(*ids), compare_ids);
        if (place != NULL)
            found[place - ids] = true;
    }
    for (size_t i = 0; i < count; i++)
        if (!found[i])
            missing[(*gone_count)++] = ids[i];
    return missing;
}

enum sh_err rows_changes(const PGresult *nodes, const PGresult *edges,
                         const struct rows_changed *changed, struct sh_arena *arena,
                         struct graph_changes *out)
{
    *out = (struct graph_changes){.node_count = 0};
    enum sh_err err = read_nodes(nodes, arena, out);
    if (err == SH_OK)
        err = read_edges(edges, arena, out);
    if (err != SH_OK || changed == NULL)
        return err;
    out->gone_nodes =
        gone(changed->nodes, changed->node_count, nodes, arena, &out->gone_node_count);
    out->gone_edges =
        gone(changed->edges, changed->edge_count, edges, arena, &out->gone_edge_count);
    return out->gone_nodes && out->gone_edges ? SH_OK : SH_NOMEM;
}
