/* The promises of phrases.h. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/search/terminology/phrases.h"
#include "services/search/text/language.h"
#include "shared/buffer.h"

struct fixture {
    struct phrases *phrases;
    struct sh_arena arena;
    struct phrase *found;
    size_t count;
};

static void open_for(struct fixture *f, const char *language, size_t most)
{
    *f = (struct fixture){0};
    assert_int_equal(
        phrases_create(language_of(sh_bytes_of(language)), most, &f->phrases), SH_OK);
}

static void add(struct fixture *f, uint32_t document, const char *text)
{
    assert_int_equal(phrases_add(f->phrases, document, 0, sh_bytes_of(text)), SH_OK);
}

static void rank(struct fixture *f, uint64_t frequency, uint64_t documents)
{
    const struct phrase_wish wish = {frequency, 1000, documents};

    assert_int_equal(phrases_rank(f->phrases, &wish, &f->arena, &f->found, &f->count),
                     SH_OK);
}

static const struct phrase *find(const struct fixture *f, const char *form)
{
    for (size_t i = 0; i < f->count; i++)
        if (sh_bytes_is(f->found[i].form, form))
            return &f->found[i];
    return NULL;
}

static void close_it(struct fixture *f)
{
    phrases_free(&f->phrases);
    sh_arena_free(&f->arena);
}

/* Frequencies of the table of the paper, section 2.3: C-value of nested terms. */
static void test_nested_terms_count_as_often_as_they_stand_alone(void **state)
{
    struct fixture f;

    (void)state;
    open_for(&f, "en", 10000);
    for (uint32_t i = 0; i < 5; i++)
        add(&f, i, "adenoid cystic basal cell carcinoma.");
    for (uint32_t i = 5; i < 16; i++)
        add(&f, i, "cystic basal cell carcinoma.");
    for (uint32_t i = 16; i < 100; i++)
        add(&f, i, "basal cell carcinoma.");
    rank(&f, 2, 100);
    const struct phrase *whole = find(&f, "adenoid cystic basal cell carcinoma");
    const struct phrase *cystic = find(&f, "cystic basal cell carcinoma");
    const struct phrase *basal = find(&f, "basal cell carcinoma");
    assert_non_null(whole);
    assert_non_null(cystic);
    assert_non_null(basal);
    assert_int_equal(whole->frequency, 5);
    assert_int_equal(cystic->frequency, 16);
    assert_int_equal(basal->frequency, 100);
    assert_true(fabs(whole->score - log2(6) * 5) < 1e-9);
    assert_true(fabs(cystic->score - log2(5) * (16 - 5.0 / 1)) < 1e-9);
    assert_ptr_equal(&f.found[0], basal);
    assert_true(find(&f, "cell")->score < basal->score); /* never alone */
    close_it(&f);
}

static void test_stop_words_end_a_run_and_may_link_inside(void **state)
{
    struct fixture f;

    (void)state;
    open_for(&f, "en", 10000);
    for (uint32_t i = 0; i < 3; i++)
        add(&f, i,
            "The degree of freedom is one. The dean, and the degree of it. "
            "Figure 12 shows the entropy - energy");
    rank(&f, 2, 10);
    assert_non_null(find(&f, "degree of freedom"));
    assert_null(find(&f, "degree of"));
    assert_null(find(&f, "The degree"));
    assert_null(find(&f, "dean and"));
    assert_null(find(&f, "of freedom"));
    assert_null(find(&f, "Figure 12"));
    assert_null(find(&f, "entropy - energy"));
    assert_non_null(find(&f, "entropy"));
    close_it(&f);
}

static void test_forms_of_the_same_stems_are_one(void **state)
{
    struct fixture f;

    (void)state;
    open_for(&f, "en", 10000);
    add(&f, 0, "Neural networks. A neural network. The neural network.");
    add(&f, 1, "x\n\nneural\nnetwork é neural-network");
    rank(&f, 2, 2);
    const struct phrase *found = find(&f, "neural network");
    assert_non_null(found);
    assert_int_equal(found->frequency, 5);
    assert_int_equal(found->documents, 2);
    assert_int_equal(found->words, 2);
    assert_int_equal(found->context_count, 2);
    assert_true(sh_bytes_is(found->contexts[0].form, "Neural networks"));
    assert_int_equal(found->contexts[0].start, 0);
    assert_true(sh_bytes_is(found->contexts[1].form, "neural network"));
    assert_int_equal(found->contexts[1].document, 1);
    assert_int_equal(found->contexts[1].start, 3);
    close_it(&f);
}

static void test_the_language_decides_about_stems_and_stop_words(void **state)
{
    struct fixture f;

    (void)state;
    open_for(&f, "de", 10000);
    for (uint32_t i = 0; i < 2; i++)
        add(&f, i, "Die Fakultäten und der Dekan. Eine Fakultät ohne Dekan.");
    rank(&f, 2, 3);
    assert_int_equal(f.count, 2);
    assert_non_null(find(&f, "Dekan"));
    assert_int_equal(find(&f, "Dekan")->frequency, 4);
    close_it(&f);
    open_for(&f, "fr", 10000);
    for (uint32_t i = 0; i < 2; i++)
        add(&f, i, "le seuil de rentabilité est atteint");
    rank(&f, 2, 3);
    assert_non_null(find(&f, "seuil de rentabilité"));
    close_it(&f);
}

static void test_characters_are_counted_not_bytes(void **state)
{
    struct fixture f;

    (void)state;
    open_for(&f, "en", 10000);
    add(&f, 0, "“Élan” — vital entropy; 漢字漢字 vital entropy");
    rank(&f, 2, 1);
    const struct phrase *found = find(&f, "vital entropy");
    assert_non_null(found);
    assert_int_equal(found->contexts[0].start, 9);
    for (size_t i = 0; i < f.count; i++)
        assert_true(((const uint8_t *)f.found[i].form.data)[0] < 0xe3);
    close_it(&f);
}

/* What is frequent stays and is at most so much too low. */
static void test_rare_runs_make_room(void **state)
{
    struct sh_buffer text = {0};
    struct fixture f;

    (void)state;
    open_for(&f, "en", 1000);
    for (uint32_t i = 0; i < 2000; i++) {
        sh_buffer_clear(&text);
        sh_buffer_printf(&text, "wzq%ux kvb%uy. Quantum chromodynamics.", i, i);
        sh_buffer_append(&text, "", 1);
        add(&f, i, text.data);
        assert_true(phrases_count(f.phrases) <= 1000);
    }
    rank(&f, 2, 2000);
    assert_true(phrases_missed(f.phrases) > 0);
    const struct phrase *found = find(&f, "Quantum chromodynamics");
    assert_non_null(found);
    assert_true(found->frequency + phrases_missed(f.phrases) >= 2000);
    assert_true(found->frequency <= 2000);
    sh_buffer_free(&text);
    close_it(&f);
}

static void test_no_memory_is_said(void **state)
{
    (void)state;
    for (int n = 0; n < 12; n++) {
        struct fixture f = {0};
        struct phrase_wish wish = {1, 10, 1};
        enum sh_err err;
        sh_mem_fail_after(n);
        err = phrases_create(LANGUAGE_ENGLISH, 1000, &f.phrases);
        if (err == SH_OK)
            err = phrases_add(f.phrases, 0, 0, sh_bytes_of("basal cell carcinoma"));
        if (err == SH_OK)
            err = phrases_rank(f.phrases, &wish, &f.arena, &f.found, &f.count);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
        close_it(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nested_terms_count_as_often_as_they_stand_alone),
        cmocka_unit_test(test_stop_words_end_a_run_and_may_link_inside),
        cmocka_unit_test(test_forms_of_the_same_stems_are_one),
        cmocka_unit_test(test_the_language_decides_about_stems_and_stop_words),
        cmocka_unit_test(test_characters_are_counted_not_bytes),
        cmocka_unit_test(test_rare_runs_make_room),
        cmocka_unit_test(test_no_memory_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
