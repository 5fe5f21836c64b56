/* What is suggested behind other words stands with them in a passage that the caller may
 * read, or stands alone. */
#include "tests/unit/search/suggest_fixture.h"

static void put_configuration(struct asking *a)
{
    put(a, "file", "On files", "The configuration file is in the first directory.");
    put(a, "files", "Of files", "Each configuration file has a name.");
    put(a, "fire", "Fires", "Fires, fire, firewood. How is fire made?");
    put(a, "find", "Finds", "To find what is lost");
    for (int i = 0; i < 3; i++) {
        char id[32];
        (void)snprintf(id, sizeof(id), "first-%d", i);
        put(a, id, "Place", "The first configuration of all");
    }
}

static void a_word_goes_on_to_what_stands_with_the_words_before(void **state)
{
    struct asking a;
    (void)state;
    open_asking(&a);
    put_configuration(&a);
    ask(&a, "configuration fi");
    assert_int_equal(a.out.word_count, 2);
    /* more passages have "first", but not behind it */
    assert_true(sh_bytes_is(a.out.words[0].text, "configuration file"));
    assert_true(sh_bytes_is(a.out.words[1].text, "configuration first"));
    ask(&a, "first of the configuration fi");
    assert_true(has_word(&a, "first of the configuration file"));
    assert_int_equal(a.out.word_count, 1);
    ask(&a, "first fi"); /* across passages: no */
    assert_false(has_word(&a, "first firewood") || has_word(&a, "first find"));
    ask(&a, "configuration fiel"); /* an edit */
    assert_true(has_word(&a, "configuration file"));
    close_asking(&a);
}

static void stop_words_do_not_count_where_others_do(void **state)
{
    struct asking a;
    (void)state;
    open_asking(&a);
    put_configuration(&a);
    ask(&a, "how is the configuration fil");
    assert_true(has_word(&a, "how is the configuration file"));
    ask(&a, "how is fi");
    assert_true(has_word(&a, "how is fire") && !has_word(&a, "how is file"));
    close_asking(&a);
}

static void a_word_stands_alone_where_it_stands_with_nothing(void **state)
{
    struct asking a;
    (void)state;
    open_asking(&a);
    put_configuration(&a);
    ask(&a, "annual firew");
    assert_int_equal(a.out.word_count, 1);
    assert_true(has_word(&a, "firewood"));
    ask(&a, "unheard firew");
    assert_true(has_word(&a, "firewood"));
    ask(&a, "configuration nothing");
    assert_int_equal(a.out.word_count, 0);
    close_asking(&a);
}

/* Of a word that very many passages hold, those few are found that hold both. */
static void few_passages_are_found_among_many(void **state)
{
    enum { MANY = 9000 };
    struct asking a;
    char id[32];
    (void)state;
    open_asking(&a);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(id, sizeof(id), "many-%d", i);
        put(&a, id, "", i == MANY / 2 ? "gnat gnome gnu" : "gnome gnat");
    }
    put(&a, "rare", "", "quokka gnome");
    ask(&a, "quokka gn");
    assert_int_equal(a.out.word_count, 1);
    assert_true(has_word(&a, "quokka gnome"));
    ask(&a, "gnome gn");
    assert_true(sh_bytes_is(a.out.words[0].text, "gnome gnat"));
    assert_true(has_word(&a, "gnome gnu"));
    close_asking(&a);
}

static void what_stands_together_elsewhere_does_not_count(void **state)
{
    struct asking a;
    (void)state;
    open_asking(&a);
    put_configuration(&a);
    put_as(&a, "theirs", "Configuration firewood", "configuration firewood find", 2,
           "en");
    ask(&a, "configuration fir");
    assert_int_equal(a.out.word_count, 1);
    assert_true(has_word(&a, "configuration first"));
    ask(&a, "configuration firew");
    assert_true(has_word(&a, "firewood") && !has_word(&a, "configuration firewood"));
    a.f.caller.clearance = 2;
    ask(&a, "configuration firew");
    assert_true(has_word(&a, "configuration firewood"));
    close_asking(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_goes_on_to_what_stands_with_the_words_before),
        cmocka_unit_test(stop_words_do_not_count_where_others_do),
        cmocka_unit_test(a_word_stands_alone_where_it_stands_with_nothing),
        cmocka_unit_test(few_passages_are_found_among_many),
        cmocka_unit_test(what_stands_together_elsewhere_does_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
