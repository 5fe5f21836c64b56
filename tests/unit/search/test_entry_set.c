/* The promises of entry_set.h and entry_vector.h: an exact scan with rights, held against
 * a naive one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/access.h"
#include "services/search/meaning/entry_set.h"
#include "services/search/meaning/entry_vector.h"
#include "tests/support/rng.h"

enum { DIMENSION = 48, ENTRIES = 3000, MOST = 25 };

struct model_entry {
    const char *department;
    const char *language;
    char id[24];
    uint32_t level;
    float vector[DIMENSION];
    bool there;
};

static struct model_entry entries[ENTRIES];

static void random_vector(struct rng *rng, float out[DIMENSION])
{
    for (int i = 0; i < DIMENSION; i++)
        out[i] = (float)rng_below(rng, 2001) / 1000.0F - 1;
}

static void put(struct entry_set *set, const struct model_entry *entry)
{
    const struct entry_facts facts = {.id = sh_bytes_of(entry->id),
                                      .clearance_level = entry->level,
                                      .department = sh_bytes_of(entry->department),
                                      .language = sh_bytes_of(entry->language),
                                      .status = sh_bytes_of("draft")};
    assert_int_equal(entry_set_put(set, &facts, entry->vector), SH_OK);
}

static double cosine(const float *a, const float *b)
{
    double ab = 0, aa = 0, bb = 0;
    for (int i = 0; i < DIMENSION; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return ab / sqrt(aa * bb);
}

static const struct model_entry *entry_of(struct sh_bytes id)
{
    for (int i = 0; i < ENTRIES; i++)
        if (sh_bytes_is(id, entries[i].id))
            return &entries[i];
    fail();
    return NULL;
}

static bool allowed(const struct model_entry *entry, const struct entry_query *query)
{
    return entry->there &&
           access_judge(query->caller, entry->level, sh_bytes_of(entry->department))
               .readable &&
           (query->language.len == 0 || sh_bytes_is(query->language, entry->language));
}

static void check(const struct entry_set *set, const struct entry_query *query)
{
    struct entry_hit hits[MOST];
    size_t count, seen, expected = 0, better = 0;
    double worst = 1;

    assert_int_equal(entry_set_search(set, query, hits, &count, &seen), SH_OK);
    for (size_t i = 0; i < count; i++) {
        const struct model_entry *entry = entry_of(hits[i].id);
        double exact = cosine(entry->vector, query->vector);
        assert_true(allowed(entry, query));
        assert_true(fabs(exact - hits[i].score) < 0.02);
        assert_true(i == 0 || hits[i - 1].score >= hits[i].score);
        worst = exact < worst ? exact : worst;
    }
    for (int i = 0; i < ENTRIES; i++) {
        expected += allowed(&entries[i], query);
        better += allowed(&entries[i], query) &&
                  cosine(entries[i].vector, query->vector) > worst + 0.04;
    }
    assert_int_equal(seen, expected);
    assert_int_equal(count, expected < MOST ? expected : MOST);
    assert_true(better <= count); /* none that is clearly better was left out */
}

static void test_the_nearest_that_one_may_see_are_found(void **state)
{
    static const char *const departments[] = {"", "Law", "IT"};
    static const char *const languages[] = {"en", "de"};
    const struct caller callers[] = {
        {.role = sh_bytes_of("staff"), .clearance = 3, .department = sh_bytes_of("Law")},
        {.role = sh_bytes_of("student"), .clearance = 2},
        {.role = sh_bytes_of("admin"), .clearance = 5, .all_departments = true},
        {.clearance = 0}};
    struct rng rng = {17};
    struct entry_set *set;
    float question[DIMENSION];

    (void)state;
    assert_int_equal(entry_set_create(DIMENSION, &set), SH_OK);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < ENTRIES; i++) {
            struct model_entry *entry = &entries[i];
            (void)snprintf(entry->id, sizeof(entry->id), "entry-%d", i);
            if (round > 0 && rng_below(&rng, 4) > 0)
                continue;
            entry->level = 1 + rng_below(&rng, 4);
            entry->department = departments[rng_below(&rng, 3)];
            entry->language = languages[rng_below(&rng, 2)];
            random_vector(&rng, entry->vector);
            entry->there = rng_below(&rng, 5) > 0;
            if (entry->there)
                put(set, entry);
            else
                entry_set_remove(set, sh_bytes_of(entry->id));
        }
        for (size_t i = 0; i < SH_COUNT(callers); i++) {
            random_vector(&rng, question);
            check(set, &(struct entry_query){
                           .caller = &callers[i], .vector = question, .most = MOST});
            check(set, &(struct entry_query){.caller = &callers[i],
                                             .language = sh_bytes_of("de"),
                                             .vector = question,
                                             .most = MOST});
        }
    }
    assert_true(entry_set_dead(set) > 0);
    entry_set_free(&set);
}

static void test_a_vector_without_direction_is_none(void **state)
{
    const struct entry_facts facts = {.id = sh_bytes_of("a"), .clearance_level = 1};
    float vector[DIMENSION] = {0};
    struct entry_set *set;

    (void)state;
    assert_int_equal(entry_set_create(DIMENSION, &set), SH_OK);
    assert_int_equal(entry_set_put(set, &facts, vector), SH_OK);
    assert_int_equal(entry_set_count(set), 0);
    vector[3] = 2;
    assert_int_equal(entry_set_put(set, &facts, vector), SH_OK);
    assert_int_equal(entry_set_count(set), 1);
    entry_set_remove(set, facts.id);
    entry_set_remove(set, facts.id);
    assert_int_equal(entry_set_count(set), 0);
    entry_set_free(&set);
}

static void test_a_stored_vector_comes_back(void **state)
{
    struct sh_buffer stored = {0};
    struct rng rng = {4};
    float vector[DIMENSION], back[DIMENSION];

    (void)state;
    random_vector(&rng, vector);
    entry_vector_write(&stored, vector, DIMENSION);
    assert_true(entry_vector_read(sh_buffer_bytes(&stored), DIMENSION, back));
    for (int i = 0; i < DIMENSION; i++)
        assert_true(fabsf(vector[i] - back[i]) < 0.01F);
    assert_false(entry_vector_read(sh_buffer_bytes(&stored), DIMENSION - 1, back));
    sh_buffer_free(&stored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_nearest_that_one_may_see_are_found),
        cmocka_unit_test(test_a_vector_without_direction_is_none),
        cmocka_unit_test(test_a_stored_vector_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
