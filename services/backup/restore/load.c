#include "services/backup/restore/load.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/backup/pipeline/source.h"
#include "services/backup/run/dump.h"
#include "services/backup/tool/alive.h"
#include "services/backup/tool/child.h"
#include "services/backup/tool/database.h"

enum { TURN_MS = 100, LINE = 512, GOLDEN_MAX = 1 << 20 };

struct loading {
    struct work *work;
    const char *name; /* of the program */
    int to;           /* its stdin; -1: it takes no more */
    bool refused;     /* it has ended before the stream */
    bool stops;       /* what it does not take need not be read */
};

/* --- to it ------------------------------------------------------------------------ */

static enum sh_err on_bytes(void *arg, struct sh_bytes bytes)
{
    struct loading *loading = arg;
    const char *data = bytes.data;

    while (bytes.len > 0 && !loading->refused) {
        struct pollfd waiting = {.fd = loading->to, .events = POLLOUT};
        child_turn(loading->work);
        if (work_cancelled(loading->work))
            return work_go_on(loading->work);
        if (poll(&waiting, 1, TURN_MS) <= 0)
            continue;
        ssize_t n = write(loading->to, data, bytes.len);
        if (n < 0 && errno == EPIPE)
            loading->refused = true; /* why, its own words tell */
        else if (n < 0 && errno != EINTR && errno != EAGAIN)
            return work_fail(loading->work, SH_IO, "%s: %s", loading->name,
                             strerror(errno));
        if (n > 0) {
            data += n;
            bytes.len -= (size_t)n;
        }
    }
    /* of a set the rest is read to be compared */
    return loading->refused && loading->stops ? SH_UPSTREAM : SH_OK;
}

/* --- from where ------------------------------------------------------------------- */

static enum sh_err dump_server(struct loading *loading, const struct load_from *from)
{
    struct work quiet = *loading->work;
    const struct dump_order order = {
        .conninfo = from->server, .snapshot = "", .size = from->size};
    enum sh_err err;

    loading->stops = true;
    err = dump_read(&quiet, &order, on_bytes, loading);
    if (loading->refused || err == SH_OK)
        return SH_OK;
    return work_fail(loading->work, err, "%s", quiet.error);
}

static enum sh_err read_all(struct loading *loading, const struct load_from *from,
                            const json_t *stream)
{
    if (from->server != NULL)
        return dump_server(loading, from);
    if (stream == NULL)
        return work_fail(loading->work, SH_INVALID, "there is no database in this set");
    return source_read(loading->work, from->folder, stream, on_bytes, loading);
}

/* --- all of it -------------------------------------------------------------------- */

/* Starts it and feeds it. Its end is judged before a fault of the stream: that there is
 * one is why it did not like what it got. */
static enum sh_err pour(struct work *work, const struct load_from *from,
                        const json_t *stream, const struct child_spec *how)
{
    static struct child child;
    const char *slash = strrchr(how->argv[0], '/');
    struct loading loading = {
        .work = work, .to = -1, .name = slash ? slash + 1 : how->argv[0]};
    struct child_spec spec = *how;
    struct work quiet = *work;
    int ends[2];
    enum sh_err ended;
    enum sh_err err;

    err = child_pipe(work, ends);
    if (err != SH_OK)
        return err;
    spec.in = ends[0];
    err = child_start(work, &spec, &child);
    (void)close(ends[0]);
    if (err != SH_OK) {
        (void)close(ends[1]);
        return err;
    }
    loading.to = ends[1];
    (void)fcntl(ends[1], F_SETFL, O_NONBLOCK);
    err = read_all(&loading, from, stream);
    if (err != SH_OK)
        child_kill(&child, SIGKILL); /* before the end of its input makes it commit */
    (void)close(ends[1]);
    ended = child_wait(&quiet, &child, loading.name);
    if (err == SH_OK && ended != SH_OK)
        err = work_fail(work, ended, "%s", quiet.error);
    return err;
}

enum sh_err load_into(struct work *work, int folder, const json_t *stream,
                      const struct child_spec *how)
{
    const struct load_from from = {.folder = folder};

    return pour(work, &from, stream, how);
}

static enum sh_err feed(struct work *work, const struct load_from *from,
                        const struct child_spec *how)
{
    return pour(work, from,
                json_object_get(json_object_get(from->manifest, "streams"), "database"),
                how);
}

/* `only` a list as pg_restore --list gives; NULL: everything. */
enum sh_err load_some(struct work *work, const struct load_from *from,
                      const char *conninfo, const char *name, const char *only)
{
    char program[BACKUP_PATH];
    char alive[ALIVE_OPTION];
    char list_option[BACKUP_PATH];
    char **env = database_env(work, conninfo, name);

    if (env == NULL)
        return SH_INVALID;
    database_tool(work, "pg_restore", program);
    alive_option(conninfo, true, alive);
    const char *const argv[] = {program,
                                alive,
                                "--single-transaction",
                                "--exit-on-error",
                                "--no-owner",
                                "--no-privileges",
                                "--no-password",
                                only != NULL ? list_option : NULL,
                                NULL};
    (void)snprintf(list_option, sizeof(list_option), "--use-list=%s", only ? only : "");
    struct child_spec spec = {
        .argv = argv, .env = env, .out = -1, .uid = geteuid(), .gid = getegid()};
    enum sh_err err = feed(work, from, &spec);
    database_env_free(env);
    return err;
}

enum sh_err load_database(struct work *work, const struct load_from *from,
                          const char *conninfo, const char *name)
{
    return load_some(work, from, conninfo, name, NULL);
}

/* --- the list --------------------------------------------------------------------- */

static size_t count_entries(int fd)
{
    FILE *file = fdopen(fd, "r");
    char line[LINE];
    size_t count = 0;

    if (file == NULL) {
        (void)close(fd);
        return 0;
    }
    rewind(file);
    while (fgets(line, sizeof(line), file) != NULL)
        count += line[0] != ';' && strstr(line, " TABLE DATA ") != NULL;
    (void)fclose(file);
    return count;
}

enum sh_err load_contents(struct work *work, const struct load_from *from, int out)
{
    char program[BACKUP_PATH];
    const char *const argv[] = {program, "--list", NULL};
    struct child_spec spec = {
        .argv = argv, .out = out, .uid = geteuid(), .gid = getegid()};

    database_tool(work, "pg_restore", program);
    return feed(work, from, &spec);
}

static enum sh_err list(struct work *work, const struct load_from *from, size_t *entries)
{
    int out = open(work->all->backup.scratch_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    enum sh_err err;

    if (out < 0)
        return work_fail(work, SH_IO, "BACKUP_SCRATCH_DIR: %s", strerror(errno));
    err = load_contents(work, from, out);
    *entries = count_entries(out);
    return err;
}

enum sh_err load_list(struct work *work, int folder, const json_t *manifest,
                      size_t *entries)
{
    const struct load_from from = {.folder = folder, .manifest = manifest};
    char program[BACKUP_PATH];
    const char *const argv[] = {program, "--file=/dev/null", NULL};
    struct child_spec spec = {
        .argv = argv, .out = -1, .uid = geteuid(), .gid = getegid()};
    enum sh_err err;

    database_tool(work, "pg_restore", program);
    err = list(work, &from, entries);
    return err == SH_OK ? feed(work, &from, &spec) : err;
}

/* --- known passages --------------------------------------------------------------- */

static enum sh_err collect(void *arg, struct sh_bytes bytes)
{
    struct sh_buffer *text = arg;

    sh_buffer_append(text, bytes.data, bytes.len);
    return text->len > GOLDEN_MAX ? SH_MALFORMED : text->err;
}

enum sh_err load_golden(struct work *work, int folder, const json_t *manifest,
                        json_t **golden)
{
    const json_t *stream =
        json_object_get(json_object_get(manifest, "streams"), "golden");
    struct sh_buffer text = {0};
    enum sh_err err = SH_OK;

    *golden = NULL;
    if (stream == NULL)
        *golden = json_array();
    else
        err = source_read(work, folder, stream, collect, &text);
    if (err == SH_OK && stream != NULL)
        *golden = json_loadb(text.data ? text.data : "", text.len, 0, NULL);
    if (err == SH_OK && *golden == NULL)
        err = work_fail(work, SH_MALFORMED, "the known passages cannot be read");
    sh_buffer_free(&text);
    return err;
}
