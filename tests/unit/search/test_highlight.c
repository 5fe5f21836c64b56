/* The promises of highlight.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <utf8proc.h>

#include "services/search/text/highlight.h"

static char *mark(const char *asked, struct sh_bytes text)
{
    struct analyzer *analyzer = NULL;
    struct sh_arena arena = {0};
    struct text_query query;
    struct sh_buffer out = {0};
    assert_int_equal(analyzer_create("english", &analyzer), SH_OK);
    assert_int_equal(text_query_make(&analyzer, 1, sh_bytes_of(asked), &arena, &query),
                     SH_OK);
    assert_int_equal(highlight(analyzer, &query, text, &out), SH_OK);
    sh_buffer_append(&out, "", 1);
    assert_int_equal(out.err, SH_OK);
    analyzer_free(&analyzer);
    sh_arena_free(&arena);
    return out.data;
}

static void check(const char *asked, const char *text, const char *expected)
{
    char *marked = mark(asked, sh_bytes_of(text));
    assert_string_equal(marked, expected);
    sh_free(marked);
}

static void words_are_marked_as_they_are_written(void **state)
{
    (void)state;
    check("password reset", "Resetting your PASSWORDS.",
          "<em>Resetting</em> your <em>PASSWORDS</em>.");
    check("naive", "A naïve idea", "A <em>naïve</em> idea");
    check("京都", "東京都の京都", "東<em>京都</em>の<em>京都</em>");
    check("東京都", "東京都の", "<em>東京都</em>の");
    check("absent", "Nothing here", "Nothing here");
    check("x", "", "");
}

struct piece {
    const char *text;
    const char *shown;
};

/* In any mixture the marks begin and end where the words do, however they are written. */
static void marks_stand_exactly_around_words(void **state)
{
    (void)state;
    static const struct piece pieces[] = {
        {"naïve", "<em>naïve</em>"},
        {"nai\u0308ve", "<em>nai\u0308ve</em>"},
        {"ＮＡＩＶＥ", "<em>ＮＡＩＶＥ</em>"},
        {"京都", "<em>京都</em>"},
        {"東京都", "東<em>京都</em>"},
        {"Straße", "<em>Straße</em>"},
        {"STRASSE", "<em>STRASSE</em>"},
        {"<b>", "&lt;b&gt;"},
        {"👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"},
        {"x\u0301y", "x\u0301y"},
        {"&", "&amp;"},
        {"한국", "한국"},
        {"\u0301", "\u0301"},
    };
    srand(4);
    for (int round = 0; round < 500; round++) {
        struct sh_buffer text = {0};
        struct sh_buffer shown = {0};
        for (int i = 1 + rand() % 10; i > 0; i--) {
            const struct piece *piece = &pieces[(size_t)rand() % SH_COUNT(pieces)];
            sh_buffer_text(&text, piece->text);
            sh_buffer_text(&shown, piece->shown);
            sh_buffer_text(&text, i > 1 ? ", " : "");
            sh_buffer_text(&shown, i > 1 ? ", " : "");
        }
        sh_buffer_append(&shown, "", 1);
        char *marked = mark("naive 京都 strasse", sh_buffer_bytes(&text));
        assert_string_equal(marked, shown.data);
        sh_free(marked);
        sh_buffer_free(&text);
        sh_buffer_free(&shown);
    }
}

static void everything_else_is_escaped(void **state)
{
    (void)state;
    check("b", "a<script>\"b\" & 'c'</script>",
          "a&lt;script&gt;&quot;<em>b</em>&quot; &amp; &#39;c&#39;&lt;/script&gt;");
    check("king", "<b>King's</b>", "&lt;b&gt;<em>King&#39;s</em>&lt;/b&gt;");
}

static void the_best_part_of_a_long_text_is_shown(void **state)
{
    (void)state;
    struct sh_buffer text = {0};
    for (int i = 0; i < 100; i++)
        sh_buffer_text(&text, i == 10 ? "honey honey honey. " : "Nothing to see here. ");
    sh_buffer_text(&text, "Bees make honey in summer. ");
    for (int i = 0; i < 100; i++)
        sh_buffer_text(&text, "Nothing to see here. ");
    char *marked = mark("bees honey", sh_buffer_bytes(&text));
    assert_non_null(strstr(marked, "<em>Bees</em> make <em>honey</em>"));
    assert_in_range(strlen(marked), 200, 400);
    assert_memory_equal(marked, "… ", strlen("… "));
    assert_string_equal(marked + strlen(marked) - strlen(" …"), " …");
    sh_free(marked);
    marked = mark("absent", sh_buffer_bytes(&text));
    assert_memory_equal(marked, "Nothing", 7);
    assert_in_range(strlen(marked), 200, 400);
    sh_free(marked);
    sh_buffer_free(&text);
}

static void check_utf8(const char *text)
{
    utf8proc_int32_t code = 0;
    while (*text) {
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text, -1, &code);
        assert_true(n > 0);
        text += n;
    }
}

static void check_between(const char *unit, int before)
{
    struct sh_buffer text = {0};
    for (int i = 0; i < before; i++)
        sh_buffer_text(&text, unit);
    sh_buffer_text(&text, " honey ");
    for (int i = 0; i < 500; i++)
        sh_buffer_text(&text, unit);
    char *marked = mark("honey", sh_buffer_bytes(&text));
    assert_non_null(strstr(marked, "<em>honey</em>"));
    assert_true(strlen(marked) < 500);
    check_utf8(marked);
    sh_free(marked);
    sh_buffer_free(&text);
}

/* Whatever the text, what comes out is UTF-8 of bounded length. */
static void cuts_lie_between_characters(void **state)
{
    (void)state;
    const char *const units[] = {"東", "é", "👩", "a", "é "};
    for (size_t u = 0; u < SH_COUNT(units); u++) {
        for (int before = 0; before < 400; before += 37)
            check_between(units[u], before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_marked_as_they_are_written),
        cmocka_unit_test(marks_stand_exactly_around_words),
        cmocka_unit_test(everything_else_is_escaped),
        cmocka_unit_test(the_best_part_of_a_long_text_is_shown),
        cmocka_unit_test(cuts_lie_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
