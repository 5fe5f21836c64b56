/* What the services say of themselves, as figures: the worst of the replicas, and what
 * nobody says is not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "services/gateway/health/census.h"
#include "services/gateway/history/ring.h"
#include "services/gateway/history/said.h"
#include "shared/bytes.h"

enum { MOST = 4 };

struct crowd {
    struct census_replica replicas[MOST];
    struct census_answer answer;
};

static int set_up(void **state)
{
    static struct crowd crowd;
    crowd = (struct crowd){.answer = {.replicas = crowd.replicas}};
    *state = &crowd;
    return 0;
}

static int tear_down(void **state)
{
    struct crowd *crowd = *state;
    for (size_t i = 0; i < crowd->answer.count; i++)
        json_decref(crowd->replicas[i].facts.checks);
    return 0;
}

/* `index` NULL: the replica did not answer. */
static void add(struct crowd *crowd, enum peer peer, const char *index, uint32_t pool,
                uint32_t active)
{
    struct census_replica *one = &crowd->replicas[crowd->answer.count++];

    assert_true(crowd->answer.count <= MOST);
    *one = (struct census_replica){.peer = peer, .facts = {.known = true}};
    if (index == NULL)
        return;
    one->facts.reached = true;
    one->facts.db_pool = pool;
    one->facts.db_active = active;
    one->facts.checks = json_pack("{s:o}", "index", json_loads(index, 0, NULL));
    assert_non_null(one->facts.checks);
}

static void nobody_who_answers_says_nothing(void **state)
{
    struct crowd *crowd = *state;
    double said[SAID_COUNT];

    said_read(&crowd->answer, said);
    for (int i = 0; i < SAID_COUNT; i++)
        assert_true(isnan(said[i]));
    add(crowd, PEER_SEARCH, NULL, 0, 0);
    add(crowd, PEER_EMBEDDER, "{\"recall\":0.5,\"lag_seconds\":7}", 3, 1);
    said_read(&crowd->answer, said);
    for (int i = 0; i < SAID_COUNT; i++)
        assert_true(isnan(said[i]));
}

static void the_worst_of_the_replicas_counts(void **state)
{
    struct crowd *crowd = *state;
    double said[SAID_COUNT];

    add(crowd, PEER_SEARCH, "{\"recall\":0.875,\"lag_seconds\":0.0}", 5, 1);
    add(crowd, PEER_SEARCH, "{\"recall\":1.0,\"lag_seconds\":2.5}", 5, 4);
    add(crowd, PEER_SEARCH, NULL, 0, 0);
    add(crowd, PEER_GRAPH, "{\"lag_seconds\":0}", 4, 0);
    said_read(&crowd->answer, said);
    assert_true(said[SAID_RECALL] == 0.875);
    assert_true(said[SAID_SEARCH_LAG] == 2.5);
    assert_true(said[SAID_SEARCH_POOL] == 10);
    assert_true(said[SAID_SEARCH_USED] == 5);
    assert_true(said[SAID_GRAPH_LAG] == 0);
    assert_true(said[SAID_GRAPH_POOL] == 4);
    assert_true(said[SAID_GRAPH_USED] == 0);
}

static void what_one_does_not_know_another_may(void **state)
{
    struct crowd *crowd = *state;
    double said[SAID_COUNT];

    add(crowd, PEER_SEARCH, "{\"recall\":null,\"lag_seconds\":null}", 5, 0);
    said_read(&crowd->answer, said);
    assert_true(isnan(said[SAID_RECALL]) && isnan(said[SAID_SEARCH_LAG]));
    assert_true(said[SAID_SEARCH_POOL] == 5);
    add(crowd, PEER_SEARCH, "{\"recall\":0.25,\"lag_seconds\":\"7\"}", 5, 0);
    said_read(&crowd->answer, said);
    assert_true(said[SAID_RECALL] == 0.25 && isnan(said[SAID_SEARCH_LAG]));
}

static void gauges_keep_what_is_known_and_what_is_not(void **state)
{
    const double said[SAID_COUNT] = {0.98765, 0,     12.345,          (double)NAN,
                                     -1,      1e300, (double)INFINITY};
    uint64_t gauges[SAID_COUNT];
    double back[SAID_COUNT];

    (void)state;
    said_to_gauges(said, gauges);
    said_of_gauges(gauges, back);
    assert_float_equal(back[0], 0.98765, 1e-9);
    assert_true(back[1] == 0);
    assert_float_equal(back[2], 12.345, 1e-9);
    assert_true(gauges[3] == RING_UNKNOWN && isnan(back[3]));
    assert_true(isnan(back[4]));
    assert_true(gauges[5] == UINT32_MAX && gauges[6] == UINT32_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_who_answers_says_nothing),
        TEST(the_worst_of_the_replicas_counts),
        TEST(what_one_does_not_know_another_may),
        TEST(gauges_keep_what_is_known_and_what_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
