/* The promises of text_index.h: ranking by BM25, kept right through changes. */
#include <math.h>
#include <stdlib.h>

#include "tests/unit/search/text_fixture.h"

static void scores_are_those_of_the_formula(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    add(&f, 5, "", "bee bee honey");
    add(&f, 3, "", "honey");
    add(&f, 9, "bee", "tree leaf wood bark root");
    find(&f, "bees");
    assert_int_equal(f.leg.count, 2);
    /* 3 passages, 2 hold the term; mean length (3 + 1 + 5) / 3 */
    double idf = log(1 + (3 - 2 + 0.5) / (2 + 0.5));
    double body = 2 / (0.25 + 0.75 * 3 / 3);
    double title = 2;
    assert_true(fabs((double)score_of(&f, 5) - idf * 2.2 * body / (body + 1.2)) < 1e-5);
    assert_true(fabs((double)score_of(&f, 9) - idf * 2.2 * title / (title + 1.2)) < 1e-5);
    find(&f, "bee bee honey"); /* a word asked twice counts twice */
    float twice = score_of(&f, 9);
    find(&f, "bee");
    assert_true(fabsf(twice - 2 * score_of(&f, 9)) < 1e-5F);
    close_fixture(&f);
}

/* How many times what slot 1 has slot 0 has. */
static float ratio(struct text_options options, const char *title, const char *one,
                   const char *other)
{
    struct fixture f;
    open_with(&f, options);
    add(&f, 0, title, one);
    add(&f, 1, "", other);
    find(&f, "bee");
    float found = score_of(&f, 0) / score_of(&f, 1);
    close_fixture(&f);
    return found;
}

static void options_say_what_counts(void **state)
{
    (void)state;
    const char *often = "bee bee bee bee";
    const char *once = "bee oak elm ash";
    const char *shorter = "bee oak";
    struct text_options options = {1.2, 0.75, {2, 1, 1}};
    assert_true(ratio(options, "", often, once) > 1.5F);
    assert_true(ratio(options, "", once, shorter) < 0.9F);
    assert_true(ratio(options, "bee", "oak elm ash", once) > 1.1F);
    options.k1 = 0; /* once is as good as often */
    assert_true(fabsf(ratio(options, "", often, once) - 1) < 0.01F);
    options = (struct text_options){1.2, 0, {2, 1, 1}}; /* nor does the length matter */
    assert_true(fabsf(ratio(options, "", once, shorter) - 1) < 1e-6F);
    options = (struct text_options){1.2, 0, {0.1, 1, 1}};
    assert_true(ratio(options, "bee", "oak elm ash", once) < 0.5F);
}

static void a_field_that_counts_nothing_finds_nothing(void **state)
{
    (void)state;
    struct fixture f;
    open_with(&f, (struct text_options){0, 0.75, {0, 1, 1}});
    const struct text_depth depth = {1, 0, SH_NO_DEADLINE};
    struct text_best best;
    for (uint32_t slot = 0; slot < 9; slot++)
        add(&f, slot, "bee", slot < 3 ? "bee" : "oak");
    struct text_query query = query_of(&f, "bee");
    assert_int_equal(text_index_top(f.index, &query, &f.allowed, &depth, &f.arena, &best),
                     SH_OK);
    assert_int_equal(best.total, 3);
    find(&f, "bee");
    assert_int_equal(f.leg.count, 3);
    close_fixture(&f);
}

static void only_allowed_slots_are_found(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    add(&f, 1, "", "bee");
    add(&f, 2, "", "bee");
    bitmap_drop(&f.allowed, 1);
    find(&f, "bee");
    assert_int_equal(f.leg.count, 1);
    assert_int_equal(f.leg.hits[0].slot, 2);
    close_fixture(&f);
}

static void stop_words_count_only_where_nothing_else_is_asked(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    add(&f, 1, "", "the bee");
    add(&f, 2, "", "the who");
    find(&f, "the bee");
    assert_int_equal(f.leg.count, 1);
    find(&f, "the who");
    assert_int_equal(f.leg.count, 2);
    assert_true(score_of(&f, 2) > score_of(&f, 1));
    find(&f, "...");
    assert_int_equal(f.leg.count, 0);
    close_fixture(&f);
}

static void ideographs_are_found_by_pairs_and_alone(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    add(&f, 1, "", "東京都の蜂");
    add(&f, 2, "", "京東");
    find(&f, "東京");
    assert_int_equal(f.leg.count, 1);
    find(&f, "蜂");
    assert_int_equal(f.leg.count, 1);
    find(&f, "京");
    assert_int_equal(f.leg.count, 2);
    close_fixture(&f);
}

/* After any changes the index answers as one that was built at once. */
static void changes_leave_no_trace(void **state)
{
    (void)state;
    static const char *const words[] = {"bee",  "honey", "tree", "leaf", "wax",
                                        "hive", "queen", "comb", "wing", "sting"};
    struct fixture f;
    struct fixture fresh;
    char bodies[64][128] = {{0}};
    open_fixture(&f);
    open_fixture(&fresh);
    srand(3);
    for (int round = 0; round < 20000; round++) {
        uint32_t slot = (uint32_t)rand() % 64;
        if (bodies[slot][0])
            drop(&f, slot, "T", bodies[slot]);
        bodies[slot][0] = '\0';
        for (int i = rand() % 6; i > 0; i--) {
            size_t len = strlen(bodies[slot]);
            (void)snprintf(bodies[slot] + len, sizeof(bodies[slot]) - len, "%s%s",
                           words[rand() % (int)SH_COUNT(words)], rand() % 4 ? " " : " x");
        }
        if (bodies[slot][0])
            add(&f, slot, "T", bodies[slot]);
        sh_arena_free(&f.arena);
        tend(&f);
    }
    for (uint32_t slot = 0; slot < 64; slot++) {
        if (bodies[slot][0])
            add(&fresh, slot, "T", bodies[slot]);
    }
    for (size_t i = 0; i < SH_COUNT(words); i++) {
        find(&f, words[i]);
        find(&fresh, words[i]);
        assert_int_equal(f.leg.count, fresh.leg.count);
        for (size_t n = 0; n < f.leg.count; n++) {
            assert_int_equal(f.leg.hits[n].slot, fresh.leg.hits[n].slot);
            assert_true(fabsf(f.leg.hits[n].score - fresh.leg.hits[n].score) < 1e-5F);
        }
    }
    assert_true(text_index_bytes(f.index) < 1 << 20);
    close_fixture(&f);
    close_fixture(&fresh);
}

/* So many changes that passage numbers are given anew. */
static void numbers_are_used_again(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    add(&f, 7, "", "keeper");
    struct entry entry = entry_of(&f, "", "bee honey wax");
    for (int i = 0; i < 140000; i++) {
        assert_int_equal(text_index_add(f.index, 9, &entry), SH_OK);
        text_index_remove(f.index, 9, &entry);
        if (i % 1000 == 0)
            tend(&f);
    }
    assert_int_equal(text_index_add(f.index, 9, &entry), SH_OK);
    find(&f, "keeper wax");
    assert_int_equal(f.leg.count, 2);
    assert_true(text_index_bytes(f.index) < 2 << 20);
    close_fixture(&f);
}

static void a_failed_add_changes_nothing(void **state)
{
    (void)state;
    struct fixture f;
    int failures = 0;
    open_fixture(&f);
    add(&f, 1, "", "bee honey");
    find(&f, "bee");
    float before = score_of(&f, 1);
    char body[4096] = "bee bee bee bee bee bee bee bee bee bee bee bee bee bee bee bee ";
    for (int i = 0; i < 300; i++)
        (void)snprintf(body + strlen(body), 16, "w%d ", i);
    struct entry entry = entry_of(&f, "bee", body);
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = text_index_add(f.index, 2, &entry);
        sh_mem_fail_after(-1);
        if (err == SH_OK)
            break;
        assert_int_equal(err, SH_NOMEM);
        find(&f, "bee");
        assert_int_equal(f.leg.count, 1);
        assert_true(fabsf(score_of(&f, 1) - before) < 1e-6F);
    }
    assert_true(failures > 1);
    find(&f, "bee");
    assert_int_equal(f.leg.count, 2);
    close_fixture(&f);
}

static void a_long_walk_heeds_the_deadline(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    struct entry entry = entry_of(&f, "", "bee");
    for (uint32_t slot = 0; slot < 10000; slot++)
        assert_int_equal(text_index_add(f.index, slot, &entry), SH_OK);
    struct text_query query = query_of(&f, "bee");
    assert_int_equal(
        text_index_search(f.index, &query, &f.allowed, sh_now_ms() - 1, &f.arena, &f.leg),
        SH_TIMEOUT);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_those_of_the_formula),
        cmocka_unit_test(options_say_what_counts),
        cmocka_unit_test(a_field_that_counts_nothing_finds_nothing),
        cmocka_unit_test(only_allowed_slots_are_found),
        cmocka_unit_test(stop_words_count_only_where_nothing_else_is_asked),
        cmocka_unit_test(ideographs_are_found_by_pairs_and_alone),
        cmocka_unit_test(changes_leave_no_trace),
        cmocka_unit_test(numbers_are_used_again),
        cmocka_unit_test(a_failed_add_changes_nothing),
        cmocka_unit_test(a_long_walk_heeds_the_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
