/* Bolt's encoding, and the pieces that messages are cut into. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "services/gateway/bolt/chunks.h"
#include "services/gateway/bolt/packstream.h"

#define BYTES(...)                                                                       \
    (struct sh_bytes)                                                                    \
    {                                                                                    \
        (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})           \
    }

static struct ps_token only(const struct sh_buffer *buffer)
{
    struct ps_cursor cursor = ps_over(sh_buffer_bytes(buffer));
    struct ps_token token;

    assert_int_equal(buffer->err, SH_OK);
    assert_true(ps_next(&cursor, &token));
    return token;
}

/* --- encoding --------------------------------------------------------------------- */

static void integers_take_their_shortest_form(void **state)
{
    static const struct {
        int64_t value;
        size_t size;
    } cases[] = {
        {0, 1},
        {127, 1},
        {-16, 1},
        {-17, 2},
        {-128, 2},
        {128, 3},
        {-129, 3},
        {INT16_MAX, 3},
        {INT16_MIN, 3},
        {INT16_MAX + 1, 5},
        {INT32_MIN, 5},
        {INT32_MAX, 5},
        {(int64_t)INT32_MAX + 1, 9},
        {INT64_MIN, 9},
        {INT64_MAX, 9},
    };

    (void)state;
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        struct sh_buffer out = {0};
        ps_int(&out, cases[i].value);
        assert_int_equal(out.len, cases[i].size);
        assert_int_equal(ps_scan(sh_buffer_bytes(&out)), SH_OK);
        struct ps_token token = only(&out);
        assert_int_equal(token.kind, PS_INT);
        assert_true(token.number == cases[i].value);
        sh_buffer_free(&out);
    }
}

static void sizes_choose_the_marker(void **state)
{
    static const size_t sizes[] = {0, 15, 16, 255, 256, 65535, 65536};
    static const size_t heads[] = {1, 1, 2, 2, 3, 3, 5};
    char *text = calloc(1, 65536);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', 65536);
    for (size_t i = 0; i < SH_COUNT(sizes); i++) {
        struct sh_buffer out = {0};
        ps_text(&out, (struct sh_bytes){text, sizes[i]});
        assert_int_equal(out.len, heads[i] + sizes[i]);
        struct ps_token token = only(&out);
        assert_int_equal(token.kind, PS_TEXT);
        assert_int_equal(token.bytes.len, sizes[i]);
        sh_buffer_clear(&out);
        ps_bytes(&out, (struct sh_bytes){text, sizes[i]});
        token = only(&out);
        assert_int_equal(token.kind, PS_BYTES);
        assert_int_equal(token.bytes.len, sizes[i]);
        assert_int_equal(ps_scan(sh_buffer_bytes(&out)), SH_OK);
        sh_buffer_clear(&out);
        ps_list(&out, sizes[i]);
        for (size_t n = 0; n < sizes[i]; n++)
            ps_null(&out);
        token = only(&out);
        assert_int_equal(token.kind, PS_LIST);
        assert_int_equal(token.number, sizes[i]);
        assert_int_equal(ps_scan(sh_buffer_bytes(&out)), SH_OK);
        sh_buffer_free(&out);
    }
    free(text);
}

static void put_everything(struct sh_buffer *out)
{
    ps_struct(out, 'Z', 8);
    ps_null(out);
    ps_bool(out, true);
    ps_float(out, -0.5);
    ps_text(out, sh_bytes_of("naïve"));
    ps_bytes(out, BYTES(0xff, 0));
    ps_list(out, 2);
    ps_int(out, 1);
    ps_bool(out, false);
    ps_map(out, 2);
    ps_word(out, "a");
    ps_int(out, 70000);
    ps_word(out, "b");
    ps_list(out, 0);
    ps_int(out, -1);
}

static void every_truncation_is_refused(void **state)
{
    struct sh_buffer out = {0};

    (void)state;
    put_everything(&out);
    assert_int_equal(ps_scan(sh_buffer_bytes(&out)), SH_OK);
    for (size_t len = 0; len < out.len; len++) {
        char *exact = malloc(len > 0 ? len : 1); /* so that a byte more is noticed */
        assert_non_null(exact);
        memcpy(exact, out.data, len);
        assert_int_equal(ps_scan((struct sh_bytes){exact, len}), SH_MALFORMED);
        free(exact);
    }
    ps_null(&out);
    assert_int_equal(ps_scan(sh_buffer_bytes(&out)), SH_MALFORMED); /* something behind */
    sh_buffer_free(&out);
}

static void what_no_message_may_hold_is_refused(void **state)
{
    (void)state;
    assert_int_equal(ps_scan(BYTES(0xc4)), SH_MALFORMED);       /* unused marker */
    assert_int_equal(ps_scan(BYTES(0xdc, 0, 0)), SH_MALFORMED); /* no long structures */
    assert_int_equal(ps_scan(BYTES(0xa1, 1, 1)), SH_MALFORMED); /* key that is no text */
    assert_int_equal(ps_scan(BYTES(0x82, 0xff, 0xfe)), SH_MALFORMED); /* UTF-8 */
    assert_int_equal(ps_scan(BYTES(0xd2, 0xff, 0xff, 0xff, 0xff, 'x')), SH_MALFORMED);
    assert_int_equal(ps_scan(BYTES(0xd6, 0xff, 0xff, 0xff, 0xff, 1)), SH_MALFORMED);
    assert_int_equal(ps_scan(BYTES(0xda, 0, 0, 0, 2, 0x81, 'a', 1)), SH_MALFORMED);
}

static void depth_is_bounded(void **state)
{
    struct sh_buffer out = {0};

    (void)state;
    for (int i = 0; i < PS_DEPTH_MAX - 1; i++)
        ps_list(&out, 1);
    ps_int(&out, 1);
    assert_int_equal(ps_scan(sh_buffer_bytes(&out)), SH_OK);
    sh_buffer_clear(&out);
    for (int i = 0; i < 100000; i++)
        ps_list(&out, 1);
    ps_int(&out, 1);
    assert_int_equal(ps_scan(sh_buffer_bytes(&out)), SH_TOOBIG);
    sh_buffer_free(&out);
}

static void maps_are_searched(void **state)
{
    struct sh_buffer out = {0};
    struct sh_bytes text;
    int64_t number;

    (void)state;
    ps_map(&out, 3);
    ps_word(&out, "first");
    ps_list(&out, 2);
    ps_map(&out, 1);
    ps_word(&out, "n");
    ps_int(&out, 99);
    ps_null(&out);
    ps_word(&out, "n");
    ps_int(&out, -7);
    ps_word(&out, "t");
    ps_word(&out, "text");
    struct ps_cursor map = ps_over(sh_buffer_bytes(&out));
    assert_true(ps_find_int(map, "n", &number)); /* not the one inside */
    assert_int_equal(number, -7);
    assert_true(ps_find_text(map, "t", &text));
    assert_true(sh_bytes_is(text, "text"));
    assert_false(ps_find_text(map, "n", &text));
    assert_false(ps_find_int(map, "none", &number));
    sh_buffer_free(&out);
}

/* --- pieces ----------------------------------------------------------------------- */

static void put_big_message(struct sh_buffer *out, size_t len)
{
    char *text = malloc(len);

    assert_non_null(text);
    for (size_t i = 0; i < len; i++)
        text[i] = (char)('a' + i % 26);
    size_t begin = chunks_begin(out);
    ps_text(out, (struct sh_bytes){text, len});
    chunks_end(out, begin);
    assert_int_equal(out->err, SH_OK);
    free(text);
}

/* In steps of `step` bytes; what is not taken comes again with more. */
static size_t feed(struct chunks *chunks, struct sh_bytes bytes, size_t step)
{
    size_t at = 0, end = 0, taken;

    while (at < bytes.len || end < bytes.len) {
        end = end + step < bytes.len ? end + step : bytes.len;
        struct sh_bytes part = {(const char *)bytes.data + at, end - at};
        enum chunks_result result = chunks_take(chunks, part, &taken);
        at += taken;
        if (result == CHUNKS_MESSAGE)
            return at;
        assert_int_equal(result, CHUNKS_MORE);
    }
    fail_msg("no message");
    return 0;
}

static void messages_survive_any_cut(void **state)
{
    static const size_t sizes[] = {1, 100, 65530, 65532, 65535, 65536, 200000};
    static const size_t steps[] = {1, 2, 3, 7, 4096, 1 << 20};

    (void)state;
    for (size_t i = 0; i < SH_COUNT(sizes); i++) {
        struct sh_buffer out = {0};
        struct ps_token token;
        put_big_message(&out, sizes[i]);
        for (size_t s = 0; s < SH_COUNT(steps); s++) {
            struct chunks chunks = {.most = 1 << 20};
            assert_int_equal(feed(&chunks, sh_buffer_bytes(&out), steps[s]), out.len);
            token = only(&chunks.message);
            assert_int_equal(ps_scan(sh_buffer_bytes(&chunks.message)), SH_OK);
            assert_int_equal(token.bytes.len, sizes[i]);
            const char *text = token.bytes.data;
            assert_int_equal(text[sizes[i] - 1], 'a' + (int)((sizes[i] - 1) % 26));
            chunks_free(&chunks);
        }
        sh_buffer_free(&out);
    }
}

static void signs_of_life_are_passed_over(void **state)
{
    struct chunks chunks = {.most = 16};
    struct sh_bytes bytes = BYTES(0, 0, 0, 0, 0, 2, 0xb0, 0x0f, 0, 0, 0, 0);
    size_t taken;

    (void)state;
    assert_false(chunks_is_partial(&chunks));
    assert_int_equal(chunks_take(&chunks, bytes, &taken), CHUNKS_MESSAGE);
    assert_int_equal(taken, 10);
    assert_int_equal(chunks.message.len, 2);
    chunks_free(&chunks);
}

static void a_message_over_its_limit_is_refused_before_it_is_there(void **state)
{
    struct chunks chunks = {.most = 4};
    size_t taken;

    (void)state;
    assert_int_equal(chunks_take(&chunks, BYTES(0xff, 0xff, 1, 2, 3), &taken),
                     CHUNKS_MORE);
    assert_true(chunks_is_partial(&chunks));
    assert_int_equal(chunks_take(&chunks, BYTES(4, 5), &taken), CHUNKS_TOO_BIG);
    chunks_free(&chunks);
}

static void a_reset_is_seen_among_what_has_come(void **state)
{
    (void)state;
    assert_true(chunks_hold(BYTES(0, 2, 0xb0, 0x0f, 0, 0), 0x0f));
    assert_true(
        chunks_hold(BYTES(0, 0, 0, 1, 9, 0, 1, 9, 0, 0, 0, 2, 0xb0, 0x0f, 0, 0), 0x0f));
    assert_false(chunks_hold(BYTES(0, 2, 0xb0, 0x0f), 0x0f));       /* not whole */
    assert_false(chunks_hold(BYTES(0, 2, 0xb0, 0x0e, 0, 0), 0x0f)); /* another */
    assert_false(chunks_hold(BYTES(0, 6, 0, 2, 0xb0, 0x0f, 0, 0, 0, 0), 0x0f)); /* data */
    assert_false(chunks_hold(BYTES(0, 1, 1, 0, 2, 0xb0, 0x0f, 0, 0), 0x0f)); /* its end */
    assert_false(chunks_hold(BYTES(0xff, 0xff, 1), 0x0f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_take_their_shortest_form),
        cmocka_unit_test(sizes_choose_the_marker),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(what_no_message_may_hold_is_refused),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(maps_are_searched),
        cmocka_unit_test(messages_survive_any_cut),
        cmocka_unit_test(signs_of_life_are_passed_over),
        cmocka_unit_test(a_message_over_its_limit_is_refused_before_it_is_there),
        cmocka_unit_test(a_reset_is_seen_among_what_has_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
