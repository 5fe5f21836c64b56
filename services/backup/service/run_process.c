#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/backup/service/runs_internal.h"
#include "shared/clock.h"

enum { LINE_MAX_BYTES = 1 << 20, KEEP_S = 2 };

/* --- what it prints ----------------------------------------------------------------- */

static void copy_text(char *into, size_t size, const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    if (text != NULL)
        (void)snprintf(into, size, "%s", text);
}

static void take_line(struct runs *runs, const char *text, size_t len)
{
    struct run *run = runs->now;
    json_t *line = json_loadb(text, len, 0, NULL);
    json_t *result = json_object_get(line, "result");

    char before[sizeof(run->stage)];

    memcpy(before, run->stage, sizeof(before));
    copy_text(run->stage, sizeof(run->stage), line, "stage");
    if (json_object_get(line, "total") != NULL) {
        run->done = (uint64_t)json_integer_value(json_object_get(line, "done"));
        run->total = (uint64_t)json_integer_value(json_object_get(line, "total"));
    } else {
        run->done = run->total = 0;
    }
    if (json_is_true(json_object_get(line, "ended"))) {
        copy_text(run->code, sizeof(run->code), line, "code");
        copy_text(run->error, sizeof(run->error), line, "error");
        json_decref(run->result);
        run->result = json_incref(result);
    }
    json_decref(line);
    if (strcmp(before, run->stage) != 0 || sh_wall_time() - run->kept_at > KEEP_S)
        keep(runs, run);
}

static void take_bytes(struct runs *runs, const char *data, size_t len)
{
    struct sh_buffer *line = &runs->line;

    for (const char *end; (end = memchr(data, '\n', len)) != NULL;) {
        size_t some = (size_t)(end - data);
        sh_buffer_append(line, data, some);
        if (line->err == SH_OK)
            take_line(runs, line->data, line->len);
        sh_buffer_clear(line);
        data = end + 1;
        len -= some + 1;
    }
    if (line->len + len <= LINE_MAX_BYTES)
        sh_buffer_append(line, data, len);
}

/* --- its end ------------------------------------------------------------------------ */

static void judge(const struct runs *runs, struct run *run)
{
    if (runs->status == 0 && runs->term_signal == 0 && strcmp(run->code, "ok") == 0)
        run->state = RUN_DONE;
    else if (run->wanted_cancelled && strcmp(run->code, "ok") != 0)
        run->state = RUN_CANCELLED;
    else
        run->state = RUN_FAILED;
    if (run->state == RUN_FAILED && run->code[0] == '\0') {
        (void)snprintf(run->code, sizeof(run->code), "internal_error");
        (void)snprintf(run->error, sizeof(run->error),
                       "the process ended with status %lld, signal %d",
                       (long long)runs->status, runs->term_signal);
    }
    if (run->state == RUN_FAILED && strcmp(run->code, "ok") == 0) {
        (void)snprintf(run->code, sizeof(run->code), "not_good");
        (void)snprintf(run->error, sizeof(run->error), "the set is not good");
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct runs *runs = handle->data;

    if (--runs->handles > 0)
        return;
    sh_buffer_free(&runs->line);
    if (!runs->closed)
        judge(runs, runs->now);
    runs_ended(runs);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    struct runs *runs = handle->data;

    (void)wanted;
    *buf = uv_buf_init(runs->read, sizeof(runs->read));
}

static void on_out(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct runs *runs = stream->data;

    if (len > 0)
        take_bytes(runs, buf->base, (size_t)len);
    else if (len < 0 && !uv_is_closing((uv_handle_t *)stream))
        uv_close((uv_handle_t *)stream, on_closed);
}

static void on_exit_of(uv_process_t *process, int64_t status, int term_signal)
{
    struct runs *runs = process->data;

    runs->exited = true;
    runs->status = status;
    runs->term_signal = term_signal;
    if (!uv_is_closing((uv_handle_t *)process))
        uv_close((uv_handle_t *)process, on_closed);
}

/* --- starting ----------------------------------------------------------------------- */

/* 0, or an error of libuv; the handles are then for process_give_up(). */
static int spawn(struct runs *runs, struct run *run)
{
    char report[] = "--report";
    char ledger[] = "--ledger";
    char *argv[RUN_WORDS + 4] = {runs->program};
    uv_stdio_container_t stdio[WORK_LEDGER + 1] = {{.flags = UV_IGNORE}};
    uv_process_options_t options = {.exit_cb = on_exit_of,
                                    .file = runs->program,
                                    .args = argv,
                                    .stdio_count = run->lock >= 0 ? WORK_LEDGER + 1 : 3,
                                    .stdio = stdio};

    for (unsigned i = 0; i < run->word_count; i++)
        argv[1 + i] = run->words[i];
    argv[1 + run->word_count] = report;
    if (run->lock >= 0) { /* held by both of us from now on */
        argv[2 + run->word_count] = ledger;
        stdio[WORK_LEDGER].flags = UV_INHERIT_FD;
        stdio[WORK_LEDGER].data.fd = run->lock;
    }
    stdio[1].flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_WRITABLE_PIPE);
    stdio[1].data.stream = (uv_stream_t *)&runs->out;
    stdio[2].flags = UV_IGNORE;
    runs->exited = false;
    runs->handles = 2;
    runs->out.data = runs->process.data = runs;
    (void)uv_pipe_init(runs->options.loop, &runs->out, 0); /* cannot fail */
    int rc = uv_spawn(runs->options.loop, &runs->process, &options);
    if (rc == 0)
        rc = uv_read_start((uv_stream_t *)&runs->out, on_alloc, on_out);
    return rc;
}

void process_start(struct runs *runs)
{
    struct run *run = runs->now;
    int rc = spawn(runs, run);

    if (rc == 0)
        return;
    (void)snprintf(run->code, sizeof(run->code), "io_error");
    (void)snprintf(run->error, sizeof(run->error), "%.300s cannot be started: %s",
                   runs->program, uv_strerror(rc));
    runs->status = EXIT_FAILURE;
    uv_close((uv_handle_t *)&runs->out, on_closed);
    uv_close((uv_handle_t *)&runs->process, on_closed);
}

void process_cancel(struct runs *runs)
{
    if (!runs->exited)
        (void)uv_process_kill(&runs->process, SIGTERM);
}

void process_let_go(struct runs *runs)
{
    if (!uv_is_closing((uv_handle_t *)&runs->out))
        uv_close((uv_handle_t *)&runs->out, on_closed);
    if (!uv_is_closing((uv_handle_t *)&runs->process))
        uv_close((uv_handle_t *)&runs->process, on_closed);
}
