#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "shared/clock.h"
#include "shared/trace.h"

#define PARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static void new_traces_differ_and_are_valid(void **state)
{
    (void)state;
    struct sh_trace a;
    struct sh_trace b;
    char text[56];
    sh_trace_start(&a);
    sh_trace_start(&b);
    assert_memory_not_equal(a.trace_id, b.trace_id, 16);
    assert_string_not_equal(a.request_id, b.request_id);
    assert_int_equal(strlen(a.request_id), 16);
    assert_memory_equal(a.request_id, "req_", 4);
    sh_trace_format(&a, text);
    assert_int_equal(strlen(text), 55);
    assert_true(sh_trace_parse(&b, sh_bytes_of(text)));
    assert_memory_equal(a.trace_id, b.trace_id, 16);
    assert_memory_equal(a.span_id, b.span_id, 8);
}

static void traceparent_survives_a_round_trip(void **state)
{
    (void)state;
    struct sh_trace trace = {0};
    char text[56];
    assert_true(sh_trace_parse(&trace, sh_bytes_of(PARENT)));
    assert_int_equal(trace.flags, 1);
    sh_trace_format(&trace, text);
    assert_string_equal(text, PARENT);
}

static void child_keeps_the_trace_and_gets_a_span(void **state)
{
    (void)state;
    struct sh_trace parent;
    sh_trace_start(&parent);
    struct sh_trace child = sh_trace_child(&parent);
    assert_memory_equal(parent.trace_id, child.trace_id, 16);
    assert_string_equal(parent.request_id, child.request_id);
    assert_memory_not_equal(parent.span_id, child.span_id, 8);
}

static void invalid_traceparents_change_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
    };
    struct sh_trace before;
    sh_trace_start(&before);
    for (size_t i = 0; i < SH_COUNT(bad); i++) {
        struct sh_trace after = before;
        assert_false(sh_trace_parse(&after, sh_bytes_of(bad[i])));
        assert_memory_equal(&after, &before, sizeof(after));
    }
}

static void later_versions_may_go_on(void **state)
{
    (void)state;
    struct sh_trace trace = {0};
    assert_true(sh_trace_parse(
        &trace,
        sh_bytes_of("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x")));
}

static void request_ids_are_checked(void **state)
{
    (void)state;
    struct sh_trace trace = {0};
    char long_id[66];
    memset(long_id, 'a', 65);
    long_id[65] = '\0';
    assert_true(sh_trace_set_request_id(&trace, sh_bytes_of("trace-me_1.A")));
    assert_string_equal(trace.request_id, "trace-me_1.A");
    assert_false(sh_trace_set_request_id(&trace, sh_bytes_of("")));
    assert_false(sh_trace_set_request_id(&trace, sh_bytes_of(long_id)));
    assert_false(sh_trace_set_request_id(&trace, sh_bytes_of("a\nb")));
    assert_false(sh_trace_set_request_id(&trace, sh_bytes_of("a b")));
    assert_false(sh_trace_set_request_id(&trace, (struct sh_bytes){"a\0b", 3}));
    assert_string_equal(trace.request_id, "trace-me_1.A");
    long_id[64] = '\0';
    assert_true(sh_trace_set_request_id(&trace, sh_bytes_of(long_id)));
}

static void wall_time_prints_as_rfc_3339(void **state)
{
    (void)state;
    char text[32];
    sh_wall_text(1769860800.0, text);
    assert_string_equal(text, "2026-01-31T12:00:00.000Z");
    sh_wall_text(1769860800.9999, text);
    assert_string_equal(text, "2026-01-31T12:00:00.999Z");
    sh_wall_text(1769860800.123, text);
    assert_string_equal(text, "2026-01-31T12:00:00.123Z");
    sh_wall_text(-0.5, text);
    assert_string_equal(text, "1969-12-31T23:59:59.500Z");
    sh_wall_text(1e300, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
}

static void deadlines_run_out(void **state)
{
    (void)state;
    uint64_t now = sh_now_ms();
    assert_int_equal(sh_left_ms(0), 0);
    assert_in_range(sh_left_ms(now + 60000), 1, 60000);
    assert_true(sh_left_ms(SH_NO_DEADLINE) > UINT64_MAX / 2);
    assert_true(sh_now_us() / 1000 >= now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_traces_differ_and_are_valid),
        cmocka_unit_test(traceparent_survives_a_round_trip),
        cmocka_unit_test(child_keeps_the_trace_and_gets_a_span),
        cmocka_unit_test(invalid_traceparents_change_nothing),
        cmocka_unit_test(later_versions_may_go_on),
        cmocka_unit_test(request_ids_are_checked),
        cmocka_unit_test(wall_time_prints_as_rfc_3339),
        cmocka_unit_test(deadlines_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
