#include "services/search/extract/extract_child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/search/extract/sanitized.h"
#include "shared/clock.h"
#include "shared/mem.h"

enum {
    READ_BYTES = 65536,
    WATCH_MS = 100,
    NUMBER_TEXT = 24,
    NAME_MAX_BYTES = 512,
    TYPE_MAX_BYTES = 128,
    PROGRAM_MB = 192, /* resident beside its data: code, the mapped file */
    SANITIZED_TIMES = 4,
};

struct extract_child {
    const struct extract_child_events *events; /* NULL: closed */
    void *arg;
    uv_process_t process;
    uv_pipe_t pipe;
    uv_timer_t timer;
    size_t open; /* handles: the pipe, the timer, and the process once it was tried */
    bool spawned;
    bool exited;
    bool drained;
    bool held;
    bool closing;
    uint64_t memory_mb;
    uint64_t deadline_ms; /* 0: none */
    struct extract_exit exit;
    char buffer[READ_BYTES];
};

enum sh_err extract_find_program(const char *given, char out[static PATH_MAX])
{
    char own[PATH_MAX];
    ssize_t len;

    if (given[0] != '\0') {
        (void)snprintf(out, PATH_MAX, "%s", given);
        return SH_OK;
    }
    len = readlink("/proc/self/exe", own, sizeof(own) - 1);
    if (len <= 0)
        return sh_err_from_errno(errno);
    own[len] = '\0';
    *strrchr(own, '/') = '\0';
    len = snprintf(out, PATH_MAX, "%s/cairn-extract", own);
    return len < PATH_MAX ? SH_OK : SH_INVALID;
}

/* --- the end ---------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct extract_child *self = handle->data;

    if (--self->open > 0)
        return;
    if (self->events != NULL)
        self->events->ended(self->arg, &self->exit);
    sh_free(self);
}

static void close_when_over(struct extract_child *self)
{
    uv_handle_t *all[] = {(uv_handle_t *)&self->pipe, (uv_handle_t *)&self->timer,
                          (uv_handle_t *)&self->process};
    size_t count = self->open;

    if (self->closing || !self->exited || (!self->drained && self->events != NULL))
        return;
    self->closing = true;
    for (size_t i = 0; i < count && i < SH_COUNT(all); i++)
        uv_close(all[i], on_closed);
}

void extract_child_kill(struct extract_child *self, enum extract_killed why)
{
    if (self->exit.killed == EXTRACT_NOT_KILLED)
        self->exit.killed = why;
    if (!self->spawned) {
        self->exited = true;
        self->drained = true;
        close_when_over(self);
    } else if (!self->exited) {
        (void)kill(-self->process.pid, SIGKILL); /* it has no children; if it had */
        (void)uv_process_kill(&self->process, SIGKILL);
    }
}

void extract_child_close(struct extract_child **child)
{
    struct extract_child *self = *child;

    *child = NULL;
    if (self == NULL)
        return;
    self->events = NULL;
    extract_child_kill(self, EXTRACT_CANCELED);
    close_when_over(self);
}

static void on_dead(uv_process_t *process, int64_t status, int signal)
{
    struct extract_child *self = process->data;

    self->exited = true;
    self->exit.status = status;
    self->exit.signal = signal;
    close_when_over(self);
}

/* --- watching it ------------------------------------------------------------------ */

/* In MB; 0 when that is not known. */
static uint64_t resident_mb(int pid)
{
    char path[64];
    char text[128];
    unsigned long long pages = 0;
    ssize_t len;
    int fd;

    (void)snprintf(path, sizeof(path), "/proc/%d/statm", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    len = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (len <= 0)
        return 0;
    text[len] = '\0';
    const char *second = strchr(text, ' ');
    if (second != NULL)
        pages = strtoull(second, NULL, 10);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE) >> 20;
}

static void on_tick(uv_timer_t *timer)
{
    struct extract_child *self = timer->data;

    if (self->exited)
        return;
    if (self->deadline_ms != 0 && sh_left_ms(self->deadline_ms) == 0)
        extract_child_kill(self, EXTRACT_TIMED_OUT);
    else if (resident_mb(self->process.pid) > self->memory_mb)
        extract_child_kill(self, EXTRACT_OVER_MEMORY);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct extract_child *self = handle->data;

    (void)suggested;
    *out = uv_buf_init(self->buffer, sizeof(self->buffer));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    struct extract_child *self = stream->data;

    if (got < 0) {
        self->drained = true;
        (void)uv_read_stop(stream);
        close_when_over(self);
    } else if (got > 0 && self->events != NULL &&
               self->exit.killed == EXTRACT_NOT_KILLED) {
        self->events->piece(self->arg, (struct sh_bytes){buffer->base, (size_t)got});
    }
}

static enum sh_err read_on(struct extract_child *self)
{
    return sh_err_from_uv(uv_read_start((uv_stream_t *)&self->pipe, on_room, on_read));
}

void extract_child_hold(struct extract_child *self, bool held)
{
    if (self->held == held)
        return;
    self->held = held;
    if (held)
        (void)uv_read_stop((uv_stream_t *)&self->pipe);
    else if (!self->drained && !self->closing && read_on(self) != SH_OK)
        extract_child_kill(self, EXTRACT_NONSENSE);
}

/* --- starting it ------------------------------------------------------------------ */

enum sh_err extract_child_open(uv_loop_t *loop, const struct extract_child_events *events,
                               void *arg, struct extract_child **out)
{
    struct extract_child *self = sh_alloc(sizeof(*self));

    if (self == NULL)
        return SH_NOMEM;
    self->events = events;
    self->arg = arg;
    self->open = 2;
    self->process.data = self->pipe.data = self->timer.data = self;
    (void)uv_pipe_init(loop, &self->pipe, 0); /* these cannot fail */
    (void)uv_timer_init(loop, &self->timer);
    *out = self;
    return SH_OK;
}

static enum sh_err spawn(struct extract_child *self,
                         const struct extract_child_order *order)
{
    const uint32_t numbers[] = {order->pages,      order->characters, order->nesting,
                                order->ratio,      order->memory_mb,  order->cpu_s,
                                (uint32_t)getpid()};
    char texts[SH_COUNT(numbers)][NUMBER_TEXT];
    char program[PATH_MAX];
    char name[NAME_MAX_BYTES + 1];
    char type[TYPE_MAX_BYTES + 1];
    char locale[] = "LANG=C.UTF-8";
    char *environment[] = {locale, NULL};
    char *arguments[SH_COUNT(numbers) + 4] = {program, name, type};
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_INHERIT_FD, .data.fd = order->fd},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, /* as the child sees it */
         .data.stream = (uv_stream_t *)&self->pipe},
        {.flags = UV_IGNORE}};
    uv_process_options_t spawning = {.exit_cb = on_dead,
                                     .file = program,
                                     .args = arguments,
                                     .env = environment,
                                     .flags = UV_PROCESS_DETACHED,
                                     .stdio_count = 3,
                                     .stdio = stdio};

    (void)snprintf(program, sizeof(program), "%s", order->program);
    (void)snprintf(name, sizeof(name), "%s", order->name);
    (void)snprintf(type, sizeof(type), "%s", order->type);
    for (size_t i = 0; i < SH_COUNT(numbers); i++) {
        (void)snprintf(texts[i], NUMBER_TEXT, "%u", numbers[i]);
        arguments[i + 3] = texts[i];
    }
    return sh_err_from_uv(uv_spawn(self->pipe.loop, &self->process, &spawning));
}

enum sh_err extract_child_run(struct extract_child *self,
                              const struct extract_child_order *order)
{
    uint64_t most = (uint64_t)order->memory_mb + PROGRAM_MB;
    enum sh_err err;

    self->memory_mb = most * (EXTRACT_SANITIZED ? SANITIZED_TIMES : 1);
    self->deadline_ms =
        order->wall_s > 0 ? sh_now_ms() + (uint64_t)order->wall_s * 1000 : 0;
    self->open++; /* a process that could not be had is to be closed too */
    err = spawn(self, order);
    self->spawned = err == SH_OK;
    if (err == SH_OK)
        err = read_on(self);
    if (err == SH_OK)
        err = sh_err_from_uv(uv_timer_start(&self->timer, on_tick, WATCH_MS, WATCH_MS));
    if (err != SH_OK)
        self->drained = true; /* nobody reads it */
    return err;
}
