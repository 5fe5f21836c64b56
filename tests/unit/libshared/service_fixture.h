/* service_fixture: a service in a process of its own, and what is around it. Header only.
 */
#ifndef TESTS_SERVICE_FIXTURE_H
#define TESTS_SERVICE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libshared/src/service_internal.h"
#include "shared/clock.h"
#include "shared/log.h"

enum { PATIENCE_MS = 60000, TEXT_MAX = 1 << 18 };

/* --- the service under test, in a process of its own ------------------------------ */

struct subject {
    struct sh_process_config process;
    struct sh_rpc_client *peer; /* nobody is there */
    uv_timer_t timer;
    bool holding;
    bool failing;
    bool quick; /* what is held is released after a moment */
};

static inline enum sh_err start_first(struct sh_service *service, void *self)
{
    struct subject *subject = self;
    struct sh_rpc_client_options options = {"nobody", "tcp://127.0.0.1:9"};
    sh_info(NULL, "first starts");
    enum sh_err err =
        sh_rpc_client_create(sh_service_zmq(service), &options, &subject->peer);
    if (err == SH_OK)
        err = sh_service_add_peers(service, subject->peer);
    if (err != SH_OK)
        return err;
    return sh_err_from_uv(uv_timer_init(sh_service_loop(service), &subject->timer));
}

static inline void on_moment(uv_timer_t *timer)
{
    sh_info(NULL, "first is at rest");
    sh_service_release(timer->data);
}

static inline void drain_first(struct sh_service *service, void *self)
{
    struct subject *subject = self;
    sh_info(NULL, "first drains");
    if (subject->holding)
        sh_service_hold(service);
    subject->timer.data = service;
    if (subject->quick)
        uv_timer_start(&subject->timer, on_moment, 20, 0);
}

static inline void stop_first(struct sh_service *service, void *self)
{
    struct subject *subject = self;
    (void)service;
    sh_info(NULL, "first stops");
    sh_rpc_client_close(&subject->peer);
    uv_close((uv_handle_t *)&subject->timer, NULL);
}

static inline void reload_first(struct sh_service *service, void *self)
{
    (void)service;
    (void)self;
    sh_error(NULL, "first reloads");
}

static inline enum sh_err start_second(struct sh_service *service, void *self)
{
    const struct subject *subject = self;
    (void)service;
    sh_info(NULL, "second starts");
    return subject->failing ? SH_IO : SH_OK;
}

static inline void stop_second(struct sh_service *service, void *self)
{
    (void)service;
    (void)self;
    sh_info(NULL, "second stops");
}

static const struct sh_stage stages[] = {
    {"first", start_first, drain_first, stop_first, reload_first},
    {"second", start_second, NULL, stop_second, NULL},
};

static inline int run_subject(struct subject *subject, int argc, char **argv)
{
    struct sh_service_spec spec = {
        .name = "subject",
        .summary = "what is tested",
        .process = &subject->process,
        .stages = stages,
        .stage_count = SH_COUNT(stages),
        .rpc = true,
        .ops_port = "9199",
        .rpc_bind = "tcp://127.0.0.1:5699",
        .self = subject,
    };
    return sh_service_main(argc, argv, &spec);
}

/* --- its surroundings ------------------------------------------------------------- */

struct fixture {
    char dir[64];
    char before[4096];
    pid_t pid;
    int out; /* the child's stdout and stderr */
    size_t len;
    char text[TEXT_MAX];
};

static inline int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    f.out = -1;
    memcpy(f.dir, "/tmp/cairn-service-XXXXXX", 26);
    assert_non_null(getcwd(f.before, sizeof(f.before)));
    assert_non_null(mkdtemp(f.dir));
    assert_int_equal(chdir(f.dir), 0);
    unsetenv("ENVIRONMENT");
    unsetenv("LOG_LEVEL");
    unsetenv("SHUTDOWN_GRACE_SECONDS");
    setenv("OPS_PORT", "0", 1);
    setenv("RPC_BIND", "tcp://127.0.0.1:*", 1);
    *state = &f;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->pid > 0) {
        kill(f->pid, SIGKILL);
        waitpid(f->pid, NULL, 0);
    }
    if (f->out >= 0)
        close(f->out);
    (void)unlink(".env");
    assert_int_equal(chdir(f->before), 0);
    return rmdir(f->dir);
}

static inline void spawn(struct fixture *f, struct subject subject, const char *option,
                         const char *argument)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    (void)fflush(NULL);
    f->pid = fork();
    assert_true(f->pid >= 0);
    if (f->pid == 0) {
        char name[] = "cairn-subject";
        char first[64] = "";
        char second[64] = "";
        char *argv[] = {name, first, second, NULL};
        (void)snprintf(first, sizeof(first), "%s", option ? option : "");
        (void)snprintf(second, sizeof(second), "%s", argument ? argument : "");
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        exit(run_subject(&subject, 1 + (option != NULL) + (argument != NULL), argv));
    }
    close(ends[1]);
    f->out = ends[0];
}

/* Take in more of what the child wrote; false at its end. */
static inline bool read_more(struct fixture *f, uint64_t deadline)
{
    struct pollfd poll_for = {.fd = f->out, .events = POLLIN};
    if (poll(&poll_for, 1, (int)sh_left_ms(deadline)) <= 0)
        fail_msg("nothing more came after:\n%s", f->text);
    assert_true(f->len < sizeof(f->text) - 1);
    ssize_t got = read(f->out, f->text + f->len, sizeof(f->text) - 1 - f->len);
    assert_true(got >= 0);
    f->len += (size_t)got;
    f->text[f->len] = '\0';
    return got > 0;
}

static inline const char *wait_for(struct fixture *f, const char *text)
{
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;
    const char *found;
    while (!(found = strstr(f->text, text))) {
        if (!read_more(f, deadline))
            fail_msg("no \"%s\" in:\n%s", text, f->text);
    }
    return found;
}

static inline int exit_status(struct fixture *f)
{
    int status = 0;
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;
    while (read_more(f, deadline))
        ;
    assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
    f->pid = 0;
    if (!WIFEXITED(status))
        fail_msg("killed by %d:\n%s", WTERMSIG(status), f->text);
    return WEXITSTATUS(status);
}

/* Start, and return the ops port. */
static inline uint16_t start(struct fixture *f, struct subject subject)
{
    spawn(f, subject, NULL, NULL);
    const char *port = wait_for(f, "started; ops on 127.0.0.1 port ");
    return (uint16_t)strtoul(port + strlen("started; ops on 127.0.0.1 port "), NULL, 10);
}

static inline void finish(struct fixture *f)
{
    assert_int_equal(kill(f->pid, SIGTERM), 0);
    assert_int_equal(exit_status(f), 0);
}

static inline int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct timeval timeout = {.tv_sec = PATIENCE_MS / 1000};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)),
                     0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* The whole answer; valid until the next call. */
static inline const char *ask(uint16_t port, const char *request, const char *header)
{
    static char text[TEXT_MAX];
    size_t len = 0;
    ssize_t got = 1;
    int fd = connect_to(port);
    int wanted = snprintf(text, sizeof(text),
                          "%s HTTP/1.1\r\nHost: ops\r\n%sConnection: close\r\n\r\n",
                          request, header);
    assert_int_equal(send(fd, text, (size_t)wanted, MSG_NOSIGNAL), wanted);
    while (got > 0 && len < sizeof(text) - 1) {
        got = recv(fd, text + len, sizeof(text) - 1 - len, 0);
        assert_true(got >= 0);
        len += (size_t)got;
    }
    text[len] = '\0';
    close(fd);
    return text;
}

static inline const char *get(uint16_t port, const char *path)
{
    char request[64];
    (void)snprintf(request, sizeof(request), "GET %s", path);
    return ask(port, request, "");
}

static inline void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in:\n%s", part, text);
}

static inline void assert_status(const char *answer, const char *status)
{
    if (strncmp(answer, status, strlen(status)) != 0)
        fail_msg("not \"%s\":\n%s", status, answer);
}

static inline void assert_order(const char *text, const char *first, const char *second)
{
    assert_has(text, first);
    assert_has(text, second);
    assert_true(strstr(text, first) < strstr(text, second));
}

#define OK                 "HTTP/1.1 200 "
#define UNAVAILABLE        "HTTP/1.1 503 "

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
