/* Inserts, replacements, removals, compaction and searches at the same time; meant for
 * ThreadSanitizer too. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/search/vector/hnsw.h"
#include "tests/unit/search/hnsw_fixture.h"

enum { DIMENSION = 24, SLOTS = 4000, WRITERS = 2, READERS = 2 };

struct crowd {
    struct fixture f;
    atomic_int writing; /* writers that are not done */
    atomic_int wrong;   /* what a reader or the compaction found wrong */
    atomic_int searches;
};

struct writer {
    struct crowd *crowd;
    uint32_t first; /* slots first, first + WRITERS, … are its own */
};

/* Sets all of its slots, removes every fourth, replaces every tenth. */
static void *write_slots(void *arg)
{
    const struct writer *self = arg;
    struct crowd *crowd = self->crowd;
    for (uint32_t slot = self->first; slot < SLOTS; slot += WRITERS) {
        const float *vector = crowd->f.vectors + (size_t)slot * DIMENSION;
        if (hnsw_set(crowd->f.index, slot, vector) != SH_OK)
            atomic_fetch_add(&crowd->wrong, 1);
        if (slot % 10 == 0 && hnsw_set(crowd->f.index, slot, vector) != SH_OK)
            atomic_fetch_add(&crowd->wrong, 1);
        if (slot % 4 == 0)
            hnsw_remove(crowd->f.index, slot);
    }
    atomic_fetch_sub(&crowd->writing, 1);
    return NULL;
}

static bool is_sound(const struct crowd *crowd, const struct hnsw_result *result,
                     const float *query)
{
    for (size_t i = 0; i < result->count; i++) {
        struct leg_hit hit = result->hits[i];
        if (hit.slot >= SLOTS ||
            fabs(product_with(&crowd->f, query, hit.slot) - (double)hit.score) > 0.03)
            return false;
        for (size_t j = 0; j < i; j++) {
            if (result->hits[j].slot == hit.slot)
                return false;
        }
    }
    return true;
}

static void *search_slots(void *arg)
{
    struct crowd *crowd = arg;
    struct sh_arena arena = {0};
    for (uint32_t i = 0; atomic_load(&crowd->writing) > 0; i++) {
        const float *vector = crowd->f.vectors + (size_t)(i * 7 % SLOTS) * DIMENSION;
        const struct hnsw_query query = {
            .vector = vector, .k = 10, .ef = 32, .deadline_ms = SH_NO_DEADLINE};
        struct hnsw_result result = {0};
        if (hnsw_search(crowd->f.index, &query, &arena, &result) != SH_OK ||
            !is_sound(crowd, &result, vector))
            atomic_fetch_add(&crowd->wrong, 1);
        atomic_fetch_add(&crowd->searches, 1);
        sh_arena_free(&arena);
    }
    return NULL;
}

static void *compact_often(void *arg)
{
    struct crowd *crowd = arg;
    while (atomic_load(&crowd->writing) > 0) {
        if (hnsw_compact(crowd->f.index) != SH_OK)
            atomic_fetch_add(&crowd->wrong, 1);
    }
    return NULL;
}

static void nobody_sees_a_torn_graph(void **state)
{
    (void)state;
    static struct crowd crowd;
    struct writer writers[WRITERS];
    pthread_t threads[WRITERS + READERS + 1];
    int started = 0;
    open_fixture(&crowd.f, DIMENSION, SLOTS, CODE_INT8);
    atomic_store(&crowd.writing, WRITERS);
    for (uint32_t i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){&crowd, i};
        assert_int_equal(
            pthread_create(&threads[started++], NULL, write_slots, &writers[i]), 0);
    }
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[started++], NULL, search_slots, &crowd),
                         0);
    assert_int_equal(pthread_create(&threads[started++], NULL, compact_often, &crowd), 0);
    while (started > 0)
        assert_int_equal(pthread_join(threads[--started], NULL), 0);
    assert_int_equal(atomic_load(&crowd.wrong), 0);
    assert_true(atomic_load(&crowd.searches) > 0);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        crowd.f.present[slot] = slot % 4 != 0;
        assert_int_equal(hnsw_has(crowd.f.index, slot), crowd.f.present[slot]);
    }
    assert_int_equal(hnsw_count(crowd.f.index), SLOTS * 3 / 4);
    assert_int_equal(hnsw_compact(crowd.f.index), SH_OK);
    assert_int_equal(hnsw_dead(crowd.f.index), 0);
    assert_true(recall(&crowd.f, 10, 40, HNSW_GRAPH) > 0.95);
    close_fixture(&crowd.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_sees_a_torn_graph),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
