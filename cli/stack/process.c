#include "cli/stack/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shared/bytes.h"
#include "shared/clock.h"

enum { BACKOFF_FIRST_MS = 100, BACKOFF_MOST_MS = 10000, STEADY_MS = 30000 };

static void write_pid(const struct process *process)
{
    char path[4200];
    if (!process->run_dir)
        return;
    (void)snprintf(path, sizeof(path), "%s/%s.pid", process->run_dir, process->name);
    if (!process->running) {
        (void)unlink(path);
        return;
    }
    FILE *file = fopen(path, "we");
    if (!file)
        return; /* only a help for cleaning up after a crash of the supervisor */
    (void)fprintf(file, "%d\n", process->handle.pid);
    (void)fclose(file);
}

static enum sh_err spawn(struct process *process);

static void on_restart(uv_timer_t *timer)
{
    struct process *process = timer->data;
    if (!process->stopping && spawn(process) != SH_OK)
        (void)uv_timer_start(timer, on_restart, BACKOFF_MOST_MS, 0);
}

static void on_closed(uv_handle_t *handle)
{
    struct process *process = handle->data;
    process->handles--;
}

static void on_gone(uv_handle_t *handle)
{
    struct process *process = handle->data;
    on_closed(handle);
    if (process->stopping || process->once)
        return;
    if (sh_now_ms() - process->started_ms > STEADY_MS)
        process->failures = 0;
    unsigned shift = process->failures < 7 ? process->failures : 7;
    uint64_t wait_ms = (uint64_t)BACKOFF_FIRST_MS << shift;
    process->failures++;
    process->restarts++;
    (void)uv_timer_start(&process->timer, on_restart,
                         wait_ms < BACKOFF_MOST_MS ? wait_ms : BACKOFF_MOST_MS, 0);
}

static void on_exit(uv_process_t *handle, int64_t exit_status, int term_signal)
{
    struct process *process = handle->data;
    process->running = false;
    process->exit_status = exit_status;
    process->term_signal = term_signal;
    write_pid(process);
    if (!process->stopping && !process->once)
        (void)fprintf(stderr, "cairn-stack: %s ended (%s %d), starting it again\n",
                      process->name, term_signal ? "signal" : "status",
                      term_signal ? term_signal : (int)exit_status);
    uv_close((uv_handle_t *)handle, on_gone);
}

static enum sh_err spawn(struct process *process)
{
    char path[4200];
    (void)snprintf(path, sizeof(path), "%s/%s.log", process->log_dir, process->name);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0) {
        perror(path);
        return SH_IO;
    }
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = process->visible ? STDOUT_FILENO : log},
        {.flags = UV_INHERIT_FD, .data.fd = process->visible ? STDERR_FILENO : log},
    };
    char *args[32] = {0}; /* libuv's type is not const */
    for (size_t i = 0; process->argv[i] && i + 1 < SH_COUNT(args); i++)
        memcpy(&args[i], &process->argv[i], sizeof(args[i]));
    uv_process_options_t options = {
        .exit_cb = on_exit,
        .file = process->argv[0],
        .args = args,
        .env = process->env,
        .stdio = stdio,
        .stdio_count = 3,
        /* a group of its own: Ctrl-C reaches the supervisor alone, which stops in order
         */
        .flags = UV_PROCESS_DETACHED,
    };
    if (process->uid != geteuid()) {
        options.flags |= UV_PROCESS_SETUID | UV_PROCESS_SETGID;
        options.uid = process->uid;
        options.gid = process->gid;
    }
    process->handle.data = process;
    process->handles++;
    int rc = uv_spawn(process->timer.loop, &process->handle, &options);
    close(log);
    process->started_ms = sh_now_ms();
    process->running = rc == 0;
    write_pid(process);
    if (rc != 0) {
        (void)fprintf(stderr, "cairn-stack: %s: %s\n", process->argv[0], uv_strerror(rc));
        uv_close((uv_handle_t *)&process->handle, on_closed);
    }
    return sh_err_from_uv(rc);
}

enum sh_err process_start(uv_loop_t *loop, struct process *process)
{
    int rc = uv_timer_init(loop, &process->timer);
    if (rc != 0)
        return sh_err_from_uv(rc);
    process->timer.data = process;
    process->handles++;
    return spawn(process);
}

void process_stop(struct process *process)
{
    process->stopping = true;
    if (process->handles > 0)
        (void)uv_timer_stop(&process->timer);
    if (process->running)
        (void)uv_process_kill(&process->handle, process->stop_signal);
}

void process_kill(struct process *process)
{
    process->stopping = true;
    if (process->running)
        (void)uv_process_kill(&process->handle, SIGKILL);
}

void process_close(struct process *process)
{
    if (process->handles > 0 && !uv_is_closing((uv_handle_t *)&process->timer))
        uv_close((uv_handle_t *)&process->timer, on_closed);
}
