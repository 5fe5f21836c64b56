/* What an error tracker hears, and what it must never hear. The tracker is a real HTTP
 * server on the same loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/http_server.h"
#include "shared/log.h"
#include "shared/metrics.h"
#include "shared/sentry.h"

enum { PATIENCE_MS = 60000 };

struct fixture {
    uv_loop_t loop;
    struct sh_http_server *server;
    struct sh_sentry_config config;
    struct sh_sentry *sentry;
    char dsn[128];
    int status; /* that the tracker answers */
    int heard;
    char path[128], auth[256], type[64], body[8192];
};

static void on_body(void *arg, struct sh_http_request *request, enum sh_err err,
                    struct sh_bytes body)
{
    struct fixture *f = arg;

    assert_int_equal(err, SH_OK);
    (void)snprintf(f->body, sizeof f->body, "%.*s", (int)body.len,
                   (const char *)body.data);
    f->heard++;
    if (f->status == 429)
        sh_http_add_header(request, "Retry-After", "3600");
    sh_http_respond(request, f->status, "application/json", sh_bytes_of("{}"));
}

static void keep(char *out, size_t size, struct sh_bytes text)
{
    (void)snprintf(out, size, "%.*s", (int)text.len,
                   text.data != NULL ? (const char *)text.data : "");
}

static void on_request(void *arg, struct sh_http_request *request)
{
    struct fixture *f = arg;

    keep(f->path, sizeof f->path, sh_http_path(request));
    keep(f->auth, sizeof f->auth, sh_http_header(request, "X-Sentry-Auth"));
    keep(f->type, sizeof f->type, sh_http_header(request, "Content-Type"));
    sh_http_read_all(request, sizeof f->body, on_body, f);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    const struct sh_http_server_options options = {
        .host = "127.0.0.1", .handler = on_request, .arg = f, .metrics_label = "tracker"};
    assert_int_equal(sh_http_server_create(&f->loop, &options, &f->server), SH_OK);
    (void)snprintf(f->dsn, sizeof f->dsn, "http://abc123:hidden@127.0.0.1:%u/sub/42",
                   (unsigned)sh_http_server_port(f->server));
    f->status = 200;
    f->config = (struct sh_sentry_config){.dsn = f->dsn,
                                          .enabled = true,
                                          .environment = "",
                                          .sample_rate = 1,
                                          .per_minute = 1000};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    sh_sentry_close(&f->sentry);
    if (f->server != NULL)
        sh_http_server_close(&f->server);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    free(f);
    return 0;
}

static void open_sentry(struct fixture *f)
{
    assert_int_equal(
        sh_sentry_open(&f->loop, &f->config, "gateway", "staging", &f->sentry), SH_OK);
}

static double events(const char *result)
{
    struct sh_buffer text = {0};
    char wanted[96];
    double value = 0;

    sh_metrics_render(&text, false);
    sh_buffer_append(&text, "", 1);
    (void)snprintf(wanted, sizeof wanted, "cairn_sentry_events_total{result=\"%s\"} ",
                   result);
    const char *found = strstr(text.data, wanted);
    if (found != NULL)
        value = strtod(found + strlen(wanted), NULL);
    sh_buffer_free(&text);
    return value;
}

#define pump_until(f, condition)                                                         \
    do {                                                                                 \
        uint64_t until_ = sh_now_ms() + PATIENCE_MS;                                     \
        while (!(condition)) {                                                           \
            uv_run(&(f)->loop, UV_RUN_NOWAIT);                                           \
            assert_true(sh_left_ms(until_) > 0);                                         \
        }                                                                                \
    } while (0)

static json_t *event_of(const struct fixture *f)
{
    const char *first = strchr(f->body, '\n');
    const char *second = first != NULL ? strchr(first + 1, '\n') : NULL;

    assert_non_null(second);
    assert_true(first != NULL && strncmp(first, "\n{\"type\":\"event\"}\n", 18) == 0);
    json_t *event = json_loads(second + 1, JSON_DISABLE_EOF_CHECK, NULL);
    assert_non_null(event);
    return event;
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* --- what is told ----------------------------------------------------------------- */

static void an_error_is_told_with_its_place_and_trace(void **state)
{
    struct fixture *f = *state;
    struct sh_trace trace;

    open_sentry(f);
    sh_trace_start(&trace);
    sh_warning(NULL, "a warning is nobody's business");
    sh_error(&trace, "the disk is full");
    pump_until(f, f->heard == 1);
    assert_string_equal(f->path, "/sub/api/42/envelope/");
    assert_string_equal(f->type, "application/x-sentry-envelope");
    assert_non_null(strstr(f->auth, "sentry_key=abc123"));
    assert_null(strstr(f->auth, "hidden"));
    json_t *event = event_of(f);
    assert_string_equal(text_of(event, "level"), "error");
    assert_string_equal(text_of(event, "logger"), "cairn.gateway");
    assert_string_equal(text_of(event, "environment"), "staging");
    assert_string_equal(text_of(event, "release"), "cairn@" CAIRN_VERSION);
    assert_string_equal(text_of(json_object_get(event, "message"), "formatted"),
                        "the disk is full");
    assert_string_equal(text_of(json_object_get(event, "tags"), "request_id"),
                        trace.request_id);
    assert_int_equal(
        strlen(text_of(json_object_get(json_object_get(event, "contexts"), "trace"),
                       "trace_id")),
        32);
    assert_int_equal(strlen(text_of(event, "event_id")), 32);
    json_decref(event);
}

static void secrets_do_not_leave(void **state)
{
    struct fixture *f = *state;

    open_sentry(f);
    sh_error(NULL, "login failed: password=hunter2 at postgresql://u:pw-secret@db/x, "
                   "Authorization: Bearer abc.def-ghi, {\"token\":\"t0k3n\"}");
    pump_until(f, f->heard == 1);
    static const char *const secrets[] = {"hunter2", "pw-secret", "abc.def", "t0k3n"};
    for (size_t i = 0; i < SH_COUNT(secrets); i++)
        assert_null(strstr(f->body, secrets[i]));
    assert_non_null(strstr(f->body, "login failed"));
}

static void known_forms_of_secrets_are_removed(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"nothing to hide", "nothing to hide"},
        {"the password is wrong", "the password is wrong"},
        {"password=a&x=1", "password=[removed]&x=1"},
        {"DB_PASSWORD: a b", "DB_PASSWORD: [removed] b"},
        {"\"api_key\": \"a b\", c", "\"api_key\": \"[removed]\", c"},
        {"{'secret':'x'}", "{'secret':'[removed]'}"},
        {"redis://:pw@host/0", "redis://[removed]@host/0"},
        {"http://host/a@b", "http://host/a@b"},
        {"Bearer abc.def", "Bearer [removed]"},
        {"authorization=Basic dXNlcjpwdw== end", "authorization=[removed] end"},
        {"got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln now", "got [removed] now"},
        {"Cookie: a=b; c=d", "Cookie: [removed]; c=d"},
        {"query=\"my question\" failed", "query=\"[removed]\" failed"},
        {"password=", "password="},
        {"password=\"", "password=\""},
        {"", ""},
    };

    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        struct sh_buffer out = {0};
        sh_scrub(cases[i][0], &out);
        sh_buffer_append(&out, "", 1);
        assert_string_equal(out.data, cases[i][1]);
        sh_buffer_free(&out);
    }
}

/* --- what is not ------------------------------------------------------------------ */

static void without_a_dsn_nobody_is_told(void **state)
{
    struct fixture *f = *state;

    f->config.dsn = "";
    open_sentry(f);
    assert_null(f->sentry);
    f->config.dsn = f->dsn;
    f->config.enabled = false;
    open_sentry(f);
    assert_null(f->sentry);
}

static void what_is_no_dsn_is_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"x",
                                      "http://",
                                      "http://host/1",
                                      "http://@host/1",
                                      "http://key@host",
                                      "http://key@host/",
                                      "ftp://key@host/1",
                                      "http://key@host/1\r\nX: y",
                                      "http://k ey@host/1"};

    for (size_t i = 0; i < SH_COUNT(bad); i++) {
        f->config.dsn = bad[i];
        assert_int_equal(
            sh_sentry_open(&f->loop, &f->config, "gateway", "staging", &f->sentry),
            SH_INVALID);
        assert_null(f->sentry);
    }
}

static void too_many_are_dropped(void **state)
{
    struct fixture *f = *state;
    double before = events("sent") + events("limited");

    f->config.per_minute = 3;
    open_sentry(f);
    for (int i = 0; i < 15; i++)
        sh_error(NULL, "again %d", i);
    pump_until(f, events("sent") + events("limited") >= before + 15);
    assert_true(f->heard >= 3);
    assert_true(f->heard < 15);
}

static void say(const char *text)
{
    sh_error(NULL, "%s", text);
}

static void a_tracker_that_asks_for_a_pause_gets_one(void **state)
{
    struct fixture *f = *state;
    double limited = events("limited");

    f->status = 429;
    open_sentry(f);
    sh_error(NULL, "first");
    pump_until(f, f->heard == 1);
    /* its answer is on the way; what was sent before it came does not matter */
    pump_until(f, (say("second"), events("limited") > limited));
    int heard = f->heard;
    sh_error(NULL, "third");
    limited = events("limited");
    pump_until(f, events("limited") > limited);
    assert_int_equal(f->heard, heard);
}

static void a_tracker_that_is_away_changes_nothing(void **state)
{
    struct fixture *f = *state;
    double failed = events("failed");

    sh_http_server_close(&f->server);
    open_sentry(f);
    sh_error(NULL, "nobody hears this");
    pump_until(f, events("failed") > failed);
}

static void closing_gives_up_what_is_under_way(void **state)
{
    struct fixture *f = *state;

    open_sentry(f);
    for (int i = 0; i < 10; i++)
        sh_error(NULL, "under way %d", i);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    sh_sentry_close(&f->sentry);
    sh_error(NULL, "after the end");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(an_error_is_told_with_its_place_and_trace),
        CASE(secrets_do_not_leave),
        cmocka_unit_test(known_forms_of_secrets_are_removed),
        CASE(without_a_dsn_nobody_is_told),
        CASE(what_is_no_dsn_is_refused),
        CASE(too_many_are_dropped),
        CASE(a_tracker_that_asks_for_a_pause_gets_one),
        CASE(a_tracker_that_is_away_changes_nothing),
        CASE(closing_gives_up_what_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
