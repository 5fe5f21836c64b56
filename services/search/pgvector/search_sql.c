#include "services/search/pgvector/search_sql.h"

/* --- what is asked in words ------------------------------------------------------- */

/* The words of a phrase one after another, as one value. */
static void add_phrase(struct sql *sql, const struct text_rule *rule)
{
    struct sh_buffer text = {0};

    for (uint32_t i = 0; i < rule->count; i++) {
        sh_buffer_text(&text, i > 0 ? " " : "");
        sh_buffer_append(&text, rule->words[i].folded.data, rule->words[i].folded.len);
    }
    struct sh_bytes kept = sh_arena_copy(sql->arena, sh_buffer_bytes(&text));
    if (text.err != SH_OK || (text.len > 0 && !kept.data))
        sql->err = SH_NOMEM;
    else
        sql_add_text(sql, kept);
    sh_buffer_free(&text);
}

static void add_rules(struct sql *sql, const struct text_query *text, bool excluded)
{
    const char *separator = "";

    sql_add(sql, "ARRAY[");
    for (uint32_t i = 0; i < text->rule_count; i++) {
        if (text->rules[i].excluded != excluded)
            continue;
        sql_add(sql, separator);
        add_phrase(sql, &text->rules[i]);
        separator = ", ";
    }
    sql_add(sql, "]::text[]");
}

static void add_wishes(struct sql *sql, const struct text_query *text)
{
    uint32_t open = 0; /* counted from 1 */

    sql_add(sql, "search_wish(ARRAY[");
    for (uint32_t i = 0; i < text->count; i++) {
        sql_add(sql, i > 0 ? ", " : "");
        sql_add_text(sql, text->words[i].folded);
        open = text->words[i].open ? i + 1 : open;
    }
    sql_add(sql, "]::text[], ARRAY[");
    for (uint32_t i = 0; i < text->count; i++) {
        sql_add(sql, i > 0 ? ", " : "");
        sql_add(sql, text->words[i].prefix ? "true" : "false");
    }
    sql_add(sql, "]::boolean[], ");
    sql_add_count(sql, open);
    sql_add(sql, ")");
}

static void add_asked(struct sql *sql, const struct search_sql *search)
{
    sql_add(sql, "WITH asked AS MATERIALIZED (SELECT ");
    if (search->text)
        add_wishes(sql, search->text);
    else
        sql_add(sql, "NULL::tsquery");
    sql_add(sql, " AS words, ");
    if (search->rules && search->text) {
        sql_add(sql, "search_rules(");
        add_rules(sql, search->text, false);
        sql_add(sql, ", ");
        add_rules(sql, search->text, true);
        sql_add(sql, ")");
    } else {
        sql_add(sql, "NULL::tsquery");
    }
    sql_add(sql, " AS rules)");
}

/* The documents that count, and of their passages those that the rules leave. */
static void add_conditions(struct sql *sql, const struct search_sql *search)
{
    filter_sql(search->filter, sql);
    if (search->rules)
        sql_add(sql, " AND w.words @@ (SELECT rules FROM asked)");
}

static void add_text_found(struct sql *sql, const struct search_sql *search)
{
    sql_add(sql, ", text_found AS MATERIALIZED (");
    if (search->text) {
        sql_add(sql, "SELECT w.chunk_id, ts_rank_cd(w.words, (SELECT words FROM asked), "
                     "1)::float8 AS score FROM search_words AS w "
                     "JOIN documents AS d ON d.id = w.document_id "
                     "WHERE w.words @@ (SELECT words FROM asked) AND ");
        add_conditions(sql, search);
    } else {
        sql_add(sql, "SELECT NULL::text AS chunk_id, NULL::float8 AS score LIMIT 0");
    }
    sql_add(sql, ")");
}

/* --- vectors ---------------------------------------------------------------------- */

/* How many passages are left, counted no further than the choice needs. */
static void add_allowed(struct sql *sql, const struct search_sql *search)
{
    sql_add(sql, ", allowed AS MATERIALIZED (SELECT coalesce(sum(passages), 0) AS "
                 "passages, count(*) > ");
    sql_add_count(sql, search->scan_max);
    sql_add(sql, " AS more, coalesce(sum(passages), 0) <= ");
    sql_add_count(sql, search->scan_max);
    sql_add(sql, " AS few FROM (SELECT ");
    sql_add(sql, search->rules ? "1 AS passages FROM search_words AS w "
                                 "JOIN documents AS d ON d.id = w.document_id WHERE "
                               : "d.chunk_count AS passages FROM documents AS d "
                                 "WHERE d.chunk_count > 0 AND ");
    add_conditions(sql, search);
    sql_add(sql, " LIMIT ");
    sql_add_count(sql, search->scan_max + 1);
    sql_add(sql, ") AS counted)");
}

static void add_vectors(struct sql *sql, const struct search_sql *search)
{
    sql_add(sql, "SELECT v.chunk_id, 1 - (v.embedding <=> $3::vector) AS similarity "
                 "FROM search_vectors AS v JOIN documents AS d ON d.id = v.document_id");
    if (search->rules)
        sql_add(sql, " JOIN search_words AS w ON w.chunk_id = v.chunk_id");
    sql_add(sql, " WHERE v.fingerprint = ");
    sql_add_text(sql, sh_bytes_of(search->fingerprint));
    sql_add(sql, " AND ");
    add_conditions(sql, search);
}

/* `v.embedding::halfvec(384)`: as the index has it. */
static void add_indexed(struct sql *sql, const struct search_sql *search,
                        const char *value)
{
    sql_add(sql, value);
    sql_add(sql, "::");
    sql_add(sql, search->type);
    sql_add(sql, "(");
    sql_add_count(sql, search->dimension);
    sql_add(sql, ")");
}

/* Both ways are in the statement; which of them runs is known when it runs. */
static void add_vector_found(struct sql *sql, const struct search_sql *search)
{
    sql_add(sql, ", vector_found AS MATERIALIZED (");
    if (!search->vector) {
        sql_add(sql, "SELECT NULL::text AS chunk_id, NULL::float8 AS similarity "
                     "WHERE $3::bytea IS NULL LIMIT 0)");
        return;
    }
    add_vectors(sql, search);
    if (search->by_index) {
        sql_add(sql, " AND (SELECT few FROM allowed) UNION ALL (");
        add_vectors(sql, search);
        sql_add(sql, " AND NOT (SELECT few FROM allowed) ORDER BY ");
        add_indexed(sql, search, "v.embedding");
        sql_add(sql, " <=> ");
        add_indexed(sql, search, "$3::vector");
        sql_add(sql, " LIMIT ");
        sql_add_count(sql, search->depth);
        sql_add(sql, ")");
    }
    sql_add(sql, ")");
}

/* --- both ------------------------------------------------------------------------- */

/* The best of a leg, with what is known of them. */
static void add_best(struct sql *sql, const char *columns, const char *from,
                     const char *by, uint32_t depth)
{
    sql_add(sql, "(SELECT chunk_id, ");
    sql_add(sql, columns);
    sql_add(sql, " FROM ");
    sql_add(sql, from);
    sql_add(sql, " ORDER BY ");
    sql_add(sql, by);
    sql_add(sql, " DESC, chunk_id LIMIT ");
    sql_add_count(sql, depth);
    sql_add(sql, ")");
}

static void add_figures(struct sql *sql, const struct search_sql *search)
{
    sql_add(sql, ", figures AS (SELECT passages, more, "
                 "(SELECT count(*) FROM vector_found) AS scanned, "
                 "(SELECT count(*) FROM text_found) AS matched, "
                 "(SELECT count(*) FROM (SELECT chunk_id FROM text_found UNION "
                 "SELECT chunk_id FROM vector_found WHERE similarity >= ");
    sql_add_number(sql, search->threshold);
    sql_add(sql, ") AS either) AS total FROM allowed)");
}

void search_sql_candidates(const struct search_sql *search, struct sql *sql)
{
    add_asked(sql, search);
    add_text_found(sql, search);
    add_allowed(sql, search);
    add_vector_found(sql, search);
    sql_add(sql, ", best AS MATERIALIZED (SELECT chunk_id, max(score) AS score FROM (");
    add_best(sql, "score", "text_found", "score", search->depth);
    sql_add(sql, " UNION ALL ");
    add_best(sql, "NULL", "vector_found", "similarity", search->depth);
    sql_add(sql, ") AS legs GROUP BY chunk_id)");
    add_figures(sql, search);
    sql_add(sql, " SELECT f.passages, f.more, f.scanned, f.matched, f.total, b.chunk_id, "
                 "d.id, d.priority, d.campus, ");
    /* What only the other leg found is scored here: to join all that was found would be
     * planned as if it were one row. */
    sql_add(sql, search->text
                     ? "coalesce(b.score, CASE WHEN w.words @@ (SELECT words FROM asked)"
                       " THEN ts_rank_cd(w.words, (SELECT words FROM asked), 1)::float8 "
                       "END), "
                     : "NULL, ");
    sql_add(sql, search->vector ? "1 - (v.embedding <=> $3::vector)" : "NULL");
    sql_add(sql, " FROM figures AS f LEFT JOIN (best AS b "
                 "JOIN search_words AS w ON w.chunk_id = b.chunk_id "
                 "JOIN documents AS d ON d.id = w.document_id");
    if (search->vector) {
        sql_add(sql, " LEFT JOIN search_vectors AS v ON v.chunk_id = b.chunk_id "
                     "AND v.fingerprint = ");
        sql_add_text(sql, sh_bytes_of(search->fingerprint));
    }
    sql_add(sql, ") ON true");
}

void search_sql_details(const struct search_sql *search, bool vectors, struct sql *sql)
{
    sql_add(sql, "SELECT c.id, d.id, d.title, c.section_title, c.text, c.page_number, ");
    sql_add(sql, FILTER_SQL_METADATA);
    sql_add(sql, vectors ? "::text, d.file_hash IS NOT NULL, v.vector"
                         : "::text, d.file_hash IS NOT NULL, NULL");
    sql_add(sql, " FROM unnest($3::text[]) AS wanted (id) "
                 "JOIN chunks AS c ON c.id = wanted.id "
                 "JOIN documents AS d ON d.id = c.document_id");
    if (vectors) {
        sql_add(sql, " LEFT JOIN chunk_vectors AS v ON v.chunk_id = c.id "
                     "AND v.fingerprint = ");
        sql_add_text(sql, sh_bytes_of(search->fingerprint));
    }
    sql_add(sql, " WHERE $2::float8[] IS NOT NULL AND $1::text[] IS NOT NULL AND ");
    filter_sql(search->filter, sql);
}
