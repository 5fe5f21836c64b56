/* The judgement of queues, and how many may wait in one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libshared/src/rpc_pace.h"
#include "shared/codel.h"

#define TARGET   UINT64_C(100000)
#define INTERVAL UINT64_C(500000)

/* `count` requests, evenly over an interval, that waited from `least` on. */
static void pass(struct sh_codel *codel, uint64_t *now, uint32_t count, uint64_t least)
{
    uint64_t end = *now + INTERVAL;

    for (uint32_t i = 0; i < count; i++) {
        *now += INTERVAL / (uint64_t)count;
        sh_codel_note(codel, *now, i == count / 2 ? least : least + TARGET);
    }
    *now = end;
}

static void a_burst_is_let_in(void **state)
{
    struct sh_codel codel = {.target_us = TARGET, .interval_us = INTERVAL};
    uint64_t now = 1000 * INTERVAL;

    (void)state;
    for (int i = 0; i < 20; i++) { /* now and then the queue is empty */
        pass(&codel, &now, 50, 0);
        assert_false(sh_codel_refuses(&codel, 100 * TARGET));
        assert_int_equal(sh_codel_room(&codel), UINT32_MAX);
    }
}

static void a_standing_queue_is_cut_short(void **state)
{
    struct sh_codel codel = {.target_us = TARGET, .interval_us = INTERVAL};
    uint64_t now = 1000 * INTERVAL;

    (void)state;
    pass(&codel, &now, 50, TARGET + 1);
    assert_false(sh_codel_refuses(&codel, 100 * TARGET)); /* it may still be a burst */
    pass(&codel, &now, 50, TARGET + 1);
    assert_true(sh_codel_refuses(&codel, 2 * TARGET + 1));
    assert_false(sh_codel_refuses(&codel, 2 * TARGET)); /* who waited less gets in */
    pass(&codel, &now, 50, TARGET / 2);
    pass(&codel, &now, 50, TARGET / 2);
    assert_true(sh_codel_refuses(&codel, 100 * TARGET)); /* held at it, not gone */
    pass(&codel, &now, 50, TARGET / 4);
    pass(&codel, &now, 50, TARGET / 4);
    assert_false(sh_codel_refuses(&codel, 100 * TARGET));
}

static void room_follows_the_pace(void **state)
{
    struct sh_codel codel = {.target_us = TARGET, .interval_us = INTERVAL};
    uint64_t now = 1000 * INTERVAL;

    (void)state;
    pass(&codel, &now, 50, 5 * TARGET);
    pass(&codel, &now, 50, 5 * TARGET);
    /* 50 in half a second: 10 in the tenth of a second that they may take */
    assert_in_range(sh_codel_room(&codel), 9, 10);
    pass(&codel, &now, 2, 5 * TARGET);
    pass(&codel, &now, 2, 5 * TARGET);
    assert_int_equal(sh_codel_room(&codel), 1); /* somebody must find out */
}

static void a_pause_ends_it(void **state)
{
    struct sh_codel codel = {.target_us = TARGET, .interval_us = INTERVAL};
    uint64_t now = 1000 * INTERVAL;

    (void)state;
    pass(&codel, &now, 50, 5 * TARGET);
    pass(&codel, &now, 50, 5 * TARGET);
    assert_true(sh_codel_refuses(&codel, 5 * TARGET));
    now += 3 * INTERVAL;
    sh_codel_note(&codel, now, 5 * TARGET);
    assert_false(sh_codel_refuses(&codel, 5 * TARGET));
}

static void without_a_target_nothing_is_too_long(void **state)
{
    struct sh_codel codel = {.interval_us = INTERVAL};
    uint64_t now = 1000 * INTERVAL;

    (void)state;
    for (int i = 0; i < 4; i++)
        pass(&codel, &now, 50, 1000 * TARGET);
    assert_false(sh_codel_refuses(&codel, UINT64_MAX));
    assert_int_equal(sh_codel_room(&codel), UINT32_MAX);
}

/* --- how many may wait for a replica ---------------------------------------------- */

/* `sent` requests, evenly over a span, while so many waited. */
static void span(struct rpc_pace *pace, uint64_t *now, uint32_t sent, uint32_t queued)
{
    for (uint32_t i = 0; i < sent; i++)
        rpc_pace_note(pace, *now + i * RPC_PACE_SPAN_MS / sent, 1, queued);
    *now += RPC_PACE_SPAN_MS;
}

static void as_many_wait_as_will_be_sent(void **state)
{
    (void)state;
    struct rpc_pace pace = {0};
    uint64_t now = 100000;
    assert_true(rpc_pace_room(&pace, now) == UINT32_MAX);
    span(&pace, &now, 30, 100);
    assert_true(rpc_pace_room(&pace, now - 1) == UINT32_MAX); /* may still be a burst */
    span(&pace, &now, 20, 100);
    assert_int_equal(rpc_pace_room(&pace, now - 1), 30 / RPC_PACE_PART);
    span(&pace, &now, 1, 100);
    assert_int_equal(rpc_pace_room(&pace, now - 1), 20 / RPC_PACE_PART);
    span(&pace, &now, 10, 100);
    assert_int_equal(rpc_pace_room(&pace, now - 1), RPC_PACE_LEAST);
}

static void an_empty_queue_says_nothing(void **state)
{
    (void)state;
    struct rpc_pace pace = {0};
    uint64_t now = 100000;
    span(&pace, &now, 30, 100);
    span(&pace, &now, 30, 100);
    rpc_pace_note(&pace, now - 1, 0, 0); /* emptied for a moment */
    span(&pace, &now, 30, 100);
    assert_true(rpc_pace_room(&pace, now - 1) == UINT32_MAX);
    span(&pace, &now, 30, 100);
    assert_int_equal(rpc_pace_room(&pace, now - 1), 30 / RPC_PACE_PART);
    now += 10 * (uint64_t)RPC_PACE_SPAN_MS;
    assert_true(rpc_pace_room(&pace, now) == UINT32_MAX); /* long ago */
}

static void while_some_are_refused_an_empty_queue_lets_nobody_in(void **state)
{
    (void)state;
    struct rpc_pace pace = {0};
    uint64_t now = 100000;
    span(&pace, &now, 30, 100);
    span(&pace, &now, 30, 100);
    assert_true(rpc_pace_refuses(&pace, now - 1, 15));
    for (int i = 0; i < 5; i++) {
        span(&pace, &now, 30, 100);
        assert_false(rpc_pace_refuses(&pace, now - 2, 14));
        rpc_pace_note(&pace, now - 2, 0, 0); /* a replica took all of them */
        assert_true(rpc_pace_refuses(&pace, now - 1, 15));
    }
    span(&pace, &now, 30, 0); /* nobody is any more */
    span(&pace, &now, 30, 0);
    assert_false(rpc_pace_refuses(&pace, now - 1, 1000));
}

static void refusing_keeps_the_pace_while_nothing_is_sent(void **state)
{
    (void)state;
    struct rpc_pace pace = {0};
    uint64_t now = 100000;
    span(&pace, &now, 30, 100);
    span(&pace, &now, 30, 100);
    for (int i = 0; i < 10; i++, now += RPC_PACE_SPAN_MS)
        assert_true(rpc_pace_refuses(&pace, now, 15));
    assert_int_equal(rpc_pace_room(&pace, now - 1), RPC_PACE_LEAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_is_let_in),
        cmocka_unit_test(a_standing_queue_is_cut_short),
        cmocka_unit_test(room_follows_the_pace),
        cmocka_unit_test(a_pause_ends_it),
        cmocka_unit_test(without_a_target_nothing_is_too_long),
        cmocka_unit_test(as_many_wait_as_will_be_sent),
        cmocka_unit_test(an_empty_queue_says_nothing),
        cmocka_unit_test(while_some_are_refused_an_empty_queue_lets_nobody_in),
        cmocka_unit_test(refusing_keeps_the_pace_while_nothing_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
