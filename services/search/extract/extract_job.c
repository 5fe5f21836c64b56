#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "services/search/extract/extract_internal.h"
#include "services/search/extract/sanitized.h"
#include "shared/clock.h"
#include "shared/log.h"

enum {
    WATCH_MS = 100,
    NUMBER_TEXT = 24,
    PROGRAM_MB = 192, /* resident beside its data: code, the mapped file */
    SANITIZED_TIMES = 4,
};

/* --- the end ---------------------------------------------------------------------- */

static void unlink_job(struct extract_job *job)
{
    struct extract_job **at = &job->extractor->started;

    while (*at != NULL && *at != job)
        at = &(*at)->next;
    if (*at == job)
        *at = job->next;
}

static void finish(struct extract_job *job)
{
    struct extractor *extractor = job->extractor;
    const struct extract_end *end = &job->frames.end;
    struct extract_verdict verdict = extract_judge(job);
    struct extracted found = {
        .err = verdict.err, .code = verdict.code, .message = verdict.message};

    if (verdict.err == SH_OK) {
        found.type = end->type;
        found.title = end->title;
        found.language = end->language;
        found.created = end->created;
        found.pages = end->pages;
        found.sections = job->frames.sections;
        found.count = job->frames.count;
    }
    unlink_job(job);
    extractor->running--;
    job->done(job->arg, &found);
    extract_pipe_free(&job->frames);
    sh_free(job);
    extractor_next(extractor);
}

static void on_closed(uv_handle_t *handle)
{
    struct extract_job *job = handle->data;

    if (--job->open == 0)
        finish(job);
}

/* Those that were made. */
static void close_all(struct extract_job *job)
{
    uv_handle_t *all[] = {(uv_handle_t *)&job->pipe, (uv_handle_t *)&job->timer,
                          (uv_handle_t *)&job->process};
    size_t count = job->open;

    for (size_t i = 0; i < count && i < SH_COUNT(all); i++)
        uv_close(all[i], on_closed);
}

/* When it is dead and its pipe is empty. */
static void close_when_over(struct extract_job *job)
{
    if (job->exited && job->drained)
        close_all(job);
}

/* --- watching it ------------------------------------------------------------------ */

void extract_job_kill(struct extract_job *job, enum killed why)
{
    if (job->killed == NOT_KILLED)
        job->killed = why;
    if (!job->spawned || job->exited)
        return;
    (void)kill(-job->process.pid, SIGKILL); /* it cannot have children; if it had */
    (void)uv_process_kill(&job->process, SIGKILL);
}

uint64_t extract_resident_mb(int pid)
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
    struct extract_job *job = timer->data;
    uint64_t most = (uint64_t)job->extractor->options.memory_mb + PROGRAM_MB;

    if (job->exited)
        return;
    if (sh_left_ms(job->deadline_ms) == 0)
        extract_job_kill(job, TIMED_OUT);
    else if (extract_resident_mb(job->process.pid) >
             most * (EXTRACT_SANITIZED ? SANITIZED_TIMES : 1))
        extract_job_kill(job, OVER_MEMORY);
}

static void on_dead(uv_process_t *process, int64_t status, int signal)
{
    struct extract_job *job = process->data;

    job->exited = true;
    job->status = status;
    job->signal = signal;
    close_when_over(job);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct extract_job *job = handle->data;

    (void)suggested;
    *out = uv_buf_init(job->buffer, sizeof(job->buffer));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    struct extract_job *job = stream->data;

    if (got < 0) {
        job->drained = true;
        (void)uv_read_stop(stream);
        close_when_over(job);
    } else if (got > 0 && job->killed == NOT_KILLED &&
               extract_pipe_feed(&job->frames,
                                 (struct sh_bytes){buffer->base, (size_t)got}) != SH_OK) {
        extract_job_kill(job, NONSENSE);
    }
}

/* --- starting it ------------------------------------------------------------------ */

static void set_stdio(struct extract_job *job, uv_stdio_container_t stdio[static 3])
{
    stdio[0].flags = UV_INHERIT_FD;
    stdio[0].data.fd = job->order.fd;
    stdio[1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE; /* as the child sees it */
    stdio[1].data.stream = (uv_stream_t *)&job->pipe;
    stdio[2].flags = UV_IGNORE;
}

static enum sh_err spawn(struct extract_job *job)
{
    const struct extractor *extractor = job->extractor;
    const struct extractor_options *options = &extractor->options;
    const uint32_t numbers[] = {
        options->pages,     options->characters, options->nesting,  options->ratio,
        options->memory_mb, options->timeout_s,  (uint32_t)getpid()};
    char texts[SH_COUNT(numbers)][NUMBER_TEXT];
    char program[PATH_MAX];
    char locale[] = "LANG=C.UTF-8";
    char *environment[] = {locale, NULL};
    char *arguments[SH_COUNT(numbers) + 4] = {program, job->name, job->declared};
    uv_stdio_container_t stdio[3];
    uv_process_options_t spawning = {.exit_cb = on_dead,
                                     .file = program,
                                     .args = arguments,
                                     .env = environment,
                                     .flags = UV_PROCESS_DETACHED,
                                     .stdio_count = 3,
                                     .stdio = stdio};

    (void)snprintf(program, sizeof(program), "%s", extractor->program);
    for (size_t i = 0; i < SH_COUNT(numbers); i++) {
        (void)snprintf(texts[i], NUMBER_TEXT, "%u", numbers[i]);
        arguments[i + 3] = texts[i];
    }
    set_stdio(job, stdio);
    return sh_err_from_uv(uv_spawn(extractor->loop, &job->process, &spawning));
}

static enum sh_err start_child(struct extract_job *job)
{
    enum sh_err err;

    job->open++; /* a process that could not be had is to be closed too */
    job->process.data = job;
    err = spawn(job);
    job->spawned = err == SH_OK;
    if (err == SH_OK)
        err = sh_err_from_uv(uv_read_start((uv_stream_t *)&job->pipe, on_room, on_read));
    if (err == SH_OK)
        err = sh_err_from_uv(uv_timer_start(&job->timer, on_tick, WATCH_MS, WATCH_MS));
    return err;
}

void extract_job_begin(struct extract_job *job)
{
    struct extractor *extractor = job->extractor;
    uint64_t timeout_ms = (uint64_t)extractor->options.timeout_s * 1000;

    job->next = extractor->started;
    extractor->started = job;
    extractor->running++;
    job->open = 2;
    job->pipe.data = job->timer.data = job;
    (void)uv_pipe_init(extractor->loop, &job->pipe, 0);
    (void)uv_timer_init(extractor->loop, &job->timer);
    job->deadline_ms = sh_now_ms() + timeout_ms;
    if (job->killed == NOT_KILLED)
        job->start = start_child(job);
    if (job->start == SH_OK && job->killed == NOT_KILLED)
        return;
    if (job->start != SH_OK)
        sh_error(job->order.trace, "%s cannot be started: %s", extractor->program,
                 sh_err_text(job->start));
    extract_job_kill(job, NONSENSE);
    job->drained = true;
    if (!job->spawned) /* else when it is dead */
        close_all(job);
}
