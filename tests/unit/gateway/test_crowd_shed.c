/* Connections of an address, and when a loop has too much to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "services/gateway/limits/crowd.h"
#include "services/gateway/limits/shed.h"
#include "shared/clock.h"
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

/* --- requests under way ----------------------------------------------------------- */

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

/* --- requests that wait for their loop -------------------------------------------- */

enum { TARGET_MS = 5, INTERVAL_MS = 40, ROUND_MS = 30, ROUNDS = 12 };

/* Requests that come one by one, each as an event of a descriptor. */
struct coming {
    uv_loop_t loop;
    uv_poll_t poll;
    struct shed *shed;
    uint64_t busy_ms; /* what each takes of the loop; the next one comes meanwhile */
    int fd;
    unsigned seen, refused;
};

static void next_in(const struct coming *self, uint64_t ms)
{
    const struct itimerspec when = {.it_value = {0, (long)ms * 1000000 + 1}};
    assert_int_equal(timerfd_settime(self->fd, 0, &when, NULL), 0);
}

static void on_request(uv_poll_t *poll, int status, int events)
{
    struct coming *self = poll->data;
    uint64_t until = sh_now_ms() + self->busy_ms;
    uint64_t fired;

    (void)status;
    (void)events;
    assert_int_equal(read(self->fd, &fired, sizeof fired), sizeof fired);
    if (shed_begin(self->shed) == SHED_NOT)
        shed_end(self->shed);
    else
        self->refused++;
    if (++self->seen == ROUNDS) {
        uv_close((uv_handle_t *)poll, NULL);
        shed_close(&self->shed);
        return;
    }
    next_in(self, self->busy_ms > 0 ? 0 : ROUND_MS);
    while (sh_now_ms() < until)
        continue;
}

static unsigned refused_of(uint64_t busy_ms)
{
    const struct limits_config config = {.shed_delay_ms = TARGET_MS,
                                         .shed_interval_ms = INTERVAL_MS};
    struct coming self = {.busy_ms = busy_ms};

    assert_int_equal(uv_loop_init(&self.loop), 0);
    assert_int_equal(shed_create(&self.loop, &config, &self.shed), SH_OK);
    self.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    assert_true(self.fd >= 0);
    assert_int_equal(uv_poll_init(&self.loop, &self.poll, self.fd), 0);
    self.poll.data = &self;
    assert_int_equal(uv_poll_start(&self.poll, UV_READABLE, on_request), 0);
    next_in(&self, ROUND_MS);
    uv_run(&self.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&self.loop), 0);
    assert_int_equal(close(self.fd), 0);
    return self.refused;
}

/* That the loop has slept for long is no wait of who wakes it. */
static void an_idle_loop_refuses_nobody(void **state)
{
    (void)state;
    assert_int_equal(refused_of(0), 0);
}

static void a_loop_that_is_always_late_refuses(void **state)
{
    (void)state;
    assert_in_range(refused_of(ROUND_MS), 1, ROUNDS - 2); /* the first may be a burst */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_so_many_connections),
        cmocka_unit_test(a_v6_network_counts_as_one),
        cmocka_unit_test(proxies_and_perhaps_loopback_are_not_counted),
        cmocka_unit_test(many_addresses_come_and_go),
        cmocka_unit_test(requests_under_way_have_a_number),
        cmocka_unit_test(an_idle_loop_refuses_nobody),
        cmocka_unit_test(a_loop_that_is_always_late_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
