/* The promises of text_query.h: what a query means, asked of a view. */
#include <stdlib.h>

#include "services/search/text/text_query.h"
#include "tests/support/cpu.h"
#include "view_fixture.h"

static void open_texts(struct fixture *f, const char *const *texts)
{
    fixture_open(f);
    f->query.mode = 2; /* text */
    for (int i = 0; texts[i]; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "%d", i);
        struct view_document document = document_of(id, "");
        put_text(f, document, texts[i], NULL);
    }
}

/* The documents found, best first: "20" is 2, then 0. */
static void expect(struct fixture *f, const char *query, const char *found)
{
    char ids[64] = "";
    assert_int_equal(search_for(f, query, NULL), SH_OK);
    for (size_t i = 0; i < f->results.hits_count; i++)
        ids[i] = *(const char *)f->results.hits[i].document_id.data;
    assert_string_equal(ids, found);
    assert_int_equal(f->results.total, strlen(found));
}

static void signs_require_and_exclude(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "bee honey comb", "bee wax", "honey tree oak", "real time", "time is real", NULL};
    struct fixture f;
    open_texts(&f, texts);
    expect(&f, "+honey bee", "02");
    expect(&f, "bee -honey", "1");
    expect(&f, "-honey bees", "1");
    expect(&f, "+bee +honey", "0");
    expect(&f, "+bee +nothing", "");
    expect(&f, "-bee", ""); /* nothing is asked for */
    expect(&f, "+real-time", "3");
    expect(&f, "time -\"is real\"", "3");
    fixture_close(&f);
}

static void what_is_no_sign_is_text(void **state)
{
    (void)state;
    static const char *const texts[] = {"cold of 5 degrees", "the option help", NULL};
    struct fixture f;
    open_texts(&f, texts);
    expect(&f, "cold -5", "0");
    expect(&f, "--help - + -", "1");
    expect(&f, "\"cold", "0");
    expect(&f, "5\" cold", "0");
    expect(&f, "\"\" cold", "0");
    expect(&f, "+\"\"", "");
    fixture_close(&f);
}

static void phrases_are_found_word_by_word(void **state)
{
    (void)state;
    static const char *const texts[] = {"the queen of the hive",
                                        "the hive of the queen",
                                        "queen, of the hive again",
                                        "to be or not to be",
                                        "be or not",
                                        "東京都の蜂",
                                        "京東の都",
                                        NULL};
    struct fixture f;
    open_texts(&f, texts);
    expect(&f, "\"queen of the hive\"", "02");
    expect(&f, "\"queens of the hives\"", "02"); /* by their stems */
    expect(&f, "\"hive queen\"", "");
    expect(&f, "\"to be or not to be\"", "3");
    expect(&f, "\"東京都\"", "5");
    expect(&f, "hive \"of the queen\"", "1");
    expect(&f, "\"again\"", "2");
    fixture_close(&f);
}

static void phrases_stay_within_a_field(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    f.query.mode = 2;
    put_text(&f, document_of("0", "Honey and Wax"), "wax honey", NULL);
    expect(&f, "\"honey and wax\"", "0");
    expect(&f, "\"wax honey\"", "0");
    expect(&f, "\"honey honey\"", "");
    fixture_close(&f);
}

static void phrases_are_found_among_many(void **state)
{
    (void)state;
    struct fixture f;
    char text[64];
    fixture_open(&f);
    f.query.mode = 2;
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(text, sizeof(text), "%s %d", i % 2 ? "red bee" : "bee red", i);
        char id[16];
        (void)snprintf(id, sizeof(id), "%d", i);
        put_text(&f, document_of(id, ""), text, NULL);
    }
    assert_int_equal(search_for(&f, "\"red bee\"", NULL), SH_OK);
    assert_int_equal(f.results.total, 500);
    assert_int_equal(search_for(&f, "\"red bee 777\"", NULL), SH_OK);
    assert_int_equal(f.results.total, 1);
    assert_true(hit_is(&f, 0, "777/0"));
    assert_int_equal(search_for(&f, "bee -\"red bee\"", NULL), SH_OK);
    assert_int_equal(f.results.total, 500);
    fixture_close(&f);
}

static void rules_hold_for_the_vector_leg_too(void **state)
{
    (void)state;
    static const float near[] = {1, 0, 0, 0};
    struct fixture f;
    fixture_open(&f);
    put_text(&f, document_of("0", ""), "bee honey", near);
    put_text(&f, document_of("1", ""), "bee wax", near);
    assert_int_equal(search_for(&f, "bee -honey", near), SH_OK);
    assert_int_equal(f.results.total, 1);
    assert_true(hit_is(&f, 0, "1/0"));
    assert_int_equal(search_for(&f, "+honey", near), SH_OK);
    assert_int_equal(f.results.total, 1);
    f.query.mode = 1; /* vector: the text is only embedded */
    assert_int_equal(search_for(&f, "bee -honey", near), SH_OK);
    assert_int_equal(f.results.total, 2);
    fixture_close(&f);
}

static void an_unfinished_word_finds_what_begins_so(void **state)
{
    (void)state;
    static const char *const texts[] = {"electricity for all", "electronic parts",
                                        "all information", "elephant", NULL};
    struct fixture f;
    open_texts(&f, texts);
    expect(&f, "electr", "0"); /* the stem of a word is the word */
    expect(&f, "elect", "01");
    expect(&f, "elec ", ""); /* finished */
    expect(&f, "elect information", "20");
    expect(&f, "electrici", "0");
    expect(&f, "informati", "2");
    expect(&f, "elect* information", "201");
    expect(&f, "+ele* -electr* ", "3");
    expect(&f, "e", "");
    fixture_close(&f);
}

static void what_was_asked_comes_before_what_was_guessed(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    f.query.mode = 2;
    char id[16];
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(id, sizeof(id), "%d", i);
        put_text(&f, document_of(id, ""), i % 100 ? "filler" : "plantation", NULL);
    }
    put_text(&f, document_of("z", ""), "filler with plants in it and more words", NULL);
    assert_int_equal(search_for(&f, "plant", NULL), SH_OK);
    assert_int_equal(f.results.total, 51);
    assert_true(hit_is(&f, 0, "z/0"));
    fixture_close(&f);
}

/* The first pages of a text search leave out what cannot be on them. */
static void pages_of_many_hits_fit_together(void **state)
{
    (void)state;
    enum { MANY = 6000 };
    struct fixture f;
    char all[200][16];
    char id[16];
    char text[256];
    fixture_open(&f);
    srand(4);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(id, sizeof(id), "%d", i);
        struct view_document document = document_of(id, "");
        document.priority = (uint32_t)rand() % 6;
        document.campus = sh_bytes_of(rand() % 2 ? "central" : "");
        (void)snprintf(text, sizeof(text), "common %.*s%.*s", rand() % 5 * 5,
                       "wide wide wide wide ", rand() % 20, "bee other words stand");
        put_text(&f, document, text, NULL);
    }
    f.query.mode = 2;
    f.caller.campus = sh_bytes_of("central");
    f.query.explain = true; /* looks at all */
    f.query.max_results = 200;
    assert_int_equal(search_for(&f, "common wide bee ", NULL), SH_OK);
    assert_int_equal(f.results.total, MANY);
    for (size_t i = 0; i < 200; i++)
        (void)snprintf(all[i], sizeof(all[i]), "%.*s",
                       (int)f.results.hits[i].chunk_id.len,
                       (const char *)f.results.hits[i].chunk_id.data);
    f.query.explain = false;
    for (uint32_t from = 0; from < 200; from += 40) {
        f.query.offset = from;
        f.query.max_results = 40;
        assert_int_equal(search_for(&f, "common wide bee ", NULL), SH_OK);
        assert_int_equal(f.results.total, MANY);
        assert_int_equal(f.results.hits_count, 40);
        for (size_t i = 0; i < 40; i++)
            assert_true(hit_is(&f, i, all[from + i]));
    }
    fixture_close(&f);
}

static void misspelt_words_are_found(void **state)
{
    (void)state;
    static const char *const texts[] = {"the password of a helicopter",
                                        "boundary layer",
                                        "year 2023",
                                        "Überraschung",
                                        "cat",
                                        NULL};
    struct fixture f;
    open_texts(&f, texts);
    expect(&f, "pasword ", "0");
    expect(&f, "apssword ", "0"); /* neighbours exchanged */
    expect(&f, "helicoptr ", "0");
    expect(&f, "hellicoptr ", "0"); /* two edits from 8 letters on */
    expect(&f, "boundry ", "1");
    expect(&f, "bundry ", "");
    expect(&f, "halikoptar ", ""); /* three */
    expect(&f, "2024 ", "");       /* numbers are meant as they are */
    expect(&f, "uberaschung ", "3");
    expect(&f, "cap ", ""); /* too short */
    expect(&f, "+pasword", "");
    expect(&f, "\"boundry layer\"", "");
    f.query.highlight = true;
    assert_int_equal(search_for(&f, "pasword ", NULL), SH_OK);
    assert_non_null(strstr(f.results.hits[0].highlight.data, "<em>password</em>"));
    fixture_close(&f);
}

/* What others alone may read neither hides a correction or a beginning, nor is one. */
static void words_of_others_change_no_spelling(void **state)
{
    (void)state;
    static const char *const texts[] = {"the password of a helicopter", "boundary layer",
                                        "password", NULL};
    struct fixture f;
    open_texts(&f, texts);
    struct view_document theirs = document_of("9", "");
    theirs.clearance_level = 2;
    put_text(&f, theirs, "pasword passwork helicoptr boundarx boundaries zeppelin", NULL);
    expect(&f, "pasword ", "20");
    expect(&f, "passwork ", "20");
    expect(&f, "helicopt ", "0"); /* two edits; theirs is one away */
    expect(&f, "helicoptr ", "0");
    expect(&f, "boundarx", "1"); /* perhaps not finished, and theirs begins so */
    expect(&f, "zeppelin ", "");
    expect(&f, "zeppelim ", "");
    f.caller.clearance = 2;
    expect(&f, "pasword ", "9");
    expect(&f, "zeppelim ", "9");
    fixture_close(&f);
}

/* What is only filtered out is known all the same. */
static void filters_change_no_spelling(void **state)
{
    (void)state;
    static const char *const texts[] = {"the password", NULL};
    struct fixture f;
    open_texts(&f, texts);
    struct view_document other = document_of("1", "");
    other.collection = sh_bytes_of("other");
    put_text(&f, other, "passwork", NULL);
    expect(&f, "passworm ", "01");
    f.query.filters = sh_bytes_of("{\"collection\":\"other\"}");
    expect(&f, "passworm ", "1");
    expect(&f, "password ", "");
    fixture_close(&f);
}

static void words_are_stemmed_in_the_language_of_the_document(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    f.query.mode = 2;
    struct view_document german = document_of("0", "");
    german.metadata = sh_bytes_of("{\"language\":\"de-AT\"}");
    put_text(&f, german, "Die Häuser am Meer", NULL);
    put_text(&f, document_of("1", ""), "houses at sea", NULL);
    struct view_document french = document_of("2", "");
    french.metadata = sh_bytes_of("{\"lang\":\"French\"}");
    put_text(&f, french, "les nationalités", NULL);
    expect(&f, "Haus ", "0");
    expect(&f, "house ", "1");
    expect(&f, "nationale ", "2");
    expect(&f, "+Haus", "0");
    expect(&f, "\"Häusern am Meere\"", "0");
    f.query.highlight = true;
    assert_int_equal(search_for(&f, "Haus ", NULL), SH_OK);
    assert_non_null(strstr(f.results.hits[0].highlight.data, "<em>Häuser</em>"));
    put_text(&f, document_of("0", ""), "english now", NULL); /* none in German is left */
    expect(&f, "+Haus", "");
    fixture_close(&f);
}

static void only_so_many_words_count(void **state)
{
    (void)state;
    struct analyzer *analyzer = NULL;
    struct sh_arena arena = {0};
    struct text_query query;
    char text[8192] = "the ";
    size_t len = strlen(text);
    for (int i = 0; i < 1000; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "w%d ", i);
    assert_int_equal(analyzer_create("english", &analyzer), SH_OK);
    assert_int_equal(text_query_make(&analyzer, 1, sh_bytes_of(text), &arena, &query),
                     SH_OK);
    assert_int_equal(query.count, TEXT_QUERY_WORDS);
    assert_true(sh_bytes_is(query.words[0].forms[0].text, "w0"));
    analyzer_free(&analyzer);
    sh_arena_free(&arena);
}

static void long_queries_are_bounded(void **state)
{
    (void)state;
    enum { LONG = 100000 };
    static const char *const texts[] = {"bee", NULL};
    static const char *const parts[] = {"x",   "+x ", "\"a b\" ", "bee ",
                                        "-\"", "w*",  "東"};
    struct fixture f;
    char *text = sh_alloc(LONG + 16);
    assert_non_null(text);
    open_texts(&f, texts);
    for (size_t i = 0; i < SH_COUNT(parts); i++) {
        size_t len = strlen(parts[i]);
        for (size_t at = 0; at + len < LONG; at += len)
            memcpy(text + at, parts[i], len + 1);
        uint64_t start = cpu_ms();
        enum sh_err err = search_for(&f, text, NULL);
        assert_true(err == SH_OK || err == SH_INVALID); /* the API bounds a query */
        assert_true(cpu_ms() - start < 2000);
    }
    sh_free(text);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_require_and_exclude),
        cmocka_unit_test(what_is_no_sign_is_text),
        cmocka_unit_test(phrases_are_found_word_by_word),
        cmocka_unit_test(phrases_stay_within_a_field),
        cmocka_unit_test(phrases_are_found_among_many),
        cmocka_unit_test(rules_hold_for_the_vector_leg_too),
        cmocka_unit_test(an_unfinished_word_finds_what_begins_so),
        cmocka_unit_test(what_was_asked_comes_before_what_was_guessed),
        cmocka_unit_test(pages_of_many_hits_fit_together),
        cmocka_unit_test(misspelt_words_are_found),
        cmocka_unit_test(words_of_others_change_no_spelling),
        cmocka_unit_test(filters_change_no_spelling),
        cmocka_unit_test(words_are_stemmed_in_the_language_of_the_document),
        cmocka_unit_test(only_so_many_words_count),
        cmocka_unit_test(long_queries_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
