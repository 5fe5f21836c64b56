#include "services/backup/verify/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SENTENCE = 400 };

/* Not those that an extension brings. */
static const char tables_sql[] =
    "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c "
    "JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind = 'r' AND c.relpersistence = 'p' "
    "AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' "
    "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass "
    "AND d.objid = c.oid AND d.deptype = 'e') ORDER BY 1";
static const char keys_sql[] =
    "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated";
static const char indexes_sql[] =
    "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE i.indisvalid "
    "AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'";
static const char vectors_sql[] =
    "SELECT fingerprint, count(*), min(octet_length(vector)) / 4, "
    "max(octet_length(vector)) / 4 FROM chunk_vectors GROUP BY 1 ORDER BY 1";
static const char golden_sql[] =
    "SELECT id, md5(text), left(regexp_replace(text, '[^[:alnum:]]+', ' ', 'g'), 200) "
    "FROM chunks ORDER BY id LIMIT 8";

/* --- counting --------------------------------------------------------------------- */

static json_int_t number(const PGresult *result, int row, int column)
{
    return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

static enum sh_err count_one(struct work *work, PGconn *conn, const char *what,
                             const char *sql, json_t *facts)
{
    PGresult *result = database_ask(work, conn, sql);
    int bad = 1;

    if (result != NULL && PQntuples(result) == 1)
        bad = json_object_set_new(facts, what, json_integer(number(result, 0, 0)));
    PQclear(result);
    return bad ? SH_UPSTREAM : work_go_on(work);
}

static enum sh_err count_tables(struct work *work, PGconn *conn, json_t *facts)
{
    json_t *tables = json_object();
    PGresult *names = database_ask(work, conn, tables_sql);
    enum sh_err err = names != NULL ? SH_OK : SH_UPSTREAM;

    for (int i = 0; err == SH_OK && i < PQntuples(names); i++) {
        const char *name = PQgetvalue(names, i, 0);
        char sql[300];
        (void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM ONLY %s", name);
        err = count_one(work, conn, name, sql, tables);
    }
    PQclear(names);
    if (json_object_set_new(facts, "tables", tables) != 0)
        err = err == SH_OK ? SH_NOMEM : err;
    return err;
}

static bool has_table(const json_t *facts, const char *name)
{
    return json_object_get(json_object_get(facts, "tables"), name) != NULL;
}

static enum sh_err count_vectors(struct work *work, PGconn *conn, json_t *facts)
{
    json_t *vectors = json_object();
    PGresult *rows = NULL;
    enum sh_err err = SH_OK;

    if (has_table(facts, "public.chunk_vectors")) {
        rows = database_ask(work, conn, vectors_sql);
        err = rows != NULL ? SH_OK : SH_UPSTREAM;
    }
    for (int i = 0; rows != NULL && i < PQntuples(rows); i++)
        json_object_set_new(vectors, PQgetvalue(rows, i, 0),
                            json_pack("{s:I, s:I, s:I}", "count", number(rows, i, 1),
                                      "dimensions", number(rows, i, 2), "dimensions_most",
                                      number(rows, i, 3)));
    PQclear(rows);
    if (json_object_set_new(facts, "vectors", vectors) != 0)
        err = err == SH_OK ? SH_NOMEM : err;
    return err;
}

enum sh_err facts_golden(struct work *work, PGconn *conn, json_t **out)
{
    char there[8] = "";
    PGresult *rows = NULL;
    enum sh_err err =
        database_value(work, conn, "SELECT to_regclass('public.chunks') IS NOT NULL",
                       there, sizeof(there));

    *out = json_array();
    if (err == SH_OK && there[0] == 't') {
        rows = database_ask(work, conn, golden_sql);
        err = rows != NULL ? SH_OK : SH_UPSTREAM;
    }
    for (int i = 0; rows != NULL && i < PQntuples(rows); i++)
        json_array_append_new(
            *out, json_pack("{s:s, s:s, s:s}", "id", PQgetvalue(rows, i, 0), "md5",
                            PQgetvalue(rows, i, 1), "words", PQgetvalue(rows, i, 2)));
    PQclear(rows);
    return err;
}

enum sh_err facts_count(struct work *work, PGconn *conn, json_t **out)
{
    enum sh_err err;

    *out = json_object();
    if (*out == NULL)
        return SH_NOMEM;
    err = count_tables(work, conn, *out);
    if (err == SH_OK)
        err = count_one(work, conn, "foreign_keys", keys_sql, *out);
    if (err == SH_OK)
        err = count_one(work, conn, "indexes", indexes_sql, *out);
    if (err == SH_OK)
        err = count_vectors(work, conn, *out);
    if (err != SH_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return err;
}

/* --- comparing -------------------------------------------------------------------- */

static void say(json_t *list, const char *what, const json_t *saved, const json_t *found)
{
    char text[SENTENCE];
    char *was = json_dumps(saved, JSON_ENCODE_ANY | JSON_COMPACT);
    char *is = found ? json_dumps(found, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

    (void)snprintf(text, sizeof(text), "%.100s: %.120s were saved, %.120s are there",
                   what, was ? was : "?", is ? is : "none");
    json_array_append_new(list, json_string(text));
    free(was); /* jansson's */
    free(is);
}

static void compare_group(json_t *list, const json_t *saved, const json_t *found,
                          const char *group)
{
    json_t *members = json_object_get(saved, group);
    const json_t *others = json_object_get(found, group);
    const char *name;
    json_t *value;

    json_object_foreach(members, name,
                        value) if (!json_equal(value, json_object_get(others, name)))
        say(list, name, value, json_object_get(others, name));
}

json_t *facts_compare(const json_t *saved, const json_t *found)
{
    static const char *const single[] = {"foreign_keys", "indexes"};
    json_t *list = json_array();

    if (list == NULL || !json_is_object(json_object_get(saved, "tables"))) {
        if (list != NULL)
            json_array_append_new(list, json_string("the manifest has no row counts"));
        return list;
    }
    compare_group(list, saved, found, "tables");
    compare_group(list, saved, found, "vectors");
    for (size_t i = 0; i < SH_COUNT(single); i++) {
        const json_t *was = json_object_get(saved, single[i]);
        const json_t *is = json_object_get(found, single[i]);
        if (was != NULL && !json_equal(was, is))
            say(list, single[i], was, is);
    }
    return list;
}

/* --- golden searches -------------------------------------------------------------- */

static enum sh_err search_one(struct work *work, PGconn *conn, const json_t *one,
                              json_t *differences)
{
    const char *id = json_string_value(json_object_get(one, "id"));
    const char *params[] = {id, json_string_value(json_object_get(one, "md5")),
                            json_string_value(json_object_get(one, "words"))};
    /* an empty query finds nothing, and is not asked */
    PGresult *rows = database_ask_with(
        work, conn,
        "SELECT md5(text) = $2 AND (numnode(plainto_tsquery('simple', $3)) = 0 OR "
        "to_tsvector('simple', regexp_replace(text, '[^[:alnum:]]+', ' ', 'g')) @@ "
        "plainto_tsquery('simple', regexp_replace($3, '\\s\\S*$', ''))) "
        "FROM chunks WHERE id = $1",
        3, params);
    char text[SENTENCE];

    if (rows == NULL)
        return SH_UPSTREAM;
    if (PQntuples(rows) != 1 || PQgetvalue(rows, 0, 0)[0] != 't') {
        (void)snprintf(text, sizeof(text), "passage %.200s is not found by its words",
                       id ? id : "?");
        json_array_append_new(differences, json_string(text));
    }
    PQclear(rows);
    return SH_OK;
}

enum sh_err facts_search(struct work *work, PGconn *conn, const json_t *golden,
                         json_t *differences)
{
    enum sh_err err = SH_OK;

    for (size_t i = 0; i < json_array_size(golden) && err == SH_OK; i++)
        err = search_one(work, conn, json_array_get(golden, i), differences);
    return err;
}
