#include "services/backup/physical/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/backup/physical/moment.h"
#include "services/backup/pipeline/sink.h"
#include "services/backup/run/dump.h"
#include "services/backup/run/tool_stream.h"
#include "services/backup/tool/database.h"
#include "services/backup/wal/segment.h"
#include "shared/mem.h"

static const char slot_sql[] =
    "SELECT slot_name FROM pg_create_physical_replication_slot('cairn_base_' || "
    "pg_backend_pid(), true, true)";
static const char spaces_sql[] =
    "SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE count(*)::text END "
    "FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')";

struct base {
    struct work *work;
    int folder;
    json_t *manifest;
    json_t *about;
    char *conninfo;
    PGconn *conn; /* holds the slot */
    struct sink *sink;
    uint64_t size;
    struct moment moment;
};

/* --- about the server ------------------------------------------------------------- */

static enum sh_err tell_of_server(struct base *base)
{
    static const struct {
        const char *member;
        const char *sql;
    } rows[] = {
        {"name", "SELECT current_database()"},
        {"role", "SELECT current_user"},
        {"server_version", "SHOW server_version"},
        {"encoding", "SELECT pg_encoding_to_char(encoding) FROM pg_database "
                     "WHERE datname = current_database()"},
        {"size_bytes", "SELECT sum(pg_database_size(oid))::bigint FROM pg_database"},
        {"system_identifier", "SELECT system_identifier FROM pg_control_system()"},
        {"wal_segment_bytes",
         "SELECT setting FROM pg_settings WHERE name = 'wal_segment_size'"},
    };
    enum sh_err err = SH_OK;
    char value[256];

    base->about = json_object();
    if (json_object_set_new(base->manifest, "database", base->about) != 0)
        return SH_NOMEM;
    for (size_t i = 0; i < SH_COUNT(rows) && err == SH_OK; i++) {
        err = database_value(base->work, base->conn, rows[i].sql, value, sizeof(value));
        json_object_set_new(base->about, rows[i].member, json_string(value));
        if (strcmp(rows[i].member, "size_bytes") == 0)
            base->size = strtoull(value, NULL, 10);
    }
    return err;
}

static enum sh_err one_tablespace(struct base *base)
{
    char count[16];
    enum sh_err err =
        database_value(base->work, base->conn, spaces_sql, count, sizeof(count));

    if (err == SH_OK && strcmp(count, "standby") == 0)
        return work_fail(base->work, SH_INVALID,
                         "DATABASE_URL is a standby: physical sets are made of the "
                         "primary");
    if (err == SH_OK && strcmp(count, "0") != 0)
        err = work_fail(base->work, SH_INVALID,
                        "the server has %s tablespaces beside its data directory: a "
                        "physical set is one stream and cannot hold them; use kind full",
                        count);
    return err;
}

static enum sh_err hold_log(struct base *base)
{
    char name[64];
    enum sh_err err =
        database_value(base->work, base->conn, slot_sql, name, sizeof(name));

    if (err == SH_OK)
        return SH_OK;
    char words[256];
    (void)snprintf(words, sizeof(words), "%.255s", base->work->error);
    base->work->error[0] = '\0';
    return work_fail(base->work, err,
                     "no replication slot can be made (the role needs REPLICATION, the "
                     "server a free one of max_replication_slots): %s",
                     words);
}

static enum sh_err begin(struct base *base)
{
    enum sh_err err;

    (void)setenv("LC_ALL", "C", 1); /* positions are read from what the tool says */
    base->conninfo = database_conninfo(base->work);
    if (base->conninfo == NULL)
        return SH_NOMEM;
    base->conn = database_open(base->work, base->conninfo, NULL);
    if (base->conn == NULL)
        return SH_UNAVAILABLE;
    err = dump_one_at_a_time(base->work, base->conn);
    if (err == SH_OK)
        err = database_do(base->work, base->conn, "SET statement_timeout = 0");
    if (err == SH_OK)
        err = tell_of_server(base);
    if (err == SH_OK)
        err = one_tablespace(base);
    if (err == SH_OK)
        err = hold_log(base);
    return err == SH_OK ? moment_before(base->work, base->conninfo, &base->moment) : err;
}

/* --- the copy --------------------------------------------------------------------- */

/* The word behind `name` in what the tool says. */
static void word_behind(const char *words, const char *name, char out[static LSN_TEXT])
{
    const char *at = strstr(words, name);

    out[0] = '\0';
    if (at == NULL)
        return;
    at += strlen(name);
    (void)snprintf(out, LSN_TEXT, "%.*s", (int)strspn(at, "0123456789ABCDEF/"), at);
}

/* "write-ahead log start point: 0/2000028 on timeline 1", "… end point: 0/2000100". */
static enum sh_err take_positions(struct base *base, const char *words)
{
    char from[LSN_TEXT];
    char to[LSN_TEXT];
    char number[LSN_TEXT];
    uint64_t lsn;

    word_behind(words, "log start point: ", from);
    word_behind(words, "log end point: ", to);
    word_behind(words, " on timeline ", number);
    unsigned long timeline = strtoul(number, NULL, 10);
    if (!lsn_parse(from, &lsn) || !lsn_parse(to, &lsn) || timeline == 0)
        return work_fail(base->work, SH_UPSTREAM,
                         "pg_basebackup did not say which log it needs");
    json_object_set_new(base->about, "wal_start", json_string(from));
    json_object_set_new(base->about, "wal_end", json_string(to));
    json_object_set_new(base->about, "timeline", json_integer((json_int_t)timeline));
    return SH_OK;
}

static enum sh_err run_tool(struct base *base)
{
    static struct child child;
    static const char *const options[] = {"--pgdata=-",
                                          "--format=tar",
                                          "--wal-method=fetch",
                                          "--checkpoint=fast",
                                          "--manifest-checksums=SHA256",
                                          "--no-estimate-size",
                                          "--label=cairn",
                                          "--no-password",
                                          "--verbose",
                                          NULL};
    const struct tool_stream stream = {.tool = "pg_basebackup",
                                       .options = options,
                                       .conninfo = base->conninfo,
                                       .size = base->size};
    enum sh_err err = tool_stream(base->work, &stream, sink_take, base->sink, &child);

    return err == SH_OK ? take_positions(base, child.words) : err;
}

static enum sh_err copy(struct base *base)
{
    json_t *stream = NULL;
    char version[128];
    enum sh_err err = sink_open(base->work, base->folder, "base", &base->sink);

    if (err == SH_OK)
        err = run_tool(base);
    if (err == SH_OK)
        err = sink_finish(base->sink, &stream);
    if (err != SH_OK)
        return err;
    json_object_set_new(stream, "format", json_string("pg_basebackup tar"));
    json_object_set_new(json_object_get(base->manifest, "streams"), "base", stream);
    database_tool_version(base->work, "pg_basebackup", version);
    json_object_set_new(base->about, "tool", json_string(version));
    return SH_OK;
}

/* --- what is in it ---------------------------------------------------------------- */

static enum sh_err count(struct base *base, json_t **files)
{
    json_t *golden = NULL;
    enum sh_err err;

    work_stage(base->work, "count");
    err = moment_count(base->work, base->conn, &base->moment);
    if (err == SH_OK)
        err = dump_list_files(base->work, base->conn, files);
    if (err == SH_OK)
        err = facts_golden(base->work, base->conn, &golden);
    if (err == SH_OK)
        err = dump_save_golden(base->work, base->folder, base->manifest, golden);
    json_decref(golden);
    if (err != SH_OK)
        return err;
    json_object_set(base->manifest, "facts", base->moment.facts);
    json_object_set_new(base->about, "facts_lsn", json_string(base->moment.lsn));
    json_object_set_new(base->about, "facts_exact", json_boolean(base->moment.exact));
    json_object_set_new(base->about, "facts_alone", json_boolean(base->moment.alone));
    json_object_set_new(base->about, "schema_version",
                        json_string(base->moment.schema_version));
    return SH_OK;
}

enum sh_err base_save(struct work *work, int folder, json_t *manifest, json_t **files)
{
    struct base base = {.work = work, .folder = folder, .manifest = manifest};
    enum sh_err err;

    *files = NULL;
    work_stage(work, "base");
    err = begin(&base);
    if (err == SH_OK)
        err = copy(&base);
    if (err == SH_OK)
        err = count(&base, files);
    sink_close(&base.sink);
    moment_end(&base.moment);
    PQfinish(base.conn); /* and with it the slot */
    sh_free(base.conninfo);
    return err;
}
