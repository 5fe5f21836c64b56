/* The promises of fusion.h and boost.h. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/search/fusion/boost.h"
#include "services/search/fusion/fusion.h"

static double no_boost(const void *arg, uint32_t slot)
{
    (void)arg;
    (void)slot;
    return 0;
}

static int by_slot(const void *arg, uint32_t a, uint32_t b)
{
    (void)arg;
    return (a > b) - (a < b);
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-6;
}

static struct fusion_input input_of(const struct leg *text, const struct leg *vector)
{
    return (struct fusion_input){.text = text,
                                 .vector = vector,
                                 .weight = 0.3,
                                 .score_weight = 1,
                                 .boost = no_boost,
                                 .order = by_slot};
}

static struct leg_hit text_hits[] = {{1, 4}, {2, 8}, {5, 2}};
static struct leg_hit vector_hits[] = {{1, 0.5F}, {3, 0.9F}, {5, -0.2F}, {7, 0.5F}};
static const struct leg text_leg = {text_hits, 3};
static const struct leg vector_leg = {vector_hits, 4};

static const struct fusion_hit *hit_of(const struct fusion_result *result, uint32_t slot)
{
    for (size_t i = 0; i < result->count; i++) {
        if (result->hits[i].slot == slot)
            return &result->hits[i];
    }
    fail_msg("slot %u is not among the hits", slot);
    static const struct fusion_hit
        none; /* never returned: fail_msg() does not come back */
    return &none;
}

static void weighted_scores_lie_between_the_least_and_the_best(void **state)
{
    (void)state;
    struct sh_arena arena = {0};
    struct fusion_result result;
    struct fusion_input input = input_of(&text_leg, &vector_leg);
    assert_int_equal(fusion_run(&input, 10, &arena, &result), SH_OK);
    assert_int_equal(result.total, 5);
    assert_int_equal(result.count, 5);
    const struct fusion_hit *one = hit_of(&result, 1);
    assert_true(near(one->text_part, 0.5));
    assert_true(near(one->vector_part, 1.5 / 1.9));
    assert_true(near(one->score, 0.7 * 0.5 + 0.3 * 1.5 / 1.9));
    const struct fusion_hit *five = hit_of(&result, 5); /* below the threshold of 0 */
    assert_false(five->in_vector);
    assert_true(near(five->score, 0.7 * 0.25 + 0.3 * 0.8 / 1.9));
    assert_true(near(hit_of(&result, 2)->score, 1)); /* no vector: its words alone */
    assert_true(near(hit_of(&result, 3)->score, 0.3));
    for (size_t i = 1; i < result.count; i++)
        assert_true(result.hits[i - 1].combined >= result.hits[i].combined);
    sh_arena_free(&arena);
}

static void reciprocal_ranks_add_up(void **state)
{
    (void)state;
    struct sh_arena arena = {0};
    struct fusion_result result;
    struct fusion_input input = input_of(&text_leg, &vector_leg);
    input.method = FUSION_RRF;
    assert_int_equal(fusion_run(&input, 10, &arena, &result), SH_OK);
    assert_int_equal(result.total, 5);
    /* ranks: text 2, 1, 5; vector 3, then 1 and 7 together */
    assert_true(near(hit_of(&result, 1)->score, 61 * (0.7 / 62 + 0.3 / 62)));
    assert_true(near(hit_of(&result, 2)->score, 0.7));
    assert_true(near(hit_of(&result, 3)->score, 0.3));
    assert_true(near(hit_of(&result, 5)->score, 61 * 0.7 / 63));
    assert_true(near(hit_of(&result, 7)->score, 61 * 0.3 / 62));
    sh_arena_free(&arena);
}

static void one_leg_alone_decides(void **state)
{
    (void)state;
    struct sh_arena arena = {0};
    struct fusion_result result;
    struct fusion_input input = input_of(NULL, &vector_leg);
    input.threshold = 0.5;
    assert_int_equal(fusion_run(&input, 10, &arena, &result), SH_OK);
    assert_int_equal(result.total, 3);
    assert_int_equal(result.hits[0].slot, 3);
    assert_true(fabs(result.hits[0].score - 0.9) < 1e-6);
    assert_int_equal(result.hits[1].slot, 1); /* equal scores: by order */
    assert_int_equal(result.hits[2].slot, 7);
    input = input_of(&text_leg, NULL);
    assert_int_equal(fusion_run(&input, 10, &arena, &result), SH_OK);
    assert_int_equal(result.total, 3);
    assert_int_equal(result.hits[0].slot, 2);
    assert_true(near(result.hits[2].score, 0.25));
    sh_arena_free(&arena);
}

static void the_first_of_many_are_the_same_however_many_are_asked(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    static struct leg_hit hits[COUNT];
    struct sh_arena arena = {0};
    struct fusion_result all;
    const struct leg leg = {hits, COUNT};
    srand(4);
    for (uint32_t i = 0; i < COUNT; i++)
        hits[i] = (struct leg_hit){i, (float)(1 + rand() % 50)};
    struct fusion_input input = input_of(&leg, NULL);
    assert_int_equal(fusion_run(&input, COUNT, &arena, &all), SH_OK);
    for (size_t most = 0; most < COUNT; most += 13) {
        struct fusion_result some;
        assert_int_equal(fusion_run(&input, most, &arena, &some), SH_OK);
        assert_int_equal(some.count, most);
        assert_int_equal(some.total, COUNT);
        for (size_t i = 0; i < most; i++)
            assert_int_equal(some.hits[i].slot, all.hits[i].slot);
    }
    sh_arena_free(&arena);
}

static void ranks_count_what_is_better(void **state)
{
    (void)state;
    struct sh_arena arena = {0};
    struct fusion_ranks ranks;
    assert_int_equal(fusion_ranks_make(&vector_leg, 0, &arena, &ranks), SH_OK);
    assert_int_equal(ranks.count, 3);
    assert_int_equal(fusion_rank(&ranks, 0.9F), 1);
    assert_int_equal(fusion_rank(&ranks, 0.5F), 2);
    assert_int_equal(fusion_rank(&ranks, 0.1F), 4);
    sh_arena_free(&arena);
}

static double same_parity(const void *arg, uint32_t a, uint32_t b)
{
    (void)arg;
    return a % 2 == b % 2 ? 1 : 0;
}

static double by_table(const void *arg, uint32_t a, uint32_t b)
{
    static const double table[4][4] = {
        {1, 0.9, 0.1, 0.2}, {0.9, 1, 0.3, 0.6}, {0.1, 0.3, 1, 0.7}, {0.2, 0.6, 0.7, 1}};
    (void)arg;
    return table[a][b];
}

static void diversity_takes_the_unlike_first(void **state)
{
    (void)state;
    struct sh_arena arena = {0};
    struct fusion_hit hits[] = {{.slot = 2, .combined = 0.9},
                                {.slot = 4, .combined = 0.8},
                                {.slot = 6, .combined = 0.7},
                                {.slot = 1, .combined = 0.6}};
    struct fusion_result result = {hits, 4, 4};
    assert_int_equal(fusion_diversify(&result, 0, same_parity, NULL, &arena), SH_OK);
    assert_int_equal(hits[1].slot, 4);
    assert_int_equal(fusion_diversify(&result, 0.5, same_parity, NULL, &arena), SH_OK);
    assert_int_equal(hits[0].slot, 2);
    assert_int_equal(hits[1].slot, 1);
    assert_int_equal(hits[2].slot, 4);
    assert_int_equal(hits[3].slot, 6);
    sh_arena_free(&arena);
}

static void boosts_are_by_priority_and_own_campus(void **state)
{
    (void)state;
    struct boosts boosts = boosts_default();
    struct sh_bytes central = sh_bytes_of("central");
    assert_true(near(boosts.score, 0.8));
    assert_true(near(boosts_priority(&boosts, 4), 0.04));
    assert_true(
        near(boosts_campus(&boosts, central, sh_bytes_of("Central Campus")), 0.1));
    assert_true(near(
        boosts_campus(&boosts, sh_bytes_of("Easter Bush"), sh_bytes_of("easter_bush")),
        0.05));
    assert_true(near(boosts_campus(&boosts, central, sh_bytes_of("Easter Bush")), 0));
    assert_true(near(boosts_campus(&boosts, sh_bytes_of(""), sh_bytes_of("")), 0));
}

/* Worked out by hand from the formulas: weighted, with 0 as the least BM25 and -1 as the
 * least cosine: 0.3 · (cos + 1)/(best cos + 1) + 0.7 · bm25/best bm25. */
static void the_weighted_formula_gives_these_numbers(void **state)
{
    (void)state;
    struct leg_hit texts[] = {{0, 10}, {1, 5}, {2, 2}};
    struct leg_hit vectors[] = {{0, 0}, {1, 0.6F}, {2, -1}, {3, 0.28F}};
    static const double expected[] = {0.8875, 0.65, 0.14, 0.24};
    const struct leg text = {texts, 3};
    const struct leg vector = {vectors, 4};
    struct sh_arena arena = {0};
    struct fusion_result result;
    struct fusion_input input = input_of(&text, &vector);
    assert_int_equal(fusion_run(&input, 4, &arena, &result), SH_OK);
    for (uint32_t slot = 0; slot < 4; slot++)
        assert_true(near(hit_of(&result, slot)->score, expected[slot]));
    sh_arena_free(&arena);
}

/* 0.3/(60 + rank) + 0.7/(60 + rank), times 61 so that first in both is 1: slot 0 is first
 * by words and third by vector, slot 3 is second by vector and in no text. */
static void the_formula_of_ranks_gives_these_numbers(void **state)
{
    (void)state;
    struct leg_hit texts[] = {{0, 10}, {1, 5}, {2, 2}};
    struct leg_hit vectors[] = {{0, 0.1F}, {1, 0.6F}, {2, -1}, {3, 0.28F}};
    static const double expected[] = {0.990476190, 0.988709677, 0.677777778, 0.295161290};
    const struct leg text = {texts, 3};
    const struct leg vector = {vectors, 4};
    struct sh_arena arena = {0};
    struct fusion_result result;
    struct fusion_input input = input_of(&text, &vector);
    input.method = FUSION_RRF;
    assert_int_equal(fusion_run(&input, 4, &arena, &result), SH_OK);
    for (uint32_t slot = 0; slot < 4; slot++)
        assert_true(near(hit_of(&result, slot)->score, expected[slot]));
    assert_int_equal(result.hits[0].slot, 0);
    sh_arena_free(&arena);
}

static void the_threshold_leaves_the_text_leg_alone(void **state)
{
    (void)state;
    struct sh_arena arena = {0};
    for (int method = FUSION_WEIGHTED; method <= FUSION_RRF; method++) {
        struct fusion_result result;
        struct fusion_input input = input_of(&text_leg, &vector_leg);
        input.method = (enum fusion_method)method;
        input.threshold = 0.95;
        assert_int_equal(fusion_run(&input, 10, &arena, &result), SH_OK);
        assert_int_equal(result.total, 3); /* every hit of the text leg, no other */
        for (uint32_t i = 0; i < 3; i++)
            assert_true(hit_of(&result, text_hits[i].slot)->in_text);
    }
    sh_arena_free(&arena);
}

static double great_boost(const void *arg, uint32_t slot)
{
    (void)arg;
    return slot % 2 == 0 ? 5 : -5;
}

static void combined_scores_lie_between_0_and_1_whatever_comes(void **state)
{
    (void)state;
    struct leg_hit texts[] = {{0, 0}, {1, 0}, {4, 1e-30F}};
    struct leg_hit vectors[] = {{0, -1.0001F}, {1, 1.0001F}, {2, -1}, {3, 1}};
    const struct leg text = {texts, 3};
    const struct leg zeros = {texts, 2};
    const struct leg vector = {vectors, 4};
    const struct fusion_input inputs[] = {
        input_of(&text, &vector), input_of(&zeros, NULL), input_of(&zeros, &vector),
        input_of(NULL, &vector)};
    struct sh_arena arena = {0};
    for (size_t i = 0; i < 4 * SH_COUNT(inputs); i++) {
        struct fusion_input input = inputs[i / 4];
        struct fusion_result result;
        input.method = i % 2 ? FUSION_RRF : FUSION_WEIGHTED;
        input.boost = i % 4 < 2 ? no_boost : great_boost;
        input.threshold = -1;
        assert_int_equal(fusion_run(&input, 10, &arena, &result), SH_OK);
        assert_true(result.count >= 2);
        for (size_t h = 0; h < result.count; h++) {
            const struct fusion_hit *hit = &result.hits[h];
            assert_true(hit->score >= 0 && hit->score <= 1);
            assert_true(hit->combined >= 0 && hit->combined <= 1);
        }
    }
    sh_arena_free(&arena);
}

/* (1 - 0.4) · combined - 0.4 · likeness to the closest above, by hand:
 * 0 first. Then 1: 0.48 - 0.36 = 0.12, 2: 0.42 - 0.04 = 0.38, 3: 0.3 - 0.08 = 0.22.
 * Then 1: 0.12, 3: 0.3 - 0.4 · 0.7 = 0.02. */
static void diversity_gives_the_order_worked_out_by_hand(void **state)
{
    (void)state;
    struct sh_arena arena = {0};
    struct fusion_hit hits[] = {{.slot = 0, .combined = 0.9},
                                {.slot = 1, .combined = 0.8},
                                {.slot = 2, .combined = 0.7},
                                {.slot = 3, .combined = 0.5}};
    static const uint32_t expected[] = {0, 2, 1, 3};
    struct fusion_result result = {hits, 4, 4};
    assert_int_equal(fusion_diversify(&result, 0.4, by_table, NULL, &arena), SH_OK);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(hits[i].slot, expected[i]);
    sh_arena_free(&arena);
}

static void diversity_of_1_looks_at_likeness_alone_behind_the_first(void **state)
{
    (void)state;
    struct sh_arena arena = {0};
    struct fusion_hit hits[] = {{.slot = 0, .combined = 0.9},
                                {.slot = 1, .combined = 0.8},
                                {.slot = 2, .combined = 0.7},
                                {.slot = 3, .combined = 0.5}};
    static const uint32_t expected[] = {0, 2, 3, 1};
    struct fusion_result result = {hits, 4, 4};
    assert_int_equal(fusion_diversify(&result, 1, by_table, NULL, &arena), SH_OK);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(hits[i].slot, expected[i]);
    sh_arena_free(&arena);
}

/* Of what is more than the pool the tail stays as it was, so pages do not change. */
static void diversity_touches_no_more_than_the_pool(void **state)
{
    (void)state;
    enum { COUNT = FUSION_POOL + 20 };
    static struct fusion_hit hits[COUNT];
    struct sh_arena arena = {0};
    for (uint32_t i = 0; i < COUNT; i++)
        hits[i] = (struct fusion_hit){.slot = i, .combined = 1 - i / 1000.0};
    struct fusion_result result = {hits, COUNT, COUNT};
    assert_int_equal(fusion_diversify(&result, 0.5, same_parity, NULL, &arena), SH_OK);
    assert_int_equal(hits[1].slot, 1); /* odd: unlike the first */
    for (uint32_t i = FUSION_POOL; i < COUNT; i++)
        assert_int_equal(hits[i].slot, i);
    sh_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weighted_scores_lie_between_the_least_and_the_best),
        cmocka_unit_test(reciprocal_ranks_add_up),
        cmocka_unit_test(one_leg_alone_decides),
        cmocka_unit_test(the_first_of_many_are_the_same_however_many_are_asked),
        cmocka_unit_test(ranks_count_what_is_better),
        cmocka_unit_test(diversity_takes_the_unlike_first),
        cmocka_unit_test(the_weighted_formula_gives_these_numbers),
        cmocka_unit_test(the_formula_of_ranks_gives_these_numbers),
        cmocka_unit_test(the_threshold_leaves_the_text_leg_alone),
        cmocka_unit_test(combined_scores_lie_between_0_and_1_whatever_comes),
        cmocka_unit_test(diversity_gives_the_order_worked_out_by_hand),
        cmocka_unit_test(diversity_of_1_looks_at_likeness_alone_behind_the_first),
        cmocka_unit_test(diversity_touches_no_more_than_the_pool),
        cmocka_unit_test(boosts_are_by_priority_and_own_campus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
