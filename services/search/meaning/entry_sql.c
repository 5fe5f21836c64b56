#include "services/search/meaning/entry_sql.h"

const struct sh_pg_statement entry_any = {"entry_any",
                                          "SELECT EXISTS (SELECT FROM glossary_vectors)"};

/* Changes of transactions that all have ended: whatever ends later lies behind the next
 * position. An empty position: from now on. */
const struct sh_pg_statement entry_changes = {
    "entry_changes",
    "SELECT pg_snapshot_xmin(pg_current_snapshot())::text, coalesce((SELECT h.xid >= "
    "nullif($1, '')::xid8 FROM outbox_horizon h WHERE h.outbox = 'search_outbox'), "
    "false)::text, c.id FROM (SELECT 1) AS one LEFT JOIN (SELECT DISTINCT o.id FROM "
    "search_outbox o WHERE o.entity = 'term' AND o.xid >= nullif($1, '')::xid8 AND o.xid "
    "< pg_snapshot_xmin(pg_current_snapshot())) AS c ON true"};

#define COLUMNS                                                                          \
    "t.id, t.clearance_level::int, coalesce(t.department, ''), t.language, "             \
    "coalesce(t.domain, ''), t.status, CASE WHEN v.text_hash = "                         \
    "md5(glossary_text(t.term, t.definition))::uuid THEN v.vector END"
#define SOURCE                                                                           \
    " FROM glossary_terms t LEFT JOIN glossary_vectors v ON v.term_id = t.id "           \
    "AND v.fingerprint = $1 WHERE t.status <> 'rejected' AND "

const struct sh_pg_statement entry_page = {
    "entry_page",
    "SELECT " COLUMNS SOURCE "t.id > $2::text ORDER BY t.id LIMIT $3::bigint"};

const struct sh_pg_statement entry_of_ids = {
    "entry_of_ids", "SELECT " COLUMNS ", glossary_text(t.term, t.definition)" SOURCE
                    "t.id = ANY ($2::text[])"};

/* An entry that went meanwhile is left out; one whose text changed has a hash that no
 * longer fits. */
const struct sh_pg_statement entry_store = {
    "entry_store",
    "INSERT INTO glossary_vectors (term_id, fingerprint, text_hash, vector) "
    "SELECT t.id, $1, md5(g.text)::uuid, g.vector FROM unnest($2::text[], $3::text[], "
    "$4::bytea[]) AS g (id, text, vector) JOIN glossary_terms t ON t.id = g.id "
    "ORDER BY t.id ON CONFLICT (term_id) DO UPDATE SET fingerprint = "
    "EXCLUDED.fingerprint, text_hash = EXCLUDED.text_hash, vector = EXCLUDED.vector"};
