#include "services/backup/tool/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "shared/clock.h"

enum { PIPE_BYTES = 1 << 20, TURN_MS = 200, PATIENCE_MS = 10000 };

/* --- what it says ----------------------------------------------------------------- */

/* The newest words stay. */
static void keep_words(struct child *child, const char *data, size_t len)
{
    size_t most = sizeof(child->words) - 1;

    if (len > most) {
        data += len - most;
        len = most;
    }
    if (child->word_count + len > most) {
        size_t drop = child->word_count + len - most;
        memmove(child->words, child->words + drop, child->word_count - drop);
        child->word_count -= drop;
    }
    memcpy(child->words + child->word_count, data, len);
    child->word_count += len;
    child->words[child->word_count] = '\0';
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    struct child *child = handle->data;

    (void)wanted;
    *buf = uv_buf_init(child->read, sizeof(child->read));
}

static void on_closed(uv_handle_t *handle)
{
    struct child *child = handle->data;

    child->quiet = --child->open == 0;
}

static void on_words(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct child *child = stream->data;

    if (len > 0)
        keep_words(child, buf->base, (size_t)len);
    else if (len < 0 && !uv_is_closing((uv_handle_t *)stream))
        uv_close((uv_handle_t *)stream, on_closed);
}

static void on_exit_of(uv_process_t *process, int64_t status, int term_signal)
{
    struct child *child = process->data;

    child->ended = true;
    child->status = status;
    child->term_signal = term_signal;
    uv_close((uv_handle_t *)process, on_closed);
}

/* --- starting --------------------------------------------------------------------- */

static uv_stdio_container_t descriptor(int fd)
{
    uv_stdio_container_t container = {.flags = UV_IGNORE};

    if (fd >= 0) {
        container.flags = UV_INHERIT_FD;
        container.data.fd = fd;
    }
    return container;
}

enum sh_err child_start(struct work *work, const struct child_spec *spec,
                        struct child *child)
{
    uv_stdio_container_t stdio[3] = {descriptor(spec->in), descriptor(spec->out)};
    uv_process_options_t options = {
        .exit_cb = on_exit_of,
        .file = spec->argv[0],
        .args = sh_unconst(spec->argv),
        .env = sh_unconst(spec->env),
        .stdio_count = 3,
        .stdio = stdio,
    };
    int rc;

    *child = (struct child){.open = 2};
    if (spec->uid != geteuid()) {
        options.flags = UV_PROCESS_SETUID | UV_PROCESS_SETGID;
        options.uid = spec->uid;
        options.gid = spec->gid;
    }
    rc = uv_pipe_init(work->loop, &child->errors, 0);
    child->errors.data = child;
    child->process.data = child;
    stdio[2].flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_WRITABLE_PIPE);
    stdio[2].data.stream = (uv_stream_t *)&child->errors;
    if (rc == 0)
        rc = uv_spawn(work->loop, &child->process, &options);
    if (rc == 0) {
        (void)uv_read_start((uv_stream_t *)&child->errors, on_alloc, on_words);
        return SH_OK;
    }
    uv_close((uv_handle_t *)&child->errors, on_closed);
    uv_close((uv_handle_t *)&child->process, on_closed);
    work_until(work, &child->quiet);
    return work_fail(work, SH_IO, "%s cannot be started: %s", spec->argv[0],
                     uv_strerror(rc));
}

enum sh_err child_pipe(struct work *work, int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) != 0)
        return work_fail(work, SH_IO, "no pipe: %s", strerror(errno));
    (void)fcntl(ends[0], F_SETPIPE_SZ, PIPE_BYTES); /* faster; a refusal does no harm */
    return SH_OK;
}

/* --- ending ----------------------------------------------------------------------- */

void child_turn(struct work *work)
{
    (void)uv_run(work->loop, UV_RUN_NOWAIT);
}

void child_kill(struct child *child, int number)
{
    if (!child->ended)
        (void)uv_process_kill(&child->process, number);
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer; /* the loop has turned: that is all */
}

static void end_words(struct child *child)
{
    uv_handle_t *errors = (uv_handle_t *)&child->errors;

    /* somebody it left behind may keep the pipe open */
    if (!uv_is_closing(errors))
        uv_close(errors, on_closed);
}

/* The line that names an error, or the last one. */
static const char *last_words(struct child *child)
{
    while (child->word_count > 0 && child->words[child->word_count - 1] == '\n')
        child->words[--child->word_count] = '\0';
    char *line = strstr(child->words, "FATAL: ");
    if (line == NULL)
        line = strstr(child->words, "error: ");
    if (line != NULL) {
        line[strcspn(line, "\n")] = '\0';
        return line;
    }
    line = strrchr(child->words, '\n');
    return line != NULL ? line + 1 : child->words;
}

static void wait_for_end(struct work *work, struct child *child)
{
    uint64_t asked_ms = 0;
    uv_timer_t tick;

    uv_timer_init(work->loop, &tick); /* cannot fail */
    uv_timer_start(&tick, on_tick, TURN_MS, TURN_MS);
    while (!child->ended) {
        (void)uv_run(work->loop, UV_RUN_ONCE);
        if (!work_cancelled(work))
            continue;
        if (asked_ms == 0) {
            asked_ms = sh_now_ms();
            child_kill(child, SIGTERM);
        } else if (sh_now_ms() - asked_ms > PATIENCE_MS) {
            child_kill(child, SIGKILL);
        }
    }
    uv_close((uv_handle_t *)&tick, NULL);
    (void)uv_run(work->loop, UV_RUN_NOWAIT); /* what it said last, and the closing */
    end_words(child);
    work_until(work, &child->quiet);
}

enum sh_err child_wait(struct work *work, struct child *child, const char *name)
{
    wait_for_end(work, child);
    if (child->status == 0 && child->term_signal == 0)
        return SH_OK;
    if (work_cancelled(work))
        return work_go_on(work);
    if (child->term_signal != 0)
        return work_fail(work, SH_UPSTREAM, "%s was ended by signal %d", name,
                         child->term_signal);
    return work_fail(work, SH_UPSTREAM, "%s: %s", name, last_words(child));
}

enum sh_err child_run(struct work *work, const struct child_spec *spec)
{
    static struct child child;
    const char *slash = strrchr(spec->argv[0], '/');
    enum sh_err err = child_start(work, spec, &child);

    return err == SH_OK ? child_wait(work, &child, slash ? slash + 1 : spec->argv[0])
                        : err;
}
