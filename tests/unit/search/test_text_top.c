/* The promises of text_index.h about the best hits and given slots: what is not looked at
 * changes nothing. */
#include <math.h>
#include <stdlib.h>

#include "tests/unit/search/text_fixture.h"

enum { MANY = 20000, WORDS = 64 };

/* What is in the index, for the formula by itself. */
struct passage {
    bool live;
    uint8_t title[WORDS];
    uint8_t body[WORDS];
    uint8_t length;
};
static struct passage passages[MANY];

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
    assert_int_equal(text_index_expand(f->index, &f->allowed, &query, &f->arena), SH_OK);
    assert_int_equal(text_index_search(f->index, &query, &f->allowed, SH_NO_DEADLINE,
                                       &f->arena, &f->leg),
                     SH_OK);
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

static uint8_t count_words(const char *text, uint8_t counts[WORDS])
{
    uint8_t length = 0;
    for (; *text; length++) {
        char *end = NULL;
        counts[strtoul(text + 1, &end, 10)]++;
        text = *end == 'x' && end[1] == ' ' ? end + 2 : "";
    }
    return length;
}

/* Slots descend while numbers ascend; some are gone, some not allowed. */
static void open_many(struct fixture *f)
{
    char text[256];
    open_fixture(f);
    sh_free(f->allowed.words);
    f->allowed = (struct bitmap){sh_alloc_array(bitmap_words(MANY), 8), MANY};
    assert_non_null(f->allowed.words);
    memset(passages, 0, sizeof(passages));
    for (uint32_t slot = MANY; slot-- > 0;) {
        struct passage *passage = &passages[slot];
        random_text(text, sizeof(text));
        const char *title = slot % 50 ? "" : "w3x";
        add(f, slot, title, text);
        passage->length = count_words(text, passage->body);
        (void)count_words(title, passage->title);
        passage->live = slot % 11 != 0;
        if (slot % 7)
            bitmap_add(&f->allowed, slot);
        if (!passage->live)
            drop(f, slot, title, text);
        sh_arena_free(&f->arena);
    }
    tend(f);
}

/* As open_fixture() sets it: k1 = 1.2, b = 0.75, an occurrence in the title counts 2. */
static double formula(const struct passage *passage, double mean, unsigned word,
                      double all, double with)
{
    double tf = 2.0 * passage->title[word] +
                passage->body[word] / (0.25 + 0.75 * passage->length / mean);
    return log(1 + (all - with + 0.5) / (with + 0.5)) * 2.2 * tf / (tf + 1.2);
}

struct statistics {
    double live;
    double mean;
    double with[WORDS];
};

static struct statistics take_statistics(void)
{
    struct statistics all = {0};
    for (uint32_t slot = 0; slot < MANY; slot++) {
        const struct passage *passage = &passages[slot];
        for (unsigned word = 0; passage->live && word < WORDS; word++)
            all.with[word] += passage->body[word] + passage->title[word] > 0;
        all.live += passage->live;
        all.mean += passage->live ? passage->length : 0;
    }
    all.mean /= all.live;
    return all;
}

static size_t compare_formula(struct fixture *f, const char *text,
                              const struct statistics *all)
{
    uint8_t asked[WORDS] = {0};
    size_t at = 0;
    find(f, text);
    (void)count_words(text, asked);
    for (uint32_t slot = 0; slot < MANY; slot++) {
        double score = 0;
        for (unsigned word = 0; word < WORDS; word++) {
            if (asked[word])
                score += asked[word] * formula(&passages[slot], all->mean, word,
                                               all->live, all->with[word]);
        }
        if (!passages[slot].live || !bitmap_has(&f->allowed, slot) || score <= 0)
            continue;
        assert_true(at < f->leg.count);
        assert_int_equal(f->leg.hits[at].slot, slot);
        assert_true(fabs((double)f->leg.hits[at++].score - score) < 1e-4 * score);
    }
    assert_int_equal(at, f->leg.count);
    sh_arena_free(&f->arena);
    return at;
}

static void every_score_is_that_of_the_formula(void **state)
{
    (void)state;
    struct fixture f;
    char text[256];
    srand(8);
    open_many(&f);
    const struct statistics all = take_statistics();
    for (int round = 0; round < 40; round++) {
        random_text(text, sizeof(text));
        assert_true(compare_formula(&f, text, &all) > 0);
    }
    assert_int_equal(compare_formula(&f, "w63x ", &all), 0);
    /* and where nothing is forbidden, which is counted in another way */
    for (uint32_t slot = 0; slot < MANY; slot++)
        bitmap_add(&f.allowed, slot);
    assert_true(compare_formula(&f, "w1x ", &all) > 0);
    (void)compare_top(&f, "w1x", 10, 0);
    (void)compare_top(&f, "w1x w0x", 10, 0);
    close_fixture(&f);
}

static void the_best_are_those_of_all(void **state)
{
    (void)state;
    struct fixture f;
    char text[256];
    srand(9);
    open_many(&f);
    for (int round = 0; round < 60; round++) {
        random_text(text, sizeof(text));
        (void)compare_top(&f, text, 10, 0);
        (void)compare_top(&f, text, 1 + (uint32_t)rand() % 300, rand() % 3 * 0.05);
    }
    assert_true(compare_top(&f, "w0x w60x", 10, 0) > MANY / 8);
    assert_true(compare_top(&f, "w0x w0x w60x nothing", 5, 0.1) > 0);
    assert_true(compare_top(&f, "w3* w1x", 10, 0) > 0); /* of several forms */
    (void)compare_top(&f, "w0x w2* w33xx", 100, 0.1);
    close_fixture(&f);
}

/* Some slots, every so many, also some that nothing is in. */
static uint32_t choose_slots(uint32_t *slots, uint32_t every)
{
    uint32_t count = 0;
    for (uint32_t slot = (uint32_t)rand() % every; slot < MANY + 500;
         slot += 1 + (uint32_t)rand() % every)
        slots[count++] = slot;
    return count;
}

static void compare_given(struct fixture *f, const char *text, uint32_t every)
{
    uint32_t slots[MANY];
    float scores[MANY];
    uint32_t count = choose_slots(slots, every);
    struct text_query query = query_of(f, text);
    assert_int_equal(text_index_expand(f->index, &f->allowed, &query, &f->arena), SH_OK);
    assert_int_equal(text_index_search(f->index, &query, &f->allowed, SH_NO_DEADLINE,
                                       &f->arena, &f->leg),
                     SH_OK);
    assert_int_equal(text_index_score(f->index, &query, slots, count, SH_NO_DEADLINE,
                                      &f->arena, scores),
                     SH_OK);
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        while (at < f->leg.count && f->leg.hits[at].slot < slots[i])
            at++;
        bool found = at < f->leg.count && f->leg.hits[at].slot == slots[i];
        float score = found ? f->leg.hits[at].score : 0;
        if (bitmap_has(&f->allowed, slots[i]) || slots[i] >= MANY)
            assert_memory_equal(&score, &scores[i], sizeof(float));
    }
    sh_arena_free(&f->arena);
}

static void given_slots_score_as_in_a_search(void **state)
{
    (void)state;
    struct fixture f;
    char text[256];
    srand(10);
    open_many(&f);
    for (int round = 0; round < 30; round++) {
        random_text(text, sizeof(text));
        compare_given(&f, text, 2 + (uint32_t)rand() % 500);
    }
    compare_given(&f, "w1* w2x", 40); /* of several forms the best counts */
    compare_given(&f, "w0x w61", 3);
    compare_given(&f, "nothing", 40);
    close_fixture(&f);
}

static void given_slots_take_time_and_memory_that_end(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    uint32_t slots[COUNT];
    float scores[COUNT];
    struct fixture f;
    open_fixture(&f);
    struct entry entry = entry_of(&f, "", "bee");
    for (uint32_t slot = 0; slot < COUNT; slot++) {
        slots[slot] = slot;
        assert_int_equal(text_index_add(f.index, slot, &entry), SH_OK);
    }
    struct text_query query = query_of(&f, "bee");
    assert_int_equal(text_index_score(f.index, &query, slots, COUNT, sh_now_ms() - 1,
                                      &f.arena, scores),
                     SH_TIMEOUT);
    sh_arena_free(&f.arena);
    query = query_of(&f, "bee");
    sh_mem_fail_after(0);
    enum sh_err err = text_index_score(f.index, &query, slots, COUNT, SH_NO_DEADLINE,
                                       &(struct sh_arena){0}, scores);
    sh_mem_fail_after(-1);
    assert_int_equal(err, SH_NOMEM);
    assert_int_equal(
        text_index_score(f.index, &query, NULL, 0, SH_NO_DEADLINE, &f.arena, NULL),
        SH_OK);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_score_is_that_of_the_formula),
        cmocka_unit_test(the_best_are_those_of_all),
        cmocka_unit_test(given_slots_score_as_in_a_search),
        cmocka_unit_test(given_slots_take_time_and_memory_that_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
