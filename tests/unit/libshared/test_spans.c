/* What a collector of traces gets, and what becomes of what it does not take. The
 * collector is a real HTTP server on the same loop. */
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
#include "shared/metrics.h"
#include "shared/spans.h"

enum { PATIENCE_MS = 60000, BODY_MAX = 1 << 20 };

struct fixture {
    uv_loop_t loop;
    struct sh_http_server *server;
    struct sh_spans_config config;
    struct sh_spans *spans;
    char endpoint[128];
    int status; /* that the collector answers */
    int heard;
    char path[64], key[64], type[64];
    json_t *body; /* of the last post */
};

static void on_body(void *arg, struct sh_http_request *request, enum sh_err err,
                    struct sh_bytes body)
{
    struct fixture *f = arg;

    assert_int_equal(err, SH_OK);
    json_decref(f->body);
    f->body = json_loadb(body.data, body.len, 0, NULL);
    assert_non_null(f->body);
    f->heard++;
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
    keep(f->key, sizeof f->key, sh_http_header(request, "X-Key"));
    keep(f->type, sizeof f->type, sh_http_header(request, "Content-Type"));
    sh_http_read_all(request, BODY_MAX, on_body, f);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    const struct sh_http_server_options options = {
        .host = "127.0.0.1", .handler = on_request, .arg = f, .metrics_label = "spans"};
    assert_int_equal(sh_http_server_create(&f->loop, &options, &f->server), SH_OK);
    (void)snprintf(f->endpoint, sizeof f->endpoint, "http://127.0.0.1:%u/",
                   (unsigned)sh_http_server_port(f->server));
    f->status = 200;
    f->config = (struct sh_spans_config){
        .endpoint = f->endpoint, .headers = "X-Key=s3cret", .ratio = 1, .delay_ms = 10};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    sh_spans_close(&f->spans);
    sh_http_server_close(&f->server);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    json_decref(f->body);
    free(f);
    return 0;
}

static void open_spans(struct fixture *f)
{
    assert_int_equal(sh_spans_open(&f->loop, &f->config, "search", "staging", &f->spans),
                     SH_OK);
}

static double counted(const char *result)
{
    struct sh_buffer text = {0};
    char wanted[96];
    double value = 0;

    sh_metrics_render(&text, false);
    sh_buffer_append(&text, "", 1);
    assert_int_equal(text.err, SH_OK);
    (void)snprintf(wanted, sizeof wanted, "cairn_spans_total{result=\"%s\"} ", result);
    const char *line = strstr(text.data, wanted);
    if (line != NULL)
        value = strtod(line + strlen(wanted), NULL);
    sh_buffer_free(&text);
    return value;
}

static void run_until_counted(struct fixture *f, const char *result, double most)
{
    uint64_t until = sh_now_ms() + PATIENCE_MS;
    while (counted(result) < most) {
        assert_true(sh_now_ms() < until);
        uv_run(&f->loop, UV_RUN_ONCE);
    }
}

static const json_t *first_span(const struct fixture *f)
{
    const json_t *spans = NULL;
    assert_int_equal(json_unpack(f->body, "{s:[{s:[{s:o}]}]}", "resourceSpans",
                                 "scopeSpans", "spans", &spans),
                     0);
    return json_array_get(spans, 0);
}

static const char *text_of(const json_t *span, const char *name)
{
    const char *text = json_string_value(json_object_get(span, name));
    assert_non_null(text);
    return text;
}

/* The value of an attribute, whatever its type: OTLP writes both as text. */
static const char *note_of(const json_t *span, const char *key)
{
    size_t i;
    const json_t *note;
    json_array_foreach(json_object_get(span, "attributes"), i, note)
    {
        if (strcmp(text_of(note, "key"), key) == 0) {
            json_t *value = json_object_get(note, "value");
            return json_string_value(json_object_iter_value(json_object_iter(value)));
        }
    }
    return NULL;
}

static void end_one(const struct sh_trace *trace, bool failed)
{
    sh_span_ended(trace, &(struct sh_span){.kind = SH_SPAN_CLIENT,
                                           .name = "document_put",
                                           .took_us = 1500,
                                           .failed = failed,
                                           .notes = {{"db.system.name", "postgresql", 0},
                                                     {"rows", NULL, 7}}});
}

static void a_span_says_whose_it_is_and_what_it_took(void **state)
{
    struct fixture *f = *state;
    struct sh_trace above;
    char parent[56], own[56];
    double before = counted("sent");

    open_spans(f);
    sh_trace_start(&above);
    struct sh_trace trace = sh_trace_child(&above);
    end_one(&trace, true);
    run_until_counted(f, "sent", before + 1);
    assert_string_equal(f->path, "/v1/traces");
    assert_string_equal(f->key, "s3cret");
    assert_string_equal(f->type, "application/json");
    const json_t *span = first_span(f);
    sh_trace_format(&above, parent);
    sh_trace_format(&trace, own);
    assert_memory_equal(text_of(span, "traceId"), own + 3, 32);
    assert_memory_equal(text_of(span, "spanId"), own + 36, 16);
    assert_memory_equal(text_of(span, "parentSpanId"), parent + 36, 16);
    assert_string_equal(text_of(span, "name"), "document_put");
    assert_int_equal(json_integer_value(json_object_get(span, "kind")), 3);
    assert_string_equal(note_of(span, "db.system.name"), "postgresql");
    assert_string_equal(note_of(span, "rows"), "7");
    assert_string_equal(note_of(span, "cairn.request_id"), trace.request_id);
    assert_int_equal(strtoull(text_of(span, "endTimeUnixNano"), NULL, 10) -
                         strtoull(text_of(span, "startTimeUnixNano"), NULL, 10),
                     1500000);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(span, "status"), "code")), 2);
}

static void the_first_span_of_a_trace_has_no_parent(void **state)
{
    struct fixture *f = *state;
    struct sh_trace trace;
    double before = counted("sent");

    open_spans(f);
    sh_trace_start(&trace);
    end_one(&trace, false);
    run_until_counted(f, "sent", before + 1);
    assert_null(json_object_get(first_span(f), "parentSpanId"));
}

static void what_is_not_sampled_is_not_told(void **state)
{
    struct fixture *f = *state;
    struct sh_trace trace, told;
    double before = counted("sent");

    f->config.ratio = 0;
    open_spans(f);
    sh_trace_start(&trace);
    assert_int_equal(trace.flags, 0);
    end_one(&trace, false);
    told = trace;
    told.flags = 1; /* as a caller's traceparent may say */
    end_one(&told, false);
    run_until_counted(f, "sent", before + 1);
    const json_t *spans = NULL;
    assert_int_equal(json_unpack(f->body, "{s:[{s:[{s:o}]}]}", "resourceSpans",
                                 "scopeSpans", "spans", &spans),
                     0);
    assert_int_equal(json_array_size(spans), 1);
}

static void a_collector_that_refuses_costs_spans_and_no_more(void **state)
{
    struct fixture *f = *state;
    struct sh_trace trace;
    double failed = counted("failed"), sent = counted("sent");

    f->status = 503;
    open_spans(f);
    sh_trace_start(&trace);
    end_one(&trace, false);
    run_until_counted(f, "failed", failed + 1);
    f->status = 200;
    end_one(&trace, false);
    run_until_counted(f, "sent", sent + 1);
}

static void more_than_there_is_room_for_is_dropped_and_counted(void **state)
{
    struct fixture *f = *state;
    struct sh_trace trace;
    double before = counted("no_room"), sent = counted("sent");

    open_spans(f);
    sh_trace_start(&trace);
    for (int i = 0; i < 2048 + 5; i++) /* the loop does not run meanwhile */
        end_one(&trace, false);
    assert_int_equal(counted("no_room") - before, 5);
    run_until_counted(f, "sent", sent + 2048);
    assert_int_equal(f->heard, 2048 / 256);
}

static void nobody_collects_without_an_endpoint(void **state)
{
    struct fixture *f = *state;
    struct sh_trace trace;

    f->config.endpoint = "";
    open_spans(f);
    assert_null(f->spans);
    sh_trace_start(&trace);
    assert_int_equal(trace.flags, 1);
    end_one(&trace, false);
}

static void settings_that_are_none_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const endpoints[] = {"localhost:4318", "ftp://h", "http://a b",
                                            "http://h\r\nX: y"};

    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        f->config.endpoint = endpoints[i];
        assert_int_equal(sh_spans_open(&f->loop, &f->config, "search", "", &f->spans),
                         SH_INVALID);
    }
    f->config.endpoint = f->endpoint;
    f->config.headers = "no value";
    assert_int_equal(sh_spans_open(&f->loop, &f->config, "search", "", &f->spans),
                     SH_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_span_says_whose_it_is_and_what_it_took, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_first_span_of_a_trace_has_no_parent, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_sampled_is_not_told, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_collector_that_refuses_costs_spans_and_no_more,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            more_than_there_is_room_for_is_dropped_and_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_collects_without_an_endpoint, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(settings_that_are_none_are_refused, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
