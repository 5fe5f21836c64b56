#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cli/api/events.h"

static char seen[512];
static size_t most = SIZE_MAX; /* events that are wanted */

static bool on_event(void *arg, const char *name, struct sh_bytes data)
{
    size_t len = strlen(seen);
    (void)arg;
    (void)snprintf(seen + len, sizeof(seen) - len, "<%s|%.*s>", name, (int)data.len,
                   (const char *)data.data);
    return --most > 0;
}

static bool feed(const char *text, size_t piece)
{
    struct events events = {.on_event = on_event};
    struct sh_bytes all = sh_bytes_of(text);
    bool more = true;
    seen[0] = '\0';
    for (size_t at = 0; more && at < all.len; at += piece) {
        size_t len = all.len - at < piece ? all.len - at : piece;
        more = events_feed(&events, (struct sh_bytes){text + at, len});
    }
    events_free(&events);
    return more;
}

static void events_come_out_however_the_bytes_are_cut(void **state)
{
    (void)state;
    static const char *const streams[] = {
        "event: progress\ndata: {\"a\":1}\n\n: alive\n\ndata:x\ndata: y\n\nid: 3\n\n"
        "event: end\ndata: z\n\nevent: cut\ndata: off\n",
        "event: progress\r\ndata: {\"a\":1}\r\n\r\n: alive\r\n\r\ndata:x\r\ndata: y\r\n"
        "\r\nid: 3\r\n\r\nevent: end\r\ndata: z\r\n\r\nevent: cut\r\ndata: off\r\n",
        "event: progress\rdata: {\"a\":1}\r\r: alive\r\rdata:x\rdata: y\r\rid: 3\r\r"
        "event: end\rdata: z\r\revent: cut\rdata: off\r",
    };
    for (size_t i = 0; i < SH_COUNT(streams); i++) {
        for (size_t piece = 1; piece <= strlen(streams[i]); piece++) {
            assert_true(feed(streams[i], piece));
            assert_string_equal(seen, "<progress|{\"a\":1}><message|x\ny><end|z>");
        }
    }
}

static void whoever_listens_can_end_it(void **state)
{
    (void)state;
    most = 1;
    assert_false(feed("data: a\n\ndata: b\n\n", 100));
    assert_string_equal(seen, "<message|a>");
    most = SIZE_MAX;
}

static void an_event_without_end_is_not_kept(void **state)
{
    (void)state;
    static char piece[1 << 16];
    struct events events = {.on_event = on_event};
    size_t fed = 0;
    memset(piece, 'x', sizeof(piece));
    while (events_feed(&events, (struct sh_bytes){piece, sizeof(piece)}))
        assert_true((fed += sizeof(piece)) <= EVENTS_BYTES_MAX);
    assert_true(events.line.len <= EVENTS_BYTES_MAX + sizeof(piece));
    events_free(&events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_out_however_the_bytes_are_cut),
        cmocka_unit_test(whoever_listens_can_end_it),
        cmocka_unit_test(an_event_without_end_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
