/* The promises of glossary.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/search/glossary/glossary.h"
#include "services/search/text/language.h"
#include "shared/buffer.h"

struct fixture {
    struct glossary *glossary;
    struct analyzer *analyzers[LANGUAGE_COUNT];
    struct sh_arena arena;
    struct text_query query;
    struct glossary_found found;
};

static struct glossary_row row_of(const char *term, const char *forms)
{
    return (struct glossary_row){sh_bytes_of(term), sh_bytes_of("en"),
                                 sh_bytes_of(forms)};
}

static void open_with(struct fixture *f, const struct glossary_row *rows, size_t count)
{
    *f = (struct fixture){0};
    assert_int_equal(glossary_create(rows, count, &f->glossary), SH_OK);
}

static void open_one(struct fixture *f, const char *term, const char *forms)
{
    struct glossary_row row = row_of(term, forms);
    open_with(f, &row, 1);
}

static void close_it(struct fixture *f)
{
    sh_arena_free(&f->arena);
    for (unsigned i = 0; i < LANGUAGE_COUNT; i++)
        analyzer_free(&f->analyzers[i]);
    glossary_free(&f->glossary);
    assert_null(f->glossary);
}

static void widen(struct fixture *f, const char *text)
{
    struct sh_bytes bytes = sh_bytes_of(text);
    assert_int_equal(language_analyzer(f->analyzers, LANGUAGE_ENGLISH), SH_OK);
    assert_int_equal(text_query_make(f->analyzers, 1, bytes, &f->arena, &f->query),
                     SH_OK);
    assert_int_equal(
        glossary_widen(f->glossary, bytes, f->analyzers, &f->arena, &f->query, &f->found),
        SH_OK);
}

static const struct text_word *word_of(const struct fixture *f, const char *stem)
{
    for (uint32_t i = 0; i < f->query.count; i++) {
        if (sh_bytes_is(f->query.words[i].forms[0].text, stem))
            return &f->query.words[i];
    }
    return NULL;
}

static void assert_found(const struct fixture *f, const char *term, const char *added,
                         const char *kind)
{
    assert_int_equal(f->found.count, 1);
    assert_true(sh_bytes_is(f->found.items[0].term, term));
    assert_true(sh_bytes_is(f->found.items[0].added[0], added));
    assert_true(sh_bytes_is(f->found.items[0].kind, kind));
}

static const char vpn[] =
    "{\"acronym\":\"VPN\",\"synonyms\":[\"secure tunnel\",\"anyconnect\"]}";

static void an_acronym_finds_the_words_that_it_stands_for(void **state)
{
    (void)state;
    struct fixture f;
    open_one(&f, "virtual private network", vpn);
    widen(&f, "how do I use the vpn at home");
    assert_found(&f, "VPN", "virtual private network", "acronym");
    assert_int_equal(f.found.items[0].added_count, 3);
    /* three words share what one counts, and all that is half of a word that was asked */
    assert_float_equal(word_of(&f, "privat")->forms[0].weight, 0.5 / 3, 1e-6);
    assert_float_equal(word_of(&f, "tunnel")->forms[0].weight, 0.5 / 2, 1e-6);
    assert_float_equal(word_of(&f, "anyconnect")->forms[0].weight, 0.5, 1e-6);
    assert_float_equal(word_of(&f, "vpn")->forms[0].weight, 1, 1e-6);
    close_it(&f);
}

static void words_are_compared_by_their_stems(void **state)
{
    (void)state;
    struct fixture f;
    open_one(&f, "virtual private network", vpn);
    widen(&f, "Virtual, private NETWORKS compared");
    assert_found(&f, "virtual private network", "VPN", "preferred");
    assert_non_null(word_of(&f, "vpn"));
    close_it(&f);
}

static void the_longest_term_is_meant(void **state)
{
    (void)state;
    struct fixture f;
    const struct glossary_row rows[] = {
        row_of("network", "{\"synonyms\":[\"lan\"]}"),
        row_of("network drive", "{\"synonyms\":[\"share\"]}")};
    open_with(&f, rows, 2);
    widen(&f, "my network drive is full");
    assert_found(&f, "network drive", "share", "preferred");
    assert_null(word_of(&f, "lan"));
    widen(&f, "my network is down");
    assert_found(&f, "network", "lan", "preferred");
    close_it(&f);
}

static void another_term_can_be_the_preferred_one(void **state)
{
    (void)state;
    struct fixture f;
    open_one(&f, "pay slip", "{\"preferred\":\"remuneration statement\"}");
    widen(&f, "pay slips of last year");
    assert_found(&f, "pay slip", "remuneration statement", "synonym");
    widen(&f, "my remuneration statement");
    assert_found(&f, "remuneration statement", "pay slip", "preferred");
    close_it(&f);
}

static void what_has_to_be_taken_literally_is(void **state)
{
    (void)state;
    static const char *const queries[] = {"\"vpn\"",
                                          "+vpn",
                                          "-vpn",
                                          "vpn*",
                                          "\"virtual private network\"",
                                          "virtual +private network",
                                          "x"};
    struct fixture f;
    open_one(&f, "virtual private network", vpn);
    for (size_t i = 0; i < SH_COUNT(queries); i++) {
        widen(&f, queries[i]);
        assert_int_equal(f.found.count, 0);
        assert_null(word_of(&f, "anyconnect"));
    }
    close_it(&f);
}

static void a_stop_word_is_a_term_only_where_it_is_written_as_one(void **state)
{
    (void)state;
    struct fixture f;
    open_one(&f, "information technology", "{\"acronym\":\"IT\"}");
    widen(&f, "it is not working");
    assert_int_equal(f.found.count, 0);
    widen(&f, "IT support");
    assert_found(&f, "IT", "information technology", "acronym");
    /* the other way round nothing is gained: "it" stands everywhere */
    widen(&f, "information technology");
    assert_int_equal(f.found.count, 0);
    assert_null(word_of(&f, "it"));
    close_it(&f);
}

static void a_term_that_is_asked_for_is_not_corrected(void **state)
{
    (void)state;
    struct fixture f;
    open_one(&f, "dynamic memory", "{\"acronym\":\"DRAM\"}");
    widen(&f, "dram prices");
    assert_true(word_of(&f, "dram")->exact);
    assert_false(word_of(&f, "price")->exact);
    assert_true(word_of(&f, "memori")->exact);
    close_it(&f);
}

static void words_that_are_asked_already_keep_their_weight(void **state)
{
    (void)state;
    struct fixture f;
    open_one(&f, "virtual private network", vpn);
    widen(&f, "vpn network");
    assert_float_equal(word_of(&f, "network")->forms[0].weight, 1, 1e-6);
    assert_int_equal(f.found.count, 1);
    close_it(&f);
}

static void cycles_end_after_one_step(void **state)
{
    (void)state;
    struct fixture f;
    const struct glossary_row rows[] = {row_of("alpha", "{\"preferred\":\"beta\"}"),
                                        row_of("beta", "{\"preferred\":\"gamma\"}"),
                                        row_of("gamma", "{\"preferred\":\"alpha\"}"),
                                        row_of("delta", "{\"synonyms\":[\"delta\"]}")};
    open_with(&f, rows, 4);
    assert_int_equal(glossary_size(f.glossary), 3); /* delta has no other name */
    widen(&f, "alpha");
    assert_int_equal(f.found.count, 1);
    assert_int_equal(f.found.items[0].added_count, 2); /* beta, and gamma from behind */
    assert_int_equal(f.query.count, 3);
    widen(&f, "alpha beta gamma");
    assert_int_equal(f.query.count, 3);
    close_it(&f);
}

static void terms_of_one_name_are_all_meant(void **state)
{
    (void)state;
    struct fixture f;
    const struct glossary_row rows[] = {
        row_of("personal computer", "{\"acronym\":\"PC\"}"),
        row_of("privy council", "{\"acronym\":[\"PC\"]}")};
    open_with(&f, rows, 2);
    widen(&f, "pc rules");
    assert_int_equal(f.found.count, 1);
    assert_int_equal(f.found.items[0].added_count, 2);
    assert_non_null(word_of(&f, "comput"));
    assert_non_null(word_of(&f, "council"));
    close_it(&f);
}

static void each_term_is_read_in_its_language(void **state)
{
    (void)state;
    struct fixture f;
    const struct glossary_row row = {sh_bytes_of("Haus"), sh_bytes_of("de"),
                                     sh_bytes_of("{\"synonyms\":\"Gebäude\"}")};
    open_with(&f, &row, 1);
    widen(&f, "Häuser"); /* one stem in German, two in English */
    assert_found(&f, "Haus", "Gebäude", "preferred");
    close_it(&f);
}

static void hostile_rows_do_no_harm(void **state)
{
    (void)state;
    struct fixture f;
    char longest[2000];
    struct sh_buffer many = {0};
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    sh_buffer_text(&many, "{\"synonyms\":[\"s0\"");
    for (int i = 1; i < 5000; i++)
        sh_buffer_printf(&many, ",\"s%d\"", i);
    sh_buffer_text(&many, "]}");
    const struct glossary_row rows[] = {
        row_of("a", "not json"),
        row_of("b", "[1,2]"),
        row_of("c", "{\"acronym\":{\"x\":1},\"synonyms\":[1,null,[\"y\"],\"\"]}"),
        row_of(longest, "{\"acronym\":\"LONG\"}"),
        row_of("...", "{\"acronym\":\"!!!\",\"synonyms\":[\"  \"]}"),
        row_of("one two three four five six seven eight nine", "{\"acronym\":\"NINE\"}"),
        row_of("quote", "{\"synonyms\":[\"\\\"-minus +plus star* \\\\\"]}"),
        {sh_bytes_of("many"), sh_bytes_of("en"), sh_buffer_bytes(&many)},
        {sh_bytes_of("klingon"), sh_bytes_of("tlh-\xff"), sh_bytes_of("{}")},
        {{NULL, 0}, {NULL, 0}, {NULL, 0}},
    };
    open_with(&f, rows, SH_COUNT(rows));
    assert_int_equal(glossary_size(f.glossary), 2); /* quote and many */
    widen(&f, "quote");
    assert_int_equal(f.query.rule_count, 0); /* no signs and phrases from terms */
    assert_non_null(word_of(&f, "minus"));
    assert_non_null(word_of(&f, "star"));
    assert_false(word_of(&f, "star")->prefix);
    widen(&f, "many");
    assert_int_equal(f.found.items[0].added_count, GLOSSARY_ADDED);
    sh_buffer_free(&many);
    close_it(&f);
}

static void thousands_of_terms_are_found_one_by_one(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    struct fixture f;
    struct glossary_row *rows = calloc(COUNT, sizeof(*rows));
    char(*texts)[2][48] = calloc(COUNT, sizeof(*texts));
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(texts[i][0], sizeof(texts[i][0]), "term%d number", i);
        (void)snprintf(texts[i][1], sizeof(texts[i][1]), "{\"acronym\":\"T%dN\"}", i);
        rows[i] = row_of(texts[i][0], texts[i][1]);
    }
    open_with(&f, rows, COUNT);
    assert_int_equal(glossary_size(f.glossary), COUNT);
    for (int i = 0; i < COUNT; i += 371) {
        char query[64];
        (void)snprintf(query, sizeof(query), "what is t%dn", i);
        widen(&f, query);
        char acronym[16];
        (void)snprintf(acronym, sizeof(acronym), "T%dN", i);
        assert_found(&f, acronym, texts[i][0], "acronym");
        sh_arena_free(&f.arena);
    }
    free(texts);
    free(rows);
    close_it(&f);
}

/* As many words, matches and forms as there may be, all of one name. */
static void a_great_query_over_terms_of_one_name_is_bounded(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    struct fixture f;
    struct glossary_row *rows = calloc(COUNT, sizeof(*rows));
    struct sh_buffer text = {0};
    for (int i = 0; i < COUNT; i++)
        rows[i] = row_of("same", "{\"synonyms\":[\"x1 y1\",\"x2 y2\",\"x3 y3\"]}");
    for (int i = 0; i < 400; i++)
        sh_buffer_text(&text, "same ");
    sh_buffer_append(&text, "", 1);
    open_with(&f, rows, COUNT);
    widen(&f, (const char *)text.data);
    assert_int_equal(f.found.count, 1);
    assert_true(f.query.count <= TEXT_QUERY_WORDS);
    assert_true(f.arena.total < 4 << 20);
    sh_buffer_free(&text);
    free(rows);
    close_it(&f);
}

static void the_query_never_gets_more_words_than_it_may_have(void **state)
{
    (void)state;
    enum { COUNT = 40 };
    struct fixture f;
    struct glossary_row rows[COUNT];
    char texts[COUNT][2][256];
    struct sh_buffer text = {0};
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(texts[i][0], sizeof(texts[i][0]), "w%d", i);
        (void)snprintf(texts[i][1], sizeof(texts[i][1]),
                       "{\"synonyms\":[\"a%d b%d c%d d%d\",\"e%d f%d\"]}", i, i, i, i, i,
                       i);
        rows[i] = row_of(texts[i][0], texts[i][1]);
        sh_buffer_printf(&text, "%s ", texts[i][0]);
    }
    sh_buffer_append(&text, "", 1);
    open_with(&f, rows, COUNT);
    widen(&f, (const char *)text.data);
    assert_int_equal(f.found.count, GLOSSARY_MATCHES);
    assert_int_equal(f.query.count, TEXT_QUERY_WORDS);
    sh_buffer_free(&text);
    close_it(&f);
}

static void an_empty_glossary_and_none_change_nothing(void **state)
{
    (void)state;
    struct fixture f;
    open_with(&f, NULL, 0);
    widen(&f, "anything");
    assert_int_equal(f.found.count, 0);
    glossary_free(&f.glossary);
    widen(&f, "anything");
    assert_int_equal(f.found.count, 0);
    assert_int_equal(f.query.count, 1);
    close_it(&f);
}

static void survives_every_allocation_failure(void **state)
{
    (void)state;
    int failures = 0;
    struct glossary_row row = row_of("virtual private network", vpn);
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        struct fixture f = {0};
        struct sh_bytes text = sh_bytes_of("vpn");
        assert_int_equal(language_analyzer(f.analyzers, LANGUAGE_ENGLISH), SH_OK);
        sh_mem_fail_after(failures);
        err = glossary_create(&row, 1, &f.glossary);
        if (err == SH_OK)
            err = text_query_make(f.analyzers, 1, text, &f.arena, &f.query);
        if (err == SH_OK)
            err = glossary_widen(f.glossary, text, f.analyzers, &f.arena, &f.query,
                                 &f.found);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
        close_it(&f);
    }
    assert_true(failures > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_acronym_finds_the_words_that_it_stands_for),
        cmocka_unit_test(words_are_compared_by_their_stems),
        cmocka_unit_test(the_longest_term_is_meant),
        cmocka_unit_test(another_term_can_be_the_preferred_one),
        cmocka_unit_test(what_has_to_be_taken_literally_is),
        cmocka_unit_test(a_stop_word_is_a_term_only_where_it_is_written_as_one),
        cmocka_unit_test(a_term_that_is_asked_for_is_not_corrected),
        cmocka_unit_test(words_that_are_asked_already_keep_their_weight),
        cmocka_unit_test(cycles_end_after_one_step),
        cmocka_unit_test(terms_of_one_name_are_all_meant),
        cmocka_unit_test(each_term_is_read_in_its_language),
        cmocka_unit_test(hostile_rows_do_no_harm),
        cmocka_unit_test(thousands_of_terms_are_found_one_by_one),
        cmocka_unit_test(a_great_query_over_terms_of_one_name_is_bounded),
        cmocka_unit_test(the_query_never_gets_more_words_than_it_may_have),
        cmocka_unit_test(an_empty_glossary_and_none_change_nothing),
        cmocka_unit_test(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
