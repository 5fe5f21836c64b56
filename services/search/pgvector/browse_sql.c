#include "services/search/pgvector/browse_sql.h"

#include "services/search/pgvector/filter_sql.h"
#include "services/search/view/title_words.h"

/* Of a `value`: the place of its type in the order, and itself in that of its type. */
#define VALUE_PARTS                                                                      \
    "CASE jsonb_typeof(value) WHEN 'string' THEN 1 ELSE 0 END AS r, "                    \
    "CASE jsonb_typeof(value) WHEN 'number' THEN metadata_number(value) "                \
    "WHEN 'boolean' THEN (value::text = 'true')::int END AS n, "                         \
    "CASE jsonb_typeof(value) WHEN 'string' THEN value #>> '{}' END AS t"

static void add_source(struct sql *sql, struct sh_bytes key)
{
    if (sh_bytes_is(key, "id")) {
        sql_add(sql, "to_jsonb(p.id)");
    } else if (sh_bytes_is(key, "title")) {
        sql_add(sql, "to_jsonb(p.title)");
    } else {
        sql_add(sql, "metadata_values(p.metadata, ");
        sql_add_text(sql, key);
        sql_add(sql, ")");
    }
}

/* The first value of each order; none where the document has none. */
static void add_values(struct sql *sql, const struct view_browse *asked)
{
    for (size_t i = 0; i < asked->order_count; i++) {
        sql_add(sql, " LEFT JOIN LATERAL (SELECT " VALUE_PARTS " FROM (SELECT ");
        add_source(sql, asked->orders[i].key);
        sql_add(sql, " AS value) AS v LIMIT 1) AS o");
        sql_add_count(sql, i);
        sql_add(sql, " ON true");
    }
}

static void add_order(struct sql *sql, const struct view_browse *asked)
{
    static const char *const parts[] = {".r", ".n", ".t COLLATE \"C\""};

    for (size_t i = 0; i < asked->order_count; i++) {
        for (size_t p = 0; p < SH_COUNT(parts); p++) {
            sql_add(sql, "o");
            sql_add_count(sql, i);
            sql_add(sql, parts[p]);
            sql_add(sql, asked->orders[i].descending ? " DESC" : "");
            sql_add(sql, " NULLS LAST, ");
        }
    }
    sql_add(sql, "p.id COLLATE \"C\"");
}

/* Folded as title_words.h has it, but for letters that become several. */
static void add_words(struct sql *sql, const struct title_words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        sql_add(sql, " AND position(");
        sql_add_text(sql, words->words[i]);
        sql_add(sql, " IN regexp_replace(lower(normalize(d.title || ' ' || d.id, NFKD)), "
                     "U&'[\\0300-\\036F]', '', 'g')) > 0");
    }
}

static void add_statement(struct sql *sql, const struct view_browse *asked,
                          const struct filter *filter, const struct title_words *words)
{
    sql_add(sql, "WITH passed AS MATERIALIZED (SELECT d.id, d.title, " FILTER_SQL_METADATA
                 " AS metadata FROM documents d WHERE d.chunk_count > 0 AND ");
    filter_sql(filter, sql);
    add_words(sql, words);
    sql_add(sql, "), page AS (SELECT p.id, row_number() OVER (ORDER BY ");
    add_order(sql, asked);
    sql_add(sql, ") AS n FROM passed p");
    add_values(sql, asked);
    sql_add(sql, " ORDER BY n LIMIT ");
    sql_add_count(sql, asked->limit);
    sql_add(sql, " OFFSET ");
    sql_add_count(sql, asked->offset);
    sql_add(sql,
            ") SELECT c.total, page.id FROM (SELECT count(*) AS total FROM passed) c "
            "LEFT JOIN page ON true ORDER BY page.n");
}

enum sh_err browse_sql(const struct view_browse *asked, struct sql *sql,
                       struct view_problem *problem)
{
    struct filter_problem found = {{0}, {0}};
    struct filter *filter = NULL;
    struct title_words words = {0};
    enum sh_err err =
        filter_compile(asked->filters, asked->caller, sql->arena, &filter, &found);

    if (err == SH_INVALID || err == SH_FORBIDDEN) {
        memcpy(problem->field, found.field, sizeof(problem->field));
        memcpy(problem->message, found.message, sizeof(problem->message));
    }
    if (err == SH_OK)
        err = title_words_make(asked->title, sql->arena, &words);
    if (err == SH_OK)
        add_statement(sql, asked, filter, &words);
    return err;
}
