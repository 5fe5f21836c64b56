/* Lower bounds of time hold on any machine; where a pause should be short, the shortest
 * of many is looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/yield.h"

enum { ROUNDS = 200, WAKES = 20, LONGEST_US = 5000 };

static int set_up(void **state)
{
    struct sh_yield *yield = NULL;
    assert_int_equal(sh_yield_create(&yield), SH_OK);
    *state = yield;
    return 0;
}

static int tear_down(void **state)
{
    struct sh_yield *yield = *state;
    sh_yield_free(&yield);
    return 0;
}

static uint64_t pause_us(struct sh_yield *yield)
{
    uint64_t began = sh_now_us();
    sh_yield_pause(yield);
    return sh_now_us() - began;
}

static uint64_t shortest_us(struct sh_yield *yield)
{
    uint64_t shortest = UINT64_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t us = pause_us(yield);
        shortest = us < shortest ? us : shortest;
    }
    return shortest;
}

static void nobody_is_given_way_to_when_nobody_waits(void **state)
{
    assert_true(shortest_us(NULL) < LONGEST_US);
    assert_true(shortest_us(*state) < LONGEST_US);
    sh_yield_enter(*state);
    sh_yield_leave(*state);
    assert_true(shortest_us(*state) < LONGEST_US);
}

static void *first_pause(void *arg)
{
    uint64_t *us = ((void **)arg)[1];
    *us = pause_us(((void **)arg)[0]);
    return NULL;
}

static void who_worked_for_long_pauses_for_long_but_not_for_ever(void **state)
{
    uint64_t us = 0;
    pthread_t thread;
    sh_yield_enter(*state);
    assert_int_equal(
        pthread_create(&thread, NULL, first_pause, ((void *[]){*state, &us})), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    sh_yield_leave(*state);
    assert_true(us >= LONGEST_US);
}

static void little_work_is_put_off_for_little(void **state)
{
    sh_yield_enter(*state);
    sh_yield_pause(*state);
    assert_true(shortest_us(*state) < LONGEST_US);
    sh_yield_leave(*state);
}

struct background {
    struct sh_yield *yield;
    sem_t begin, working;
    int thread;
    uint64_t shortest;
};

static void *pause_each_round(void *arg)
{
    struct background *self = arg;
    self->shortest = UINT64_MAX;
    self->thread = gettid();
    for (int i = 0; i < WAKES; i++) {
        sem_wait(&self->begin);
        uint64_t until = sh_now_us() + LONGEST_US; /* works, so that it may pause long */
        sem_post(&self->working);
        while (sh_now_us() < until)
            ;
        uint64_t us = pause_us(self->yield);
        self->shortest = us < self->shortest ? us : self->shortest;
    }
    return NULL;
}

/* The third word of its state, behind a name without blanks. */
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
    struct background background = {.yield = *state};
    pthread_t thread;
    sem_init(&background.begin, 0, 0);
    sem_init(&background.working, 0, 0);
    assert_int_equal(pthread_create(&thread, NULL, pause_each_round, &background), 0);
    for (int i = 0; i < WAKES; i++) {
        sh_yield_enter(*state);
        sh_yield_enter(*state);
        sem_post(&background.begin);
        sem_wait(&background.working);
        while (!is_asleep(background.thread))
            ;
        sh_yield_leave(*state);
        sh_yield_leave(*state);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    sem_destroy(&background.begin);
    sem_destroy(&background.working);
    assert_true(background.shortest < LONGEST_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_is_given_way_to_when_nobody_waits, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            who_worked_for_long_pauses_for_long_but_not_for_ever, set_up, tear_down),
        cmocka_unit_test_setup_teardown(little_work_is_put_off_for_little, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(who_leaves_last_ends_the_pause, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
