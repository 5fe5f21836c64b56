/* The promises of text_index.h: ranking by BM25, kept right through changes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/search/text/text_index.h"
#include "shared/clock.h"

enum { SLOTS = 256 };

struct fixture {
    struct text_index *index;
    struct analyzer *analyzer;
    struct sh_arena arena;
    struct bitmap allowed;
    struct leg leg;
};

static void open_fixture(struct fixture *f)
{
    struct text_options options = {1.2, 0.75, {2, 1, 1}};
    *f = (struct fixture){.allowed = {NULL, SLOTS}};
    assert_int_equal(text_index_create(&options, &f->index), SH_OK);
    assert_int_equal(analyzer_create("english", &f->analyzer), SH_OK);
    f->allowed.words = sh_alloc_array(bitmap_words(SLOTS), sizeof(uint64_t));
    assert_non_null(f->allowed.words);
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        bitmap_add(&f->allowed, slot);
}

static void close_fixture(struct fixture *f)
{
    text_index_free(&f->index);
    assert_null(f->index);
    analyzer_free(&f->analyzer);
    sh_arena_free(&f->arena);
    sh_free(f->allowed.words);
}

static struct entry entry_of(struct fixture *f, const char *title, const char *body)
{
    const struct sh_bytes fields[TEXT_FIELDS] = {
        sh_bytes_of(title), {0}, sh_bytes_of(body)};
    struct entry entry;
    assert_int_equal(entry_make(f->analyzer, fields, &f->arena, &entry), SH_OK);
    return entry;
}

static void add(struct fixture *f, uint32_t slot, const char *title, const char *body)
{
    struct entry entry = entry_of(f, title, body);
    assert_int_equal(text_index_add(f->index, slot, &entry), SH_OK);
}

static void drop(struct fixture *f, uint32_t slot, const char *title, const char *body)
{
    struct entry entry = entry_of(f, title, body);
    text_index_remove(f->index, slot, &entry);
}

static struct text_query query_of(struct fixture *f, const char *text)
{
    struct text_query query;
    assert_int_equal(
        text_query_make(&f->analyzer, 1, sh_bytes_of(text), &f->arena, &query), SH_OK);
    return query;
}

static void tend(struct fixture *f)
{
    struct text_upkeep *upkeep = NULL;
    assert_int_equal(text_upkeep_make(f->index, &upkeep), SH_OK);
    if (upkeep)
        text_upkeep_apply(upkeep, f->index);
    text_upkeep_free(&upkeep);
}

static void find(struct fixture *f, const char *text)
{
    struct text_query query = query_of(f, text);
    assert_int_equal(text_index_search(f->index, &query, &f->allowed, SH_NO_DEADLINE,
                                       &f->arena, &f->leg),
                     SH_OK);
    for (size_t i = 1; i < f->leg.count; i++)
        assert_true(f->leg.hits[i - 1].slot < f->leg.hits[i].slot);
}

static float score_of(const struct fixture *f, uint32_t slot)
{
    for (size_t i = 0; i < f->leg.count; i++) {
        if (f->leg.hits[i].slot == slot)
            return f->leg.hits[i].score;
    }
    return 0;
}

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
    char body[4096] = "bee ";
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

static void random_text(char *text, size_t size)
{
    size_t len = 0;
    for (int i = 1 + rand() % 12; i > 0; i--) {
        int word = rand() % 64;
        word = word * word / 64; /* small ones are frequent */
        len += (size_t)snprintf(text + len, size - len, "w%dx ", word * word / 64);
    }
}

static const struct leg_hit *hit_of(const struct leg *leg, uint32_t slot)
{
    for (size_t i = 0; i < leg->count; i++) {
        if (leg->hits[i].slot == slot)
            return &leg->hits[i];
    }
    return NULL;
}

static int descending(const void *a, const void *b)
{
    float left = ((const struct leg_hit *)a)->score;
    float right = ((const struct leg_hit *)b)->score;
    return (left < right) - (left > right);
}

/* What is left out is below what is wanted, and what is there has the same score. */
static void check_top(const struct leg *all, const struct leg *top, uint32_t most,
                      double spread)
{
    struct leg_hit *sorted = sh_alloc_array(all->count + 1, sizeof(*sorted));
    assert_non_null(sorted);
    memcpy(sorted, all->hits, all->count * sizeof(*sorted));
    qsort(sorted, all->count, sizeof(*sorted), descending);
    double least = all->count > most ? (double)sorted[most - 1].score : 0;
    least -= spread * (double)(all->count > 0 ? sorted[0].score : 0);
    for (size_t i = 0; i < all->count; i++) {
        const struct leg_hit *hit = hit_of(top, sorted[i].slot);
        assert_true(hit || (double)sorted[i].score < least);
        if (hit)
            assert_memory_equal(&hit->score, &sorted[i].score, sizeof(float));
    }
    assert_true(top->count <= all->count);
    sh_free(sorted);
}

/* Returns how many hits were left out. */
static size_t compare_top(struct fixture *f, const char *text, uint32_t most,
                          double spread)
{
    struct text_query query = query_of(f, text);
    const struct text_depth depth = {most, spread, SH_NO_DEADLINE};
    struct text_best best;
    find(f, text);
    assert_int_equal(
        text_index_top(f->index, &query, &f->allowed, &depth, &f->arena, &best), SH_OK);
    struct leg top = best.leg;
    assert_int_equal(best.total, f->leg.count);
    for (size_t i = 1; i < top.count; i++)
        assert_true(top.hits[i - 1].slot < top.hits[i].slot);
    check_top(&f->leg, &top, most, spread);
    sh_arena_free(&f->arena);
    return best.total - top.count;
}

static void the_best_are_those_of_all(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    struct fixture f;
    char text[256];
    open_fixture(&f);
    sh_free(f.allowed.words);
    f.allowed = (struct bitmap){sh_alloc_array(bitmap_words(MANY), 8), MANY};
    assert_non_null(f.allowed.words);
    srand(9);
    for (uint32_t slot = MANY; slot-- > 0;) { /* slots descend, numbers ascend */
        random_text(text, sizeof(text));
        add(&f, slot, slot % 50 ? "" : "w3x", text);
        if (slot % 7)
            bitmap_add(&f.allowed, slot);
        if (slot % 11 == 0)
            drop(&f, slot, slot % 50 ? "" : "w3x", text);
        sh_arena_free(&f.arena);
    }
    for (int round = 0; round < 60; round++) {
        random_text(text, sizeof(text));
        (void)compare_top(&f, text, 10, 0);
        (void)compare_top(&f, text, 1 + (uint32_t)rand() % 300, rand() % 3 * 0.05);
    }
    assert_true(compare_top(&f, "w0x w60x", 10, 0) > MANY / 8);
    assert_true(compare_top(&f, "w0x w0x w60x nothing", 5, 0.1) > 0);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_those_of_the_formula),
        cmocka_unit_test(only_allowed_slots_are_found),
        cmocka_unit_test(stop_words_count_only_where_nothing_else_is_asked),
        cmocka_unit_test(ideographs_are_found_by_pairs_and_alone),
        cmocka_unit_test(changes_leave_no_trace),
        cmocka_unit_test(numbers_are_used_again),
        cmocka_unit_test(a_failed_add_changes_nothing),
        cmocka_unit_test(a_long_walk_heeds_the_deadline),
        cmocka_unit_test(the_best_are_those_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
