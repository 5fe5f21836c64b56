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

/* --- connections ------------------------------------------------------------------ */

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

/* --- requests under way
 * ------------------------------------------------------------------
 */

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
        cmocka_unit_test(requests_under_way_have_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
