#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cli/cairn/text.h"

static struct sh_buffer out;

static const char *result(void)
{
    sh_buffer_append(&out, "", 1);
    assert_int_equal(out.err, SH_OK);
    return out.data;
}

static const char *clean(const char *text, enum text_lines lines)
{
    sh_buffer_clear(&out);
    text_clean(&out, sh_bytes_of(text), lines);
    return result();
}

static void plain_text_stays_as_it_is(void **state)
{
    (void)state;
    static const char text[] = "Grüße, 東京, שלום, \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f"
                               "\x94\xac a\xcc\x81";
    assert_string_equal(clean(text, TEXT_ONE_LINE), text);
}

static void control_characters_cannot_reach_the_terminal(void **state)
{
    (void)state;
    assert_string_equal(clean("a\x1b[2Jb\x07", TEXT_ONE_LINE), "a\\x1b[2Jb\\x07");
    assert_string_equal(clean("a\x7f", TEXT_ONE_LINE), "a\\x7f");
    assert_string_equal(clean("a\xc2\x9b"
                              "31m",
                              TEXT_ONE_LINE),
                        "a\\x9b31m"); /* CSI as one character */
    assert_string_equal(clean("a\rb", TEXT_LINES), "a b");
    assert_string_equal(clean("a\bb", TEXT_LINES), "a\\x08b");
}

static void the_reading_direction_cannot_be_turned_about(void **state)
{
    (void)state;
    assert_string_equal(clean("a\xe2\x80\xae"
                              "fdp.exe",
                              TEXT_ONE_LINE),
                        "a\\u{202e}fdp.exe");
    assert_string_equal(clean("\xe2\x81\xa6x", TEXT_ONE_LINE), "\\u{2066}x");
    assert_string_equal(clean("\xef\xbb\xbfx", TEXT_ONE_LINE), "\\u{feff}x");
    assert_string_equal(clean("a\xc2\xad"
                              "b",
                              TEXT_ONE_LINE),
                        "ab");
}

static void line_ends_stay_only_where_they_are_wanted(void **state)
{
    (void)state;
    assert_string_equal(clean("a\nb\tc", TEXT_ONE_LINE), "a b c");
    assert_string_equal(clean("a\nb\tc", TEXT_LINES), "a\nb c");
    assert_string_equal(clean("a\xe2\x80\xa8"
                              "b",
                              TEXT_LINES),
                        "a b");
}

static void bytes_that_are_no_text_are_replaced(void **state)
{
    (void)state;
    assert_string_equal(clean("a\xff\xfe"
                              "b\xe2\x82",
                              TEXT_ONE_LINE),
                        "a\xef\xbf\xbd\xef\xbf\xbd"
                        "b\xef\xbf\xbd\xef\xbf\xbd");
    sh_buffer_clear(&out);
    text_clean(&out, (struct sh_bytes){"a\0b", 3}, TEXT_ONE_LINE);
    assert_string_equal(result(), "a\\x00b");
    sh_buffer_clear(&out);
    text_clean(&out, (struct sh_bytes){0}, TEXT_ONE_LINE);
    assert_int_equal(out.len, 0);
}

static const char *fit(const char *text, size_t columns, bool pad)
{
    sh_buffer_clear(&out);
    text_fit(&out, sh_bytes_of(text), columns, pad);
    return result();
}

static void cells_have_the_width_that_a_terminal_gives_them(void **state)
{
    (void)state;
    assert_string_equal(fit("abc", 5, true), "abc  ");
    assert_string_equal(fit("abc", 5, false), "abc");
    assert_string_equal(fit("abcdef", 5, true), "abcd\xe2\x80\xa6");
    assert_string_equal(fit("東京都庁", 5, true), "東京\xe2\x80\xa6");
    assert_string_equal(fit("東京都庁", 6, true), "東京\xe2\x80\xa6 ");
    assert_string_equal(fit("a\nb", 3, false), "a b");
    assert_int_equal(text_width(sh_bytes_of("東a\xcc\x81")), 3);
}

static void highlights_are_marked_and_unescaped(void **state)
{
    (void)state;
    sh_buffer_clear(&out);
    text_marked(&out, sh_bytes_of("a &lt;b&gt; <em>re\x1b[0mset</em> &amp;lt; <i>"), "[",
                "]");
    assert_string_equal(result(), "a <b> [re\\x1b[0mset] &lt; <i>");
    sh_buffer_clear(&out);
    text_marked(&out, sh_bytes_of("x &unknown; &#39;<em"), "[", "]");
    assert_string_equal(result(), "x &unknown; '<em");
}

static const char *wrap(const char *text, size_t columns, size_t indent)
{
    sh_buffer_clear(&out);
    text_wrap(&out, sh_bytes_of(text), columns, indent);
    return result();
}

static void lines_are_broken_at_spaces(void **state)
{
    (void)state;
    assert_string_equal(wrap("one two three", 8, 0), "one two\nthree\n");
    assert_string_equal(wrap("one two three", 9, 2), "  one two\n  three\n");
    assert_string_equal(wrap("one two three", 0, 1), " one two three\n");
    assert_string_equal(wrap("averylongword b", 4, 0), "averylongword\nb\n");
    assert_string_equal(wrap("a\n\nb", 10, 0), "a\n\nb\n");
    assert_string_equal(wrap("", 10, 0), "");
    /* colours take no room */
    assert_string_equal(wrap("\x1b[1mone\x1b[0m two", 7, 0), "\x1b[1mone\x1b[0m two\n");
}

static int release(void **state)
{
    (void)state;
    sh_buffer_free(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_stays_as_it_is),
        cmocka_unit_test(control_characters_cannot_reach_the_terminal),
        cmocka_unit_test(the_reading_direction_cannot_be_turned_about),
        cmocka_unit_test(line_ends_stay_only_where_they_are_wanted),
        cmocka_unit_test(bytes_that_are_no_text_are_replaced),
        cmocka_unit_test(cells_have_the_width_that_a_terminal_gives_them),
        cmocka_unit_test(highlights_are_marked_and_unescaped),
        cmocka_unit_test(lines_are_broken_at_spaces),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
