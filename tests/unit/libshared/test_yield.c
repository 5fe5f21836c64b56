/* Lower bounds of time hold on any machine; where a pause should be short, it is much
 * shorter than one that is as long as it may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/yield.h"

enum { ROUNDS = 200, SHORT_US = 5000, LONG_US = 60 * 1000 * 1000 };

static struct sh_yield *yielding(uint64_t most_us)
{
    struct sh_yield *yield = NULL;
    assert_int_equal(sh_yield_create(most_us, &yield), SH_OK);
    return yield;
}

static uint64_t pause_us(struct sh_yield *yield)
{
    uint64_t began = sh_now_us();
    sh_yield_pause(yield);
    return sh_now_us() - began;
}

static void nobody_is_given_way_to_when_nobody_waits(void **state)
{
    (void)state;
    struct sh_yield *yield = yielding(LONG_US);
    assert_true(pause_us(NULL) < LONG_US);
    assert_true(pause_us(yield) < LONG_US);
    sh_yield_enter(yield);
    sh_yield_leave(yield);
    assert_true(pause_us(yield) < LONG_US);
    sh_yield_free(&yield);
}

struct background { /* a thread that has worked for as long as one may pause */
    struct sh_yield *yield;
    pthread_t thread;
    atomic_int id;
    uint64_t us; /* of its only pause */
};

static void *pause_once(void *arg)
{
    struct background *self = arg;
    atomic_store(&self->id, gettid());
    self->us = pause_us(self->yield);
    return NULL;
}

static void begin_a_pause(struct background *background)
{
    assert_int_equal(pthread_create(&background->thread, NULL, pause_once, background),
                     0);
}

static void who_worked_for_long_pauses_for_long_but_not_for_ever(void **state)
{
    (void)state;
    struct background background = {.yield = yielding(SHORT_US)};
    sh_yield_enter(background.yield);
    begin_a_pause(&background);
    assert_int_equal(pthread_join(background.thread, NULL), 0);
    assert_true(background.us >= SHORT_US);
    sh_yield_free(&background.yield);
}

static void little_work_is_put_off_for_little(void **state)
{
    (void)state;
    enum { A_SECOND = 1000 * 1000 };
    struct sh_yield *yield = yielding(A_SECOND);
    uint64_t shortest = UINT64_MAX;
    sh_yield_enter(yield);
    sh_yield_pause(yield);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t us = pause_us(yield);
        shortest = us < shortest ? us : shortest;
    }
    assert_true(shortest < A_SECOND / 2);
    sh_yield_free(&yield);
}

/* The word of its state stands behind its name, which has no blanks. */
static bool is_asleep(int thread)
{
    char path[64];
    char word = '\0';
    (void)snprintf(path, sizeof(path), "/proc/self/task/%d/stat", thread);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    (void)fscanf(file, "%*s %*s %c", &word);
    (void)fclose(file);
    return word == 'S';
}

static void who_leaves_last_ends_the_pause(void **state)
{
    (void)state;
    struct background background = {.yield = yielding(LONG_US)};
    sh_yield_enter(background.yield);
    sh_yield_enter(background.yield);
    begin_a_pause(&background);
    while (atomic_load(&background.id) == 0 || !is_asleep(background.id))
        ;
    sh_yield_leave(background.yield);
    sh_yield_leave(background.yield);
    assert_int_equal(pthread_join(background.thread, NULL), 0);
    assert_true(background.us < LONG_US);
    sh_yield_free(&background.yield);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_given_way_to_when_nobody_waits),
        cmocka_unit_test(who_worked_for_long_pauses_for_long_but_not_for_ever),
        cmocka_unit_test(little_work_is_put_off_for_little),
        cmocka_unit_test(who_leaves_last_ends_the_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
