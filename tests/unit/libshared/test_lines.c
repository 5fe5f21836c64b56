#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "shared/lines.h"

enum { MAX = 8 };

/* What comes out, as "1:first 2:- " with - for a line that is too long. */
static void drain(struct sh_lines *lines, char *out)
{
    struct sh_line line;
    while (sh_lines_next(lines, &line)) {
        size_t used = strlen(out);
        (void)snprintf(
            out + used, 200 - used, "%d:%.*s%s ", (int)line.number, (int)line.text.len,
            line.text.data ? (const char *)line.text.data : "", line.too_long ? "-" : "");
    }
}

static const char *cut(const char *text, size_t step)
{
    static char out[200];
    struct sh_lines lines;
    size_t len = strlen(text);

    out[0] = '\0';
    sh_lines_open(&lines, MAX);
    for (size_t i = 0; i < len; i += step) {
        size_t piece = len - i < step ? len - i : step;
        assert_int_equal(sh_lines_feed(&lines, (struct sh_bytes){text + i, piece}),
                         SH_OK);
        drain(&lines, out);
    }
    sh_lines_end(&lines);
    drain(&lines, out);
    sh_lines_close(&lines);
    return out;
}

static void cuts_alike_whatever_the_pieces(void **state)
{
    static const struct {
        const char *text;
        const char *lines;
    } cases[] = {
        {"", ""},
        {"\n", "1: "},
        {"a", "1:a "},
        {"a\n", "1:a "},
        {"a\nb", "1:a 2:b "},
        {"a\r\nb\r\n\r\n", "1:a 2:b 3: "},
        {"12345678\nx\n", "1:12345678 2:x "},
        {"123456789\nx\n", "1:- 2:x "},
        {"a\n1234567890123456789012345678901234567890", "1:a 2:- "},
        {"1234567890123456789012345678901234567890\n\nb", "1:- 2: 3:b "},
    };
    (void)state;
    for (size_t i = 0; i < SH_COUNT(cases); i++)
        for (size_t step = 1; step < 50; step++)
            assert_string_equal(cut(cases[i].text, step), cases[i].lines);
}

static void a_line_too_long_is_not_kept(void **state)
{
    struct sh_lines lines;
    char piece[1000];
    (void)state;
    memset(piece, 'x', sizeof piece);
    sh_lines_open(&lines, MAX);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(sh_lines_feed(&lines, (struct sh_bytes){piece, sizeof piece}),
                         SH_OK);
        assert_false(sh_lines_waiting(&lines));
    }
    assert_true(lines.buffer.capacity < 8 * sizeof piece);
    sh_lines_end(&lines);
    assert_true(sh_lines_waiting(&lines));
    sh_lines_close(&lines);
}

static void waiting_takes_nothing(void **state)
{
    struct sh_lines lines;
    struct sh_line line;
    (void)state;
    sh_lines_open(&lines, MAX);
    assert_int_equal(sh_lines_feed(&lines, sh_bytes_of("a\nb")), SH_OK);
    assert_true(sh_lines_waiting(&lines));
    assert_true(sh_lines_waiting(&lines));
    assert_true(sh_lines_next(&lines, &line));
    assert_true(sh_bytes_is(line.text, "a"));
    assert_false(sh_lines_waiting(&lines));
    assert_false(sh_lines_next(&lines, &line));
    sh_lines_end(&lines);
    assert_true(sh_lines_next(&lines, &line));
    assert_true(sh_bytes_is(line.text, "b"));
    assert_int_equal(line.number, 2);
    assert_false(sh_lines_next(&lines, &line));
    sh_lines_close(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_alike_whatever_the_pieces),
        cmocka_unit_test(a_line_too_long_is_not_kept),
        cmocka_unit_test(waiting_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
