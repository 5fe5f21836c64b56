/* Connections of an address, and the judgement of queues. Time is an argument. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/gateway/limits/crowd.h"
#include "services/gateway/limits/shed.h"
#include "shared/mem.h"

/* --- connections ----------------------------------------------------------------------
 */

static struct networks trusted;

static struct crowd *crowd_with(uint32_t most, bool loopback)
{
    const struct crowd_options options = {most, &trusted, loopback};
    struct crowd *crowd = NULL;
    struct sh_bytes bad;

    assert_true(networks_read("10.0.0.0/8", &trusted, &bad));
    assert_int_equal(crowd_create(&options, &crowd), SH_OK);
    return crowd;
}

static void an_address_has_so_many_connections(void **state)
{
    struct crowd *crowd = crowd_with(2, true);

    (void)state;
    assert_true(crowd_admit(crowd, "192.0.2.1"));
    assert_true(crowd_admit(crowd, "192.0.2.1"));
    assert_false(crowd_admit(crowd, "192.0.2.1"));
    assert_true(crowd_admit(crowd, "192.0.2.2"));
    crowd_left(crowd, "192.0.2.1");
    assert_true(crowd_admit(crowd, "192.0.2.1"));
    assert_false(crowd_admit(crowd, "192.0.2.1"));
    crowd_free(&crowd);
}

static void a_v6_network_counts_as_one(void **state)
{
    struct crowd *crowd = crowd_with(1, true);

    (void)state;
    assert_true(crowd_admit(crowd, "2001:db8::1"));
    assert_false(crowd_admit(crowd, "2001:db8::2"));
    assert_true(crowd_admit(crowd, "2001:db8:0:1::1"));
    crowd_left(crowd, "2001:db8::1");
    assert_true(crowd_admit(crowd, "2001:db8::2"));
    crowd_free(&crowd);
}

static void proxies_and_perhaps_loopback_are_not_counted(void **state)
{
    struct crowd *crowd = crowd_with(1, false);

    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_true(crowd_admit(crowd, "10.1.2.3"));
        assert_true(crowd_admit(crowd, "127.0.0.1"));
        assert_true(crowd_admit(crowd, "::1"));
    }
    assert_true(crowd_admit(crowd, "192.0.2.1"));
    assert_false(crowd_admit(crowd, "192.0.2.1"));
    crowd_left(crowd, "10.1.2.3");
    crowd_free(&crowd);
    crowd = crowd_with(0, true); /* no limit */
    for (int i = 0; i < 10; i++)
        assert_true(crowd_admit(crowd, "192.0.2.1"));
    crowd_free(&crowd);
}

static void many_addresses_come_and_go(void **state)
{
    struct crowd *crowd = crowd_with(1, true);
    char peer[32];

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 20000; i++) {
            (void)snprintf(peer, sizeof peer, "192.0.%d.%d", i / 256, i % 256);
            assert_true(crowd_admit(crowd, peer));
        }
        assert_false(crowd_admit(crowd, "192.0.0.0"));
        for (int i = 0; i < 20000; i++) {
            (void)snprintf(peer, sizeof peer, "192.0.%d.%d", i / 256, i % 256);
            crowd_left(crowd, peer);
        }
    }
    sh_mem_fail_after(0);
    assert_true(crowd_admit(crowd, "192.0.2.1")); /* uncounted, but let in */
    sh_mem_fail_after(-1);
    crowd_left(crowd, "192.0.2.1");
    crowd_free(&crowd);
    crowd_free(&crowd);
}

/* --- queues ---------------------------------------------------------------------------
 */

#define TARGET   UINT64_C(100000)
#define INTERVAL UINT64_C(500000)

/* `count` requests, evenly over an interval, that waited from `least` on. */
static void pass(struct shed_gauge *gauge, uint64_t *now, uint32_t count, uint64_t least)
{
    uint64_t end = *now + INTERVAL;

    for (uint32_t i = 0; i < count; i++) {
        *now += INTERVAL / (uint64_t)count;
        shed_gauge_note(gauge, *now, i == count / 2 ? least : least + TARGET);
    }
    *now = end;
}

static void a_burst_is_let_in(void **state)
{
    struct shed_gauge gauge = {.target_us = TARGET, .interval_us = INTERVAL};
    uint64_t now = 1000 * INTERVAL;

    (void)state;
    for (int i = 0; i < 20; i++) { /* now and then the queue is empty */
        pass(&gauge, &now, 50, 0);
        assert_false(shed_gauge_refuses(&gauge, 100 * TARGET));
        assert_int_equal(shed_gauge_room(&gauge), UINT32_MAX);
    }
}

static void a_standing_queue_is_cut_short(void **state)
{
    struct shed_gauge gauge = {.target_us = TARGET, .interval_us = INTERVAL};
    uint64_t now = 1000 * INTERVAL;

    (void)state;
    pass(&gauge, &now, 50, TARGET + 1);
    assert_false(shed_gauge_refuses(&gauge, 100 * TARGET)); /* it may still be a burst */
    pass(&gauge, &now, 50, TARGET + 1);
    assert_true(shed_gauge_refuses(&gauge, 2 * TARGET + 1));
    assert_false(shed_gauge_refuses(&gauge, 2 * TARGET)); /* who waited less gets in */
    pass(&gauge, &now, 50, TARGET / 2);
    pass(&gauge, &now, 50, TARGET / 2);
    assert_false(shed_gauge_refuses(&gauge, 100 * TARGET));
}

static void room_follows_the_pace(void **state)
{
    struct shed_gauge gauge = {.target_us = TARGET, .interval_us = INTERVAL};
    uint64_t now = 1000 * INTERVAL;

    (void)state;
    pass(&gauge, &now, 50, 5 * TARGET);
    pass(&gauge, &now, 50, 5 * TARGET);
    /* 50 in half a second: 10 in the tenth of a second that they may take */
    assert_in_range(shed_gauge_room(&gauge), 9, 10);
    pass(&gauge, &now, 2, 5 * TARGET);
    pass(&gauge, &now, 2, 5 * TARGET);
    assert_int_equal(shed_gauge_room(&gauge), 1); /* somebody must find out */
}

static void a_pause_ends_it(void **state)
{
    struct shed_gauge gauge = {.target_us = TARGET, .interval_us = INTERVAL};
    uint64_t now = 1000 * INTERVAL;

    (void)state;
    pass(&gauge, &now, 50, 5 * TARGET);
    pass(&gauge, &now, 50, 5 * TARGET);
    assert_true(shed_gauge_refuses(&gauge, 5 * TARGET));
    now += 3 * INTERVAL;
    shed_gauge_note(&gauge, now, 5 * TARGET);
    assert_false(shed_gauge_refuses(&gauge, 5 * TARGET));
}

static void without_a_target_nothing_is_too_long(void **state)
{
    struct shed_gauge gauge = {.interval_us = INTERVAL};
    uint64_t now = 1000 * INTERVAL;

    (void)state;
    for (int i = 0; i < 4; i++)
        pass(&gauge, &now, 50, 1000 * TARGET);
    assert_false(shed_gauge_refuses(&gauge, UINT64_MAX));
    assert_int_equal(shed_gauge_room(&gauge), UINT32_MAX);
}

static void requests_under_way_have_a_number(void **state)
{
    const struct limits_config config = {.in_flight = 2, .shed_interval_ms = 500};
    struct shed *shed = NULL;
    uv_loop_t loop;

    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(shed_create(&loop, &config, &shed), SH_OK);
    assert_int_equal(shed_begin(shed), SHED_NOT);
    assert_int_equal(shed_begin(shed), SHED_NOT);
    assert_int_equal(shed_begin(shed), SHED_IN_FLIGHT);
    shed_end(shed);
    assert_int_equal(shed_begin(shed), SHED_NOT);
    shed_close(&shed);
    shed_close(&shed);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_so_many_connections),
        cmocka_unit_test(a_v6_network_counts_as_one),
        cmocka_unit_test(proxies_and_perhaps_loopback_are_not_counted),
        cmocka_unit_test(many_addresses_come_and_go),
        cmocka_unit_test(a_burst_is_let_in),
        cmocka_unit_test(a_standing_queue_is_cut_short),
        cmocka_unit_test(room_follows_the_pace),
        cmocka_unit_test(a_pause_ends_it),
        cmocka_unit_test(without_a_target_nothing_is_too_long),
        cmocka_unit_test(requests_under_way_have_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
