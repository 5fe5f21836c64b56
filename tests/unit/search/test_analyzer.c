/* The promises of analyzer.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/search/text/language.h"
#include "shared/buffer.h"
#include "shared/mem.h"
#include "shared/stopwords.h"

/* The terms of a text, "a|b|c"; stop words in (), extra ones in []. */
static char *terms_in(const char *language, struct sh_bytes text)
{
    struct analyzer *analyzer = NULL;
    struct sh_buffer out = {0};
    struct token token;
    assert_int_equal(analyzer_create(language, &analyzer), SH_OK);
    analyzer_start(analyzer, text);
    while (analyzer_next(analyzer, &token)) {
        assert_true(token.start < token.end && token.end <= text.len);
        assert_in_range(token.term.len, 1, ANALYZER_TERM_MAX);
        sh_buffer_printf(&out,
                         token.stop    ? "%s(%.*s)"
                         : token.extra ? "%s[%.*s]"
                                       : "%s%.*s",
                         out.len ? "|" : "", (int)token.term.len,
                         (const char *)token.term.data);
    }
    analyzer_free(&analyzer);
    assert_null(analyzer);
    sh_buffer_append(&out, "", 1);
    assert_int_equal(out.err, SH_OK);
    return out.data;
}

static void check(const char *language, const char *text, const char *expected)
{
    char *terms = terms_in(language, sh_bytes_of(text));
    assert_string_equal(terms, expected);
    sh_free(terms);
}

static void words_are_folded_and_stemmed(void **state)
{
    (void)state;
    check("english", "Running RUNS, runner's", "run|run|runner");
    check("english", "reset-your_password2 42", "reset|(your)|password2|42");
    check("english", "Ångström naïve ﬁles Straße", "angstrom|naiv|file|strass");
    check("english", "ＦＵＬＬ　ｗｉｄｔｈ", "full|width");
    check("german", "Häuser laufen", "haus|lauf");
    check("french", "Chevaux, grandes été", "cheval|grand|ete");
    check("none", "Running", "running");
    check("none", "na\u0308ive nai\u0308ve cafe\u0301", "naive|naive|cafe");
    check("none", "İstanbul ISPARTA ısparta", "istanbul|isparta|isparta");
    check("none", "STRASSE straße ΣΟΦΟΣ σοφος σοφός",
          "strasse|strasse|σοφοσ|σοφοσ|σοφοσ");
    check("english", "", "");
    check("english", " \n .,;", "");
}

static void apostrophes_belong_to_words_however_written(void **state)
{
    (void)state;
    check("english", "king's king’s 'quoted' don't don’t",
          "king|king|quot|(don't)|(don't)");
    check("english", "soft\xc2\xadhyphen", "softhyphen");
}

static void stop_words_are_told(void **state)
{
    (void)state;
    check("english", "The cat and the hat", "(the)|cat|(and)|(the)|hat");
    check("french", "the", "the");
    const struct sh_stopwords *list = sh_stopwords_of("english");
    for (size_t i = 1; i < list->count; i++)
        assert_true(strcmp(list->words[i - 1], list->words[i]) < 0);
    assert_true(sh_stopwords_has(list, sh_bytes_of("a")));
    assert_true(sh_stopwords_has(list, sh_bytes_of("yourselves")));
    assert_false(sh_stopwords_has(list, sh_bytes_of("th")));
    assert_false(sh_stopwords_has(list, sh_bytes_of("")));
}

static void ideographs_come_in_pairs_and_alone(void **state)
{
    (void)state;
    check("english", "東京都", "[東]|東京|[京]|京都|[都]");
    check("english", "水", "水");
    check("english", "abc漢字x", "abc|[漢]|漢字|[字]|x");
    check("english", "東 京", "東|京");
}

static void offsets_are_those_of_the_text(void **state)
{
    (void)state;
    const char *text = "x Ångström’s 東京";
    struct analyzer *analyzer = NULL;
    struct token token;
    char seen[4][32];
    size_t count = 0;
    assert_int_equal(analyzer_create("english", &analyzer), SH_OK);
    analyzer_start(analyzer, sh_bytes_of(text));
    while (analyzer_next(analyzer, &token)) {
        if (!token.extra)
            (void)snprintf(seen[count++], sizeof(seen[0]), "%.*s",
                           (int)(token.end - token.start), text + token.start);
    }
    assert_int_equal(count, 3);
    assert_string_equal(seen[1], "Ångström’s");
    assert_string_equal(seen[2], "東京");
    analyzer_free(&analyzer);
}

/* With what it knows; of another language there is none left over. */
static void an_analyzer_goes_on_to_the_next_search(void **state)
{
    (void)state;
    struct analyzer *first[LANGUAGE_COUNT] = {0};
    struct analyzer *second[LANGUAGE_COUNT] = {0};
    assert_int_equal(language_analyzer(first, LANGUAGE_ENGLISH), SH_OK);
    const struct analyzer *english = first[LANGUAGE_ENGLISH];
    assert_int_equal(language_analyzer(first, LANGUAGE_ENGLISH), SH_OK);
    assert_ptr_equal(first[LANGUAGE_ENGLISH], english);
    language_analyzers_free(first);
    assert_null(first[LANGUAGE_ENGLISH]);
    assert_int_equal(language_analyzer(second, LANGUAGE_NONE), SH_OK);
    assert_ptr_not_equal(second[LANGUAGE_NONE], english);
    assert_int_equal(language_analyzer(second, LANGUAGE_ENGLISH), SH_OK);
    assert_ptr_equal(second[LANGUAGE_ENGLISH], english);
    language_analyzers_free(second);
}

static void broken_utf8_is_passed_over(void **state)
{
    (void)state;
    check("english", "good\xff\xfe words \xe6\x9d", "good|word");
    check("english", "\xed\xa0\x80 x", "x");
}

static void endless_words_are_cut(void **state)
{
    (void)state;
    const char *const units[] = {"x", "é", "e\xcc\x81", "ﷺ", "\xcc\x81"};
    for (size_t i = 0; i < SH_COUNT(units); i++) {
        struct sh_buffer text = {0};
        while (text.len < 1 << 20)
            sh_buffer_text(&text, units[i]);
        sh_buffer_text(&text, " end");
        char *terms = terms_in("english", sh_buffer_bytes(&text));
        assert_true(strlen(terms) <= ANALYZER_TERM_MAX + 4);
        assert_non_null(strstr(terms, "end"));
        sh_free(terms);
        sh_buffer_free(&text);
    }
}

/* Words that come again are not stemmed again, and become the same. */
static void words_that_come_again_become_the_same(void **state)
{
    (void)state;
    enum { WORDS = 3000, TIMES = 3 };
    struct sh_buffer text = {0};
    struct analyzer *analyzer = NULL;
    struct token token;
    assert_int_equal(analyzer_create("english", &analyzer), SH_OK);
    for (int n = 0; n < WORDS * TIMES; n++)
        sh_buffer_printf(&text, "%c%drunnings the ", 'a' + n % 26, n % WORDS);
    sh_buffer_printf(&text, "internationalizationalisms internationalizationalisms");
    analyzer_start(analyzer, sh_buffer_bytes(&text));
    for (int n = 0; n < WORDS * TIMES; n++) {
        char expected[32];
        (void)snprintf(expected, sizeof expected, "%c%drun", 'a' + n % 26, n % WORDS);
        assert_true(analyzer_next(analyzer, &token));
        assert_false(token.stop);
        assert_true(sh_bytes_is(token.term, expected));
        assert_true(analyzer_next(analyzer, &token));
        assert_true(token.stop);
        assert_true(sh_bytes_is(token.term, "the"));
    }
    for (int n = 0; n < 2; n++) { /* longer than what is remembered */
        assert_true(analyzer_next(analyzer, &token));
        assert_true(sh_bytes_is(token.folded, "internationalizationalisms"));
    }
    assert_false(analyzer_next(analyzer, &token));
    analyzer_free(&analyzer);
    sh_buffer_free(&text);
}

static void an_unknown_language_is_refused(void **state)
{
    (void)state;
    struct analyzer *analyzer = NULL;
    assert_int_equal(analyzer_create("klingon", &analyzer), SH_INVALID);
    assert_null(analyzer);
    analyzer_free(&analyzer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_folded_and_stemmed),
        cmocka_unit_test(apostrophes_belong_to_words_however_written),
        cmocka_unit_test(stop_words_are_told),
        cmocka_unit_test(ideographs_come_in_pairs_and_alone),
        cmocka_unit_test(offsets_are_those_of_the_text),
        cmocka_unit_test(an_analyzer_goes_on_to_the_next_search),
        cmocka_unit_test(broken_utf8_is_passed_over),
        cmocka_unit_test(endless_words_are_cut),
        cmocka_unit_test(words_that_come_again_become_the_same),
        cmocka_unit_test(an_unknown_language_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
