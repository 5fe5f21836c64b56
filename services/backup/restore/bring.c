#include "services/backup/restore/bring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/buffer.h"
#include "shared/mem.h"

/* What belongs to a document, in the order in which it comes back. `of`: which rows. */
#define OF_DOCUMENT                                                                      \
    "document_id IN (SELECT id FROM public.documents WHERE collection = ANY("
#define OF_CHUNK                                                                         \
    "chunk_id IN (SELECT c.id FROM public.chunks c JOIN public.documents d "             \
    "ON d.id = c.document_id WHERE d.collection = ANY("

static const struct {
    const char *name;
    const char *of;   /* up to the array of the collections */
    bool nested;      /* in parentheses of its own */
    const char *key;  /* of an upsert; NULL: what was there is removed before */
    const char *only; /* of what was copied; "" all */
} tables[] = {
    {"collections", "name = ANY(", false, "name", ""},
    {"documents", "collection = ANY(", false, "id", ""},
    {"sections", OF_DOCUMENT, true, NULL, ""},
    {"chunks", OF_DOCUMENT, true, NULL, ""},
    {"document_reports", OF_DOCUMENT, true, NULL, ""},
    {"chunk_vectors", OF_CHUNK, true, NULL,
     " WHERE fingerprint IN (SELECT fingerprint FROM public.models)"},
};

static const char columns_sql[] =
    "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = to_regclass($1) AND "
    "attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = '' "
    "ORDER BY attnum";

struct bringing {
    struct work *work;
    PGconn *from, *to;
    char *names; /* of the collections: an SQL array */
};

void bring_tables(const json_t *facts, struct pick *out)
{
    const json_t *there = json_object_get(facts, "tables");
    char name[64];

    *out = (struct pick){.count = 0};
    for (size_t i = 0; i < SH_COUNT(tables); i++) {
        (void)snprintf(name, sizeof(name), "public.%s", tables[i].name);
        if (json_object_get(there, name) != NULL)
            out->names[out->count++] = tables[i].name;
    }
}

/* --- columns ---------------------------------------------------------------------- */

static bool has(const PGresult *columns, const char *name)
{
    for (int i = 0; i < PQntuples(columns); i++)
        if (strcmp(PQgetvalue(columns, i, 0), name) == 0)
            return true;
    return false;
}

/* Those that both have, as "a, b", and as "a = excluded.a, …"; the set may be older. */
static enum sh_err columns_of(const struct bringing *b, const char *table,
                              struct sh_buffer *list, struct sh_buffer *changes)
{
    char name[80];
    const char *params[] = {name};

    (void)snprintf(name, sizeof(name), "public.%s", table);
    PGresult *here = database_ask_with(b->work, b->to, columns_sql, 1, params);
    PGresult *there = database_ask_with(b->work, b->from, columns_sql, 1, params);
    enum sh_err err = here != NULL && there != NULL ? SH_OK : SH_UPSTREAM;
    for (int i = 0; err == SH_OK && i < PQntuples(here); i++) {
        const char *column = PQgetvalue(here, i, 0);
        if (!has(there, column))
            continue;
        sh_buffer_printf(list, "%s%s", list->len > 0 ? ", " : "", column);
        sh_buffer_printf(changes, "%s%s = excluded.%s", changes->len > 0 ? ", " : "",
                         column, column);
    }
    sh_buffer_append(list, "", 1);
    sh_buffer_append(changes, "", 1);
    PQclear(here);
    PQclear(there);
    return err == SH_OK ? (list->err ? list->err : changes->err) : err;
}

/* --- rows ------------------------------------------------------------------------- */

static enum sh_err begin_copy(struct bringing *b, PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    char *words = PQerrorMessage(conn);

    PQclear(result);
    if (status == PGRES_COPY_OUT || status == PGRES_COPY_IN)
        return SH_OK;
    return work_fail(b->work, SH_UPSTREAM, "the database: %.*s",
                     (int)strcspn(words, "\n"), words);
}

static enum sh_err end_copy(struct bringing *b, PGconn *conn)
{
    enum sh_err err = SH_OK;

    for (PGresult *result; (result = PQgetResult(conn)) != NULL; PQclear(result))
        if (PQresultStatus(result) != PGRES_COMMAND_OK && err == SH_OK)
            err = work_fail(b->work, SH_UPSTREAM, "the database: %.200s",
                            PQresultErrorMessage(result));
    return err;
}

static enum sh_err carry(struct bringing *b)
{
    enum sh_err err = SH_OK;
    char *row = NULL;
    int len;

    while ((len = PQgetCopyData(b->from, &row, 0)) > 0) {
        if (err == SH_OK && PQputCopyData(b->to, row, len) != 1)
            err = work_fail(b->work, SH_UPSTREAM, "the database takes no more rows");
        if (err == SH_OK)
            err = work_go_on(b->work);
        PQfreemem(row);
    }
    bool whole = len == -1 && err == SH_OK;
    if (PQputCopyEnd(b->to, whole ? NULL : "stopped") != 1 && err == SH_OK)
        err = work_fail(b->work, SH_UPSTREAM, "the database takes no more rows");
    enum sh_err one = end_copy(b, b->from);
    enum sh_err other = end_copy(b, b->to);
    return err != SH_OK ? err : one != SH_OK ? one : other;
}

static enum sh_err script(struct bringing *b, struct sh_buffer *sql)
{
    sh_buffer_append(sql, "", 1);
    enum sh_err err =
        sql->err == SH_OK ? database_script(b->work, b->to, sql->data) : SH_NOMEM;
    sh_buffer_clear(sql);
    return err;
}

/* A temporary table part_NAME with the rows of the set. */
static enum sh_err copy(struct bringing *b, size_t at, const char *list)
{
    const char *name = tables[at].name;
    struct sh_buffer sql = {0};
    enum sh_err err;

    sh_buffer_printf(&sql,
                     "CREATE TEMP TABLE part_%s ON COMMIT DROP AS "
                     "SELECT %s FROM public.%s WITH NO DATA",
                     name, list, name);
    err = script(b, &sql);
    sh_buffer_printf(&sql, "COPY (SELECT %s FROM public.%s WHERE ", list, name);
    sh_buffer_text(&sql, tables[at].of);
    sh_buffer_printf(&sql, "%s)%s) TO STDOUT", b->names, tables[at].nested ? ")" : "");
    sh_buffer_append(&sql, "", 1);
    if (err == SH_OK)
        err = sql.err == SH_OK ? begin_copy(b, b->from, sql.data) : SH_NOMEM;
    sh_buffer_clear(&sql);
    sh_buffer_printf(&sql, "COPY part_%s (%s) FROM STDIN", name, list);
    sh_buffer_append(&sql, "", 1);
    if (err == SH_OK) {
        err = sql.err == SH_OK ? begin_copy(b, b->to, sql.data) : SH_NOMEM;
        if (err == SH_OK)
            err = carry(b);
    }
    sh_buffer_free(&sql);
    return err;
}

/* Vectors go with their passages. */
static enum sh_err store(struct bringing *b, size_t at, const char *list,
                         const char *changes)
{
    const char *name = tables[at].name;
    struct sh_buffer sql = {0};
    enum sh_err err;

    if (tables[at].key == NULL && strcmp(name, "chunk_vectors") != 0)
        sh_buffer_printf(&sql,
                         "DELETE FROM public.%s WHERE document_id IN "
                         "(SELECT id FROM part_documents);",
                         name);
    sh_buffer_printf(&sql, "INSERT INTO public.%s (%s) SELECT %s FROM part_%s%s", name,
                     list, list, name, tables[at].only);
    if (tables[at].key != NULL)
        sh_buffer_printf(&sql, " ON CONFLICT (%s) DO UPDATE SET %s", tables[at].key,
                         changes);
    err = script(b, &sql);
    sh_buffer_free(&sql);
    return err;
}

static enum sh_err each_table(struct bringing *b,
                              enum sh_err (*count)(struct bringing *, json_t *),
                              json_t *report)
{
    struct sh_buffer list[SH_COUNT(tables)] = {0};
    struct sh_buffer changes[SH_COUNT(tables)] = {0};
    enum sh_err err = SH_OK;

    for (size_t i = 0; i < SH_COUNT(tables) && err == SH_OK; i++) {
        err = columns_of(b, tables[i].name, &list[i], &changes[i]);
        if (err == SH_OK && list[i].len > 1)
            err = copy(b, i, list[i].data);
    }
    if (err == SH_OK)
        err = count(b, report);
    for (size_t i = 0; i < SH_COUNT(tables) && err == SH_OK; i++)
        if (list[i].len > 1)
            err = store(b, i, list[i].data, changes[i].data);
    for (size_t i = 0; i < SH_COUNT(tables); i++) {
        sh_buffer_free(&list[i]);
        sh_buffer_free(&changes[i]);
    }
    return err;
}

/* --- the report ------------------------------------------------------------------- */

static enum sh_err note(struct bringing *b, json_t *report, const char *member,
                        const char *sql)
{
    char value[32];
    enum sh_err err = database_value(b->work, b->to, sql, value, sizeof(value));

    json_object_set_new(report, member, json_integer(strtoll(value, NULL, 10)));
    return err;
}

/* Before it is done: which documents are new. */
static enum sh_err count_before(struct bringing *b, json_t *report)
{
    enum sh_err err = note(b, report, "documents", "SELECT count(*) FROM part_documents");

    if (err == SH_OK)
        err = note(
            b, report, "replaced",
            "SELECT count(*) FROM part_documents p JOIN public.documents USING (id)");
    if (err == SH_OK)
        err = note(b, report, "passages", "SELECT count(*) FROM part_chunks");
    json_int_t all = json_integer_value(json_object_get(report, "documents"));
    json_int_t replaced = json_integer_value(json_object_get(report, "replaced"));
    json_object_set_new(report, "added", json_integer(all - replaced));
    if (err == SH_OK && all == 0)
        err = work_fail(b->work, SH_NOTFOUND,
                        "the set has no documents of these collections");
    return err;
}

/* Passages without a vector of the model in use get one as new ones do. */
static enum sh_err finish(struct bringing *b, json_t *report)
{
    static const char queue[] =
        "INSERT INTO public.pending_embeddings (chunk_id) SELECT p.id FROM part_chunks p "
        "WHERE NOT EXISTS (SELECT FROM public.chunk_vectors v WHERE v.chunk_id = p.id "
        "AND "
        "v.fingerprint = (SELECT fingerprint FROM public.models ORDER BY bound_at DESC "
        "LIMIT 1)) ON CONFLICT DO NOTHING";
    enum sh_err err = database_script(b->work, b->to, queue);

    if (err == SH_OK)
        err = note(b, report, "vectors",
                   "SELECT count(*) FROM public.chunk_vectors WHERE chunk_id IN "
                   "(SELECT id FROM part_chunks)");
    if (err == SH_OK)
        err = note(b, report, "to_be_embedded",
                   "SELECT count(*) FROM public.pending_embeddings WHERE chunk_id IN "
                   "(SELECT id FROM part_chunks)");
    return err;
}

/* --- all of it -------------------------------------------------------------------- */

/* ARRAY['a', 'b']; NULL: out of memory. */
static char *name_array(PGconn *conn, const struct pick *names, json_t *told)
{
    struct sh_buffer sql = {0};

    sh_buffer_text(&sql, "ARRAY[");
    for (size_t i = 0; i < names->count; i++) {
        char *text = PQescapeLiteral(conn, names->names[i], strlen(names->names[i]));
        sh_buffer_printf(&sql, "%s%s", i > 0 ? ", " : "", text ? text : "NULL");
        PQfreemem(text);
        json_array_append_new(told, json_string(names->names[i]));
    }
    sh_buffer_text(&sql, "]::text[]");
    sh_buffer_append(&sql, "", 1);
    if (sql.err == SH_OK)
        return sql.data;
    sh_buffer_free(&sql);
    return NULL;
}

enum sh_err bring_collections(struct work *work, PGconn *from, PGconn *to,
                              const struct pick *collections, json_t **result)
{
    json_t *told = json_array();
    json_t *report = json_pack("{s:o}", "collections", told);
    struct bringing b = {.work = work, .from = from, .to = to};
    enum sh_err err;

    work_stage(work, "collections");
    b.names = name_array(from, collections, told);
    err = b.names != NULL ? database_do(work, to, "BEGIN") : SH_NOMEM;
    if (err == SH_OK)
        err = database_script(work, to, "SET LOCAL statement_timeout = 0");
    if (err == SH_OK)
        err = each_table(&b, count_before, report);
    if (err == SH_OK)
        err = finish(&b, report);
    if (err == SH_OK)
        err = database_do(work, to, "COMMIT");
    else
        PQclear(PQexec(to, "ROLLBACK")); /* as the end of the connection would */
    sh_free(b.names);
    *result = report;
    return err;
}
