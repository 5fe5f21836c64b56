/* What instances say of their data, for all loops of a process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "libshared/src/rpc_states.h"
#include "shared/bytes.h"
#include "shared/clock.h"
#include "shared/mem.h"

enum { CHANGES = 2000 };

static void what_is_older_is_passed_over(void **state)
{
    (void)state;
    struct rpc_state *one = rpc_state_hold("instance");
    struct rpc_state *two = rpc_state_hold("instance");
    assert_ptr_equal(one, two);
    assert_true(rpc_state_read(one) == 0);
    rpc_state_confirm(one, sh_now_ms() + 60000);
    rpc_state_learn(one, 2, 22);
    rpc_state_learn(two, 1, 11);
    assert_true(rpc_state_read(one) == 22);
    rpc_state_learn(two, 3, 33);
    assert_true(rpc_state_read(one) == 33);
    rpc_state_release(&one);
    assert_null(one);
    assert_true(rpc_state_read(two) == 33);
    rpc_state_release(&two);
    one = rpc_state_hold("instance"); /* begun anew */
    assert_true(rpc_state_read(one) == 0);
    rpc_state_release(&one);
    rpc_state_release(&one);
}

static void who_has_no_name_shares_nothing(void **state)
{
    (void)state;
    struct rpc_state *one = rpc_state_hold("");
    struct rpc_state *two = rpc_state_hold("");
    assert_ptr_not_equal(one, two);
    rpc_state_learn(one, 1, 1);
    assert_true(rpc_state_read(two) == 0);
    rpc_state_release(&one);
    rpc_state_release(&two);
}

static void what_is_not_confirmed_is_not_trusted(void **state)
{
    (void)state;
    struct rpc_state *record = rpc_state_hold("instance");
    rpc_state_learn(record, 1, 11);
    assert_true(rpc_state_read(record) == 0);
    rpc_state_confirm(record, sh_now_ms() - RPC_STATE_MS); /* so long ago */
    assert_true(rpc_state_read(record) == 0);
    assert_true(rpc_state_changes(record) == 1);
    rpc_state_confirm(record, sh_now_ms() + 60000);
    assert_true(rpc_state_read(record) == 11);
    rpc_state_confirm(record, 1); /* late, and no step back */
    assert_true(rpc_state_read(record) == 11);
    rpc_state_release(&record);
}

static void without_memory_nothing_is_known(void **state)
{
    (void)state;
    sh_mem_fail_after(0);
    struct rpc_state *record = rpc_state_hold("instance");
    sh_mem_fail_after(-1);
    assert_null(record);
}

/* States count up here, so that one that goes back would be seen. */
static void *hear(void *arg)
{
    struct rpc_state *record = rpc_state_hold(arg);
    uint64_t before = 0;

    if (record == NULL)
        return NULL;
    for (uint64_t i = 1; i <= CHANGES; i++) {
        rpc_state_learn(record, i, i);
        uint64_t now = rpc_state_read(record);
        if (now < i || now < before)
            record = NULL;
        if (record == NULL)
            return NULL;
        before = now;
    }
    rpc_state_release(&record);
    return arg;
}

static void what_one_thread_heard_all_know(void **state)
{
    static char instance[] = "instance";
    pthread_t threads[4];
    void *good = NULL;

    (void)state;
    struct rpc_state *record = rpc_state_hold(instance);
    rpc_state_confirm(record, sh_now_ms() + 60000);
    for (size_t i = 0; i < SH_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hear, instance), 0);
    for (size_t i = 0; i < SH_COUNT(threads); i++) {
        pthread_join(threads[i], &good);
        assert_ptr_equal(good, instance);
    }
    assert_true(rpc_state_read(record) == CHANGES);
    rpc_state_release(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_older_is_passed_over),
        cmocka_unit_test(who_has_no_name_shares_nothing),
        cmocka_unit_test(what_is_not_confirmed_is_not_trusted),
        cmocka_unit_test(without_memory_nothing_is_known),
        cmocka_unit_test(what_one_thread_heard_all_know),
    };
    return cmocka_run_group_tests_name("rpc_states", tests, NULL, NULL);
}
