#include "services/graph/store/statements.h"

#include "proto/readable.h"

/* Both kinds are stored in the same way. What is there already is locked in the order of
 * ids, so that two that store the same do not lock each other out, and is judged: what is
 * out of the caller's reach stays as it is, what would be out of reach afterwards is not
 * stored. A row that somebody else makes meanwhile meets ON CONFLICT. */

#define MODE    "$1::int"
#define MERGE   "$6::bool"
#define VERSION "$7::bigint"

/* Without a department it would be neither true nor false. */
#define SEEN(level, department) "coalesce(" STORE_READABLE(level, department) ", false)"

#define MERGED_PROPERTIES                                                                \
    "CASE WHEN " MERGE " THEN (coalesce(h.properties, '{}') || i.properties) - "         \
    "ARRAY(SELECT key FROM jsonb_each(i.properties) WHERE value = 'null') "              \
    "ELSE i.properties END AS properties, "
#define NEW_ACCESS                                                                       \
    "coalesce(i.level, h.clearance_level, 1) AS level, "                                 \
    "CASE WHEN i.said THEN nullif(i.department, '') ELSE h.department END AS "           \
    "department, "
#define HELD                                                                             \
    "h.id IS NOT NULL AS there, h.version, "                                             \
    "h.id IS NULL OR " SEEN("h.clearance_level", "h.department") " AS mine, "

#define REFUSED_AS_IT_IS                                                                 \
    "WHEN there AND " MODE " = 1 THEN 'exists' "                                         \
    "WHEN " MODE " = 2 AND NOT (there AND mine) THEN 'missing' "                         \
    "WHEN NOT mine THEN 'forbidden' "
#define REFUSED_AS_IT_WOULD_BE                                                           \
    "WHEN NOT " SEEN("level", "department") " THEN 'forbidden' "                         \
                                            "WHEN " VERSION                              \
                                            " > 0 AND version IS DISTINCT FROM " VERSION \
                                            " THEN 'changed' "

#define OUTCOME                                                                          \
    "SELECT pg_current_xact_id()::text, "                                                \
    "count(*) FILTER (WHERE r.id IS NOT NULL AND NOT there), "                           \
    "count(*) FILTER (WHERE r.id IS NOT NULL AND there), "                               \
    "count(*) FILTER (WHERE verdict = 'same'), "                                         \
    "coalesce(max(r.version), max(j.version) FILTER (WHERE verdict = 'same')), "         \
    "min(id) FILTER (WHERE j.n = 1), "                                                   \
    "string_agg(j.n || ' ' || CASE verdict WHEN '' THEN 'conflict' ELSE verdict END, "   \
    "',' ORDER BY j.n) FILTER (WHERE r.id IS NULL AND verdict <> 'same') "               \
    "FROM judged j LEFT JOIN written r USING (id)"

/* --- nodes ------------------------------------------------------------------------ */

#define NODES_FROM(input, mode_is_new)                                                   \
    "WITH input AS MATERIALIZED (" input "), "                                           \
    "held AS MATERIALIZED (SELECT * FROM graph_nodes "                                   \
    "WHERE id = ANY (ARRAY(SELECT id FROM input)) ORDER BY id FOR UPDATE), "             \
    "wanted AS (SELECT i.n, i.id, "                                                      \
    "CASE WHEN " MERGE " THEN coalesce(h.labels, '{}') || ARRAY(SELECT l FROM "          \
    "unnest(i.labels) l WHERE h.id IS NULL OR l <> ALL (h.labels)) "                     \
    "ELSE i.labels END AS labels, " MERGED_PROPERTIES NEW_ACCESS HELD                    \
    "h.labels AS labels_before, h.properties AS properties_before, "                     \
    "h.clearance_level AS level_before, h.department AS department_before "              \
    "FROM input i LEFT JOIN held h USING (id)), "                                        \
    "judged AS MATERIALIZED (SELECT *, CASE " REFUSED_AS_IT_IS REFUSED_AS_IT_WOULD_BE    \
    "WHEN there AND labels @> labels_before AND labels <@ labels_before AND properties " \
    "= properties_before "                                                               \
    "AND level = level_before AND department IS NOT DISTINCT FROM department_before "    \
    "THEN 'same' ELSE '' END AS verdict FROM wanted), "                                  \
    "written AS (INSERT INTO graph_nodes AS g "                                          \
    "(id, labels, properties, clearance_level, department) "                             \
    "SELECT id, labels, properties, level, department FROM judged WHERE verdict = '' "   \
    "ORDER BY id ON CONFLICT (id) DO UPDATE SET labels = EXCLUDED.labels, "              \
    "properties = EXCLUDED.properties, clearance_level = EXCLUDED.clearance_level, "     \
    "department = EXCLUDED.department, version = nextval('graph_versions') "             \
    "WHERE NOT (" mode_is_new ") AND " STORE_READABLE(                                   \
        "g.clearance_level", "g.department") " RETURNING id, version) " OUTCOME

const struct sh_pg_statement store_nodes_put = {
    "graph_nodes_put",
    NODES_FROM("SELECT n, id, labels::text[] AS labels, properties::jsonb AS properties, "
               "nullif(level, 0) AS level, department, said "
               "FROM unnest($8::text[], $9::text[], $10::text[], $11::int[], "
               "$12::text[], $13::bool[]) WITH ORDINALITY "
               "AS i (id, labels, properties, level, department, said, n)",
               MODE " = 1")};

const struct sh_pg_statement store_key_lock = {
    "graph_key_lock", "SELECT pg_advisory_xact_lock(hashtext('graph_key'), "
                      "hashtext($1::text))"};

/* Whoever has the lock sees, in the statement after it, what others made under it. */
#undef MODE
#undef MERGE
#undef VERSION
#define MODE    "0"
#define MERGE   "true"
#define VERSION "0"
const struct sh_pg_statement store_node_merge = {
    "graph_node_merge",
    NODES_FROM(
        "SELECT 1::bigint AS n, coalesce((SELECT g.id FROM graph_nodes g "
        "WHERE g.labels @> ARRAY[$1::text] AND g.properties @> $6::jsonb "
        "AND " STORE_READABLE(
            "g.clearance_level",
            "g.department") " ORDER BY g.id LIMIT 1), $7::text) AS id, "
                            "$8::text::text[] AS labels, $9::text::jsonb AS properties, "
                            "nullif($10::int, 0) AS level, $11::text AS department, "
                            "$12::bool AS said",
        "false")};
#undef MODE
#undef MERGE
#undef VERSION
#define MODE    "$1::int"
#define MERGE   "$6::bool"
#define VERSION "$7::bigint"

/* --- edges ------------------------------------------------------------------------ */

/* Both ends must be nodes that the caller can see; an edge whose ends, as they are, are
 * out of reach is out of reach itself. */
const struct sh_pg_statement store_edges_put = {
    "graph_edges_put",
    "WITH input AS MATERIALIZED (SELECT n, id, nullif(type, '') AS type, "
    "nullif(start, '') AS start, nullif(stop, '') AS stop, "
    "properties::jsonb AS properties, nullif(level, 0) AS level, department, said "
    "FROM unnest($8::text[], $9::text[], $10::text[], $11::text[], $12::text[], "
    "$13::int[], $14::text[], $15::bool[]) WITH ORDINALITY "
    "AS i (id, type, start, stop, properties, level, department, said, n)), "
    "held AS MATERIALIZED (SELECT * FROM graph_edges WHERE id = ANY ($8::text[]) "
    "ORDER BY id FOR UPDATE), "
    "ends AS MATERIALIZED (SELECT id, " SEEN(
        "clearance_level",
        "department") " AS seen FROM graph_nodes WHERE id = ANY (ARRAY(SELECT start FROM "
                      "input UNION "
                      "SELECT stop FROM input UNION SELECT from_id FROM held UNION "
                      "SELECT to_id FROM held)) ORDER BY id FOR KEY SHARE), "
                      "wanted AS (SELECT i.n, i.id, coalesce(i.type, h.type) AS type, "
                      "coalesce(i.start, h.from_id) AS start, coalesce(i.stop, h.to_id) "
                      "AS stop, " MERGED_PROPERTIES NEW_ACCESS
                      "h.id IS NOT NULL AS there, h.version, h.id IS NULL OR (" SEEN(
                          "h.clearance_level",
                          "h.department") " AND coalesce(f.seen, false) AND "
                                          "coalesce(t.seen, false)) AS mine, "
                                          "h.type AS type_before, h.from_id, h.to_id, "
                                          "h.properties AS properties_before, "
                                          "h.clearance_level AS level_before, "
                                          "h.department AS department_before "
                                          "FROM input i LEFT JOIN held h USING (id) LEFT "
                                          "JOIN ends f ON f.id = h.from_id "
                                          "LEFT JOIN ends t ON t.id = h.to_id), "
                                          "judged AS MATERIALIZED (SELECT w.*, "
                                          "CASE " REFUSED_AS_IT_IS
                                          "WHEN type IS NULL THEN 'type' "
                                          "WHEN NOT coalesce(a.seen, false) THEN 'from' "
                                          "WHEN NOT coalesce(z.seen, false) THEN "
                                          "'to' " REFUSED_AS_IT_WOULD_BE
                                          "WHEN there AND type = type_before AND start = "
                                          "from_id AND stop = to_id "
                                          "AND properties = properties_before AND level "
                                          "= level_before "
                                          "AND department IS NOT DISTINCT FROM "
                                          "department_before "
                                          "THEN 'same' ELSE '' END AS verdict FROM "
                                          "wanted w LEFT JOIN ends a ON a.id = w.start "
                                          "LEFT JOIN ends z ON z.id = w.stop), "
                                          "written AS (INSERT INTO graph_edges AS g "
                                          "(id, type, from_id, to_id, properties, "
                                          "clearance_level, department) "
                                          "SELECT id, type, start, stop, properties, "
                                          "level, department FROM judged "
                                          "WHERE verdict = '' ORDER BY id ON CONFLICT "
                                          "(id) DO UPDATE SET type = EXCLUDED.type, "
                                          "from_id = EXCLUDED.from_id, to_id = "
                                          "EXCLUDED.to_id, "
                                          "properties = EXCLUDED.properties, "
                                          "clearance_level = EXCLUDED.clearance_level, "
                                          "department = EXCLUDED.department, version = "
                                          "nextval('graph_versions') "
                                          "WHERE " MODE " <> 1 AND " STORE_READABLE(
                                              "g.clearance_level",
                                              "g.department") " RETURNING id, "
                                                              "version) " OUTCOME};

/* --- deletion --------------------------------------------------------------------- */

#define GONE_OF(table, edges)                                                            \
    "gone AS (DELETE FROM " table " g USING judged j WHERE g.id = j.id "                 \
    "AND j.verdict = '' RETURNING 1) "                                                   \
    "SELECT pg_current_xact_id()::text, coalesce((SELECT verdict FROM judged), "         \
    "'missing'), " edges ", (SELECT count(*) FROM gone)"

/* What hangs on a node goes with it; what of that the caller cannot see he cannot delete.
 */
const struct sh_pg_statement store_node_delete = {
    "graph_node_delete",
    "WITH held AS MATERIALIZED (SELECT id, version FROM graph_nodes WHERE id = $1 "
    "AND " STORE_READABLE(
        "clearance_level",
        "department") " FOR UPDATE), "
                      "hanging AS MATERIALIZED (SELECT count(*) AS total, count(*) "
                      "FILTER (WHERE NOT (" SEEN(
                          "e.clearance_level",
                          "e.department") " AND " SEEN("p.clearance_level",
                                                       "p.department") ")) AS hidden "
                                                                       "FROM held h JOIN "
                                                                       "graph_edges e ON "
                                                                       "e.from_id = h.id "
                                                                       "OR e.to_id = "
                                                                       "h.id "
                                                                       "JOIN graph_nodes "
                                                                       "p ON p.id = CASE "
                                                                       "WHEN e.from_id = "
                                                                       "h.id THEN "
                                                                       "e.to_id "
                                                                       "ELSE e.from_id "
                                                                       "END), judged AS "
                                                                       "MATERIALIZED "
                                                                       "(SELECT h.id, "
                                                                       "CASE "
                                                                       "WHEN $7::bigint "
                                                                       "> 0 AND "
                                                                       "h.version <> "
                                                                       "$7::bigint THEN "
                                                                       "'changed' "
                                                                       "WHEN k.hidden > "
                                                                       "0 THEN "
                                                                       "'forbidden' "
                                                                       "WHEN k.total > 0 "
                                                                       "AND NOT $6::bool "
                                                                       "THEN 'edges' "
                                                                       "ELSE '' END AS "
                                                                       "verdict "
                                                                       "FROM held h, "
                                                                       "hanging "
                                                                       "k), " GONE_OF(
                                                                           "graph_nodes",
                                                                           "coalesce(("
                                                                           "SELECT total "
                                                                           "FROM "
                                                                           "hanging), "
                                                                           "0)")};

const struct
    sh_pg_statement
        store_edge_delete =
            {"graph_edge_delete",
             "WITH held AS MATERIALIZED (SELECT e.id, e.version FROM graph_edges e "
             "JOIN graph_nodes f ON f.id = e.from_id JOIN graph_nodes t ON t.id = "
             "e.to_id "
             "WHERE e.id = $1 AND " STORE_READABLE("e.clearance_level", "e.department") " AND " STORE_READABLE(
                 "f.clearance_level",
                 "f.department") " AND " STORE_READABLE("t.clearance_level",
                                                        "t.department") " FOR UPDATE OF "
                                                                        "e), judged AS "
                                                                        "MATERIALIZED "
                                                                        "(SELECT id, "
                                                                        "CASE WHEN "
                                                                        "$7::bigint > 0 "
                                                                        "AND version <> "
                                                                        "$7::bigint THEN "
                                                                        "'changed' ELSE "
                                                                        "'' END AS "
                                                                        "verdict FROM "
                                                                        "held "
                                                                        "WHERE $6::bool "
                                                                        "IS NOT "
                                                                        "NULL), " GONE_OF(
                                                                            "graph_edges",
                                                                            "0")};
