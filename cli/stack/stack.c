#include "cli/stack/stack.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/stack/environment.h"
#include "shared/bytes.h"
#include "shared/clock.h"
#include "shared/mem.h"

enum {
    POLL_MS = 25,
    READY_TIMEOUT_MS = 60000,
    STOP_TIMEOUT_MS = 35000,
    TOOL_TIMEOUT_MS = 600000
};

static void on_poll(uv_timer_t *timer)
{
    (void)timer; /* only turns the loop */
}

enum sh_err stack_wait(struct stack *stack, uint64_t timeout_ms, stack_done_fn *done,
                       void *arg)
{
    uint64_t deadline = sh_now_ms() + timeout_ms;
    enum sh_err err = SH_OK;
    (void)uv_timer_start(&stack->poll, on_poll, POLL_MS, POLL_MS);
    while (!done(stack, arg)) {
        if (sh_left_ms(deadline) == 0) {
            err = SH_TIMEOUT;
            break;
        }
        (void)uv_run(stack->loop, UV_RUN_ONCE);
        if (stack->interrupted) {
            err = SH_CANCELED;
            break;
        }
    }
    (void)uv_timer_stop(&stack->poll);
    return err;
}

/* libcurl's type */
static size_t discard(char *data, size_t size, size_t count, // NOLINT
                      void *arg)
{
    (void)data;
    (void)arg;
    return size * count;
}

bool stack_probe(const char *url)
{
    CURL *curl = curl_easy_init();
    long status = 0;
    if (!curl)
        return false;
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 1000L);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
    if (curl_easy_perform(curl) == CURLE_OK)
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    return status == 200;
}

static bool tool_ended(struct stack *stack, void *arg)
{
    (void)arg;
    return !stack->tool.running;
}

enum sh_err stack_run(struct stack *stack, const char *name, const char *const argv[],
                      enum stack_user user, bool visible)
{
    struct process *tool = &stack->tool;
    *tool = (struct process){.log_dir = stack->processes[0].log_dir,
                             .argv = argv,
                             .uid = user == STACK_SELF ? geteuid() : stack->layout.pg_uid,
                             .gid = user == STACK_SELF ? getegid() : stack->layout.pg_gid,
                             .once = true,
                             .visible = visible};
    (void)snprintf(tool->name, sizeof(tool->name), "%s", name);
    enum sh_err err = process_start(stack->loop, tool);
    if (err == SH_OK)
        err = stack_wait(stack, TOOL_TIMEOUT_MS, tool_ended, NULL);
    process_kill(tool);
    process_close(tool);
    while (tool->handles > 0)
        (void)uv_run(stack->loop, UV_RUN_ONCE);
    if (err == SH_OK && (tool->exit_status != 0 || tool->term_signal != 0)) {
        (void)fprintf(stderr, "cairn-stack: %s failed: see %s/log/%s.log\n", name,
                      stack->layout.dir, name);
        err = SH_IO;
    }
    return err;
}

static enum sh_err start_replica(struct stack *stack,
                                 const struct service_layout *service,
                                 const struct replica *replica)
{
    struct process *process = &stack->processes[stack->count++];
    size_t size = strlen(stack->layout.bin) + 64;
    char *program = sh_alloc(size);
    const char **argv = sh_alloc_array(2, sizeof(*argv));
    process->env = environment_with(&stack->layout, service, replica);
    if (!program || !argv || !process->env)
        return SH_NOMEM;
    (void)snprintf(program, size, "%s/cairn-%s", stack->layout.bin, service->name);
    argv[0] = program;
    process->argv = argv;
    memcpy(process->name, replica->name, sizeof(replica->name));
    process->uid = geteuid();
    process->stop_signal = SIGTERM;
    return process_start(stack->loop, process);
}

static bool redis_accepts(struct stack *stack, void *arg)
{
    (void)arg;
    struct layout *layout = &stack->layout;
    char url[64];
    (void)snprintf(url, sizeof(url), "telnet://127.0.0.1:%u", layout->redis_port);
    CURL *curl = curl_easy_init();
    if (!curl)
        return false;
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    bool ok = curl_easy_perform(curl) == CURLE_OK;
    curl_easy_cleanup(curl);
    return ok;
}

static enum sh_err start_redis(struct stack *stack)
{
    static char config[PATH_MAX + 32];
    static const char *argv[] = {"/usr/bin/redis-server", config, NULL};
    (void)snprintf(config, sizeof(config), "%s",
                   layout_path(&stack->layout, "redis.conf"));
    int fd = open(config, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!file) {
        perror(config);
        return SH_IO;
    }
    (void)fprintf(file,
                  "bind 127.0.0.1\nport %u\nrequirepass %s\ndir %s/redis\nsave \"\"\n"
                  "maxmemory 64mb\nmaxmemory-policy allkeys-lru\ndaemonize no\n",
                  stack->layout.redis_port, stack->layout.secret, stack->layout.dir);
    if (fclose(file) != 0)
        return SH_IO;
    struct process *process = &stack->processes[stack->count++];
    (void)snprintf(process->name, sizeof(process->name), "redis");
    process->argv = argv;
    process->uid = geteuid();
    process->stop_signal = SIGTERM;
    enum sh_err err = process_start(stack->loop, process);
    return err == SH_OK ? stack_wait(stack, 20000, redis_accepts, NULL) : err;
}

static enum sh_err migrate(struct stack *stack)
{
    char program[PATH_MAX + 32];
    (void)snprintf(program, sizeof(program), "%s/cairn-migrate", stack->layout.bin);
    const char *const argv[] = {program, "up", NULL};
    return stack_run(stack, "migrate", argv, STACK_SELF, false);
}

/* Those that are there stay. */
static enum sh_err make_keys(struct stack *stack)
{
    char program[PATH_MAX + 32];
    char dir[PATH_MAX + 64];
    if (!stack->layout.keys)
        return SH_OK;
    (void)snprintf(program, sizeof(program), "%s/cairn-keys", stack->layout.bin);
    (void)snprintf(dir, sizeof(dir), "%s", layout_path(&stack->layout, "keys"));
    const char *const argv[] = {program, dir, NULL};
    return stack_run(stack, "keys", argv, STACK_SELF, false);
}

static bool all_ready(struct stack *stack, void *arg)
{
    (void)arg;
    for (size_t s = 0; s < SERVICES; s++) {
        const struct service_layout *service = &stack->layout.services[s];
        for (unsigned r = 0; r < service->replicas; r++) {
            char url[64];
            (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/readyz",
                           service->replica[r].ops_port);
            if (!stack_probe(url))
                return false;
        }
    }
    return true;
}

static enum sh_err start_services(struct stack *stack)
{
    environment_set(&stack->layout);
    enum sh_err err = migrate(stack);
    if (err == SH_OK)
        err = make_keys(stack);
    for (size_t s = 0; s < SERVICES; s++) {
        const struct service_layout *service = &stack->layout.services[s];
        for (unsigned r = 0; r < service->replicas && err == SH_OK; r++)
            err = start_replica(stack, service, &service->replica[r]);
    }
    if (err == SH_OK)
        err = stack_wait(stack, READY_TIMEOUT_MS, all_ready, NULL);
    if (err == SH_TIMEOUT)
        (void)fprintf(stderr, "cairn-stack: not ready after %d s: see %s/log\n",
                      READY_TIMEOUT_MS / 1000, stack->layout.dir);
    return err;
}

static void on_signal(uv_signal_t *handle, int signum)
{
    (void)signum;
    struct stack *stack = handle->data;
    stack->interrupted = true;
    uv_stop(stack->loop);
}

static void prepare(struct stack *stack)
{
    static char log_dir[PATH_MAX + 8];
    static char run_dir[PATH_MAX + 8];
    (void)snprintf(log_dir, sizeof(log_dir), "%s/log", stack->layout.dir);
    (void)snprintf(run_dir, sizeof(run_dir), "%s/run", stack->layout.dir);
    for (size_t i = 0; i < SH_COUNT(stack->processes); i++) {
        stack->processes[i].log_dir = log_dir;
        stack->processes[i].run_dir = run_dir;
    }
    (void)uv_timer_init(stack->loop, &stack->poll); /* these cannot fail in libuv */
    (void)uv_signal_init(stack->loop, &stack->sigint);
    (void)uv_signal_init(stack->loop, &stack->sigterm);
    stack->sigint.data = stack->sigterm.data = stack;
    (void)uv_signal_start(&stack->sigint, on_signal, SIGINT);
    (void)uv_signal_start(&stack->sigterm, on_signal, SIGTERM);
}

enum sh_err stack_start(struct stack *stack)
{
    prepare(stack);
    stack_end_leftovers(&stack->layout);
    bool private = !*stack->layout.database_url;
    enum sh_err err = private ? postgres_start(stack) : SH_OK;
    if (err == SH_OK)
        err = start_redis(stack);
    if (err == SH_OK)
        err = start_services(stack);
    if (err == SH_OK)
        err = layout_write_env(&stack->layout);
    return err;
}

void stack_supervise(struct stack *stack)
{
    while (!stack->interrupted)
        (void)uv_run(stack->loop, UV_RUN_DEFAULT);
}

/* processes[from, to) have all ended. */
struct range {
    size_t from;
    size_t to;
};

static bool range_ended(struct stack *stack, void *arg)
{
    const struct range *range = arg;
    for (size_t i = range->from; i < range->to; i++) {
        if (stack->processes[i].running)
            return false;
    }
    return true;
}

static void stop_range(struct stack *stack, struct range range)
{
    for (size_t i = range.to; i-- > range.from;)
        process_stop(&stack->processes[i]);
    stack->interrupted = false; /* a second Ctrl-C ends the waiting */
    if (stack_wait(stack, STOP_TIMEOUT_MS, range_ended, &range) != SH_OK) {
        for (size_t i = range.from; i < range.to; i++)
            process_kill(&stack->processes[i]);
        stack->interrupted = false;
        if (stack_wait(stack, STOP_TIMEOUT_MS, range_ended, &range) != SH_OK)
            (void)fprintf(stderr, "cairn-stack: some processes do not end\n");
    }
}

void stack_stop(struct stack *stack)
{
    size_t backends = *stack->layout.database_url ? 1 : 2; /* Redis, PostgreSQL */
    backends = stack->count < backends ? stack->count : backends;
    (void)unlink(layout_path(&stack->layout, "stack.env"));
    stop_range(stack, (struct range){backends, stack->count});
    stop_range(stack, (struct range){0, backends});
    for (size_t i = 0; i < stack->count; i++)
        process_close(&stack->processes[i]);
    uv_close((uv_handle_t *)&stack->poll, NULL);
    uv_close((uv_handle_t *)&stack->sigint, NULL);
    uv_close((uv_handle_t *)&stack->sigterm, NULL);
    (void)uv_run(stack->loop, UV_RUN_DEFAULT);
}
