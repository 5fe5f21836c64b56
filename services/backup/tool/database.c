#include "services/backup/tool/database.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/backup/tool/alive.h"
#include "services/backup/tool/child.h"
#include "shared/mem.h"

extern char **environ;

/* --- programs --------------------------------------------------------------------- */

static bool newest_folder(char out[BACKUP_PATH])
{
    static const char root[] = "/usr/lib/postgresql/";
    glob_t found;
    long newest = -1;

    if (glob("/usr/lib/postgresql/*/bin/pg_dump", 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            long version = strtol(found.gl_pathv[i] + strlen(root), NULL, 10);
            if (version <= newest)
                continue;
            newest = version;
            (void)snprintf(out, BACKUP_PATH, "%s%ld/bin", root, version);
        }
    }
    globfree(&found);
    return newest >= 0;
}

void database_tool(const struct work *work, const char *name, char out[BACKUP_PATH])
{
    const char *set = work->all->backup.pg_bin;
    char found[BACKUP_PATH];

    if (set[0] == '\0' && newest_folder(found))
        set = found;
    if (set[0] != '\0')
        (void)snprintf(out, BACKUP_PATH, "%.1024s/%.64s", set, name);
    else
        (void)snprintf(out, BACKUP_PATH, "%s", name);
}

void database_tool_version(struct work *work, const char *name, char out[128])
{
    char program[BACKUP_PATH];
    static struct child child;
    int ends[2];

    out[0] = '\0';
    database_tool(work, name, program);
    const char *const argv[] = {program, "--version", NULL};
    if (child_pipe(work, ends) != SH_OK)
        return;
    struct child_spec spec = {
        .argv = argv, .in = -1, .out = ends[1], .uid = geteuid(), .gid = getegid()};
    enum sh_err err = child_start(work, &spec, &child);
    (void)close(ends[1]);
    if (err == SH_OK && child_wait(work, &child, name) == SH_OK) {
        ssize_t n = read(ends[0], out, 127);
        out[n > 0 ? n : 0] = '\0';
        out[strcspn(out, "\n")] = '\0';
    }
    (void)close(ends[0]);
}

/* --- their environment ------------------------------------------------------------ */

static char *pair(const char *name, const char *value)
{
    size_t size = strlen(name) + strlen(value) + 2;
    char *text = sh_alloc(size);

    if (text != NULL)
        (void)snprintf(text, size, "%s=%s", name, value);
    return text;
}

void database_env_free(char **env)
{
    for (char **at = env; at != NULL && *at != NULL; at++)
        sh_free(*at);
    sh_free(env);
}

static char **fill_env(const PQconninfoOption *options, const char *name)
{
    size_t count = 0;
    size_t at = 0;
    bool whole = true;

    while (environ[count] != NULL)
        count++;
    for (const PQconninfoOption *o = options; o->keyword != NULL; o++)
        count++;
    char **env = sh_alloc_array(count + 2, sizeof(*env));
    for (size_t i = 0; env != NULL && environ[i] != NULL; i++)
        if (strncmp(environ[i], "PG", 2) != 0)
            whole = (env[at++] = sh_strdup(environ[i])) != NULL && whole;
    for (const PQconninfoOption *o = options; env != NULL && o->keyword != NULL; o++) {
        bool database = strcmp(o->keyword, "dbname") == 0;
        const char *value = database && name != NULL ? name : o->val;
        if (o->envvar != NULL && value != NULL && value[0] != '\0' && whole)
            whole = (env[at++] = pair(o->envvar, value)) != NULL;
    }
    if (whole)
        return env;
    database_env_free(env);
    return NULL;
}

char **database_env(struct work *work, const char *conninfo, const char *name)
{
    char *why = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &why);
    char **env = options != NULL ? fill_env(options, name) : NULL;

    if (env == NULL)
        (void)work_fail(work, SH_INVALID, "DATABASE_URL: %s",
                        why != NULL ? why : "out of memory");
    PQconninfoFree(options);
    PQfreemem(why);
    return env;
}

/* --- connections ------------------------------------------------------------------ */

char *database_conninfo(const struct work *work)
{
    return sh_pg_conninfo(&work->all->pg, NULL);
}

static void ignore_notice(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

PGconn *database_open(struct work *work, const char *conninfo, const char *name)
{
    /* the first dbname is expanded: it wins over what is before it, and not over the rest
     */
    const char *const names[] = {ALIVE_WORDS,
                                 "dbname",
                                 "application_name",
                                 "connect_timeout",
                                 name != NULL ? "dbname" : NULL,
                                 NULL};
    const char *const values[] = {ALIVE_VALUES, conninfo, "cairn-backup",
                                  "10",         name,     NULL};
    PGconn *conn = PQconnectdbParams(names, values, 1);

    if (PQstatus(conn) == CONNECTION_OK) {
        (void)PQsetNoticeProcessor(conn, ignore_notice, NULL);
        return conn;
    }
    char *words = PQerrorMessage(conn);
    (void)work_fail(work, SH_UNAVAILABLE, "the database is away: %.*s",
                    (int)strcspn(words, "\n"), words);
    PQfinish(conn);
    return NULL;
}

PGresult *database_ask_with(struct work *work, PGconn *conn, const char *sql, int count,
                            const char *const *params)
{
    PGresult *result = PQexecParams(conn, sql, count, NULL, params, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);

    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return result;
    char *words = PQerrorMessage(conn);
    (void)work_fail(work, SH_UPSTREAM, "the database: %.*s", (int)strcspn(words, "\n"),
                    words);
    PQclear(result);
    return NULL;
}

PGresult *database_ask(struct work *work, PGconn *conn, const char *sql)
{
    return database_ask_with(work, conn, sql, 0, NULL);
}

enum sh_err database_do(struct work *work, PGconn *conn, const char *sql)
{
    PGresult *result = database_ask(work, conn, sql);
    bool good = result != NULL;

    PQclear(result);
    return good ? SH_OK : SH_UPSTREAM;
}

enum sh_err database_script(struct work *work, PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    bool good = PQresultStatus(result) == PGRES_COMMAND_OK;
    char *words = PQerrorMessage(conn);

    PQclear(result);
    if (good)
        return SH_OK;
    return work_fail(work, SH_UPSTREAM, "the database: %.*s", (int)strcspn(words, "\n"),
                     words);
}

enum sh_err database_value(struct work *work, PGconn *conn, const char *sql, char *out,
                           size_t size)
{
    PGresult *result = database_ask(work, conn, sql);

    if (result == NULL)
        return SH_UPSTREAM;
    (void)snprintf(
        out, size, "%s",
        PQntuples(result) > 0 && PQnfields(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    return SH_OK;
}
