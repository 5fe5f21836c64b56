#include "services/search/glossary/terms_child.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "services/search/extract/extract_internal.h"
#include "services/search/extract/sanitized.h"
#include "shared/mem.h"

enum {
    LENGTH_BYTES = 4,
    FRAME_MAX = 10 << 20,
    READ_BYTES = 65536,
    WATCH_MS = 100,
    NUMBER_TEXT = 24,
    PROGRAM_MB = 192, /* resident beside its data: code, the mapped file */
    SANITIZED_TIMES = 4,
    CHARACTERS = 2000000000,
    ARGUMENTS = 10,
};

struct terms_child {
    const struct terms_child_events *events;
    void *arg; /* NULL events: closed */
    uv_process_t process;
    uv_pipe_t pipe;
    uv_timer_t timer;
    unsigned open; /* handles */
    uint32_t memory_mb;
    bool spawned;
    bool exited;
    bool drained;
    bool held; /* a batch is with the owner */
    bool closing;
    bool nonsense;
    bool over_memory;
    bool whole; /* its end came */
    struct sh_buffer bytes;
    struct sh_arena arena;       /* of the batch, or of the end */
    struct glossary_batch batch; /* with the owner */
    struct extract_end end;
    char buffer[READ_BYTES];
};

static void take(struct terms_child *child);

/* --- the end ---------------------------------------------------------------------- */

static void tell_end(struct terms_child *child)
{
    const struct terms_child_events *events = child->events;
    char code[65] = "";
    char message[513] = "";

    if (events == NULL)
        return;
    child->events = NULL;
    if (child->whole && !child->nonsense) {
        (void)snprintf(code, sizeof(code), "%.*s", (int)child->end.code.len,
                       (const char *)child->end.code.data);
        (void)snprintf(message, sizeof(message), "%.*s", (int)child->end.message.len,
                       (const char *)child->end.message.data);
    } else {
        (void)snprintf(code, sizeof(code), "%s",
                       child->over_memory ? "limit_exceeded" : "extraction_failed");
        (void)snprintf(message, sizeof(message), "%s",
                       child->over_memory ? "reading it takes too much memory"
                                          : "it could not be read to its end");
    }
    events->ended(child->arg, code, message);
}

static void on_closed(uv_handle_t *handle)
{
    struct terms_child *child = handle->data;

    if (--child->open > 0)
        return;
    sh_buffer_free(&child->bytes);
    sh_arena_free(&child->arena);
    sh_free(child);
}

static void close_all(struct terms_child *child)
{
    if (child->closing)
        return;
    child->closing = true;
    uv_close((uv_handle_t *)&child->pipe, on_closed);
    uv_close((uv_handle_t *)&child->timer, on_closed);
    if (child->spawned)
        uv_close((uv_handle_t *)&child->process, on_closed);
}

/* Dead, its pipe empty, and nothing with the owner. */
static void end_when_over(struct terms_child *child)
{
    if (!child->exited || !child->drained || child->held || child->closing)
        return;
    close_all(child);
    tell_end(child);
}

static void kill_it(struct terms_child *child)
{
    if (!child->exited)
        (void)uv_process_kill(&child->process, SIGKILL);
}

static void on_dead(uv_process_t *process, int64_t status, int signal)
{
    struct terms_child *child = process->data;

    (void)status;
    (void)signal;
    child->exited = true;
    if (child->events == NULL)
        close_all(child);
    else
        end_when_over(child);
}

static void on_tick(uv_timer_t *timer)
{
    struct terms_child *child = timer->data;
    uint64_t most = (uint64_t)child->memory_mb + PROGRAM_MB;

    if (child->exited || extract_resident_mb(child->process.pid) <=
                             most * (EXTRACT_SANITIZED ? SANITIZED_TIMES : 1))
        return;
    child->over_memory = true;
    kill_it(child);
}

/* --- frames ----------------------------------------------------------------------- */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct terms_child *child = handle->data;

    (void)suggested;
    *out = uv_buf_init(child->buffer, sizeof(child->buffer));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    struct terms_child *child = stream->data;

    if (got < 0) {
        child->drained = true;
        (void)uv_read_stop(stream);
        end_when_over(child);
    } else if (got > 0 && !child->nonsense) {
        sh_buffer_append(&child->bytes, buffer->base, (size_t)got);
        take(child);
    }
}

static void refuse(struct terms_child *child)
{
    child->nonsense = true;
    sh_buffer_clear(&child->bytes);
    kill_it(child);
}

/* Length of the first frame with its head; 0: it is not all here. */
static size_t first_frame(struct terms_child *child)
{
    const uint8_t *at = (const uint8_t *)child->bytes.data;
    size_t len;

    if (child->bytes.len < LENGTH_BYTES)
        return 0;
    len = (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
    if (len < 2 || len > FRAME_MAX || child->whole) {
        refuse(child);
        return 0;
    }
    return child->bytes.len < len + LENGTH_BYTES ? 0 : len + LENGTH_BYTES;
}

static void take_batch(struct terms_child *child, struct sh_bytes body)
{
    if (msg_decode(glossary_batch_desc(), body, &child->arena, &child->batch) != SH_OK) {
        refuse(child);
        return;
    }
    child->held = true;
    (void)uv_read_stop((uv_stream_t *)&child->pipe);
    child->events->batch(child->arg, &child->batch);
}

static void take_end(struct terms_child *child, struct sh_bytes body)
{
    body = sh_arena_copy(&child->arena, body);
    child->whole = body.data != NULL && msg_decode(extract_end_desc(), body,
                                                   &child->arena, &child->end) == SH_OK;
    if (!child->whole)
        refuse(child);
}

/* The frames that are here, up to the first batch. A message is an array whose first item
 * is its number, a byte or two behind the array's own. */
static void take(struct terms_child *child)
{
    size_t len;

    if (child->bytes.err != SH_OK)
        refuse(child);
    while (!child->held && child->events != NULL && !child->nonsense &&
           (len = first_frame(child)) > 0) {
        struct sh_bytes body = {child->bytes.data + LENGTH_BYTES, len - LENGTH_BYTES};
        const uint8_t *at = body.data;
        if (at[1] == extract_end_desc()->id) {
            take_end(child, body);
            sh_buffer_consume(&child->bytes, child->nonsense ? 0 : len);
        } else {
            take_batch(child, body); /* consumed by terms_child_next() */
        }
    }
}

void terms_child_next(struct terms_child *child)
{
    size_t len = first_frame(child);

    child->held = false;
    sh_arena_free(&child->arena);
    if (len > 0)
        sh_buffer_consume(&child->bytes, len);
    take(child);
    if (!child->held && !child->drained && !child->closing)
        (void)uv_read_start((uv_stream_t *)&child->pipe, on_room, on_read);
    end_when_over(child);
}

/* --- the start -------------------------------------------------------------------- */

static enum sh_err spawn(uv_loop_t *loop, struct terms_child *child,
                         const struct terms_child_options *options, int fd,
                         const char *format)
{
    const uint32_t numbers[] = {1,
                                CHARACTERS,
                                options->nesting,
                                options->ratio,
                                options->memory_mb,
                                options->cpu_s,
                                (uint32_t)getpid()};
    char texts[SH_COUNT(numbers)][NUMBER_TEXT];
    char program[PATH_MAX];
    char type[64];
    char name[] = "";
    char locale[] = "LANG=C.UTF-8";
    char *environment[] = {locale, NULL};
    char *arguments[ARGUMENTS + 1] = {program, name, type};
    uv_stdio_container_t stdio[3] = {{.flags = UV_INHERIT_FD, .data.fd = fd},
                                     {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
                                      .data.stream = (uv_stream_t *)&child->pipe},
                                     {.flags = UV_IGNORE}};
    uv_process_options_t spawning = {.exit_cb = on_dead,
                                     .file = program,
                                     .args = arguments,
                                     .env = environment,
                                     .flags = UV_PROCESS_DETACHED,
                                     .stdio_count = 3,
                                     .stdio = stdio};
    enum sh_err err = extract_find_program(options->program, program);

    if (err != SH_OK)
        return err;
    (void)snprintf(type, sizeof(type), "glossary/%s", format);
    for (size_t i = 0; i < SH_COUNT(numbers); i++) {
        (void)snprintf(texts[i], NUMBER_TEXT, "%u", numbers[i]);
        arguments[i + 3] = texts[i];
    }
    child->open++; /* a process that could not be had is to be closed too */
    child->spawned = true;
    err = sh_err_from_uv(uv_spawn(loop, &child->process, &spawning));
    child->exited = err != SH_OK;
    return err;
}

enum sh_err terms_child_start(uv_loop_t *loop, const struct terms_child_options *options,
                              const struct terms_child_file *file,
                              const struct terms_child_events *events, void *arg,
                              struct terms_child **out)
{
    struct terms_child *child = sh_alloc(sizeof(*child));
    enum sh_err err;

    if (child == NULL)
        return SH_NOMEM;
    child->memory_mb = options->memory_mb;
    child->pipe.data = child->timer.data = child->process.data = child;
    child->open = 2;
    (void)uv_pipe_init(loop, &child->pipe, 0);
    (void)uv_timer_init(loop, &child->timer);
    err = spawn(loop, child, options, file->fd, file->format);
    if (err == SH_OK)
        err =
            sh_err_from_uv(uv_read_start((uv_stream_t *)&child->pipe, on_room, on_read));
    if (err == SH_OK)
        err = sh_err_from_uv(uv_timer_start(&child->timer, on_tick, WATCH_MS, WATCH_MS));
    if (err == SH_OK) {
        child->events = events;
        child->arg = arg;
        *out = child;
        return SH_OK;
    }
    kill_it(child);
    if (child->exited)
        close_all(child);
    return err;
}

void terms_child_close(struct terms_child **child_in)
{
    struct terms_child *child = *child_in;

    *child_in = NULL;
    if (child == NULL || child->closing)
        return;
    child->events = NULL;
    kill_it(child);
    if (child->exited)
        close_all(child);
}
