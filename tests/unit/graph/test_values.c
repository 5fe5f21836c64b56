/* Properties as JSON: the writer's own texts and numbers beside those of the library that
 * reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>
#include <utf8proc.h>

#include "services/graph/view/values.h"

static uint64_t draw(uint64_t below)
{
    static uint64_t state = 88172645463325252U; /* xorshift64 (Marsaglia 2003) */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % below;
}

/* What the reader makes of what was written must be the same bytes. */
static void expect_same(struct sh_bytes text)
{
    struct sh_buffer out = {0};
    json_error_t error;
    values_write_text(&out, text);
    assert_int_equal(out.err, SH_OK);
    json_t *read =
        json_loadb(out.data, out.len,
                   JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
    assert_non_null(read);
    assert_int_equal(json_string_length(read), text.len);
    assert_memory_equal(json_string_value(read), text.data, text.len);
    json_t *string = json_stringn_nocheck(text.data, text.len);
    char *theirs = json_dumps(string, JSON_ENCODE_ANY);
    assert_non_null(theirs);
    assert_int_equal(strlen(theirs), out.len);
    assert_memory_equal(theirs, out.data, out.len);
    free(theirs);
    json_decref(string);
    json_decref(read);
    sh_buffer_free(&out);
}

static size_t put_character(unsigned char *at)
{
    static const uint32_t below[] = {0x20, 0x80, 0x80, 0x80, 0x800, 0xD800, 0x110000};
    uint32_t code = (uint32_t)draw(below[draw(SH_COUNT(below))]);
    if (code >= 0xD800 && code < 0xE000)
        code = '"';
    return (size_t)utf8proc_encode_char((utf8proc_int32_t)code, at);
}

static void texts_are_what_the_reader_expects(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        unsigned char text[256];
        size_t len = 0;
        for (uint64_t left = draw(60); left > 0; left--)
            len += put_character(text + len);
        expect_same((struct sh_bytes){text, len});
    }
}

static void what_is_no_character_becomes_one(void **state)
{
    static const struct {
        const char *text;
        const char *json;
    } cases[] = {
        {"a\xFFz", "\"a\xEF\xBF\xBDz\""},
        {"\xC3", "\"\xEF\xBF\xBD\""},
        {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""}, /* a surrogate */
        {"\xC3\"", "\"\xEF\xBF\xBD\\\"\""},
    };
    (void)state;
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        struct sh_buffer out = {0};
        values_write_text(&out, sh_bytes_of(cases[i].text));
        assert_true(sh_bytes_is(sh_buffer_bytes(&out), cases[i].json));
        sh_buffer_free(&out);
    }
}

static void whole_numbers_are_written_whole(void **state)
{
    static const int64_t numbers[] = {
        0, 1, -1, 9, 10, -10, 99, 1234567890, INT64_MAX, INT64_MAX - 1, INT64_MIN};
    (void)state;
    for (size_t i = 0; i < SH_COUNT(numbers); i++) {
        struct value value = {.type = VALUE_INTEGER, .integer = numbers[i]};
        struct sh_buffer out = {0};
        char expected[32];
        (void)snprintf(expected, sizeof(expected), "%lld", (long long)numbers[i]);
        values_write_one(&out, &value);
        assert_true(sh_bytes_is(sh_buffer_bytes(&out), expected));
        sh_buffer_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_what_the_reader_expects),
        cmocka_unit_test(what_is_no_character_becomes_one),
        cmocka_unit_test(whole_numbers_are_written_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
