#include "services/search/collections/collections_sql.h"

#include "proto/readable.h"

#define DEFAULTS                                                                         \
    "c.chunk_tokens, c.chunk_overlap_percent, c.language, c.clearance_level, "           \
    "c.department, c.campus, c.priority"

/* A collection is known to those who may read what is stored in it unless it says
 * otherwise. */
#define DEFINITION_READABLE                                                              \
    STORE_READABLE("coalesce(c.clearance_level, 1)", "c.department")
#define DOCUMENT_READABLE STORE_READABLE("d.clearance_level", "d.department")

const struct sh_pg_statement collections_defaults = {
    "collections_defaults",
    "SELECT " DEFAULTS " FROM unnest($1::text[]) WITH ORDINALITY AS w (name, n) "
    "LEFT JOIN LATERAL (SELECT * FROM collections o WHERE o.name = w.name OFFSET 0) c "
    "ON true ORDER BY w.n"};

#define KNOWN                                                                            \
    "(SELECT c.* FROM collections c WHERE ($1::text IS NULL OR c.name = $1) "            \
    "AND " DEFINITION_READABLE ") c FULL JOIN "                                          \
    "(SELECT d.collection, count(*) AS documents FROM documents d "                      \
    "WHERE ($1::text IS NULL OR d.collection = $1) AND " DOCUMENT_READABLE               \
    " GROUP BY d.collection) n ON n.collection = c.name"

const struct sh_pg_statement collections_page = {
    "collections_page",
    "SELECT " DEFAULTS ", coalesce(c.name, n.collection) COLLATE \"C\" AS known, "
    "c.title, c.description, extract(epoch FROM c.created_at), "
    "extract(epoch FROM c.updated_at), c.name IS NOT NULL, coalesce(n.documents, 0) "
    "FROM " KNOWN " ORDER BY known LIMIT $6 OFFSET $7"};

const struct sh_pg_statement collections_count = {"collections_count",
                                                  "SELECT count(*) FROM " KNOWN};

const struct sh_pg_statement collections_put = {
    "collections_put",
    "INSERT INTO collections AS c (name, title, description, chunk_tokens, "
    "chunk_overlap_percent, language, clearance_level, department, campus, priority) "
    "VALUES ($1, $6, $7, $8, $9, $10, $11, $12, $13, $14) "
    "ON CONFLICT (name) DO UPDATE SET title = EXCLUDED.title, "
    "description = EXCLUDED.description, chunk_tokens = EXCLUDED.chunk_tokens, "
    "chunk_overlap_percent = EXCLUDED.chunk_overlap_percent, "
    "language = EXCLUDED.language, clearance_level = EXCLUDED.clearance_level, "
    "department = EXCLUDED.department, campus = EXCLUDED.campus, "
    "priority = EXCLUDED.priority WHERE " DEFINITION_READABLE " RETURNING (xmax = 0)"};

/* In the order in which puts lock, so that nobody dead-locks. */
const struct sh_pg_statement collections_empty = {
    "collections_empty",
    "WITH gone AS (DELETE FROM documents WHERE id IN (SELECT d.id FROM documents d "
    "WHERE d.collection = $1 AND " DOCUMENT_READABLE " ORDER BY d.id LIMIT $6 "
    "FOR UPDATE) RETURNING 1) SELECT count(*) FROM gone"};

const struct sh_pg_statement collections_drop = {
    "collections_drop",
    "WITH gone AS (DELETE FROM collections c WHERE c.name = $1 AND " DEFINITION_READABLE
    " AND NOT EXISTS (SELECT FROM documents d WHERE d.collection = $1) RETURNING 1) "
    "SELECT (SELECT count(*) FROM gone), count(*) FILTER (WHERE " DOCUMENT_READABLE
    "), count(*), EXISTS (SELECT FROM collections c WHERE c.name = $1 "
    "AND " DEFINITION_READABLE ") FROM documents d WHERE d.collection = $1"};

const struct sh_pg_statement collections_xid = {"collections_xid",
                                                "SELECT pg_current_xact_id()::text"};
