/* The view with so many passages that legs are searched in part: by the graph, by the
 * best of the words. Nothing that was promised of small views may be lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/unit/search/view_large.h"

enum { MODE_HYBRID, MODE_VECTOR, MODE_TEXT };
enum { DOCUMENTS = 1000, PASSAGES = DOCUMENTS * LARGE_CHUNKS };

static struct view *view; /* PASSAGES in it; no test changes it */

struct ask {
    struct search_query query;
    float vector[LARGE_DIMENSION];
    uint32_t dimension;
    bool exact;
    uint64_t deadline_ms;
    enum sh_err err;
    struct sh_arena arena;
    struct search_results results;
};

/* A query beside passage `near`, with defaults of which tests change some. */
static struct ask ask_near(uint32_t near, const char *text)
{
    struct ask ask = {.query = {.query = sh_bytes_of(text),
                                .max_results = 10,
                                .vector_weight = -1,
                                .similarity_threshold = -1},
                      .dimension = LARGE_DIMENSION,
                      .deadline_ms = SH_NO_DEADLINE};
    large_vector(near, ask.vector);
    float square = 0;
    for (int i = 0; i < LARGE_DIMENSION; i++) {
        ask.vector[i] += i % 3 ? 0 : 0.1F;
        square += ask.vector[i] * ask.vector[i];
    }
    for (int i = 0; i < LARGE_DIMENSION; i++)
        ask.vector[i] /= sqrtf(square);
    return ask;
}

static void run(struct ask *ask)
{
    const struct caller caller = {.clearance = 1};
    struct view_problem problem;
    const struct view_query asked = {.query = &ask->query,
                                     .caller = &caller,
                                     .vector = ask->vector,
                                     .dimension = ask->dimension,
                                     .fingerprint = sh_bytes_of(LARGE_MODEL),
                                     .exact = ask->exact,
                                     .deadline_ms = ask->deadline_ms};
    sh_arena_free(&ask->arena);
    ask->err = view_search(view, &asked, &ask->arena, &ask->results, &problem);
}

static void search(struct ask *ask)
{
    run(ask);
    assert_int_equal(ask->err, SH_OK);
}

static void finish(struct ask *ask)
{
    sh_arena_free(&ask->arena);
}

/* A number, a truth, or whether the text is the expected one. */
static long long plan_of(const struct ask *ask, const char *leg, const char *field,
                         const char *text)
{
    json_t *plan = json_loadb(ask->results.plan.data, ask->results.plan.len, 0, NULL);
    assert_non_null(plan);
    json_t *value = json_object_get(leg ? json_object_get(plan, leg) : plan, field);
    assert_non_null(value);
    long long found = json_is_integer(value) ? json_integer_value(value)
                      : text                 ? strcmp(json_string_value(value), text) == 0
                                             : json_is_true(value);
    json_decref(plan);
    return found;
}

static void the_plan_tells_what_was_done(void **state)
{
    (void)state;
    struct ask ask = ask_near(5, "some");
    search(&ask);
    assert_true(plan_of(&ask, "vector", "strategy", "graph"));
    assert_int_equal(plan_of(&ask, "vector", "allowed", NULL), PASSAGES);
    assert_in_range(plan_of(&ask, "vector", "scanned", NULL), 128, PASSAGES - 1);
    assert_in_range(plan_of(&ask, "vector", "ef", NULL), 128, 4096);
    assert_int_equal(plan_of(&ask, "text", "matched", NULL), (PASSAGES + 2) / 3);
    assert_true(plan_of(&ask, NULL, "complete", NULL));
    assert_false(plan_of(&ask, NULL, "total_exact", NULL));
    ask.exact = true;
    search(&ask);
    assert_true(plan_of(&ask, "vector", "strategy", "exact"));
    assert_int_equal(plan_of(&ask, "vector", "scanned", NULL), PASSAGES);
    assert_int_equal(plan_of(&ask, "vector", "ef", NULL), 0);
    assert_true(plan_of(&ask, NULL, "total_exact", NULL));
    assert_int_equal(ask.results.total, PASSAGES);
    finish(&ask);
}

enum { ALL = 700 };

/* Pages of `size`, some way apart, are parts of the whole. */
static void check_pages(struct ask *ask, const uint32_t *all, uint32_t size)
{
    ask->query.max_results = size;
    for (uint32_t at = 0; at + size <= ALL; at += size + 43) {
        ask->query.offset = at;
        search(ask);
        assert_int_equal(ask->results.hits_count, size);
        for (uint32_t i = 0; i < size; i++)
            assert_int_equal(large_number(&ask->results.hits[i]), all[at + i]);
    }
}

static void take_all(const struct ask *ask, uint32_t *all)
{
    assert_int_equal(ask->results.hits_count, ALL);
    for (size_t i = 0; i < ALL; i++) {
        all[i] = large_number(&ask->results.hits[i]);
        assert_true(large_hit_is_right(&ask->results.hits[i], ask->vector));
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(all[i], all[j]);
    }
}

/* Across the depth that is fetched, too. */
static void asking_for_more_never_reorders(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 7, 50, 300};
    static uint32_t all[ALL];
    for (int way = 0; way < 4; way++) {
        struct ask ask = ask_near(77, "some few");
        ask.query.mode = way == 3 ? MODE_VECTOR : MODE_HYBRID;
        ask.query.fusion = way == 1;
        ask.query.diversity = way == 2 ? 0.4 : 0;
        ask.query.max_results = ALL;
        search(&ask);
        take_all(&ask, all);
        for (size_t s = 0; s < SH_COUNT(sizes); s++)
            check_pages(&ask, all, sizes[s]);
        finish(&ask);
    }
}

/* How many of the first ten are among the first ten of the exact answer. */
static size_t right_ones(uint32_t near, uint32_t mode)
{
    struct ask ask = ask_near(near, "some few");
    struct ask exact = ask_near(near, "some few");
    size_t right = 0;
    ask.query.mode = mode;
    exact.query.mode = mode;
    exact.exact = true;
    search(&ask);
    search(&exact);
    assert_int_equal(ask.results.hits_count, 10);
    for (size_t i = 0; i < 10; i++) {
        for (size_t j = 0; j < 10; j++)
            right += large_number(&ask.results.hits[i]) ==
                     large_number(&exact.results.hits[j]);
    }
    finish(&ask);
    finish(&exact);
    return right;
}

static void the_best_are_found(void **state)
{
    (void)state;
    size_t right[2] = {0};
    for (uint32_t i = 0; i < 30; i++) {
        right[0] += right_ones(i * 631, MODE_HYBRID);
        right[1] += right_ones(i * 631, MODE_VECTOR);
    }
    assert_in_range(right[0], 285, 300);
    assert_in_range(right[1], 285, 300);
}

/* At 1 % every one is there; where more pass, those found are the right ones. */
static void filters_never_return_too_little(void **state)
{
    (void)state;
    struct ask ask = ask_near(3, "nothing that is written");
    struct ask exact = ask_near(3, "nothing that is written");
    ask.query.max_results = 1000;
    ask.query.filters = sh_bytes_of("{\"collection\":\"c42\"}");
    for (uint32_t mode = 0; mode < 2; mode++) {
        ask.query.mode = mode;
        search(&ask);
        assert_int_equal(ask.results.total, PASSAGES / 100);
        assert_int_equal(ask.results.hits_count, PASSAGES / 100);
        assert_true(plan_of(&ask, NULL, "total_exact", NULL));
        for (size_t i = 0; i < ask.results.hits_count; i++) {
            const struct search_hit *hit = &ask.results.hits[i];
            assert_int_equal(large_number(hit) / LARGE_CHUNKS % 100, 42);
            assert_true(large_hit_is_right(hit, ask.vector));
        }
    }
    ask.query.mode = exact.query.mode = MODE_VECTOR;
    ask.query.filters = exact.query.filters =
        sh_bytes_of("{\"any\":[{\"collection\":\"c1\"},{\"collection\":\"c2\"},"
                    "{\"collection\":\"c3\"},{\"collection\":\"c4\"},"
                    "{\"collection\":\"c5\"},{\"collection\":\"c6\"},"
                    "{\"collection\":\"c7\"},{\"collection\":\"c8\"},"
                    "{\"collection\":\"c9\"},{\"collection\":\"c10\"},"
                    "{\"collection\":\"c11\"},{\"collection\":\"c12\"}]}");
    ask.query.max_results = exact.query.max_results = 100;
    exact.exact = true;
    search(&ask);
    search(&exact);
    assert_int_equal(plan_of(&ask, "vector", "allowed", NULL), PASSAGES / 100 * 12);
    assert_true(plan_of(&ask, "vector", "strategy", "exact"));
    assert_int_equal(ask.results.hits_count, 100);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(large_number(&ask.results.hits[i]),
                         large_number(&exact.results.hits[i]));
    finish(&ask);
    finish(&exact);
}

/* Whatever the deadline cuts is told, and what is told as whole is whole. */
static void a_deadline_is_told(void **state)
{
    (void)state;
    struct ask whole = ask_near(9, "all some few");
    whole.query.max_results = 1000;
    search(&whole);
    for (uint64_t left_ms = 0; left_ms < 24; left_ms++) {
        struct ask ask = ask_near(9, "all some few");
        ask.query.max_results = 1000;
        ask.deadline_ms = sh_now_ms() + left_ms;
        run(&ask);
        if (ask.err == SH_OK) {
            bool told = ask.results.degraded_count > 0;
            assert_int_equal(plan_of(&ask, NULL, "complete", NULL), !told);
            if (told)
                assert_true(sh_bytes_is(ask.results.degraded[0], "deadline"));
            if (!told)
                assert_int_equal(ask.results.hits_count, whole.results.hits_count);
        } else {
            assert_int_equal(ask.err, SH_TIMEOUT);
        }
        ask.query.require_complete = true;
        ask.deadline_ms = sh_now_ms() + left_ms;
        run(&ask);
        assert_true(ask.err == SH_TIMEOUT || ask.err == SH_UNAVAILABLE ||
                    (ask.err == SH_OK && ask.results.degraded_count == 0));
        finish(&ask);
    }
    finish(&whole);
}

static void bad_vectors_are_refused(void **state)
{
    (void)state;
    struct ask ask = ask_near(9, "few");
    for (int i = 0; i < 2; i++) {
        ask.vector[3] = i ? (float)NAN : (float)INFINITY;
        search(&ask);
        assert_int_equal(ask.results.degraded_count, 1);
        assert_true(sh_bytes_is(ask.results.degraded[0], "embedding"));
        assert_int_equal(ask.results.total, PASSAGES / 100);
    }
    ask.dimension = LARGE_DIMENSION - 1; /* of another length */
    search(&ask);
    assert_int_equal(ask.results.degraded_count, 1);
    assert_true(sh_bytes_is(ask.results.degraded[0], "vectors_of_another_model"));
    ask.query.require_complete = true;
    run(&ask);
    assert_int_equal(ask.err, SH_UNAVAILABLE);
    finish(&ask);
}

static void memory_may_fail_at_any_time(void **state)
{
    (void)state;
    struct ask ask = ask_near(4, "some few");
    int failures = 0;
    ask.query.explain = true;
    ask.query.max_results = 300;
    for (ask.err = SH_NOMEM; ask.err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        run(&ask);
        sh_mem_fail_after(-1);
        assert_true(ask.err == SH_OK || ask.err == SH_NOMEM);
    }
    assert_true(failures > 10);
    assert_int_equal(ask.results.hits_count, 300);
    finish(&ask);
}

static int open_view(void **state)
{
    (void)state;
    enum sh_err err = large_open(&view);
    for (uint32_t i = 0; err == SH_OK && i < DOCUMENTS; i++)
        err = large_put(view, i);
    return err == SH_OK ? 0 : -1;
}

static int close_view(void **state)
{
    (void)state;
    view_free(&view);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plan_tells_what_was_done),
        cmocka_unit_test(asking_for_more_never_reorders),
        cmocka_unit_test(the_best_are_found),
        cmocka_unit_test(filters_never_return_too_little),
        cmocka_unit_test(a_deadline_is_told),
        cmocka_unit_test(bad_vectors_are_refused),
        cmocka_unit_test(memory_may_fail_at_any_time),
    };
    return cmocka_run_group_tests(tests, open_view, close_view);
}
