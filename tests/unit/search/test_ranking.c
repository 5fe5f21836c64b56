#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "services/search/generations/ranking.h"

static bool near(double value, double wanted)
{
    return fabs(value - wanted) < 1e-9;
}

/* One document a letter, best first. */
static struct ranking of(const char *documents)
{
    struct ranking ranking = {.count = 0};

    for (size_t i = 0; documents[i] != '\0'; i++)
        ranking_offer(&ranking, (struct sh_bytes){documents + i, 1}, 1 - (float)i / 100);
    return ranking;
}

static void the_best_ten_are_kept_in_order(void **state)
{
    struct ranking ranking = {.count = 0};
    char id[8];

    (void)state;
    for (int i = 0; i < 100; i++) { /* 37 and 100 share no factor: all scores, mixed */
        int score = i * 37 % 100;
        (void)snprintf(id, sizeof(id), "d%d", score);
        ranking_offer(&ranking, sh_bytes_of(id), (float)score);
    }
    assert_int_equal(ranking.count, RANKING_DEPTH);
    for (int i = 0; i < RANKING_DEPTH; i++) {
        (void)snprintf(id, sizeof(id), "d%d", 99 - i);
        assert_string_equal(ranking.entries[i].document, id);
    }
}

static void a_document_counts_by_its_best_passage(void **state)
{
    struct ranking ranking = of("abc");

    (void)state;
    ranking_offer(&ranking, sh_bytes_of("c"), 0.1F); /* a worse one */
    assert_string_equal(ranking.entries[2].document, "c");
    ranking_offer(&ranking, sh_bytes_of("c"), 2);
    assert_int_equal(ranking.count, 3);
    assert_string_equal(ranking.entries[0].document, "c");
    assert_string_equal(ranking.entries[1].document, "a");
}

static void lists_are_compared(void **state)
{
    struct ranking none = {.count = 0};
    struct ranking forth = of("abcdefghij");
    struct ranking back = of("jihgfedcba");
    struct ranking half = of("abcdeVWXYZ");
    struct ranking other = of("klmnopqrst");

    (void)state;
    assert_true(near(ranking_overlap(&forth, &back), 1));
    assert_true(near(ranking_overlap(&forth, &half), 0.5));
    assert_true(near(ranking_overlap(&forth, &other), 0));
    assert_true(near(ranking_overlap(&forth, &none), 0));
    assert_true(near(ranking_overlap(&none, &none), 1));
    assert_true(near(ranking_correlation(&forth, &forth), 1));
    assert_true(near(ranking_correlation(&forth, &back), -1));
    assert_true(near(ranking_correlation(&none, &none), 1));
    assert_true(ranking_correlation(&forth, &half) > 0);
    assert_true(ranking_correlation(&forth, &other) < 0);
}

/* By hand: gains 7, 0, 1 at places 1 to 3 of an ideal 7, 1. */
static void ndcg_is_as_defined(void **state)
{
    json_t *relevant = json_pack("{s:i, s:i, s:i}", "a", 3, "c", 1, "x", 0);
    struct ranking ranking = of("abc");
    struct ranking ideal = of("ac");
    double wanted = (7 + 1 / log2(4)) / (7 + 1 / log2(3));

    (void)state;
    assert_true(near(ranking_ndcg(&ranking, relevant), wanted));
    assert_true(near(ranking_ndcg(&ideal, relevant), 1));
    json_object_clear(relevant);
    assert_true(near(ranking_ndcg(&ranking, relevant), 0));
    json_decref(relevant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_ten_are_kept_in_order),
        cmocka_unit_test(a_document_counts_by_its_best_passage),
        cmocka_unit_test(lists_are_compared),
        cmocka_unit_test(ndcg_is_as_defined),
    };
    return cmocka_run_group_tests_name("ranking", tests, NULL, NULL);
}
