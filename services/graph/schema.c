#include "services/graph/schema.h"

#include "shared/clock.h"
#include "shared/log.h"

enum { LONGEST_MS = 30000 };
enum { TOTALS, LABELS, PROPERTIES, TYPES, ENDS };

/* Names that are longer than a message can carry are left out; lists are cut at what a
 * message can hold. */
static const struct sh_pg_statement totals = {
    "schema_totals", "SELECT (SELECT count(*) FROM graph_nodes), "
                     "(SELECT count(*) FROM graph_edges)"};
static const struct sh_pg_statement labels = {
    "schema_labels", "SELECT label, count(*) FROM graph_nodes, unnest(labels) AS label "
                     "WHERE octet_length(label) <= 256 "
                     "GROUP BY label ORDER BY label COLLATE \"C\" LIMIT 4096"};
static const struct sh_pg_statement properties = {
    "schema_properties",
    "SELECT label, key, jsonb_typeof(value) AS type "
    "FROM graph_nodes, unnest(labels) AS label, jsonb_each(properties) "
    "WHERE octet_length(label) <= 256 AND octet_length(key) <= 256 "
    "GROUP BY 1, 2, 3 "
    "ORDER BY label COLLATE \"C\", key COLLATE \"C\", 3 LIMIT 100000"};
static const struct sh_pg_statement types = {
    "schema_types", "SELECT type, count(*) FROM graph_edges "
                    "WHERE octet_length(type) <= 256 "
                    "GROUP BY type ORDER BY type COLLATE \"C\" LIMIT 4096"};
/* A node without labels gives a NULL: it is an end, but has no name. */
static const struct sh_pg_statement ends = {
    "schema_ends",
    "SELECT type, side, label FROM ("
    "SELECT e.type, 'from' AS side, label FROM graph_edges e "
    "JOIN graph_nodes n ON n.id = e.from_id, unnest(n.labels) AS label "
    "UNION SELECT e.type, 'to', label FROM graph_edges e "
    "JOIN graph_nodes n ON n.id = e.to_id, unnest(n.labels) AS label) AS joined "
    "WHERE octet_length(type) <= 256 AND octet_length(label) <= 256 "
    "ORDER BY type COLLATE \"C\", side, label COLLATE \"C\" LIMIT 100000"};

const struct sh_pg_step *schema_steps(void)
{
    static const struct sh_pg_step steps[SCHEMA_STEPS] = {{.statement = &totals},
                                                          {.statement = &labels},
                                                          {.statement = &properties},
                                                          {.statement = &types},
                                                          {.statement = &ends}};
    return steps;
}

/* --- rows to messages --------------------------------------------------------------- */

/* How many rows from `row` on have the same first `columns` columns. */
static int run_length(const PGresult *rows, int row, int columns)
{
    int end = row;
    bool same = true;

    while (same && ++end < PQntuples(rows))
        for (int column = 0; column < columns; column++)
            same = same && sh_bytes_equal(sh_pg_text(rows, row, column),
                                          sh_pg_text(rows, end, column));
    return end - row;
}

/* Rows are sorted by name in column 0; SIZE_MAX when none has it. */
static int find_row(const PGresult *rows, int from, struct sh_bytes name)
{
    while (from < PQntuples(rows) && !sh_bytes_equal(sh_pg_text(rows, from, 0), name))
        from++;
    return from;
}

static struct sh_bytes *column_of(const PGresult *rows, int row, int count, int column,
                                  struct sh_arena *arena)
{
    struct sh_bytes *texts = sh_arena_array(arena, (size_t)count, sizeof(*texts));

    for (int i = 0; texts != NULL && i < count; i++)
        texts[i] = sh_pg_text(rows, row + i, column);
    return texts;
}

static enum sh_err build_properties(const PGresult *rows, int row, int count,
                                    struct sh_arena *arena, struct graph_label *label)
{
    struct graph_property *list = sh_arena_array(arena, (size_t)count, sizeof(*list));
    int end = row + count;

    if (list == NULL)
        return SH_NOMEM;
    label->properties = list;
    while (row < end && label->properties_count < 1024) {
        int length = run_length(rows, row, 2);
        struct graph_property *property = &list[label->properties_count++];
        property->name = sh_pg_text(rows, row, 1);
        property->types = column_of(rows, row, length, 2, arena);
        property->types_count = (size_t)length;
        if (property->types == NULL)
            return SH_NOMEM;
        row += length;
    }
    return SH_OK;
}

static enum sh_err build_labels(PGresult *const *results, struct sh_arena *arena,
                                struct graph_schema_reply *out)
{
    const PGresult *names = results[LABELS];
    const PGresult *rows = results[PROPERTIES];
    size_t count = (size_t)PQntuples(names);
    struct graph_label *list = sh_arena_array(arena, count + 1, sizeof(*list));
    enum sh_err err = list ? SH_OK : SH_NOMEM;
    int row = 0;

    for (size_t i = 0; i < count && err == SH_OK; i++) {
        list[i].name = sh_pg_text(names, (int)i, 0);
        list[i].count = sh_pg_u64(names, (int)i, 1);
        int first = find_row(rows, row, list[i].name);
        if (first == PQntuples(rows))
            continue; /* no properties */
        int length = run_length(rows, first, 1);
        err = build_properties(rows, first, length, arena, &list[i]);
        row = first + length;
    }
    out->labels = list;
    out->labels_count = count;
    return err;
}

static enum sh_err build_ends(const PGresult *rows, int row, int count,
                              struct sh_arena *arena, struct graph_type *type)
{
    int from = 0;

    while (from < count && sh_bytes_is(sh_pg_text(rows, row + from, 1), "from"))
        from++;
    type->from_labels = column_of(rows, row, from, 2, arena);
    type->from_labels_count = (size_t)from < 1024 ? (size_t)from : 1024;
    type->to_labels = column_of(rows, row + from, count - from, 2, arena);
    type->to_labels_count = (size_t)(count - from) < 1024 ? (size_t)(count - from) : 1024;
    return (from == 0 || type->from_labels) && (from == count || type->to_labels)
               ? SH_OK
               : SH_NOMEM;
}

static enum sh_err build_types(PGresult *const *results, struct sh_arena *arena,
                               struct graph_schema_reply *out)
{
    const PGresult *names = results[TYPES];
    const PGresult *rows = results[ENDS];
    size_t count = (size_t)PQntuples(names);
    struct graph_type *list = sh_arena_array(arena, count + 1, sizeof(*list));
    enum sh_err err = list ? SH_OK : SH_NOMEM;
    int row = 0;

    for (size_t i = 0; i < count && err == SH_OK; i++) {
        list[i].name = sh_pg_text(names, (int)i, 0);
        list[i].count = sh_pg_u64(names, (int)i, 1);
        int first = find_row(rows, row, list[i].name);
        if (first == PQntuples(rows))
            continue;
        int length = run_length(rows, first, 1);
        err = build_ends(rows, first, length, arena, &list[i]);
        row = first + length;
    }
    out->types = list;
    out->types_count = count;
    return err;
}

enum sh_err schema_build(PGresult *const *results, struct sh_arena *arena,
                         struct graph_schema_reply *out)
{
    enum sh_err err;

    *out = (struct graph_schema_reply){.nodes = sh_pg_u64(results[TOTALS], 0, 0),
                                       .edges = sh_pg_u64(results[TOTALS], 0, 1)};
    err = build_labels(results, arena, out);
    return err == SH_OK ? build_types(results, arena, out) : err;
}

/* --- the method --------------------------------------------------------------------- */

static void on_rows(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_rpc_call *call = arg;
    struct graph_schema_reply schema;
    enum sh_err err = reply->err;

    if (err == SH_OK)
        err = schema_build(reply->results, sh_rpc_call_arena(call), &schema);
    else
        sh_warning(sh_rpc_call_trace(call), "the graph cannot be read: %s %s",
                   reply->sqlstate, reply->message);
    if (err == SH_OK)
        sh_rpc_reply(call, graph_schema_reply_desc(), &schema);
    else
        sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
}

void schema_handle(void *arg, struct sh_rpc_call *call)
{
    uint64_t latest = sh_now_ms() + LONGEST_MS;
    uint64_t deadline = sh_rpc_call_deadline_ms(call);
    struct sh_pg_call work = {.steps = schema_steps(),
                              .count = SCHEMA_STEPS,
                              .read_only = true,
                              .deadline_ms = deadline < latest ? deadline : latest,
                              .trace = sh_rpc_call_trace(call)};
    enum sh_err err = sh_pg_run(arg, &work, on_rows, call);

    if (err != SH_OK)
        sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
}
