/* The promises of group.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/search/fusion/group.h"

enum { MOST = 300 };

struct fixture {
    struct fusion_hit hits[MOST];
    struct group_passage passages[MOST]; /* by slot */
    struct fusion_result fused;
    struct group_options options;
    struct groups groups;
    struct sh_arena arena;
};

static const int documents[3]; /* their addresses are who they are */

static struct group_passage passage_of(const void *arg, uint32_t slot)
{
    const struct fixture *f = arg;
    return f->passages[slot];
}

static void add(struct fixture *f, int document, uint32_t ordinal)
{
    size_t i = f->fused.count++;
    f->hits[i] =
        (struct fusion_hit){.slot = (uint32_t)i, .combined = 1 - (double)i / MOST};
    f->passages[i] = (struct group_passage){&documents[document], ordinal, 100};
}

static void open_it(struct fixture *f, bool merge, uint32_t per_document)
{
    *f = (struct fixture){.fused = {.hits = f->hits}};
    f->options = (struct group_options){merge, per_document, passage_of, f};
}

static void group(struct fixture *f, size_t most)
{
    assert_int_equal(groups_make(&f->fused, &f->options, most, &f->arena, &f->groups),
                     SH_OK);
}

static void assert_group(const struct fixture *f, size_t i, uint32_t best, uint32_t count,
                         uint32_t first)
{
    assert_true(i < f->groups.count);
    assert_int_equal(f->groups.items[i].hit->slot, best);
    assert_int_equal(f->groups.items[i].count, count);
    assert_int_equal(f->groups.items[i].slots[0], first);
}

static void without_options_passages_stay_as_they_are(void **state)
{
    (void)state;
    static struct fixture f;
    open_it(&f, false, 0);
    for (uint32_t i = 0; i < 100; i++)
        add(&f, 0, i);
    group(&f, 90);
    assert_int_equal(f.groups.count, 90);
    for (uint32_t i = 0; i < 90; i++)
        assert_group(&f, i, i, 1, i);
    sh_arena_free(&f.arena);
}

static void a_document_has_no_more_than_its_best(void **state)
{
    (void)state;
    static struct fixture f;
    open_it(&f, false, 2);
    for (uint32_t i = 0; i < 100; i++)
        add(&f, i < 97 ? (int)(i % 2) : 2, 2 * i);
    group(&f, 10);
    assert_int_equal(f.groups.count, 6);
    static const uint32_t expected[] = {0, 1, 2, 3, 97, 98};
    for (uint32_t i = 0; i < 6; i++)
        assert_group(&f, i, expected[i], 1, expected[i]);
    sh_arena_free(&f.arena);
}

static void neighbours_become_one_where_the_best_stood(void **state)
{
    (void)state;
    static struct fixture f;
    open_it(&f, true, 0);
    add(&f, 0, 7); /* slot 0 */
    add(&f, 1, 4); /* 1 */
    add(&f, 0, 9); /* 2: no neighbour of 7 … */
    add(&f, 1, 3); /* 3 */
    add(&f, 0, 6); /* 4 */
    add(&f, 2, 5); /* 5: another document's */
    add(&f, 0, 8); /* 6: … but for this one */
    group(&f, 10);
    assert_int_equal(f.groups.count, 3);
    assert_group(&f, 0, 0, 4, 4); /* 6, 7, 8, 9 */
    static const uint32_t slots[] = {4, 0, 6, 2};
    assert_memory_equal(f.groups.items[0].slots, slots, sizeof(slots));
    assert_group(&f, 1, 1, 2, 3);
    assert_group(&f, 2, 5, 1, 5);
    sh_arena_free(&f.arena);
}

static void merged_ones_count_once_for_their_document(void **state)
{
    (void)state;
    static struct fixture f;
    open_it(&f, true, 1);
    add(&f, 0, 1);
    add(&f, 0, 2);
    add(&f, 0, 9);
    add(&f, 1, 1);
    group(&f, 10);
    assert_int_equal(f.groups.count, 2);
    assert_group(&f, 0, 0, 2, 0);
    assert_group(&f, 1, 3, 1, 3);
    sh_arena_free(&f.arena);
}

static void a_result_stays_within_bounds(void **state)
{
    (void)state;
    static struct fixture f;
    open_it(&f, true, 0);
    for (uint32_t i = 0; i < 20; i++)
        add(&f, 0, i);
    group(&f, 20);
    assert_int_equal(f.groups.count, 3);
    assert_group(&f, 0, 0, GROUP_MOST, 0);
    assert_group(&f, 2, 16, 4, 16);
    for (uint32_t i = 0; i < 20; i++)
        f.passages[i].bytes = GROUP_BYTES / 2;
    group(&f, 20);
    assert_int_equal(f.groups.count, 10);
    for (uint32_t i = 0; i < 20; i++)
        f.passages[i].bytes = SIZE_MAX / 4;
    group(&f, 20);
    assert_int_equal(f.groups.count, 20);
    sh_arena_free(&f.arena);
}

/* In any order, with any of the options. */
static void asking_for_more_changes_nothing_that_came_before(void **state)
{
    (void)state;
    static struct fixture f;
    srand(7);
    for (int round = 0; round < 20; round++) {
        open_it(&f, round % 2, (uint32_t)round % 3);
        for (uint32_t i = 0; i < MOST; i++)
            add(&f, rand() % 3, (uint32_t)(rand() % 400));
        group(&f, MOST);
        struct groups all = f.groups;
        for (size_t most = 0; most < all.count; most += 7) {
            group(&f, most);
            assert_int_equal(f.groups.count, most);
            for (size_t i = 0; i < most; i++)
                assert_group(&f, i, all.items[i].hit->slot, all.items[i].count,
                             all.items[i].slots[0]);
        }
        sh_arena_free(&f.arena);
    }
}

/* --- joining ---------------------------------------------------------------------- */

static size_t repeated(const char *above, const char *below)
{
    struct sh_arena arena = {0};
    size_t bytes = SIZE_MAX;
    assert_int_equal(
        group_repeated(sh_bytes_of(above), sh_bytes_of(below), &arena, &bytes), SH_OK);
    sh_arena_free(&arena);
    return bytes;
}

static void what_is_repeated_is_found(void **state)
{
    (void)state;
    assert_int_equal(repeated("One. Two is it.", "Two is it. Three."), 10);
    assert_int_equal(repeated("same words", "same words"), 10);
    assert_int_equal(repeated("one two", "three four"), 0);
    assert_int_equal(repeated("", "three four"), 0);
    assert_int_equal(repeated("cat", "cat"), 0);                    /* too little */
    assert_int_equal(repeated("the concatenate", "catenate x"), 0); /* within a word */
    /* the longest is within a word, the one behind it is not */
    assert_int_equal(repeated("xab abc ab abc ab", "ab abc ab abc ab."), 9);
    assert_int_equal(repeated("aaaa aaaa aaaa", "aaaa aaaa aaaa aaaa"), 14);
}

static void texts_are_joined_without_what_is_repeated(void **state)
{
    (void)state;
    struct sh_arena arena = {0};
    struct sh_bytes joined;
    const struct sh_bytes texts[] = {sh_bytes_of("First sentence. Second sentence."),
                                     sh_bytes_of("Second sentence. Third sentence."),
                                     sh_bytes_of(""), sh_bytes_of("Another section.")};
    assert_int_equal(group_join(texts, 4, &arena, &joined), SH_OK);
    assert_true(sh_bytes_is(joined, "First sentence. Second sentence. Third sentence.\n"
                                    "Another section."));
    assert_int_equal(group_join(texts, 0, &arena, &joined), SH_OK);
    assert_int_equal(joined.len, 0);
    sh_arena_free(&arena);
}

static void hostile_texts_take_linear_time(void **state)
{
    (void)state;
    enum { LEN = 60000 };
    struct sh_arena arena = {0};
    char *a = malloc(LEN);
    char *b = malloc(LEN);
    size_t bytes;
    memset(a, 'a', LEN);
    memset(b, 'a', LEN);
    b[LEN / 3] = 'b';
    assert_int_equal(group_repeated((struct sh_bytes){a, LEN}, (struct sh_bytes){b, LEN},
                                    &arena, &bytes),
                     SH_OK);
    assert_int_equal(bytes, 0); /* nothing but one word */
    free(a);
    free(b);
    sh_arena_free(&arena);
}

static void survives_every_allocation_failure(void **state)
{
    (void)state;
    static struct fixture f;
    int failures = 0;
    open_it(&f, true, 1);
    for (uint32_t i = 0; i < 9; i++)
        add(&f, (int)i % 2, i);
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = groups_make(&f.fused, &f.options, 9, &f.arena, &f.groups);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
        sh_arena_free(&f.arena);
    }
    assert_true(failures > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_options_passages_stay_as_they_are),
        cmocka_unit_test(a_document_has_no_more_than_its_best),
        cmocka_unit_test(neighbours_become_one_where_the_best_stood),
        cmocka_unit_test(merged_ones_count_once_for_their_document),
        cmocka_unit_test(a_result_stays_within_bounds),
        cmocka_unit_test(asking_for_more_changes_nothing_that_came_before),
        cmocka_unit_test(what_is_repeated_is_found),
        cmocka_unit_test(texts_are_joined_without_what_is_repeated),
        cmocka_unit_test(hostile_texts_take_linear_time),
        cmocka_unit_test(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
