#include "services/search/quality/quality_sql.h"

#include "proto/readable.h"
#include "services/search/store/statements.h"

const struct sh_pg_statement quality_reports_put = {
    "quality_reports_put",
    "INSERT INTO document_reports (document_id, report) "
    "SELECT id, report::jsonb FROM unnest($1::text[], $2::text[]) AS r (id, report) "
    "ON CONFLICT (document_id) DO UPDATE SET report = EXCLUDED.report"};

const struct sh_pg_statement quality_reports_drop = {
    "quality_reports_drop", STORE_DROP_OF_EACH("document_reports")};

const struct sh_pg_statement quality_signatures_insert = {
    "quality_signatures_insert",
    "INSERT INTO chunk_signatures (chunk_id, signature) "
    "SELECT document || '#' || ordinal, signature "
    "FROM unnest($1::text[], $2::int[], $3::bytea[]) WITH ORDINALITY "
    "AS s (document, ordinal, signature, n) ORDER BY n"};

/* Duplicates of what the caller may not read are not told of. Documents that were stored
 * before there were reports have the figures alone. */
const struct sh_pg_statement quality_report = {
    "quality_report",
    "SELECT (jsonb_build_object('document_id', d.id, 'chunks', d.chunk_count, "
    "'language', d.language, 'sections', s.sections, 'pages', s.pages, "
    "'characters', s.characters, 'dropped', '[]'::jsonb, 'dropped_total', 0, "
    "'kept_all', false, 'inherited', '[]'::jsonb, 'compared', NOT EXISTS "
    "(SELECT FROM chunks c LEFT JOIN chunk_signatures g ON g.chunk_id = c.id "
    "WHERE c.document_id = d.id AND coalesce(g.state, 'n') = 'n'), "
    "'duplicates', (SELECT coalesce(jsonb_agg(jsonb_build_object('chunk_id', "
    "t.chunk_id, 'duplicate_of', t.duplicate_of, 'similarity', "
    "round(t.similarity::numeric, 3)) ORDER BY t.ordinal), '[]') FROM "
    "(SELECT g.chunk_id, g.duplicate_of, g.similarity, c.ordinal FROM chunks c "
    "JOIN chunk_signatures g ON g.chunk_id = c.id "
    "JOIN chunks o ON o.id = g.duplicate_of JOIN documents od ON od.id = o.document_id "
    "WHERE c.document_id = d.id "
    "AND " STORE_READABLE("od.clearance_level",
                          "od.department") " ORDER BY c.ordinal LIMIT 1000) t)) || "
                                           "coalesce(r.report, '{}'))::text "
                                           "FROM documents d LEFT JOIN document_reports "
                                           "r ON r.document_id = d.id, "
                                           "LATERAL (SELECT count(*) AS sections, "
                                           "count(DISTINCT page_number) AS pages, "
                                           "coalesce(sum(char_length(text)), 0) AS "
                                           "characters FROM sections "
                                           "WHERE document_id = d.id) s WHERE d.id = $1 "
                                           "AND " STORE_READABLE("d.clearance_level",
                                                                 "d.department")};

const struct sh_pg_statement quality_mark = {"quality_mark",
                                             "SELECT duplicates_mark($1::int, $2::real)"};
