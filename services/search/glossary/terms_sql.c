#include "services/search/glossary/terms_sql.h"

#include "proto/readable.h"

#define COLUMNS                                                                          \
    "t.id, t.term, t.definition, t.language, t.domain, t.part_of_speech, t.source, "     \
    "t.status, t.sense, t.clearance_level, t.department, t.metadata, "                   \
    "extract(epoch FROM t.created_at), extract(epoch FROM t.updated_at)"

#define READABLE STORE_READABLE("t.clearance_level", "t.department")

/* Rejected ones are kept for searches alone: a row of old that is not a term. */
#define FILTERED                                                                         \
    READABLE " AND t.status <> 'rejected' AND ($6::text IS NULL OR t.language = $6) "    \
             "AND ($7::text IS NULL OR t.domain = $7) "                                  \
             "AND ($8::text IS NULL OR t.status = $8)"

const struct sh_pg_statement terms_get = {
    "terms_get", "SELECT " COLUMNS " FROM glossary_terms t WHERE t.id = $1 "
                 "AND t.status <> 'rejected' AND " READABLE};

const struct sh_pg_statement terms_count = {
    "terms_count", "SELECT count(*) FROM glossary_terms t WHERE $1::text IS NULL "
                   "AND " FILTERED};

const struct sh_pg_statement terms_of_ids = {
    "terms_of_ids", "SELECT " COLUMNS
                    " FROM glossary_terms t WHERE t.id = ANY ($1::text[]) AND " FILTERED};

#define PAGE(order)                                                                      \
    "SELECT " COLUMNS " FROM glossary_terms t WHERE $1::text IS NULL AND " FILTERED      \
    " ORDER BY " order " LIMIT $9::bigint OFFSET $10::bigint"

const struct sh_pg_statement terms_by_term = {
    "terms_by_term", PAGE("lower(t.term) COLLATE \"C\", t.id COLLATE \"C\"")};
const struct sh_pg_statement terms_by_term_down = {
    "terms_by_term_down",
    PAGE("lower(t.term) COLLATE \"C\" DESC, t.id COLLATE \"C\" DESC")};
const struct sh_pg_statement terms_by_time = {"terms_by_time",
                                              PAGE("t.updated_at, t.id COLLATE \"C\"")};
const struct sh_pg_statement terms_by_time_down = {
    "terms_by_time_down", PAGE("t.updated_at DESC, t.id COLLATE \"C\" DESC")};

/* Relations in the graph from the entry to others that may be seen, a line each. */
#define RELATIONS                                                                        \
    "(SELECT string_agg(e.type || E'\t' || (n.properties ->> 'term_id'), E'\n' ORDER "   \
    "BY "                                                                                \
    "e.type COLLATE \"C\", e.to_id COLLATE \"C\") FROM graph_edges e JOIN graph_nodes "  \
    "n "                                                                                 \
    "ON n.id = e.to_id WHERE e.from_id = glossary_node_id(t.id) AND e.type = ANY "       \
    "('{SYNONYM_OF,BROADER,RELATED,TRANSLATION_OF,ABBREVIATION_OF}') "                   \
    "AND n.properties ->> 'term_id' <> '' AND " STORE_READABLE(                          \
        "e.clearance_level", "e.department") " AND " STORE_READABLE("n.clearance_level", \
                                                                    "n.department") ")"

const struct sh_pg_statement terms_export = {
    "terms_export", "SELECT " COLUMNS ", " RELATIONS
                    " FROM glossary_terms t WHERE t.id > $1::text AND " FILTERED
                    " ORDER BY t.id LIMIT $9::bigint"};

/* --- by words --------------------------------------------------------------------- */

/* What is asked is read as the web does ("a phrase", or, -not), which never fails: as it
 * stands, and stemmed by the language (English where none is named). A term that begins
 * as the query does is found as well. */
#define ASKED                                                                            \
    "WITH asked AS (SELECT websearch_to_tsquery('pg_catalog.simple', $1::text) || "      \
    "websearch_to_tsquery(glossary_stemmer(coalesce($6::text, 'en')), $1::text) AS "     \
    "words, lower($1::text) AS whole, replace(replace(replace(lower($1::text), '\\', "   \
    "'\\\\'), '%', '\\%'), '_', '\\_') || '%' AS prefix) "

#define FOUND                                                                            \
    "FROM glossary_terms t, asked a WHERE (t.words @@ a.words "                          \
    "OR lower(t.term) LIKE a.prefix) AND " FILTERED

/* The marks are control characters, so that no text of a term is taken for one. */
const struct sh_pg_statement terms_search = {
    "terms_search", ASKED
    "SELECT " COLUMNS ", t.score, ts_headline(glossary_stemmer(t.language), "
    "t.definition, t.asked, E'StartSel=\\x02, StopSel=\\x03, HighlightAll=true') "
    "FROM (SELECT t.*, a.words AS asked, ((lower(t.term) = a.whole)::int * 2 + "
    "(lower(t.term) LIKE a.prefix)::int + ts_rank_cd(t.words, a.words, 32))::float8 "
    "AS score " FOUND " ORDER BY score DESC, lower(t.term) COLLATE \"C\", "
    "t.id COLLATE \"C\" LIMIT $9::bigint OFFSET $10::bigint) AS t "
    "ORDER BY t.score DESC, lower(t.term) COLLATE \"C\", t.id COLLATE \"C\""};

const struct sh_pg_statement terms_found = {"terms_found",
                                            ASKED "SELECT count(*) " FOUND};

/* The bounds rather than LIKE: these find the index whatever the parameter is, and it
 * gives them in order, so that the limit ends the work. */
const struct sh_pg_statement terms_suggest = {
    "terms_suggest",
    "SELECT t.id, t.term FROM glossary_terms t WHERE lower(t.term) ~>=~ lower($1::text) "
    "AND lower(t.term) ~<~ (lower($1::text) || U&'\\+10FFFF') AND " READABLE
    " AND t.status NOT IN ('rejected', 'deprecated') "
    "ORDER BY lower(t.term) USING ~<~ LIMIT $6::bigint"};

/* --- writing ---------------------------------------------------------------------- */

const struct sh_pg_statement terms_insert = {
    "terms_insert",
    "INSERT INTO glossary_terms (id, term, definition, language, domain, "
    "part_of_speech, source, status, sense, clearance_level, department, metadata) "
    "VALUES (coalesce($1::text, gen_random_uuid()::text), $2, $3, $4, $5, $6, $7, $8, "
    "$9, $10::smallint, $11, $12::jsonb) ON CONFLICT DO NOTHING RETURNING id"};

const struct sh_pg_statement terms_same = {
    "terms_same",
    "SELECT t.id FROM glossary_terms t WHERE (glossary_key(t.term, t.language, t.domain, "
    "t.sense) = glossary_key($1::text, $6::text, $7::text, $8::text) "
    "OR t.id = $9::text) AND " READABLE " LIMIT 1"};

const struct sh_pg_statement terms_lock = {
    "terms_lock",
    "SELECT t.status, t.clearance_level FROM glossary_terms t "
    "WHERE t.id = $1 AND t.status <> 'rejected' AND " READABLE " FOR UPDATE"};

const struct sh_pg_statement terms_update = {
    "terms_update",
    "UPDATE glossary_terms t SET term = $6, definition = $7, language = $8, "
    "domain = $9, part_of_speech = $10, source = $11, status = $12, sense = $13, "
    "clearance_level = $14::smallint, department = $15, metadata = $16::jsonb "
    "WHERE t.id = $1 AND " READABLE " AND t.status = ANY($17::text[]) RETURNING t.id"};

const struct sh_pg_statement terms_delete = {
    "terms_delete", "DELETE FROM glossary_terms t WHERE t.id = $1 AND " READABLE
                    " AND t.status = ANY($6::text[]) RETURNING t.id"};

const struct sh_pg_statement terms_xid = {"terms_xid",
                                          "SELECT pg_current_xact_id()::text"};
