/* Time runs out, connections break, the server goes and comes. */
#include <signal.h>

#include "libshared/src/pg_pool.h"
#include "tests/unit/libshared/pg_fixture.h"

/* Runs into its deadline; true when the next call finds the same connection. */
static bool a_deadline_spares_the_connection(struct fixture *f)
{
    const struct sh_pg_param seconds = text("20");
    const struct sh_pg_step step = {&nap, &seconds, 1, false};
    struct sh_pg_call call = {&step, 1, false, 0, NULL};
    struct outcome o = {0};
    uint64_t started;
    char first_pid[64];

    settle(f);
    run_one(f, &pid, &o);
    await(f, &o);
    (void)snprintf(first_pid, sizeof(first_pid), "%s", o.first);
    started = sh_now_ms();
    call.deadline_ms = started + 200;
    assert_int_equal(sh_pg_run(f->pg, &call, on_done, &o), SH_OK);
    o.wanted++;
    await(f, &o);
    assert_int_equal(o.err, SH_TIMEOUT);
    assert_true(sh_now_ms() - started >= 190);
    run_one(f, &pid, &o);
    await(f, &o);
    return o.err == SH_OK && strcmp(o.first, first_pid) == 0;
}

/* A server that needs a second to cancel loses it: on a busy machine it may take a few
 * attempts. */
static void a_deadline_ends_a_call_and_spares_the_connection(void **state)
{
    struct fixture *f = *state;
    bool spared = false;

    f->config.pool_max = 1;
    open_settled(f);
    for (int i = 0; i < 10 && !spared; i++)
        spared = a_deadline_spares_the_connection(f);
    assert_true(spared);
}

static void calls_that_wait_too_long_time_out(void **state)
{
    struct fixture *f = *state;
    struct outcome slow = {.wanted = 1};
    struct outcome late = {.wanted = 1};
    const struct sh_pg_step latches = {&latch, NULL, 0, false};
    const struct sh_pg_step ones = {&one, NULL, 0, false};
    struct sh_pg_call call = {&latches, 1, false, SH_NO_DEADLINE, NULL};

    f->config.pool_max = 1;
    open_settled(f);
    servers_sql(f->other, HOLD);
    assert_int_equal(sh_pg_run(f->pg, &call, on_done, &slow), SH_OK);
    call.steps = &ones;
    call.deadline_ms = sh_now_ms() + 100;
    assert_int_equal(sh_pg_run(f->pg, &call, on_done, &late), SH_OK);
    await(f, &late);
    assert_int_equal(late.err, SH_TIMEOUT);
    assert_false(late.maybe_done);
    assert_int_equal(slow.calls, 0);
    servers_sql(f->other, LET_GO);
    await(f, &slow);
    assert_int_equal(slow.err, SH_OK);
}

static bool end_who_waits(struct fixture *f)
{
    return *servers_sql(f->other, "SELECT pg_terminate_backend(pid) FROM pg_locks "
                                  "WHERE locktype = 'advisory' AND NOT granted") == 't';
}

static void a_lost_connection_may_have_done_the_work(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    const struct sh_pg_step step = {&latch, NULL, 0, false};

    open_settled(f);
    servers_sql(f->other, HOLD);
    run_steps(f, &step, 1, &o);
    while (!end_who_waits(f))
        uv_run(&f->loop, UV_RUN_NOWAIT);
    await(f, &o);
    assert_int_equal(o.err, SH_UNAVAILABLE);
    assert_true(o.maybe_done);
    settle(f);
}

static bool has_two(void *arg)
{
    const struct fixture *f = arg;

    return sh_pg_size(f->pg) >= 2;
}

static void reads_are_tried_again_on_another_connection(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {.wanted = 1};
    const struct sh_pg_step step = {&latch, NULL, 0, false};
    const struct sh_pg_call call = {&step, 1, true, SH_NO_DEADLINE, NULL};

    f->config.pool_min = 2; /* the other one is there already */
    open_settled(f);
    assert_true(servers_pump(&f->loop, has_two, f));
    servers_sql(f->other, HOLD);
    assert_int_equal(sh_pg_run(f->pg, &call, on_done, &o), SH_OK);
    while (!end_who_waits(f))
        uv_run(&f->loop, UV_RUN_NOWAIT);
    servers_sql(f->other, LET_GO);
    await(f, &o);
    assert_int_equal(o.err, SH_OK);
}

static void survives_a_restart_of_the_server(void **state)
{
    struct fixture *f = *state;
    char command[4096];

    open_settled(f);
    (void)snprintf(command, sizeof(command), "%s restart -m immediate",
                   getenv("TEST_PG_CTL"));
    assert_int_equal(system(command), 0);
    settle(f);
}

struct watch {
    struct sh_health *health;
    enum sh_health_state wanted;
};

static bool has_health(void *arg)
{
    const struct watch *w = arg;

    return sh_health_overall(w->health) == w->wanted;
}

static void health_follows_the_server(void **state)
{
    struct fixture *f = *state;
    struct watch w = {.wanted = SH_HEALTHY};
    struct sh_buffer json = {0};
    struct sh_health_check *check;

    assert_int_equal(sh_health_create(&w.health), SH_OK);
    check = sh_health_add(w.health, "database", true);
    assert_int_equal(sh_pg_create(&f->loop, &f->config, check, &f->pg), SH_OK);
    assert_true(servers_pump(&f->loop, has_health, &w));
    sh_health_json(w.health, &json);
    sh_buffer_append(&json, "", 1);
    assert_int_equal(json.err, SH_OK);
    assert_non_null(strstr(json.data, "pool_size"));
    sh_buffer_free(&json);
    (void)servers_sql(f->other, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                "WHERE application_name = 'cairn'");
    w.wanted = SH_UNHEALTHY;
    assert_true(servers_pump(&f->loop, has_health, &w));
    w.wanted = SH_HEALTHY;
    assert_true(servers_pump(&f->loop, has_health, &w));
    sh_pg_close(&f->pg);
    sh_health_close(&w.health);
}

/* The server and all that it has started. */
static size_t server_pids(struct fixture *f, pid_t pids[static 64])
{
    char list[1024];
    char *rest = list;
    size_t count = 0;

    (void)snprintf(list, sizeof(list), "%s",
                   servers_sql(f->other, "SELECT string_agg(pid, ' ') FROM (SELECT "
                                         "split_part(pg_read_file('postmaster.pid'), "
                                         "E'\\n', 1) AS pid UNION ALL SELECT pid::text "
                                         "FROM pg_stat_activity) AS all_of_them"));
    for (char *end = NULL; count < 64; rest = end) {
        long one_pid = strtol(rest, &end, 10);
        if (end == rest)
            break;
        pids[count++] = (pid_t)one_pid;
    }
    return count;
}

static void signal_all(const pid_t *pids, size_t count, int number)
{
    for (size_t i = 0; i < count; i++)
        (void)kill(pids[i], number);
}

static void open_two(struct fixture *f)
{
    f->config.pool_min = f->config.pool_max = 2;
    open_settled(f);
    assert_true(servers_pump(&f->loop, has_two, f));
}

/* Nothing is closed, and the call's own deadline is further away than the test waits. */
static void a_frozen_server_is_given_up_and_found_again(void **state)
{
    struct fixture *f = *state;
    struct outcome sent = {.wanted = 1};
    struct outcome waits = {.wanted = 1};
    const struct sh_pg_step step = {&pid, NULL, 0, false};
    const struct sh_pg_call call = {&step, 1, false, SH_NO_DEADLINE, NULL};
    pid_t pids[64];
    size_t count;
    bool told;

    open_two(f);
    count = server_pids(f, pids);
    assert_true(count > 2);
    signal_all(pids, count, SIGSTOP);
    assert_int_equal(sh_pg_run(f->pg, &call, on_done, &sent), SH_OK);
    told = servers_pump(&f->loop, all_called, &sent);
    assert_int_equal(sh_pg_run(f->pg, &call, on_done, &waits), SH_OK);
    told = told && servers_pump(&f->loop, all_called, &waits);
    signal_all(pids, count, SIGCONT);
    assert_true(told);
    assert_int_equal(sent.err, SH_UNAVAILABLE);
    assert_true(sent.maybe_done);
    assert_string_equal(sent.message, "the server does not answer");
    assert_int_equal(waits.err, SH_UNAVAILABLE);
    assert_false(waits.maybe_done);
    settle(f);
}

/* Then nobody can be asked on a connection that is there. */
static void a_frozen_server_is_given_up_while_all_connections_are_busy(void **state)
{
    struct fixture *f = *state;
    struct outcome sent = {.wanted = 2};
    struct outcome waits = {.wanted = 1};
    const struct sh_pg_step latches = {&latch, NULL, 0, false};
    const struct sh_pg_call call = {&latches, 1, false, SH_NO_DEADLINE, NULL};
    pid_t pids[64];
    size_t count;
    bool told;

    open_two(f);
    servers_sql(f->other, HOLD);
    for (int i = 0; i < 2; i++)
        assert_int_equal(sh_pg_run(f->pg, &call, on_done, &sent), SH_OK);
    assert_int_equal(sh_pg_run(f->pg, &call, on_done, &waits), SH_OK);
    while (strcmp(servers_sql(f->other, "SELECT count(*) FROM pg_locks WHERE locktype = "
                                        "'advisory' AND NOT granted"),
                  "2") != 0)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    count = server_pids(f, pids);
    signal_all(pids, count, SIGSTOP);
    told = servers_pump(&f->loop, all_called, &sent) &&
           servers_pump(&f->loop, all_called, &waits);
    signal_all(pids, count, SIGCONT);
    servers_sql(f->other, LET_GO);
    assert_true(told);
    assert_int_equal(sent.err, SH_UNAVAILABLE);
    assert_true(sent.maybe_done);
    assert_int_equal(waits.err, SH_UNAVAILABLE);
    assert_false(waits.maybe_done);
    settle(f);
}

struct patience {
    const struct outcome *o;
    uint64_t until_ms;
};

static bool is_over(void *arg)
{
    const struct patience *p = arg;

    return p->o->calls > 0 || sh_now_ms() > p->until_ms;
}

/* True when a statement was let go on though it said nothing for that long. */
static bool is_let_go_on(struct fixture *f)
{
    struct outcome o = {0};
    const struct sh_pg_step step = {&latch, NULL, 0, false};
    struct patience p = {&o, sh_now_ms() + 2 * (uint64_t)PG_SILENT_MS};

    settle(f);
    servers_sql(f->other, HOLD);
    run_steps(f, &step, 1, &o);
    assert_true(servers_pump(&f->loop, is_over, &p));
    servers_sql(f->other, LET_GO);
    await(f, &o);
    return o.err == SH_OK;
}

/* On a busy machine a question may be answered late: a few attempts. */
static void let_go_on(struct fixture *f)
{
    bool went_on = false;

    open_settled(f);
    for (int i = 0; i < 10 && !went_on; i++)
        went_on = is_let_go_on(f);
    assert_true(went_on);
}

static void a_long_statement_is_no_silence(void **state)
{
    let_go_on(*state);
}

static bool has_one(void *arg)
{
    const struct fixture *f = arg;

    return sh_pg_size(f->pg) == 1;
}

static void neither_is_one_on_the_only_connection(void **state)
{
    struct fixture *f = *state;

    f->config.pool_min = f->config.pool_max = 1;
    let_go_on(f);
    assert_true(servers_pump(&f->loop, has_one, f)); /* that of the question goes */
}

static void without_a_server_calls_fail_soon(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    uint64_t started = sh_now_ms();

    f->config.url = "postgresql://cairn@/cairn?host=/nowhere";
    open_pool(f);
    run_one(f, &one, &o);
    await(f, &o);
    assert_int_equal(o.err, SH_UNAVAILABLE);
    assert_false(o.maybe_done);
    assert_non_null(strstr(o.message, "/nowhere"));
    assert_true(sh_now_ms() - started >= 400);
    assert_true(sh_now_ms() - started < SERVERS_PUMP_MS / 2); /* far from the deadline */
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(a_deadline_ends_a_call_and_spares_the_connection),
        CASE(calls_that_wait_too_long_time_out),
        CASE(a_lost_connection_may_have_done_the_work),
        CASE(reads_are_tried_again_on_another_connection),
        CASE(survives_a_restart_of_the_server),
        CASE(health_follows_the_server),
        CASE(a_frozen_server_is_given_up_and_found_again),
        CASE(a_frozen_server_is_given_up_while_all_connections_are_busy),
        CASE(a_long_statement_is_no_silence),
        CASE(neither_is_one_on_the_only_connection),
        CASE(without_a_server_calls_fail_soon),
    };

    (void)argc;
    servers_ensure(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
