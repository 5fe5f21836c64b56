/* The promises of hnsw.h on one thread. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/search/vector/hnsw.h"
#include "shared/clock.h"
#include "tests/unit/search/hnsw_fixture.h"

static void graph_finds_what_a_scan_finds(void **state)
{
    (void)state;
    for (int kind = 0; kind < CODE_KINDS; kind++) {
        struct fixture f;
        open_fixture(&f, 24, 6000, (enum code_kind)kind);
        fill(&f, 0, 6000);
        assert_int_equal(hnsw_count(f.index), 6000);
        assert_true(recall(&f, 10, 48, HNSW_GRAPH) > 0.97);
        close_fixture(&f);
    }
}

/* Every hit passes the filter, the plan goes by its size, and nothing is missing. */
static void filters_keep_recall(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, 24, 12000, CODE_INT8);
    fill(&f, 0, 12000);
    const struct plan half = {
        .strategy = HNSW_FILTERED_GRAPH, .allowed = 6000, .ef = 160, .wanted = 40};
    allow_every(&f, 2);
    assert_true(recall(&f, 10, 40, HNSW_EXACT) == 1);
    f.plan = &half;
    assert_true(recall(&f, 10, 40, HNSW_FILTERED_GRAPH) > 0.95);
    f.plan = NULL;
    allow_every(&f, 5);
    assert_true(recall(&f, 10, 40, HNSW_EXACT) == 1);
    const struct plan two_steps = {
        .strategy = HNSW_FILTERED_GRAPH, .two_steps = true, .allowed = 2400, .ef = 40};
    f.plan = &two_steps;
    assert_true(recall(&f, 10, 40, HNSW_FILTERED_GRAPH) > 0.95);
    f.plan = NULL;
    allow_every(&f, 100);
    assert_true(recall(&f, 10, 40, HNSW_EXACT) == 1);
    allow_every(&f, 12000);
    struct hnsw_result result = find(&f, random_query(&f), 10, 40);
    assert_int_equal(result.count, 1);
    assert_int_equal(result.hits[0].slot, 0);
    close_fixture(&f);
}

/* Slots [0, slots / clusters) are the first cluster, and so on. */
static void make_clusters(struct fixture *f, uint32_t clusters)
{
    float centre[64];
    for (uint32_t slot = 0; slot < f->slots; slot++) {
        float *vector = f->vectors + (size_t)slot * f->dimension;
        float square = 0;
        if (slot % (f->slots / clusters) == 0)
            random_unit(centre, f->dimension);
        for (uint32_t i = 0; i < f->dimension; i++) {
            vector[i] = centre[i] + 0.6F * vector[i];
            square += vector[i] * vector[i];
        }
        for (uint32_t i = 0; i < f->dimension; i++)
            vector[i] /= sqrtf(square);
    }
}

static void allow_range(struct fixture *f, uint32_t from, uint32_t to)
{
    allow_every(f, f->slots);
    bitmap_drop(&f->allowed, 0);
    for (uint32_t slot = from; slot < to; slot++)
        bitmap_add(&f->allowed, slot);
    f->allowed_count = to - from;
}

/* How many of the best ten are found, for queries beside members of every cluster: where
 * the allowed ones are near, and where they are far. */
static uint32_t found_beside_members(struct fixture *f)
{
    uint32_t found = 0;
    for (uint32_t slot = 5; slot < 12000; slot += 300) {
        const float *query = fixture_row(f, slot);
        struct hnsw_result result = find(f, query, 10, 80);
        assert_true(result.complete);
        assert_int_equal(result.count, 10);
        for (uint32_t hit = 0; hit < 10; hit++) {
            assert_true(may_be_found(f, result.hits[hit].slot));
            found += place_of(f, query, (double)result.hits[hit].score) < 10;
        }
    }
    return found;
}

static void correlated_filters_keep_recall(void **state)
{
    (void)state;
    static const struct plan plans[] = {
        {.strategy = HNSW_FILTERED_GRAPH, .two_steps = true, .allowed = 2400, .ef = 80},
        {.strategy = HNSW_FILTERED_GRAPH, .allowed = 2400, .ef = 400, .wanted = 40},
    };
    struct fixture f;
    open_fixture(&f, 24, 12000, CODE_INT8);
    make_clusters(&f, 10);
    fill(&f, 0, 12000);
    allow_range(&f, 2400, 4800);
    for (size_t i = 0; i <= SH_COUNT(plans); i++) {
        f.plan = i < SH_COUNT(plans) ? &plans[i] : NULL;
        assert_true(found_beside_members(&f) >= 380); /* of 400 */
    }
    close_fixture(&f);
}

static void removed_and_replaced_vectors_are_gone(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, 24, 6000, CODE_INT8);
    fill(&f, 0, 6000);
    for (uint32_t slot = 0; slot < 6000; slot += 3) {
        hnsw_remove(f.index, slot);
        f.present[slot] = false;
    }
    fill(&f, 1, 2); /* replaced */
    hnsw_remove(f.index, 0);
    hnsw_remove(f.index, 123456);
    assert_int_equal(hnsw_count(f.index), 4000);
    assert_int_equal(hnsw_dead(f.index), 2001);
    assert_false(hnsw_has(f.index, 3));
    assert_true(hnsw_has(f.index, 4));
    assert_true(recall(&f, 10, 48, HNSW_GRAPH) > 0.95);
    assert_int_equal(hnsw_compact(f.index), SH_OK);
    assert_int_equal(hnsw_dead(f.index), 0);
    assert_true(recall(&f, 10, 48, HNSW_GRAPH) > 0.95);
    size_t bytes = hnsw_bytes(f.index);
    fill(&f, 0, 1500);
    assert_true(hnsw_bytes(f.index) <= bytes + 65536);
    assert_true(recall(&f, 10, 48, HNSW_GRAPH) > 0.95);
    close_fixture(&f);
}

/* All are removed and others come: before compaction, and after it. */
static void an_emptied_graph_fills_again(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, 24, 6000, CODE_INT8);
    for (int round = 0; round < 3; round++) {
        fill(&f, 0, 2800);
        for (uint32_t slot = 0; slot < f.slots; slot++) {
            hnsw_remove(f.index, slot);
            f.present[slot] = false;
        }
        assert_int_equal(hnsw_count(f.index), 0);
        assert_int_equal(find(&f, random_query(&f), 10, 40).count, 0);
        if (round > 0)
            assert_int_equal(hnsw_compact(f.index), SH_OK);
        fill(&f, 2800, 5600);
        assert_true(recall(&f, 10, 48, HNSW_GRAPH) > 0.95);
        assert_int_equal(hnsw_compact(f.index), SH_OK);
        assert_true(recall(&f, 10, 48, HNSW_GRAPH) > 0.95);
    }
    close_fixture(&f);
}

static void fewer_are_found_only_when_fewer_exist(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, 24, 6000, CODE_INT8);
    assert_int_equal(find(&f, random_query(&f), 10, 40).count, 0);
    fill(&f, 0, 6000);
    for (uint32_t slot = 7; slot < 6000; slot++)
        hnsw_remove(f.index, slot);
    assert_int_equal(find(&f, random_query(&f), 10, 40).count, 7);
    assert_int_equal(find(&f, random_query(&f), 0, 40).count, 0);
    close_fixture(&f);
}

/* The scan and both kinds of walk. */
static void a_deadline_cuts_short_and_says_so(void **state)
{
    (void)state;
    static const struct plan plans[] = {
        {.strategy = HNSW_EXACT, .ef = 1},
        {.strategy = HNSW_GRAPH, .allowed = 6000, .ef = 400},
        {.strategy = HNSW_FILTERED_GRAPH, .two_steps = true, .allowed = 1200, .ef = 400},
    };
    struct fixture f;
    open_fixture(&f, 24, 6000, CODE_INT8);
    fill(&f, 0, 6000);
    for (size_t i = 0; i < SH_COUNT(plans); i++) {
        f.plan = &plans[i];
        if (plans[i].two_steps)
            allow_every(&f, 5);
        f.deadline_ms = SH_NO_DEADLINE;
        struct hnsw_result whole = find(&f, random_query(&f), 100, 400);
        assert_true(whole.complete && whole.count == 100);
        f.deadline_ms = sh_now_ms() - 1;
        struct hnsw_result cut = find(&f, random_query(&f), 100, 400);
        assert_false(cut.complete);
        assert_int_equal(cut.strategy, plans[i].strategy);
        assert_true(cut.scanned < whole.scanned);
    }
    close_fixture(&f);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    struct hnsw *index = NULL;
    struct hnsw_options options = hnsw_defaults(0);
    assert_int_equal(hnsw_create(&options, &index), SH_INVALID);
    options = hnsw_defaults(65537);
    assert_int_equal(hnsw_create(&options, &index), SH_INVALID);
    options = hnsw_defaults(2);
    options.links = 1;
    assert_int_equal(hnsw_create(&options, &index), SH_INVALID);
    assert_null(index);
    options = hnsw_defaults(2);
    options.most = 2;
    assert_int_equal(hnsw_create(&options, &index), SH_OK);
    const float good[2] = {1, 0};
    const float bad[2] = {1, NAN};
    assert_int_equal(hnsw_set(index, 0, bad), SH_INVALID);
    assert_int_equal(hnsw_set(index, 1U << 30, good), SH_INVALID);
    assert_int_equal(hnsw_set(index, 0, good), SH_OK);
    assert_int_equal(hnsw_set(index, 1, good), SH_OK);
    assert_int_equal(hnsw_set(index, 2, good), SH_TOOBIG);
    assert_int_equal(hnsw_count(index), 2);
    hnsw_remove(index, 1);
    assert_int_equal(hnsw_compact(index), SH_OK);
    assert_int_equal(hnsw_set(index, 2, good), SH_OK);
    hnsw_free(&index);
    assert_null(index);
}

static void survives_every_allocation_failure(void **state)
{
    (void)state;
    struct fixture f;
    int failures = 0;
    open_fixture(&f, 8, 100, CODE_INT8);
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = hnsw_set(f.index, 3, f.vectors);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
        assert_int_equal(hnsw_has(f.index, 3), err == SH_OK);
    }
    assert_true(failures > 2);
    hnsw_remove(f.index, 3);
    sh_mem_fail_after(0);
    assert_int_equal(hnsw_compact(f.index), SH_NOMEM);
    sh_mem_fail_after(1);
    assert_int_equal(hnsw_compact(f.index), SH_NOMEM);
    sh_mem_fail_after(-1);
    assert_int_equal(hnsw_compact(f.index), SH_OK);
    assert_int_equal(hnsw_dead(f.index), 0);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(graph_finds_what_a_scan_finds),
        cmocka_unit_test(filters_keep_recall),
        cmocka_unit_test(correlated_filters_keep_recall),
        cmocka_unit_test(removed_and_replaced_vectors_are_gone),
        cmocka_unit_test(an_emptied_graph_fills_again),
        cmocka_unit_test(fewer_are_found_only_when_fewer_exist),
        cmocka_unit_test(a_deadline_cuts_short_and_says_so),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
