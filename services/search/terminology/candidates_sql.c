#include "services/search/terminology/candidates_sql.h"

#include "proto/readable.h"

#define CLASS_READABLE    STORE_READABLE("c.clearance_level", "c.department")
#define DOCUMENT_READABLE STORE_READABLE("d.clearance_level", "d.department")

/* One that was accepted is open again when its entry is gone. */
#define STATUS                                                                           \
    "CASE WHEN v.status = 'rejected' OR e.id IS NOT NULL THEN v.status ELSE 'open' END"

/* What is open and an entry already is not proposed. */
#define FOUND                                                                            \
    "WITH found AS (SELECT c.id, c.language, "                                           \
    "(array_agg(c.term ORDER BY c.frequency DESC, c.term))[1] AS term, "                 \
    "max(c.words) AS words, sum(c.frequency)::bigint AS frequency, "                     \
    "sum(c.documents)::bigint AS documents, sum(c.score) AS score, " STATUS              \
    " AS status, v.term_id "                                                             \
    "FROM glossary_candidates c LEFT JOIN glossary_verdicts v ON v.id = c.id "           \
    "LEFT JOIN glossary_terms e ON e.id = v.term_id "                                    \
    "WHERE " CLASS_READABLE " AND ($6::text IS NULL OR c.language = $6) "                \
    "AND " STATUS " = $7::text "                                                         \
    "AND ($8::text IS NULL OR (c.words > 1) = ($8 = 'phrase')) "                         \
    "AND ($10::text IS NULL OR c.job_id = $10) "                                         \
    "AND ($1::text IS NULL OR strpos(lower(c.term), lower($1)) > 0) "                    \
    "AND glossary_candidate_seen(c.contexts, $2, $3, $4, $5) "                           \
    "GROUP BY c.id, c.language, v.status, v.term_id, e.id "                              \
    "HAVING sum(c.frequency) >= $9::bigint), "                                           \
    "proposed AS (SELECT * FROM found f WHERE f.status <> 'open' OR NOT EXISTS "         \
    "(SELECT FROM glossary_terms t WHERE lower(t.term) = lower(f.term) "                 \
    "AND t.language = f.language AND t.status <> 'rejected' "                            \
    "AND " STORE_READABLE("t.clearance_level", "t.department") ")) "

/* The text around the place, if it still stands there. */
#define CONTEXTS                                                                         \
    "(SELECT coalesce(jsonb_agg(jsonb_build_object('document_id', z.id, 'title', "       \
    "z.title, 'before', z.before, 'form', z.form, 'after', z.after)), '[]') FROM "       \
    "(SELECT d.id, d.title, x.f AS form, "                                               \
    "substring(s.text FROM greatest(x.s - 79, 1) FOR least(x.s, 80)) AS before, "        \
    "substring(s.text FROM x.s + 1 + char_length(x.f) FOR 80) AS after "                 \
    "FROM glossary_candidates c, "                                                       \
    "jsonb_to_recordset(c.contexts) AS x(d text, o integer, s integer, f text), "        \
    "documents d, sections s WHERE c.id = p.id AND " CLASS_READABLE                      \
    " AND d.id = x.d AND " DOCUMENT_READABLE                                             \
    " AND s.document_id = d.id AND s.ordinal = x.o AND translate(substring(s.text FROM " \
    "x.s + 1 FOR char_length(x.f)), E'\\n', ' ') = x.f ORDER BY d.id LIMIT 5) AS z)"

const struct sh_pg_statement candidates_list = {
    "candidates_list", FOUND
    "SELECT n.total, p.id, p.term, p.language, p.words, p.frequency, p.documents, "
    "p.score, p.status, p.term_id, " CONTEXTS
    " FROM (SELECT count(*) AS total FROM proposed) AS n LEFT JOIN (SELECT * FROM "
    "proposed ORDER BY CASE WHEN $11::text = 'term' THEN lower(term) END COLLATE \"C\", "
    "CASE $11 WHEN 'frequency' THEN frequency::float8 WHEN 'documents' THEN "
    "documents::float8 ELSE score END DESC, id LIMIT $12::bigint OFFSET $13::bigint) "
    "AS p ON true ORDER BY CASE WHEN $11 = 'term' THEN lower(p.term) END COLLATE \"C\", "
    "CASE $11 WHEN 'frequency' THEN p.frequency::float8 WHEN 'documents' THEN "
    "p.documents::float8 ELSE p.score END DESC, p.id"};

const struct sh_pg_statement candidates_judge = {
    "candidates_judge", "SELECT id, outcome, term_id FROM glossary_judge($1::uuid[], "
                        "$2::bool, $3::int, $4::bool, $5::text, $6::text, $7::text, "
                        "$8::jsonb)"};

/* --- the job ---------------------------------------------------------------------- */

#define LANGUAGE "coalesce(nullif(split_part(lower(d.language), '-', 1), ''), 'en')"
#define WANTED                                                                           \
    "($1::text IS NULL OR d.id = $1) AND ($6::text IS NULL OR d.collection = $6) "       \
    "AND ($7::text IS NULL OR " LANGUAGE " = $7) AND " DOCUMENT_READABLE

const struct sh_pg_statement candidates_groups = {
    "candidates_groups",
    "SELECT * FROM (SELECT d.clearance_level, coalesce(d.department, '') AS "
    "department, " LANGUAGE " AS language, count(*) FROM documents d WHERE " WANTED
    " GROUP BY 1, 2, 3) AS g ORDER BY clearance_level, department COLLATE \"C\", "
    "language COLLATE \"C\""};

const struct sh_pg_statement candidates_page = {
    "candidates_page",
    "SELECT d.id, s.ordinal, s.text FROM documents d JOIN sections s "
    "ON s.document_id = d.id WHERE " WANTED " AND d.clearance_level = $8::int "
    "AND coalesce(d.department, '') = $9::text AND " LANGUAGE " = $10::text "
    "AND d.id >= $11::text AND (d.id, s.ordinal) > ($11::text, $12::int) "
    "ORDER BY d.id, s.ordinal LIMIT $13::bigint"};

const struct sh_pg_statement candidates_store = {
    "candidates_store",
    "INSERT INTO glossary_candidates AS c (id, clearance_level, department, language, "
    "term, words, frequency, documents, score, contexts, job_id) "
    "SELECT DISTINCT ON (1) glossary_candidate_id(r.key, $2::text), $3::smallint, "
    "$4::text, $2::text, r.term, r.words, r.frequency, r.documents, r.score, r.contexts, "
    "$1::text FROM jsonb_to_recordset($5::jsonb) AS r(key text, term text, "
    "words smallint, frequency bigint, documents bigint, score float8, contexts jsonb) "
    "ORDER BY 1 ON CONFLICT (id, clearance_level, department) DO UPDATE SET "
    "term = EXCLUDED.term, words = EXCLUDED.words, frequency = EXCLUDED.frequency, "
    "documents = EXCLUDED.documents, score = EXCLUDED.score, "
    "contexts = EXCLUDED.contexts, job_id = EXCLUDED.job_id, found_at = now()"};

const struct sh_pg_statement candidates_clear = {
    "candidates_clear",
    "DELETE FROM glossary_candidates WHERE job_id <> $1::text AND language = $2::text "
    "AND clearance_level = $3::smallint AND department = $4::text"};
