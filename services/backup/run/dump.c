#include "services/backup/run/dump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/backup/pipeline/sink.h"
#include "services/backup/run/tool_stream.h"
#include "services/backup/tool/alive.h"
#include "services/backup/tool/database.h"
#include "services/backup/verify/facts.h"
#include "shared/mem.h"

enum { LOCK_LOOK_MS = 1000 };

static const char begin_sql[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
static const char lock_sql[] = "SELECT pg_try_advisory_lock(hashtext('cairn-backup'), 1)";
static const char files_sql[] =
    "SELECT DISTINCT encode(file_hash, 'hex') || ' ' || coalesce(file_size, 0) "
    "FROM documents WHERE file_hash IS NOT NULL ORDER BY 1";

struct dump {
    struct work *work;
    int folder;
    json_t *manifest;
    char *conninfo;
    PGconn *conn; /* holds the snapshot */
    char snapshot[128];
    struct sink *sink;
    json_t *golden;
};

/* --- about the database ----------------------------------------------------------- */

enum sh_err dump_one_at_a_time(struct work *work, PGconn *conn)
{
    char got[8] = "";
    enum sh_err err = alive_lease(work, conn);

    if (err == SH_OK)
        err = database_value(work, conn, lock_sql, got, sizeof(got));
    if (err == SH_OK && got[0] != 't' && work->waits)
        work_stage(work, "wait");
    while (err == SH_OK && got[0] != 't') {
        if (!work->waits)
            return work_fail(work, SH_CONFLICT,
                             "another replica is making a backup of this database");
        work_pause(LOCK_LOOK_MS);
        err = work_go_on(work);
        if (err == SH_OK)
            err = database_value(work, conn, lock_sql, got, sizeof(got));
    }
    return err;
}

static enum sh_err tell_of_database(struct dump *dump)
{
    static const struct {
        const char *member;
        const char *sql;
    } rows[] = {
        {"name", "SELECT current_database()"},
        {"server_version", "SHOW server_version"},
        {"encoding", "SELECT pg_encoding_to_char(encoding) FROM pg_database "
                     "WHERE datname = current_database()"},
        {"size_bytes", "SELECT pg_database_size(current_database())"},
        {"snapshot", "SELECT pg_current_snapshot()"},
        {"wal_start", "SELECT CASE WHEN pg_is_in_recovery() THEN "
                      "pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END"},
        {"schema_version", "SELECT CASE WHEN to_regclass('schema_migrations') IS NULL "
                           "THEN '' ELSE (xpath('/row/v/text()', query_to_xml('SELECT "
                           "coalesce(max(version)::text, '''') AS v FROM "
                           "schema_migrations', false, true, '')))[1]::text END"},
    };
    json_t *about = json_object();
    enum sh_err err = SH_OK;
    char value[256];

    for (size_t i = 0; i < SH_COUNT(rows) && err == SH_OK; i++) {
        err = database_value(dump->work, dump->conn, rows[i].sql, value, sizeof(value));
        json_object_set_new(about, rows[i].member, json_string(value));
    }
    if (json_object_set_new(dump->manifest, "database", about) != 0)
        err = err == SH_OK ? SH_NOMEM : err;
    return err;
}

static enum sh_err open_snapshot(struct dump *dump)
{
    enum sh_err err;

    dump->conninfo = database_conninfo(dump->work);
    if (dump->conninfo == NULL)
        return SH_NOMEM;
    dump->conn = database_open(dump->work, dump->conninfo, NULL);
    if (dump->conn == NULL)
        return SH_UNAVAILABLE;
    err = dump_one_at_a_time(dump->work, dump->conn);
    if (err == SH_OK)
        err = database_do(dump->work, dump->conn, "SET statement_timeout = 0");
    if (err == SH_OK)
        err = database_do(dump->work, dump->conn,
                          "SET idle_in_transaction_session_timeout = 0");
    if (err == SH_OK)
        err = database_do(dump->work, dump->conn, begin_sql);
    if (err == SH_OK)
        err = database_value(dump->work, dump->conn, "SELECT pg_export_snapshot()",
                             dump->snapshot, sizeof(dump->snapshot));
    return err == SH_OK ? tell_of_database(dump) : err;
}

enum sh_err dump_list_files(struct work *work, PGconn *conn, json_t **files)
{
    PGresult *rows = NULL;
    char there[8];
    enum sh_err err = database_value(
        work, conn,
        "SELECT EXISTS (SELECT FROM pg_attribute WHERE attname = 'file_hash' AND "
        "attrelid = to_regclass('documents'))",
        there, sizeof(there));

    *files = json_array();
    if (err == SH_OK && there[0] == 't') {
        rows = database_ask(work, conn, files_sql);
        err = rows != NULL ? SH_OK : SH_UPSTREAM;
    }
    for (int i = 0; rows != NULL && i < PQntuples(rows); i++)
        json_array_append_new(*files, json_string(PQgetvalue(rows, i, 0)));
    PQclear(rows);
    return err;
}

/* --- the dump --------------------------------------------------------------------- */

enum sh_err dump_read(struct work *work, const struct dump_order *order, pack_out_fn *out,
                      void *arg)
{
    static struct child child;
    char option[160];

    (void)snprintf(option, sizeof(option), "--snapshot=%s", order->snapshot);
    const char *const options[] = {"--format=custom", "--compress=0", "--no-password",
                                   order->snapshot[0] != '\0' ? option : NULL, NULL};
    const struct tool_stream stream = {.tool = "pg_dump",
                                       .options = options,
                                       .conninfo = order->conninfo,
                                       .size = order->size};
    return tool_stream(work, &stream, out, arg, &child);
}

static enum sh_err run_tool(struct dump *dump)
{
    const json_t *about = json_object_get(dump->manifest, "database");
    const struct dump_order order = {
        .conninfo = dump->conninfo,
        .snapshot = dump->snapshot,
        .size =
            strtoull(json_string_value(json_object_get(about, "size_bytes")), NULL, 10)};

    return dump_read(dump->work, &order, sink_take, dump->sink);
}

/* --- counting meanwhile ----------------------------------------------------------- */

struct counting {
    struct work work; /* of its own: the other thread's is being used */
    PGconn *conn;
    json_t *facts;
    json_t *golden;
    enum sh_err err;
};

static void count_on_thread(void *arg)
{
    struct counting *counting = arg;

    counting->err = facts_count(&counting->work, counting->conn, &counting->facts);
    if (counting->err == SH_OK)
        counting->err = facts_golden(&counting->work, counting->conn, &counting->golden);
}

static enum sh_err dump_and_count(struct dump *dump)
{
    struct counting counting = {.work = *dump->work, .conn = dump->conn};
    uv_thread_t thread;
    enum sh_err err;

    if (uv_thread_create(&thread, count_on_thread, &counting) != 0)
        return SH_NOMEM;
    err = run_tool(dump);
    if (err != SH_OK) {
        char words[256];
        PGcancel *cancel = PQgetCancel(dump->conn);
        (void)PQcancel(cancel, words, sizeof(words)); /* it ends by itself otherwise */
        PQfreeCancel(cancel);
    }
    (void)uv_thread_join(&thread);
    if (err == SH_OK && counting.err != SH_OK)
        err = work_fail(dump->work, counting.err, "%s", counting.work.error);
    if (counting.facts != NULL)
        json_object_set_new(dump->manifest, "facts", counting.facts);
    dump->golden = counting.golden;
    return err;
}

/* They are text of documents: a stream of the set, encrypted where the others are. */
enum sh_err dump_save_golden(struct work *work, int folder, json_t *manifest,
                             const json_t *golden)
{
    char *text = json_dumps(golden, JSON_COMPACT);
    struct sink *sink = NULL;
    json_t *stream = NULL;
    enum sh_err err = text ? sink_open(work, folder, "golden", &sink) : SH_NOMEM;

    if (err == SH_OK)
        err = sink_add(sink, sh_bytes_of(text));
    if (err == SH_OK)
        err = sink_finish(sink, &stream);
    if (err == SH_OK) {
        json_object_set_new(json_object_get(manifest, "streams"), "golden", stream);
        json_object_set_new(manifest, "golden",
                            json_integer((json_int_t)json_array_size(golden)));
    }
    sink_close(&sink);
    free(text); /* jansson's */
    return err;
}

static enum sh_err tell_end(struct dump *dump)
{
    char version[128];
    char wal[64];
    json_t *about = json_object_get(dump->manifest, "database");
    enum sh_err err = database_value(
        dump->work, dump->conn,
        "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE "
        "pg_current_wal_lsn() END",
        wal, sizeof(wal));

    database_tool_version(dump->work, "pg_dump", version);
    json_object_set_new(about, "wal_end", json_string(wal));
    json_object_set_new(about, "tool", json_string(version));
    return err;
}

enum sh_err dump_database(struct work *work, int folder, json_t *manifest, json_t **files)
{
    struct dump dump = {.work = work, .folder = folder, .manifest = manifest};
    json_t *stream = NULL;
    enum sh_err err;

    *files = NULL;
    work_stage(work, "dump");
    err = open_snapshot(&dump);
    if (err == SH_OK)
        err = dump_list_files(work, dump.conn, files);
    if (err == SH_OK)
        err = sink_open(work, folder, "database", &dump.sink);
    if (err == SH_OK)
        err = dump_and_count(&dump);
    if (err == SH_OK)
        err = tell_end(&dump);
    if (err == SH_OK)
        err = sink_finish(dump.sink, &stream);
    if (err == SH_OK) {
        json_object_set_new(stream, "format", json_string("pg_dump custom"));
        json_object_set_new(json_object_get(manifest, "streams"), "database", stream);
    }
    if (err == SH_OK)
        err = dump_save_golden(work, folder, manifest, dump.golden);
    json_decref(dump.golden);
    sink_close(&dump.sink);
    PQfinish(dump.conn);
    sh_free(dump.conninfo);
    return err;
}
