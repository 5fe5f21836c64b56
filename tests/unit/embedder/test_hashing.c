#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "services/embedder/model/hashing.h"
#include "shared/mem.h"

static struct hashing *hashing;

static int set_up(void **state)
{
    (void)state;
    return hashing_create(&hashing) == SH_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    hashing_free(&hashing);
    return 0;
}

static void embed(const char *text, float *vector)
{
    size_t words = 0;
    assert_int_equal(hashing_embed(hashing, sh_bytes_of(text), false, vector, &words),
                     SH_OK);
    assert_true(words > 0);
}

static double similarity(const char *a, const char *b)
{
    float x[HASHING_DIMENSION];
    float y[HASHING_DIMENSION];
    embed(a, x);
    embed(b, y);
    double sum = 0;
    for (size_t i = 0; i < HASHING_DIMENSION; i++)
        sum += (double)x[i] * (double)y[i];
    return sum;
}

static void same_words_are_near(void **state)
{
    (void)state;
    assert_true(fabs(similarity("garden roses", "garden roses") - 1) < 1e-6);
    assert_true(fabs(similarity("Garden ROSES", "garden roses") - 1) < 1e-6);
    assert_true(fabs(similarity("café", "cafe") - 1) < 1e-6);
    double near = similarity("pruning garden roses", "how to prune a rose");
    double far = similarity("pruning garden roses", "database connection pool");
    assert_true(near > 0.3);
    assert_true(far < 0.2);
    /* a misspelt word still shares trigrams */
    assert_true(similarity("authentication", "authentification") > 0.1);
}

/* The vector of a fixed text never changes: stored vectors depend on it. */
static void is_the_same_everywhere(void **state)
{
    (void)state;
    float v[HASHING_DIMENSION];
    embed("Cairn", v);
    uint64_t sum = 0;
    for (size_t i = 0; i < HASHING_DIMENSION; i++)
        sum = sum * 31 + (uint64_t)(int64_t)lrint((double)v[i] * 1e4);
    assert_int_equal(sum, UINT64_C(0xf9b7e959b48f14c0));
}

static void repeated_words_count_less_and_less(void **state)
{
    (void)state;
    double once = similarity("apple pear", "apple");
    double often = similarity("apple apple apple apple apple apple pear", "apple");
    assert_true(often > once);
    assert_true(often < 0.97);
}

static void refuses_what_has_no_words(void **state)
{
    (void)state;
    static const struct {
        struct sh_bytes text;
        enum sh_err err;
    } cases[] = {
        {{"", 0}, SH_INVALID},
        {{"  \n!?", 5}, SH_INVALID},
        {{"a\xc3", 2}, SH_MALFORMED},
        {{"\xed\xa0\x80", 3}, SH_MALFORMED},
    };
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        float v[HASHING_DIMENSION];
        size_t words = 0;
        assert_int_equal(hashing_embed(hashing, cases[i].text, false, v, &words),
                         cases[i].err);
        for (size_t j = 0; j < HASHING_DIMENSION; j++)
            assert_true(v[j] == 0);
    }
}

static void long_texts_are_cut_or_refused(void **state)
{
    (void)state;
    size_t len = HASHING_TEXT_MAX + 3;
    char *text = malloc(len);
    assert_non_null(text);
    for (size_t i = 0; i < len; i++)
        text[i] = "qwertyuiopasdfghjklzxcv "[i % 24];
    float v[HASHING_DIMENSION];
    size_t words = 0;
    struct sh_bytes bytes = {text, len};
    assert_int_equal(hashing_embed(hashing, bytes, true, v, &words), SH_TOOBIG);
    assert_int_equal(hashing_embed(hashing, bytes, false, v, &words), SH_OK);
    free(text);
}

static void survives_every_allocation_failure(void **state)
{
    (void)state;
    int failures = 0;
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        struct hashing *fresh = NULL;
        float v[HASHING_DIMENSION];
        size_t words = 0;
        sh_mem_fail_after(failures);
        err = hashing_create(&fresh);
        if (err == SH_OK)
            err = hashing_embed(fresh, sh_bytes_of("some words"), false, v, &words);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
        hashing_free(&fresh);
    }
    assert_true(failures > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_words_are_near),
        cmocka_unit_test(is_the_same_everywhere),
        cmocka_unit_test(repeated_words_count_less_and_less),
        cmocka_unit_test(refuses_what_has_no_words),
        cmocka_unit_test(long_texts_are_cut_or_refused),
        cmocka_unit_test(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests_name("hashing", tests, set_up, tear_down);
}
