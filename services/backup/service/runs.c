#include "services/backup/service/runs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/buffer.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/trace.h"

enum { LINE_MAX_BYTES = 1 << 20, READ = 65536, PATH = 4096 };

struct runs {
    struct runs_options options;
    char program[PATH];
    struct run list[RUNS_KEPT]; /* a ring; `next` is the oldest */
    size_t next;
    struct run *now; /* the one that runs */
    bool draining;
    bool closed;
    void (*idle)(void *arg);
    void *idle_arg;
    /* its process */
    uv_process_t process;
    uv_pipe_t out;
    unsigned handles; /* of the two, not closed */
    bool exited;
    int64_t status;
    int term_signal;
    struct sh_buffer line;
    char read[READ];
};

static void start_next(struct runs *runs);

static const char *const state_names[] = {"queued", "running", "done", "failed",
                                          "cancelled"};

/* --- what it prints ----------------------------------------------------------------- */

static void copy_text(char *into, size_t size, const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    if (text != NULL)
        (void)snprintf(into, size, "%s", text);
}

static void take_line(struct run *run, const char *text, size_t len)
{
    json_t *line = json_loadb(text, len, 0, NULL);
    json_t *result = json_object_get(line, "result");

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
}

static void take_bytes(struct runs *runs, const char *data, size_t len)
{
    struct sh_buffer *line = &runs->line;

    for (const char *end; (end = memchr(data, '\n', len)) != NULL;) {
        size_t some = (size_t)(end - data);
        sh_buffer_append(line, data, some);
        if (line->err == SH_OK)
            take_line(runs->now, line->data, line->len);
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

static void finish(struct runs *runs)
{
    struct run *run = runs->now;

    runs->now = NULL;
    judge(runs, run);
    run->finished_at = sh_wall_time();
    sh_buffer_free(&runs->line);
    if (runs->options.ended != NULL && !runs->closed)
        runs->options.ended(runs->options.arg, run);
    if (runs->idle != NULL && !runs->closed)
        runs->idle(runs->idle_arg);
    else
        start_next(runs);
}

static void on_closed(uv_handle_t *handle)
{
    struct runs *runs = handle->data;

    if (--runs->handles > 0)
        return;
    if (runs->closed) {
        sh_buffer_free(&runs->line);
        sh_free(runs);
    } else {
        finish(runs);
    }
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

static int spawn(struct runs *runs, struct run *run)
{
    char report[] = "--report";
    char *argv[RUN_WORDS + 3] = {runs->program};
    uv_stdio_container_t stdio[3] = {{.flags = UV_IGNORE}};
    uv_process_options_t options = {.exit_cb = on_exit_of,
                                    .file = runs->program,
                                    .args = argv,
                                    .stdio_count = 3,
                                    .stdio = stdio};

    for (unsigned i = 0; i < run->word_count; i++)
        argv[1 + i] = run->words[i];
    argv[1 + run->word_count] = report;
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

static struct run *oldest_waiting(struct runs *runs)
{
    for (size_t i = 0; i < RUNS_KEPT; i++) {
        struct run *run = &runs->list[(runs->next + i) % RUNS_KEPT];
        if (run->id[0] != '\0' && run->state == RUN_QUEUED)
            return run;
    }
    return NULL;
}

static void start_next(struct runs *runs)
{
    struct run *run = runs->now == NULL && !runs->draining ? oldest_waiting(runs) : NULL;

    if (run == NULL)
        return;
    runs->now = run;
    run->state = RUN_RUNNING;
    run->started_at = sh_wall_time();
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

enum sh_err runs_create(const struct runs_options *options, struct runs **out)
{
    struct runs *runs = sh_alloc(sizeof(*runs));
    size_t size = sizeof(runs->program);
    int rc = 0;

    *out = NULL;
    if (runs == NULL)
        return SH_NOMEM;
    runs->options = *options;
    if (options->program != NULL)
        (void)snprintf(runs->program, size, "%s", options->program);
    else
        rc = uv_exepath(runs->program, &size);
    if (rc == 0)
        *out = runs;
    else
        sh_free(runs);
    return sh_err_from_uv(rc);
}

static size_t waiting(const struct runs *runs)
{
    size_t count = 0;

    for (size_t i = 0; i < RUNS_KEPT; i++)
        count += runs->list[i].id[0] != '\0' && runs->list[i].state == RUN_QUEUED;
    return count;
}

enum sh_err runs_add(struct runs *runs, const char *const *words, unsigned count,
                     const char *by, const struct run **out)
{
    if (runs->draining || waiting(runs) >= RUNS_WAITING)
        return SH_BUSY;
    if (count > RUN_WORDS)
        return SH_TOOBIG;
    for (unsigned i = 0; i < count; i++)
        if (strlen(words[i]) >= RUN_WORD)
            return SH_TOOBIG;
    while (runs->list[runs->next].id[0] != '\0' &&
           runs->list[runs->next].state <= RUN_RUNNING)
        runs->next = (runs->next + 1) % RUNS_KEPT; /* fewer than RUNS_KEPT are so */
    struct run *run = &runs->list[runs->next];
    runs->next = (runs->next + 1) % RUNS_KEPT;
    json_decref(run->result);
    *run = (struct run){.state = RUN_QUEUED, .word_count = count};
    uint8_t raw[16];
    sh_random(raw, sizeof(raw));
    for (size_t i = 0; i < sizeof(raw); i++)
        (void)snprintf(run->id + 2 * i, 3, "%02x", raw[i]);
    for (unsigned i = 0; i < count; i++)
        (void)snprintf(run->words[i], RUN_WORD, "%s", words[i]);
    (void)snprintf(run->by, sizeof(run->by), "%s", by);
    run->created_at = sh_wall_time();
    *out = run;
    start_next(runs);
    return SH_OK;
}

/* --- looking, ending ---------------------------------------------------------------- */

const struct run *runs_find(const struct runs *runs, const char *id)
{
    for (size_t i = 0; i < RUNS_KEPT; i++)
        if (id[0] != '\0' && strcmp(runs->list[i].id, id) == 0)
            return &runs->list[i];
    return NULL;
}

bool runs_busy(const struct runs *runs, const char *verb)
{
    for (size_t i = 0; i < RUNS_KEPT; i++)
        if (runs->list[i].id[0] != '\0' && runs->list[i].state <= RUN_RUNNING &&
            (verb == NULL || strcmp(runs->list[i].words[0], verb) == 0))
            return true;
    return false;
}

enum sh_err runs_cancel(struct runs *runs, const char *id)
{
    struct run *run = sh_unconst(runs_find(runs, id));

    if (run == NULL)
        return SH_NOTFOUND;
    if (run->state > RUN_RUNNING)
        return SH_CONFLICT;
    run->wanted_cancelled = true;
    if (run == runs->now) {
        if (!runs->exited)
            (void)uv_process_kill(&runs->process, SIGTERM);
        return SH_OK;
    }
    run->state = RUN_CANCELLED;
    run->finished_at = sh_wall_time();
    return SH_OK;
}

static json_t *time_or_null(double at)
{
    char text[32];

    if (at <= 0)
        return json_null();
    sh_wall_text(at, text);
    return json_string(text);
}

json_t *runs_json(const struct run *run)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:s, s:o, s:o, s:o, s:O?}", "run_id",
        run->id, "kind", run->words[0], "state", state_names[run->state], "stage",
        run->stage, "done", (json_int_t)run->done, "total", (json_int_t)run->total,
        "code", run->code, "error", run->error, "created_by", run->by, "created_at",
        time_or_null(run->created_at), "started_at", time_or_null(run->started_at),
        "finished_at", time_or_null(run->finished_at), "result", run->result);
}

json_t *runs_list(const struct runs *runs)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < RUNS_KEPT; i++) {
        const struct run *run = &runs->list[(runs->next + RUNS_KEPT - 1 - i) % RUNS_KEPT];
        if (run->id[0] != '\0')
            json_array_append_new(list, runs_json(run));
    }
    return list;
}

void runs_drain(struct runs *runs, void (*idle)(void *arg), void *arg)
{
    runs->draining = true;
    for (size_t i = 0; i < RUNS_KEPT; i++)
        if (runs->list[i].id[0] != '\0' && runs->list[i].state <= RUN_RUNNING &&
            runs_cancel(runs, runs->list[i].id) != SH_OK)
            sh_warning(NULL, "run %s cannot be cancelled", runs->list[i].id);
    runs->idle = idle;
    runs->idle_arg = arg;
    if (runs->now == NULL)
        idle(arg);
}

void runs_close(struct runs **at)
{
    struct runs *runs = *at;

    *at = NULL;
    if (runs == NULL)
        return;
    runs->closed = true;
    for (size_t i = 0; i < RUNS_KEPT; i++)
        json_decref(runs->list[i].result);
    if (runs->now == NULL) {
        sh_free(runs);
        return;
    }
    runs->now->result = NULL;
    if (!uv_is_closing((uv_handle_t *)&runs->out))
        uv_close((uv_handle_t *)&runs->out, on_closed);
    if (!uv_is_closing((uv_handle_t *)&runs->process))
        uv_close((uv_handle_t *)&runs->process, on_closed);
}
