/* The promises of hnsw.h on one thread, and every kernel against plain arithmetic. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/search/vector/codes_internal.h"
#include "services/search/vector/hnsw.h"
#include "shared/clock.h"
#include "tests/unit/search/hnsw_fixture.h"

static void check_int8(const struct code_kernel *kernel)
{
    static _Alignas(64) int8_t query[1040];
    static uint8_t planes[2][520];
    for (size_t n = CODE_STEP; n <= SH_COUNT(query); n += CODE_STEP) {
        int32_t expected[2] = {0, 0};
        for (size_t i = 0; i < n; i++)
            query[i] = (int8_t)(rand() % 255 - 127);
        for (size_t i = 0; i < n; i++) {
            uint8_t *byte = &planes[i % 2][i / 2];
            *byte = (uint8_t)(rand() % 256);
            expected[i % 2] +=
                query[i / 2] * (*byte & 15) + query[i / 2 + n / 2] * (*byte >> 4);
        }
        assert_int_equal(kernel->plane(query, planes[0], n), expected[0]);
        assert_int_equal(kernel->int8(query, planes[0], planes[1], n),
                         16 * expected[0] + expected[1]);
    }
    memset(query, 127, sizeof(query)); /* nothing saturates */
    memset(planes, 255, sizeof(planes));
    assert_int_equal(kernel->int8(query, planes[0], planes[1], 1040), 1040 * 127 * 255);
    memset(query, -128, sizeof(query));
    assert_int_equal(kernel->plane(query, planes[0], 1040), 1040 * -128 * 15);
}

static void check_floats(const struct code_kernel *kernel)
{
    static _Alignas(64) float a[1040];
    static _Alignas(64) float b[1040];
    static _Alignas(64) uint16_t halves[1040];
    for (size_t n = 1; n < 100; n++) {
        double full = 0;
        for (size_t i = 0; i <= n; i++) {
            a[i] = random_float();
            b[i] = random_float();
            full += i > 0 ? (double)a[i] * (double)b[i] : 0;
        }
        assert_true(fabs((double)kernel->row(a + 1, b + 1, n) - full) < 1e-4);
    }
    for (size_t n = CODE_STEP; n <= SH_COUNT(a); n += CODE_STEP) {
        double full = 0;
        double half = 0;
        for (size_t i = 0; i < n; i++) {
            a[i] = random_float();
            b[i] = random_float();
            halves[i] = half_from_float(b[i]);
            full += (double)a[i] * (double)b[i];
            half += (double)a[i] * (double)half_to_float(halves[i]);
        }
        assert_true(fabs((double)kernel->f32(a, b, n) - full) < 1e-3);
        assert_true(fabs((double)kernel->f16(a, halves, n) - half) < 1e-3);
    }
}

static void kernels_agree(void **state)
{
    (void)state;
    int usable = 0;
    srand(1);
    for (const struct code_kernel *kernel = code_kernels(); kernel->name; kernel++) {
        if (!kernel->usable())
            continue;
        check_int8(kernel);
        check_floats(kernel);
        usable++;
    }
    assert_true(usable > 0);
}

static void halves_are_rounded_to_nearest(void **state)
{
    (void)state;
    for (uint32_t half = 0; half < 0x7c00; half++) {
        float value = half_to_float((uint16_t)half);
        float next = half_to_float((uint16_t)(half + 1));
        assert_int_equal(half_from_float(value), half);
        assert_int_equal(half_from_float(-value), half | 0x8000);
        if (half == 0x7bff)
            break;
        float middle = (value + next) / 2;
        assert_int_equal(half_from_float(middle), half + (half & 1));
        assert_int_equal(half_from_float(nextafterf(middle, 0)), half);
        assert_int_equal(half_from_float(nextafterf(middle, 1e6F)), half + 1);
    }
    assert_int_equal(half_from_float(65520), 0x7c00);
    assert_int_equal(half_from_float(1e30F), 0x7c00);
    assert_int_equal(half_from_float(1e-30F), 0);
    assert_true(isinf(half_to_float(0x7c00)));
    assert_true(isnan(half_to_float(half_from_float(NAN))));
}

static void codes_keep_products(void **state)
{
    (void)state;
    static const double allowed[CODE_KINDS] = {0.02, 0.001, 1e-5};
    enum { DIMENSION = 101 };
    float a[DIMENSION];
    float b[DIMENSION];
    for (int kind = 0; kind < CODE_KINDS; kind++) {
        struct coder coder = coder_make((enum code_kind)kind, DIMENSION);
        static _Alignas(64) char query[512];
        static _Alignas(64) char first[512];
        static _Alignas(64) char second[512];
        assert_true(coder.bytes <= 512 && coder_query_bytes(&coder) <= 512);
        random_unit(a, DIMENSION);
        random_unit(b, DIMENSION);
        double expected = 0;
        for (int i = 0; i < DIMENSION; i++)
            expected += (double)a[i] * (double)b[i];
        coder_encode(&coder, a, first);
        coder_encode(&coder, b, second);
        struct code_query left = {.data = query};
        coder_query(&coder, a, &left);
        float given = coder_product(&coder, &left, second);
        assert_true(fabs((double)given - expected) < allowed[kind]);
        coder_query_stored(&coder, first, &left);
        float stored = coder_product(&coder, &left, second);
        assert_true(fabsf(stored - given) < 0.001F);
    }
}

/* Half of the code tells where the product lies, for any dimension. */
static void half_a_code_bounds_the_product(void **state)
{
    (void)state;
    static float vectors[2][400];
    static _Alignas(64) char query[448];
    static _Alignas(64) char stored[448];
    double widest = 0;
    srand(5);
    for (uint32_t dimension = 1; dimension <= 400; dimension++) {
        struct coder coder = coder_make(CODE_INT8, dimension);
        struct code_query left = {.data = query};
        float error = 0;
        random_unit(vectors[0], dimension);
        random_unit(vectors[1], dimension);
        coder_encode(&coder, vectors[1], stored);
        coder_query(&coder, vectors[0], &left);
        float product = coder_product(&coder, &left, stored);
        float rough = coder_rough(&coder, &left, stored, &error);
        assert_true(fabsf(rough - product) <= error + 1e-6F);
        if (dimension >= 100)
            widest = fmax(widest, (double)error);
    }
    assert_true(widest < 0.25);
}

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

/* Queries are random and beside one member of every cluster: where the allowed ones are
 * near, and where they are far. */
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
        uint32_t found = 0;
        f.plan = i < SH_COUNT(plans) ? &plans[i] : NULL;
        for (uint32_t slot = 5; slot < 12000; slot += 300) {
            const float *query = fixture_row(&f, slot);
            struct hnsw_result result = find(&f, query, 10, 80);
            assert_true(result.complete);
            assert_int_equal(result.count, 10);
            for (uint32_t hit = 0; hit < 10; hit++) {
                assert_true(may_be_found(&f, result.hits[hit].slot));
                found += place_of(&f, query, (double)result.hits[hit].score) < 10;
            }
        }
        assert_true(found >= 380); /* of 400 */
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
        cmocka_unit_test(kernels_agree),
        cmocka_unit_test(halves_are_rounded_to_nearest),
        cmocka_unit_test(codes_keep_products),
        cmocka_unit_test(half_a_code_bounds_the_product),
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
