/* What the services say of themselves is in the last hour; who hangs holds up nobody. */
#define SEARCH_REPLICAS 2
#define BEFORE_EDGE(f)                                                                   \
    assert_int_equal(history_open(&(f)->loop, "this-one", (f)->gateway.routes,           \
                                  (f)->gateway.route_count, &(f)->gateway.history),      \
                     SH_OK)
#include "services/gateway/history/survey.h"

#include "gateway_fixture.h"

#include <math.h>

struct replica {
    struct sh_rpc_server *server;
    const char *index; /* what its check says; NULL: it fails */
    bool holds;
    struct sh_rpc_call *held;
    int asked;
};

static struct replica replicas[2];
static struct survey *survey;

static void on_health(void *arg, struct sh_rpc_call *call)
{
    struct replica *one = arg;

    one->asked++;
    if (one->holds) {
        assert_null(one->held);
        one->held = call;
        return;
    }
    if (one->index == NULL) {
        sh_rpc_fail(call, SH_INTERNAL, NULL, NULL, "not well");
        return;
    }
    const struct health_check check = {.name = sh_bytes_of("index"),
                                       .status = sh_bytes_of("healthy"),
                                       .response_time_s = -1,
                                       .detail = sh_bytes_of(one->index)};
    const struct health_reply reply = {.service = sh_bytes_of("search"),
                                       .status = sh_bytes_of("healthy"),
                                       .checks = &check,
                                       .checks_count = 1,
                                       .db_pool = 5,
                                       .db_active = 2};
    sh_rpc_reply(call, health_reply_desc(), &reply);
}

static void serve_health(struct sh_rpc_server *server, struct replica *one)
{
    assert_int_equal(
        sh_rpc_server_add(server, METHOD_RPC_HEALTH, "rpc.health", 0, on_health, one),
        SH_OK);
}

static int set_up_replicas(void **state)
{
    set_up(state);
    struct fixture *f = *state;
    memset(replicas, 0, sizeof replicas);
    serve_at(f, "search", "search-2", &replicas[1].server);
    serve_health(f->search, &replicas[0]);
    serve_health(replicas[1].server, &replicas[1]);
    assert_int_equal(sh_rpc_server_add(replicas[1].server, METHOD_SEARCH_QUERY,
                                       "search.query", 0, on_query, f),
                     SH_OK);
    pump_until(f, sh_rpc_client_ready(f->edge.peers[PEER_SEARCH]) == 2);
    assert_int_equal(survey_open(&f->edge, f->gateway.history, &survey), SH_OK);
    return 0;
}

static int tear_down_replicas(void **state)
{
    struct fixture *f = *state;
    char path[128];

    survey_close(&survey);
    survey_close(&survey);
    for (size_t i = 0; i < SH_COUNT(replicas); i++)
        if (replicas[i].held != NULL) /* an answer is owed to the end */
            sh_rpc_fail(replicas[i].held, SH_CANCELED, NULL, NULL, "the end");
    sh_rpc_server_close(&replicas[1].server);
    (void)snprintf(path, sizeof path, "%s/search-2", f->folder);
    unlink(path);
    history_close(&f->gateway.history);
    return tear_down(state);
}

/* The figures as they are now. */
static struct history_figures now_in(struct fixture *f)
{
    struct sh_arena arena = {0};
    struct history_view view;

    assert_int_equal(history_look(f->gateway.history, 15, &arena, &view), SH_OK);
    sh_arena_free(&arena);
    return view.sums;
}

static double said(struct fixture *f, enum said what)
{
    struct history_figures figures = now_in(f);
    return figures.said[what];
}

static void replicas_are_asked_and_the_worst_is_kept(void **state)
{
    struct fixture *f = *state;

    assert_says(get(f, "/api/admin/stats/history"),
                "\"search_recall\":null,\"search_lag\":null,\"graph_lag\":null,"
                "\"search_pool_size\":null,\"search_pool_active\":null,"
                "\"graph_pool_size\":null,\"graph_pool_active\":null}");
    replicas[0].index = "{\"recall\":1.0,\"lag_seconds\":0.5}";
    replicas[1].index = "{\"recall\":0.75,\"lag_seconds\":0.25}";
    survey_ask(survey);
    pump_until(f, !isnan(said(f, SAID_SEARCH_LAG)));
    assert_says(get(f, "/api/admin/stats/history"),
                "\"search_recall\":0.75,\"search_lag\":0.5,\"graph_lag\":null,"
                "\"search_pool_size\":10,\"search_pool_active\":4,"
                "\"graph_pool_size\":null,\"graph_pool_active\":null}");
}

/* Nobody is asked twice at a time, and requests are answered meanwhile. */
static void who_hangs_holds_up_nobody(void **state)
{
    struct fixture *f = *state;

    replicas[0].index = "{\"recall\":null,\"lag_seconds\":0.5}";
    replicas[1] = (struct replica){.server = replicas[1].server, .holds = true};
    survey_ask(survey);
    pump_until(f, replicas[1].held != NULL);
    for (int i = 0; i < 10; i++)
        survey_ask(survey);
    assert_says(get(f, "/api/search?q=words"), "HTTP/1.1 200 ");
    assert_true(isnan(said(f, SAID_SEARCH_LAG)));
    pump_until(f, said(f, SAID_SEARCH_LAG) == 0.5); /* it is not waited for for ever */
    assert_true(isnan(said(f, SAID_RECALL)));
    assert_int_equal(replicas[0].asked, 1);
    assert_int_equal(replicas[1].asked, 1);
}

static void what_is_not_said_any_more_is_unknown_in_its_step_alone(void **state)
{
    struct fixture *f = *state;
    double now_s = (double)sh_now_us() / 1e6;
    struct sh_arena arena = {0};
    struct history_view view;

    replicas[0].index = replicas[1].index = "{\"recall\":1.0,\"lag_seconds\":0.0}";
    survey_ask(survey);
    pump_until(f, said(f, SAID_SEARCH_LAG) == 0);
    history_tick(f->gateway.history, now_s + HISTORY_STEP_S);
    replicas[0].index = replicas[1].index = NULL;
    survey_ask(survey);
    pump_until(f, isnan(said(f, SAID_SEARCH_LAG)));
    history_tick(f->gateway.history, now_s + 2 * HISTORY_STEP_S);
    assert_int_equal(history_look(f->gateway.history, 15, &arena, &view), SH_OK);
    assert_int_equal(view.step_count, 2);
    assert_true(view.steps[0].said[SAID_RECALL] == 1);
    assert_true(view.steps[0].said[SAID_SEARCH_LAG] == 0);
    for (int i = 0; i < SAID_COUNT; i++)
        assert_true(isnan(view.steps[1].said[i]));
    sh_arena_free(&arena);
}

static void it_asks_by_itself(void **state)
{
    struct fixture *f = *state;

    replicas[0].index = replicas[1].index = "{\"lag_seconds\":3}";
    pump_until(f, said(f, SAID_SEARCH_LAG) == 3);
}

static void closing_while_it_asks_loses_nothing(void **state)
{
    struct fixture *f = *state;

    replicas[1].holds = true;
    survey_ask(survey);
    pump_until(f, replicas[1].held != NULL);
    survey_close(&survey);
    assert_null(survey);
}

static void without_memory_nothing_is_known(void **state)
{
    struct fixture *f = *state;

    replicas[0].index = replicas[1].index = "{\"lag_seconds\":3}";
    survey_ask(survey);
    pump_until(f, said(f, SAID_SEARCH_LAG) == 3);
    /* not while it asks by itself */
    pump_until(f, (sh_mem_fail_after(0), survey_ask(survey), sh_mem_fail_after(-1),
                   isnan(said(f, SAID_SEARCH_LAG))));
}

#define TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, set_up_replicas, tear_down_replicas)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(replicas_are_asked_and_the_worst_is_kept),
        TEST(who_hangs_holds_up_nobody),
        TEST(what_is_not_said_any_more_is_unknown_in_its_step_alone),
        TEST(it_asks_by_itself),
        TEST(closing_while_it_asks_loses_nothing),
        TEST(without_memory_nothing_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
