/* Searches by the graph while documents come and go: every hit is what it says it is.
 * Runs under ThreadSanitizer, too. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/search/view_large.h"

enum { DOCUMENTS = 650, CHANGES = 60, SEARCHERS = 3 };

struct searcher {
    pthread_t thread;
    struct view *view;
    atomic_bool *stop;
    uint32_t mode;
    _Atomic uint32_t searches;
    size_t wrong;
    size_t by_graph;
};

static bool is_graph(const struct search_results *results)
{
    char plan[512] = "";
    if (results->plan.len < sizeof(plan))
        memcpy(plan, results->plan.data, results->plan.len);
    return strstr(plan, "graph\"") != NULL;
}

static bool is_good(const struct search_results *results, const float *vector)
{
    for (size_t i = 0; i < results->hits_count; i++) {
        if (!large_hit_is_right(&results->hits[i], vector))
            return false;
        if (i > 0 &&
            results->hits[i].combined_score > results->hits[i - 1].combined_score + 1e-9)
            return false;
    }
    return results->hits_count == 20 && results->degraded_count == 0;
}

static void *search_on(void *arg)
{
    struct searcher *self = arg;
    float vector[LARGE_DIMENSION];
    const struct caller caller = {.clearance = 1};
    struct search_query query = {.query = sh_bytes_of("some few"),
                                 .mode = self->mode,
                                 .vector_weight = -1,
                                 .similarity_threshold = -1,
                                 .max_results = 20};
    struct view_query asked = {.query = &query,
                               .caller = &caller,
                               .vector = vector,
                               .dimension = LARGE_DIMENSION,
                               .fingerprint = sh_bytes_of(LARGE_MODEL),
                               .deadline_ms = SH_NO_DEADLINE};
    while (!atomic_load(self->stop)) {
        struct sh_arena arena = {0};
        struct search_results results;
        struct view_problem problem;
        large_vector(self->searches, vector);
        enum sh_err err = view_search(self->view, &asked, &arena, &results, &problem);
        self->wrong += err != SH_OK || !is_good(&results, vector);
        self->by_graph += err == SH_OK && is_graph(&results);
        self->searches++;
        sh_arena_free(&arena);
    }
    return NULL;
}

static void searches_by_the_graph_go_on_during_changes(void **state)
{
    (void)state;
    struct view *view = NULL;
    struct searcher searchers[SEARCHERS];
    struct view_stats stats;
    atomic_bool stop = false;
    size_t by_graph = 0;
    char id[24];
    assert_int_equal(large_open(&view), SH_OK);
    view_load_begin(view);
    for (uint32_t i = 0; i < DOCUMENTS; i++)
        assert_int_equal(large_put(view, i), SH_OK);
    assert_int_equal(view_load_end(view), SH_OK);
    for (uint32_t i = 0; i < SEARCHERS; i++) {
        searchers[i] = (struct searcher){.view = view, .stop = &stop, .mode = i % 2};
        assert_int_equal(
            pthread_create(&searchers[i].thread, NULL, search_on, &searchers[i]), 0);
    }
    for (uint32_t change = 0; change < CHANGES; change++) {
        uint32_t number = change * 7 % DOCUMENTS;
        (void)snprintf(id, sizeof(id), "d%u", number);
        if (change % 3 == 0)
            assert_int_equal(view_remove(view, sh_bytes_of(id)), SH_OK);
        assert_int_equal(large_put(view, number), SH_OK);
        view_stats(view, &stats);
        assert_int_equal(stats.vectors, DOCUMENTS * LARGE_CHUNKS);
    }
    for (int i = 0; i < SEARCHERS; i++) {
        while (atomic_load(&searchers[i].searches) == 0)
            sched_yield();
    }
    atomic_store(&stop, true);
    for (int i = 0; i < SEARCHERS; i++) {
        pthread_join(searchers[i].thread, NULL);
        assert_int_equal(searchers[i].wrong, 0);
        by_graph += searchers[i].by_graph;
    }
    assert_true(by_graph > 0);
    view_free(&view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(searches_by_the_graph_go_on_during_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
