/* Suggestions: what is found by what is typed, and that nothing comes from documents that
 * the caller may not read. */
#include "tests/unit/search/suggest_fixture.h"

/* --- what is found ---------------------------------------------------------------- */

static void titles_that_begin_as_the_query_does_come_first(void **state)
{
    struct asking a;
    (void)state;
    open_asking(&a);
    ask(&a, "annual rep");
    assert_int_equal(a.out.title_count, 2);
    assert_true(sh_bytes_is(a.out.titles[0].id, "annual"));
    assert_true(sh_bytes_is(a.out.titles[0].text, "Annual report of the library"));
    ask(&a, "rep");
    assert_int_equal(a.out.title_count, 2);
    ask(&a, "report annual ");
    assert_int_equal(a.out.title_count, 2);
    ask(&a, "annual nothing");
    assert_int_equal(a.out.title_count, 0);
    ask_for(&a, "rep", 1);
    assert_int_equal(a.out.title_count, 1);
    close_asking(&a);
}

static void titles_are_found_without_marks_and_with_an_edit(void **state)
{
    struct asking a;
    (void)state;
    open_asking(&a);
    static const char *const typed[] = {"cafe", "GROSSE", "uberl", "Caf", "überl"};
    for (size_t i = 0; i < SH_COUNT(typed); i++) {
        ask(&a, typed[i]);
        assert_true(has_title(&a, "cafe"));
    }
    ask(&a, "privcy policy");
    assert_true(has_title(&a, "policy"));
    ask(&a, "anual report");
    assert_true(has_title(&a, "annual"));
    close_asking(&a);
}

static void the_last_word_is_completed_as_it_is_written(void **state)
{
    struct asking a;
    (void)state;
    open_asking(&a);
    ask(&a, "our polic");
    assert_true(has_word(&a, "our policies"));
    ask(&a, "libr");
    assert_true(has_word(&a, "library")); /* not "Library" */
    assert_int_equal(a.out.word_count, 1);
    ask(&a, "policie"); /* begins no stem */
    assert_true(has_word(&a, "policies"));
    ask(&a, "journal"); /* a word, which may go on */
    assert_true(has_word(&a, "journals"));
    ask(&a, "librry");
    assert_true(has_word(&a, "library"));
    close_asking(&a);
}

static void a_word_that_is_finished_is_not_completed(void **state)
{
    struct asking a;
    (void)state;
    open_asking(&a);
    ask(&a, "libr ");
    assert_int_equal(a.out.word_count, 0);
    ask(&a, "");
    assert_true(is_empty(&a));
    ask(&a, " ,;\" ");
    assert_true(is_empty(&a));
    ask(&a, "l"); /* too short for the dictionary */
    assert_int_equal(a.out.word_count, 0);
    close_asking(&a);
}

static void words_that_more_passages_have_come_first(void **state)
{
    struct asking a;
    char id[32];
    (void)state;
    open_asking(&a);
    for (int i = 0; i < 4; i++) {
        (void)snprintf(id, sizeof(id), "lion-%d", i);
        put(&a, id, "Beast", i == 0 ? "lioness lionize" : "lioness");
    }
    ask(&a, "lio");
    assert_int_equal(a.out.word_count, 2);
    assert_true(sh_bytes_is(a.out.words[0].text, "lioness"));
    assert_true(sh_bytes_is(a.out.words[1].text, "lionize"));
    close_asking(&a);
}

static void each_language_has_its_own_forms(void **state)
{
    struct asking a;
    (void)state;
    open_asking(&a);
    put_as(&a, "de", "Prüfungsordnung", "Die Prüfungen beginnen.", 1, "de");
    put_as(&a, "none", "Zzyzx", "zzyzxing", 1, "xx");
    ask(&a, "prufung");
    assert_true(has_title(&a, "de"));
    assert_true(has_word(&a, "Prüfungen"));
    ask(&a, "zzyzxi");
    assert_true(has_word(&a, "zzyzxing"));
    close_asking(&a);
}

/* --- what is not ------------------------------------------------------------------ */

static void nothing_comes_from_what_one_may_not_read(void **state)
{
    struct asking a;
    (void)state;
    open_asking(&a);
    static const char *const hidden[] = {"zeppelin", "zepp",     "policyh", "librarian",
                                         "retreat",  "zeppelim", "retr"};
    for (size_t i = 0; i < SH_COUNT(hidden); i++) {
        ask(&a, hidden[i]);
        assert_false(has_title(&a, "secret"));
        assert_false(has_word(&a, "Zeppelin") || has_word(&a, "librarian") ||
                     has_word(&a, "policyholder"));
    }
    ask(&a, "zepp");
    assert_true(is_empty(&a));
    a.f.caller.clearance = 2;
    ask(&a, "zepp");
    assert_true(has_word(&a, "Zeppelin"));
    ask(&a, "annual re");
    assert_true(has_title(&a, "secret") && has_title(&a, "annual"));
    close_asking(&a);
}

/* A word of theirs, known or not, changes nothing of what is suggested. */
static void what_others_may_read_changes_no_suggestion(void **state)
{
    static const char *const typed[] = {"quag", "quagge", "quagga", "quaggas", "qua"};
    struct asking a;
    struct asking b;
    (void)state;
    open_asking(&a);
    open_asking(&b);
    put(&a, "open", "Quagga", "The quagga and the quagmire. quagmire");
    put(&b, "open", "Quagga", "The quagga and the quagmire. quagmire");
    for (int i = 0; i < 3; i++) {
        char id[32];
        (void)snprintf(id, sizeof(id), "hidden-%d", i);
        put_as(&b, id, "Quagge", "quagge quaggas quaggy", 2, "en");
    }
    for (size_t i = 0; i < SH_COUNT(typed); i++) {
        ask(&a, typed[i]);
        ask(&b, typed[i]);
        assert_int_equal(a.out.title_count, b.out.title_count);
        assert_int_equal(a.out.word_count, b.out.word_count);
        for (size_t w = 0; w < a.out.word_count; w++)
            assert_true(sh_bytes_equal(a.out.words[w].text, b.out.words[w].text));
    }
    ask(&b, "quagge");
    assert_true(has_word(&b, "quagga"));
    close_asking(&a);
    close_asking(&b);
}

static void what_was_removed_is_not_suggested(void **state)
{
    struct asking a;
    (void)state;
    open_asking(&a);
    assert_int_equal(view_remove(a.f.view, sh_bytes_of("policy")), SH_OK);
    ask(&a, "polic");
    assert_true(is_empty(&a));
    close_asking(&a);
}

/* --- what may come ---------------------------------------------------------------- */

static void whatever_is_typed_is_answered(void **state)
{
    static const char *const typed[] = {
        "\xff\xfe\xc3", "a b c d e f g h i j k annual", "\"annual rep", "-annual +rep*",
        "設計",         "annual\xe2\x80\x99s rep",      "a\xcc\x81nnu", "'''"};
    struct asking a;
    (void)state;
    open_asking(&a);
    for (size_t i = 0; i < SH_COUNT(typed); i++)
        ask(&a, typed[i]);
    put(&a, "cjk", "設計図書館", "設計");
    ask(&a, "設計");
    assert_true(has_title(&a, "cjk"));
    close_asking(&a);
}

static void survives_every_allocation_failure(void **state)
{
    struct asking a;
    enum sh_err err = SH_NOMEM;
    int failures = 0;
    (void)state;
    open_asking(&a);
    struct view_suggest asked = {.query = sh_bytes_of("annual rep"),
                                 .caller = &a.f.caller,
                                 .limit = 5,
                                 .deadline_ms = sh_now_ms() + 60000};
    for (; err != SH_OK; failures++) {
        sh_arena_free(&a.f.arena);
        sh_mem_fail_after(failures);
        err = view_suggest(a.f.view, &asked, &a.f.arena, &a.out);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
    }
    assert_true(failures > 5);
    assert_int_equal(a.out.title_count, 2);
    close_asking(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(titles_that_begin_as_the_query_does_come_first),
        cmocka_unit_test(titles_are_found_without_marks_and_with_an_edit),
        cmocka_unit_test(the_last_word_is_completed_as_it_is_written),
        cmocka_unit_test(a_word_that_is_finished_is_not_completed),
        cmocka_unit_test(words_that_more_passages_have_come_first),
        cmocka_unit_test(each_language_has_its_own_forms),
        cmocka_unit_test(nothing_comes_from_what_one_may_not_read),
        cmocka_unit_test(what_others_may_read_changes_no_suggestion),
        cmocka_unit_test(what_was_removed_is_not_suggested),
        cmocka_unit_test(whatever_is_typed_is_answered),
        cmocka_unit_test(survives_every_allocation_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
