#include "services/backup/run/tool_stream.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "services/backup/tool/alive.h"
#include "services/backup/tool/database.h"
#include "shared/mem.h"

enum { PIECE = 256 * 1024, TURN_MS = 100, OPTIONS_MAX = 16 };

static enum sh_err pump(const struct tool_stream_child *stream, int from)
{
    struct work *work = stream->work;
    char *piece = sh_alloc(PIECE);
    uint64_t done = 0;
    enum sh_err err = piece ? SH_OK : SH_NOMEM;

    while (err == SH_OK) {
        struct pollfd waiting = {.fd = from, .events = POLLIN};
        child_turn(work);
        if (poll(&waiting, 1, TURN_MS) <= 0) {
            err = work_go_on(work);
            continue;
        }
        ssize_t n = read(from, piece, PIECE);
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            err = work_fail(work, SH_IO, "%s: %s", stream->name, strerror(errno));
        if (n > 0) {
            err = stream->out(stream->arg, (struct sh_bytes){piece, (size_t)n});
            done += (uint64_t)n;
        }
        work_progress(work, done, stream->size);
    }
    sh_free(piece);
    return err;
}

enum sh_err tool_stream_child(const struct tool_stream_child *stream,
                              const char *const *argv, char *const *env,
                              struct child *child)
{
    int ends[2];
    enum sh_err err = child_pipe(stream->work, ends);
    enum sh_err ended;

    if (err != SH_OK)
        return err;
    struct child_spec spec = {.argv = argv,
                              .env = env,
                              .in = -1,
                              .out = ends[1],
                              .uid = geteuid(),
                              .gid = getegid()};
    err = child_start(stream->work, &spec, child);
    (void)close(ends[1]);
    if (err != SH_OK) {
        (void)close(ends[0]);
        return err;
    }
    err = pump(stream, ends[0]);
    if (err != SH_OK)
        child_kill(child, SIGTERM);
    (void)close(ends[0]);
    ended = child_wait(stream->work, child, stream->name);
    return err == SH_OK ? ended : err;
}

enum sh_err tool_stream(struct work *work, const struct tool_stream *stream,
                        pack_out_fn *out, void *arg, struct child *child)
{
    struct tool_stream_child bytes = {work, stream->tool, stream->size, out, arg};
    char program[BACKUP_PATH];
    char alive[ALIVE_OPTION];
    const char *argv[OPTIONS_MAX + 3] = {program, alive};
    char **env = database_env(work, stream->conninfo, NULL);

    if (env == NULL)
        return SH_INVALID;
    database_tool(work, stream->tool, program);
    alive_option(stream->conninfo, false, alive);
    for (size_t i = 0; i < OPTIONS_MAX && stream->options[i]; i++)
        argv[i + 2] = stream->options[i];
    enum sh_err err = tool_stream_child(&bytes, argv, env, child);
    database_env_free(env);
    return err;
}
