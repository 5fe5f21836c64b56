/* What threads ask of the scheduler, as the kernel tells it of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shared/sched.h"

/* The first of sched_getattr(2), as far as it is asked for here. */
struct told {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t slice; /* 0: a kernel that has no slices to ask for */
    uint64_t deadline;
    uint64_t period;
};

static struct told ask(void)
{
    struct told told = {0};
    assert_int_equal(syscall(SYS_sched_getattr, 0, &told, sizeof(told), 0U), 0);
    return told;
}

static void *ask_there(void *arg)
{
    struct told *told = arg;
    *told = ask();
    return NULL;
}

static struct told ask_in_a_thread(void)
{
    struct told told;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, ask_there, &told), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return told;
}

static void a_prompt_thread_has_short_slices_until_it_is_usual(void **state)
{
    (void)state;
    struct told before = ask();
    if (before.slice == 0)
        skip(); /* Linux before 6.12 */
    sh_sched_prompt();
    assert_true(ask().slice < before.slice);
    assert_int_equal(ask().slice, ask_in_a_thread().slice);
    sh_sched_usual();
    assert_int_equal(ask().slice, before.slice);
}

static void *be_prompt_when_nice(void *arg)
{
    struct told *told = arg;
    assert_int_equal(setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 7), 0);
    sh_sched_prompt();
    *told = ask();
    return NULL;
}

static void a_prompt_thread_is_as_nice_as_it_was(void **state)
{
    (void)state;
    struct told told;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, be_prompt_when_nice, &told), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(told.nice, 7);
}

static void *go_to_the_background(void *arg)
{
    struct told *told = arg;
    sh_sched_background();
    told[0] = ask();
    told[1] = ask_in_a_thread();
    return NULL;
}

static void the_background_is_of_the_thread_and_of_what_it_starts(void **state)
{
    (void)state;
    struct told before = ask();
    struct told told[2];
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, go_to_the_background, told), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(told[0].nice, 19);
    assert_int_equal(told[1].nice, 19);
    assert_true(told[0].slice >= before.slice);
    assert_int_equal(ask().nice, before.nice);
}

static void *be_patient(void *arg)
{
    struct told *told = arg;
    sh_sched_patient();
    *told = ask();
    return NULL;
}

static void a_patient_thread_has_long_slices(void **state)
{
    (void)state;
    struct told before = ask();
    struct told told;
    pthread_t thread;
    if (before.slice == 0)
        skip(); /* Linux before 6.12 */
    assert_int_equal(pthread_create(&thread, NULL, be_patient, &told), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(told.slice > before.slice);
    assert_int_equal(told.nice, before.nice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prompt_thread_has_short_slices_until_it_is_usual),
        cmocka_unit_test(a_prompt_thread_is_as_nice_as_it_was),
        cmocka_unit_test(a_patient_thread_has_long_slices),
        cmocka_unit_test(the_background_is_of_the_thread_and_of_what_it_starts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
