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

/* --- the service under test, in a process of its own -------------------------------- */

struct subject {
    struct sh_process_config process;
    struct sh_rpc_client *peer; /* nobody is there */
    uv_timer_t timer;
    bool holding;
    bool failing;
    bool quick; /* what is held is released after a moment */
};

static enum sh_err start_first(struct sh_service *service, void *self)
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

static void on_moment(uv_timer_t *timer)
{
    sh_info(NULL, "first is at rest");
    sh_service_release(timer->data);
}

static void drain_first(struct sh_service *service, void *self)
{
    struct subject *subject = self;
    sh_info(NULL, "first drains");
    if (subject->holding)
        sh_service_hold(service);
    subject->timer.data = service;
    if (subject->quick)
        uv_timer_start(&subject->timer, on_moment, 20, 0);
}

static void stop_first(struct sh_service *service, void *self)
{
    struct subject *subject = self;
    (void)service;
    sh_info(NULL, "first stops");
    sh_rpc_client_close(&subject->peer);
    uv_close((uv_handle_t *)&subject->timer, NULL);
}

static void reload_first(struct sh_service *service, void *self)
{
    (void)service;
    (void)self;
    sh_error(NULL, "first reloads");
}

static enum sh_err start_second(struct sh_service *service, void *self)
{
    const struct subject *subject = self;
    (void)service;
    sh_info(NULL, "second starts");
    return subject->failing ? SH_IO : SH_OK;
}

static void stop_second(struct sh_service *service, void *self)
{
    (void)service;
    (void)self;
    sh_info(NULL, "second stops");
}

static const struct sh_stage stages[] = {
    {"first", start_first, drain_first, stop_first, reload_first},
    {"second", start_second, NULL, stop_second, NULL},
};

static int run_subject(struct subject *subject, int argc, char **argv)
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

/* --- its surroundings --------------------------------------------------------------- */

struct fixture {
    char dir[64];
    char before[4096];
    pid_t pid;
    int out; /* the child's stdout and stderr */
    size_t len;
    char text[TEXT_MAX];
};

static int set_up(void **state)
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

static int tear_down(void **state)
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

static void spawn(struct fixture *f, struct subject subject, const char *option,
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
static bool read_more(struct fixture *f, uint64_t deadline)
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

static const char *wait_for(struct fixture *f, const char *text)
{
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;
    const char *found;
    while (!(found = strstr(f->text, text))) {
        if (!read_more(f, deadline))
            fail_msg("no \"%s\" in:\n%s", text, f->text);
    }
    return found;
}

static int exit_status(struct fixture *f)
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
static uint16_t start(struct fixture *f, struct subject subject)
{
    spawn(f, subject, NULL, NULL);
    const char *port = wait_for(f, "started; ops on 127.0.0.1 port ");
    return (uint16_t)strtoul(port + strlen("started; ops on 127.0.0.1 port "), NULL, 10);
}

static void finish(struct fixture *f)
{
    assert_int_equal(kill(f->pid, SIGTERM), 0);
    assert_int_equal(exit_status(f), 0);
}

static int connect_to(uint16_t port)
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
static const char *ask(uint16_t port, const char *request, const char *header)
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

static const char *get(uint16_t port, const char *path)
{
    char request[64];
    (void)snprintf(request, sizeof(request), "GET %s", path);
    return ask(port, request, "");
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in:\n%s", part, text);
}

static void assert_status(const char *answer, const char *status)
{
    if (strncmp(answer, status, strlen(status)) != 0)
        fail_msg("not \"%s\":\n%s", status, answer);
}

static void assert_order(const char *text, const char *first, const char *second)
{
    assert_has(text, first);
    assert_has(text, second);
    assert_true(strstr(text, first) < strstr(text, second));
}

#define OK          "HTTP/1.1 200 "
#define UNAVAILABLE "HTTP/1.1 503 "

/* --- tests -------------------------------------------------------------------------- */

static void ops_port_answers_and_term_ends_it(void **state)
{
    struct fixture *f = *state;
    uint16_t port = start(f, (struct subject){0});
    static const char *const good[] = {
        "/livez",  "/health/live", "/health/liveness", "/readyz",         "/health/ready",
        "/health", "/health/ping", "/metrics",         "/health/metrics", "/peers"};
    for (size_t i = 0; i < SH_COUNT(good); i++)
        assert_status(get(port, good[i]), OK);
    assert_has(get(port, "/health/ping"), "{\"status\":\"ok\",\"message\":\"pong\"}");
    assert_has(get(port, "/health"), "\"service\":{\"healthy\":true");
    assert_has(get(port, "/peers"), "[{\"service\":\"nobody\"");
    finish(f);
    assert_has(f->text, "\"message\":\"cairn-subject starting...\"");
    assert_has(f->text,
               "\"version\":\"" CAIRN_VERSION "\",\"environment\":\"development\"");
    assert_has(f->text, "\"message\":\"OPS_PORT=0\"");
    assert_order(f->text, "first starts", "second starts");
    assert_order(f->text, "second stops", "first stops");
    assert_null(strstr(f->text, "left open"));
}

static void metrics_come_in_both_formats(void **state)
{
    struct fixture *f = *state;
    uint16_t port = start(f, (struct subject){0});
    const char *text = get(port, "/metrics");
    assert_has(text, "text/plain; version=0.0.4");
    assert_has(text,
               "cairn_build_info{service=\"subject\",version=\"" CAIRN_VERSION "\"} 1");
    assert_has(text, "# TYPE cairn_subject_event_loop_lag_seconds histogram\n");
    text = ask(port, "GET /metrics", "Accept: application/openmetrics-text;q=0.9\r\n");
    assert_has(text, "Content-Type: application/openmetrics-text; version=1.0.0");
    assert_has(text, "# EOF\n");
    finish(f);
}

static void anything_else_is_refused_as_a_problem(void **state)
{
    struct fixture *f = *state;
    uint16_t port = start(f, (struct subject){0});
    const char *answer = get(port, "/nowhere");
    assert_status(answer, "HTTP/1.1 404 ");
    assert_has(answer, "application/problem+json");
    answer = ask(port, "POST /livez", "Content-Length: 0\r\n");
    assert_status(answer, "HTTP/1.1 405 ");
    assert_has(answer, "Allow: GET, HEAD\r\n");
    assert_status(ask(port, "HEAD /livez", ""), OK);
    finish(f);
}

static void draining_waits_for_what_is_held(void **state)
{
    struct fixture *f = *state;
    (void)start(f, (struct subject){.holding = true, .quick = true});
    finish(f);
    assert_order(f->text, "first drains", "first is at rest");
    assert_order(f->text, "first is at rest", "second stops");
}

static void draining_is_not_ready_but_alive_until_told_again(void **state)
{
    struct fixture *f = *state;
    uint16_t port = start(f, (struct subject){.holding = true});
    assert_int_equal(kill(f->pid, SIGINT), 0);
    (void)wait_for(f, "first drains");
    assert_status(get(port, "/readyz"), UNAVAILABLE);
    assert_status(get(port, "/livez"), OK);
    assert_status(get(port, "/health"), UNAVAILABLE);
    finish(f);
    assert_has(f->text, "told again to stop");
    assert_has(f->text, "first stops");
}

static void grace_ends_the_wait(void **state)
{
    struct fixture *f = *state;
    setenv("SHUTDOWN_GRACE_SECONDS", "0", 1);
    (void)start(f, (struct subject){.holding = true});
    finish(f);
    assert_has(f->text, "work was left after SHUTDOWN_GRACE_SECONDS");
}

static void failing_stage_stops_those_before_it(void **state)
{
    struct fixture *f = *state;
    spawn(f, (struct subject){.failing = true}, NULL, NULL);
    assert_int_equal(exit_status(f), 1);
    assert_has(f->text, "cannot start second: i/o error");
    assert_has(f->text, "first stops");
    assert_null(strstr(f->text, "second stops"));
}

static void write_dotenv(const char *text)
{
    FILE *file = fopen(".env", "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void hangup_reloads(void **state)
{
    struct fixture *f = *state;
    write_dotenv("LOG_LEVEL=INFO\n");
    (void)start(f, (struct subject){0});
    write_dotenv("LOG_LEVEL=LOUD\n");
    assert_int_equal(kill(f->pid, SIGHUP), 0);
    (void)wait_for(f, "LOG_LEVEL: not one of DEBUG");
    write_dotenv("LOG_LEVEL=INFO\nOPS_HOST=127.0.0.2\nSHUTDOWN_GRACE_SECONDS=x\n");
    assert_int_equal(kill(f->pid, SIGHUP), 0);
    (void)wait_for(f, "settings kept as they were");
    write_dotenv("LOG_LEVEL=ERROR\nOPS_HOST=127.0.0.2\n");
    assert_int_equal(kill(f->pid, SIGHUP), 0);
    (void)wait_for(f, "OPS_HOST: changed, needs a restart");
    finish(f);
    assert_has(f->text, "first reloads");
    assert_null(strstr(f->text, "first drains")); /* INFO is off now */
}

static void faults_in_settings_stop_the_start(void **state)
{
    struct fixture *f = *state;
    setenv("OPS_PORT", "abc", 1);
    setenv("LOG_LEVEL", "loud", 1);
    spawn(f, (struct subject){0}, NULL, NULL);
    assert_int_equal(exit_status(f), 2);
    assert_has(f->text, "OPS_PORT: \"abc\" is not a whole number, 0 to 65535\n");
    assert_null(strstr(f->text, "starting"));
}

static void production_refuses_weak_settings(void **state)
{
    struct fixture *f = *state;
    setenv("ENVIRONMENT", "production", 1);
    setenv("LOG_LEVEL", "debug", 1);
    setenv("RPC_BIND", "tcp://0.0.0.0:5600", 1);
    spawn(f, (struct subject){0}, NULL, NULL);
    assert_int_equal(exit_status(f), 2);
    assert_has(f->text, "LOG_LEVEL: DEBUG is refused in production\n");
    assert_has(f->text, "RPC_BIND: only a loopback address");
}

static void loopback_and_ipc_are_not_exposed(void **state)
{
    (void)state;
    assert_false(rpc_curve_exposed("ipc:///run/cairn.sock"));
    assert_false(rpc_curve_exposed("tcp://127.0.0.1:5600"));
    assert_false(rpc_curve_exposed("tcp://[::1]:5600"));
    assert_true(rpc_curve_exposed("tcp://*:5600"));
    assert_true(rpc_curve_exposed("tcp://0.0.0.0:5600"));
    assert_true(rpc_curve_exposed("tcp://10.0.0.1:5600"));
}

static void command_line_is_answered(void **state)
{
    static const struct {
        const char *option;
        const char *argument;
        int status;
        const char *text;
    } cases[] = {
        {"--version", NULL, 0, "cairn-subject " CAIRN_VERSION "\n"},
        {"--help", NULL, 0, "cairn-subject " CAIRN_VERSION ": what is tested\n"},
        {"--help", NULL, 0, "OPS_PORT=9199\n"},
        {"--help", NULL, 0, "RPC_BIND=tcp://127.0.0.1:5699\n"},
        {"--print-config", NULL, 0, "OPS_PORT=0\n"},
        {"--config-markdown", NULL, 0, "| `OPS_PORT` | `9199` | 0 to 65535 |"},
        {"--check-config", NULL, 0, ""},
        {"--probe", "ready", 1, ""},
        {"--probe", "maybe", 2, "try --help"},
        {"--probe", NULL, 2, "try --help"},
        {"--nonsense", NULL, 2, "try --help"},
        {"stray", NULL, 2, "try --help"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        f->len = 0;
        f->text[0] = '\0';
        spawn(f, (struct subject){0}, cases[i].option, cases[i].argument);
        assert_int_equal(exit_status(f), cases[i].status);
        assert_has(f->text, cases[i].text);
        close(f->out);
        f->out = -1;
    }
}

static void probe_sees_readiness(void **state)
{
    struct fixture *f = *state;
    uint16_t port = start(f, (struct subject){.holding = true});
    assert_int_equal(sh_service_probe("127.0.0.1", port, "/readyz"), 0);
    assert_int_equal(sh_service_probe("0.0.0.0", port, "/livez"), 0);
    assert_int_equal(sh_service_probe("nonsense", port, "/livez"), 1);
    assert_int_equal(kill(f->pid, SIGTERM), 0);
    (void)wait_for(f, "first drains");
    assert_int_equal(sh_service_probe("127.0.0.1", port, "/readyz"), 1);
    assert_int_equal(sh_service_probe("127.0.0.1", port, "/livez"), 0);
    finish(f);
    assert_int_equal(sh_service_probe("127.0.0.1", port, "/livez"), 1);
}

/* --- over the bus ------------------------------------------------------------------- */

struct caller_side {
    uv_loop_t loop;
    struct sh_zmq_loop *zmq;
    struct sh_rpc_client *client;
    bool answered;
    enum sh_err err;
    struct sh_buffer payload;
};

static void on_answer(void *arg, const struct sh_rpc_response *response)
{
    struct caller_side *side = arg;
    side->answered = true;
    side->err = response->err;
    sh_buffer_append(&side->payload, response->payload.data, response->payload.len);
}

static void open_caller(struct caller_side *side, const char *endpoint)
{
    struct sh_rpc_client_options options = {"subject", endpoint};
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;
    *side = (struct caller_side){0};
    assert_int_equal(uv_loop_init(&side->loop), 0);
    assert_int_equal(sh_zmq_loop_create(&side->loop, &side->zmq), SH_OK);
    assert_int_equal(sh_rpc_client_create(side->zmq, &options, &side->client), SH_OK);
    while (sh_rpc_client_ready(side->client) == 0) {
        assert_true(sh_now_ms() < deadline);
        uv_run(&side->loop, UV_RUN_ONCE);
    }
}

static void close_caller(struct caller_side *side)
{
    sh_rpc_client_close(&side->client);
    sh_zmq_loop_close(&side->zmq);
    uv_run(&side->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&side->loop), 0);
    sh_buffer_free(&side->payload);
}

static struct sh_bytes call(struct caller_side *side, uint32_t method,
                            struct sh_bytes payload)
{
    struct sh_rpc_request request = {
        .method = method,
        .payload = payload,
        .deadline_ms = sh_now_ms() + PATIENCE_MS,
    };
    side->answered = false;
    sh_buffer_clear(&side->payload);
    assert_int_equal(sh_rpc_send(side->client, &request, on_answer, side, NULL), SH_OK);
    while (!side->answered) {
        assert_true(sh_now_ms() < request.deadline_ms + PATIENCE_MS);
        uv_run(&side->loop, UV_RUN_ONCE);
    }
    assert_int_equal(side->err, SH_OK);
    return sh_buffer_bytes(&side->payload);
}

static struct sh_bytes encoded_empty(struct sh_buffer *out)
{
    struct empty message = {0};
    assert_int_equal(msg_encode(empty_desc(), &message, out), SH_OK);
    return sh_buffer_bytes(out);
}

static void bus_answers_echo_and_health(void **state)
{
    struct fixture *f = *state;
    struct caller_side side;
    struct health_reply reply;
    struct sh_arena arena = {0};
    struct sh_buffer request = {0};
    char endpoint[128] = "";
    (void)start(f, (struct subject){0});
    const char *at = wait_for(f, "bus on ") + strlen("bus on ");
    memcpy(endpoint, at, strcspn(at, "\""));
    open_caller(&side, endpoint);

    struct sh_bytes back = call(&side, METHOD_RPC_ECHO, sh_bytes_of("there and back"));
    assert_true(sh_bytes_is(back, "there and back"));
    back = call(&side, METHOD_RPC_HEALTH, encoded_empty(&request));
    assert_int_equal(msg_decode(health_reply_desc(), back, &arena, &reply), SH_OK);
    assert_true(sh_bytes_is(reply.service, "subject"));
    assert_true(sh_bytes_is(reply.version, CAIRN_VERSION));
    assert_true(sh_bytes_is(reply.status, "healthy"));
    assert_true(reply.ready);
    assert_true(reply.resident_bytes > 0);
    assert_int_equal(reply.checks_count, 1);
    assert_true(sh_bytes_is(reply.checks[0].name, "service"));

    close_caller(&side);
    sh_arena_free(&arena);
    sh_buffer_free(&request);
    finish(f);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(ops_port_answers_and_term_ends_it),
        FIXTURE_TEST(metrics_come_in_both_formats),
        FIXTURE_TEST(anything_else_is_refused_as_a_problem),
        FIXTURE_TEST(draining_waits_for_what_is_held),
        FIXTURE_TEST(draining_is_not_ready_but_alive_until_told_again),
        FIXTURE_TEST(grace_ends_the_wait),
        FIXTURE_TEST(failing_stage_stops_those_before_it),
        FIXTURE_TEST(hangup_reloads),
        FIXTURE_TEST(faults_in_settings_stop_the_start),
        FIXTURE_TEST(production_refuses_weak_settings),
        cmocka_unit_test(loopback_and_ipc_are_not_exposed),
        FIXTURE_TEST(command_line_is_answered),
        FIXTURE_TEST(probe_sees_readiness),
        FIXTURE_TEST(bus_answers_echo_and_health),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
