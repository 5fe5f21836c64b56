#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/pg.h"
#include "tests/support/servers.h"

struct fixture {
    uv_loop_t loop;
    struct sh_pg_config config;
    struct sh_pg *pg;
    PGconn *other; /* a session of somebody else */
};

struct outcome {
    struct fixture *f;
    size_t calls;
    size_t wanted;
    enum sh_err err;
    bool maybe_done;
    char sqlstate[6];
    char message[256];
    char first[64]; /* first field of the last step */
    size_t count;
    size_t errs[SH_ERR_COUNT];
    void (*then)(struct outcome *self);
};

static struct sh_pg_config config_of(const char *url)
{
    return (struct sh_pg_config){.url = url,
                                 .host = "localhost",
                                 .port = 5432,
                                 .name = "cairn",
                                 .user = "cairn",
                                 .password = "",
                                 .read_hosts = "",
                                 .pool_min = 1,
                                 .pool_max = 4,
                                 .statement_timeout_ms = 20000};
}

static void open_pool(struct fixture *f)
{
    assert_int_equal(sh_pg_create(&f->loop, &f->config, NULL, &f->pg), SH_OK);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    f->config = config_of(getenv("TEST_DATABASE_URL"));
    f->other = servers_connect();
    servers_sql(f->other,
                "SET client_min_messages TO warning; DROP TABLE IF EXISTS things;"
                "CREATE TABLE things (id int PRIMARY KEY CHECK (id < 100), "
                "note text)");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    sh_pg_close(&f->pg);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    PQfinish(f->other);
    free(f);
    return 0;
}

static void on_done(void *arg, const struct sh_pg_reply *reply)
{
    struct outcome *o = arg;

    o->calls++;
    o->errs[reply->err]++;
    o->err = reply->err;
    o->maybe_done = reply->maybe_done;
    o->count = reply->count;
    (void)snprintf(o->sqlstate, sizeof(o->sqlstate), "%s", reply->sqlstate);
    (void)snprintf(o->message, sizeof(o->message), "%s", reply->message);
    o->first[0] = '\0';
    if (reply->count > 0 && PQntuples(reply->results[reply->count - 1]) > 0)
        (void)snprintf(o->first, sizeof(o->first), "%s",
                       PQgetvalue(reply->results[reply->count - 1], 0, 0));
    if (o->then)
        o->then(o);
}

static bool all_called(void *arg)
{
    const struct outcome *o = arg;

    return o->calls >= o->wanted;
}

static void await(struct fixture *f, struct outcome *o)
{
    assert_true(servers_pump(&f->loop, all_called, o));
    assert_int_equal(o->calls, o->wanted);
}

static void run_steps(struct fixture *f, const struct sh_pg_step *steps, size_t count,
                      struct outcome *o)
{
    const struct sh_pg_call call = {
        .steps = steps, .count = count, .deadline_ms = sh_now_ms() + 15000};
    size_t before = o->calls;

    assert_int_equal(sh_pg_run(f->pg, &call, on_done, o), SH_OK);
    assert_int_equal(o->calls, before); /* never from inside */
    o->wanted++;
}

static void run_one(struct fixture *f, const struct sh_pg_statement *statement,
                    struct outcome *o)
{
    const struct sh_pg_step step = {.statement = statement};

    run_steps(f, &step, 1, o);
}

static struct sh_pg_param text(const char *value)
{
    return (struct sh_pg_param){sh_bytes_of(value), false};
}

static const struct sh_pg_statement one = {"one", "SELECT 1"};
static const struct sh_pg_statement pid = {"pid", "SELECT pg_backend_pid()"};
static const struct sh_pg_statement insert = {"insert",
                                              "INSERT INTO things VALUES ($1::int, $2)"};
static const struct sh_pg_statement total = {"total", "SELECT count(*) FROM things"};
static const struct sh_pg_statement nap = {"nap", "SELECT pg_sleep($1::float8)"};

static void results_come_one_a_step(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    struct sh_pg_param params[] = {text("7"), text("seven")};
    struct sh_pg_step steps[] = {{&insert, params, 2, false}, {&total, NULL, 0, false}};

    open_pool(f);
    run_steps(f, steps, 2, &o);
    params[0].value = sh_bytes_of("8"); /* copied: no influence on the call */
    await(f, &o);
    assert_int_equal(o.err, SH_OK);
    assert_int_equal(o.count, 2);
    assert_string_equal(o.first, "1");
    assert_string_equal(servers_sql(f->other, "SELECT id::text || note FROM things"),
                        "7seven");
}

struct shape {
    bool called;
    bool null;
    size_t length;
    unsigned char head[4];
};

static void on_shape(void *arg, const struct sh_pg_reply *reply)
{
    struct shape *s = arg;
    const PGresult *r = reply->results[0];

    assert_int_equal(reply->err, SH_OK);
    s->called = true;
    s->null = sh_pg_text(r, 0, 0).data == NULL && sh_pg_u64(r, 0, 0) == 0;
    s->length = sh_pg_text(r, 0, 1).len;
    memcpy(s->head, sh_pg_text(r, 0, 1).data, sizeof(s->head));
}

static void nulls_and_binary_values_pass_through(void **state)
{
    static const struct sh_pg_statement echo = {"echo", "SELECT $1::text, $2::bytea"};
    struct fixture *f = *state;
    struct shape shape = {0};
    const unsigned char bytes[] = {0, 1, 0, 255};
    const struct sh_pg_param params[] = {{{NULL, 0}, false}, {{bytes, 4}, true}};
    const struct sh_pg_step step = {&echo, params, 2, true};
    const struct sh_pg_call call = {&step, 1, true, SH_NO_DEADLINE, NULL};

    open_pool(f);
    assert_int_equal(sh_pg_run(f->pg, &call, on_shape, &shape), SH_OK);
    assert_true(servers_pump(&f->loop, servers_is_set, &shape.called));
    assert_true(shape.null);
    assert_int_equal(shape.length, 4);
    assert_memory_equal(shape.head, bytes, 4);
}

static void large_values_go_both_ways(void **state)
{
    static const struct sh_pg_statement twice = {"twice",
                                                 "SELECT length($1), repeat($1, 2)"};
    enum { SIZE = 6 * 1024 * 1024 };
    struct fixture *f = *state;
    struct shape shape = {0};
    char *big = malloc(SIZE);
    const struct sh_pg_param param = {{big, SIZE}, false};
    const struct sh_pg_step step = {&twice, &param, 1, false};
    const struct sh_pg_call call = {&step, 1, false, SH_NO_DEADLINE, NULL};

    assert_non_null(big);
    memset(big, 'x', SIZE);
    open_pool(f);
    assert_int_equal(sh_pg_run(f->pg, &call, on_shape, &shape), SH_OK);
    free(big);
    assert_true(servers_pump(&f->loop, servers_is_set, &shape.called));
    assert_int_equal(shape.length, 2 * SIZE);
}

static void a_failing_step_undoes_the_others(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    const struct sh_pg_param a[] = {text("1"), text("a")};
    const struct sh_pg_step steps[] = {
        {&insert, a, 2, false}, {&insert, a, 2, false}, {&total, NULL, 0, false}};

    open_pool(f);
    run_steps(f, steps, 3, &o);
    await(f, &o);
    assert_int_equal(o.err, SH_CONFLICT);
    assert_int_equal(o.count, 0);
    assert_false(o.maybe_done);
    assert_string_equal(o.sqlstate, "23505");
    assert_string_equal(servers_sql(f->other, "SELECT count(*) FROM things"), "0");
    run_steps(f, steps, 1, &o); /* the connection is as good as before */
    await(f, &o);
    assert_int_equal(o.err, SH_OK);
}

static void faults_in_data_are_the_callers(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    const struct sh_pg_param bad[] = {text("x"), text("a")};
    const struct sh_pg_param large[] = {text("100"), text("a")};
    const struct sh_pg_step steps[] = {{&insert, bad, 2, false},
                                       {&insert, large, 2, false}};

    open_pool(f);
    run_steps(f, &steps[0], 1, &o);
    await(f, &o);
    assert_int_equal(o.err, SH_INVALID);
    run_steps(f, &steps[1], 1, &o);
    await(f, &o);
    assert_int_equal(o.err, SH_INVALID);
    assert_string_equal(o.sqlstate, "23514");
}

static void what_cannot_be_sent_is_refused(void **state)
{
    struct fixture *f = *state;
    struct sh_pg_param params[SH_PG_PARAMS_MAX + 1] = {{{"a\0b", 3}, false}};
    struct sh_pg_step step = {&nap, params, 1, false};
    const struct sh_pg_call call = {&step, 1, false, SH_NO_DEADLINE, NULL};
    const struct sh_pg_call empty = {&step, 0, false, SH_NO_DEADLINE, NULL};

    open_pool(f);
    assert_int_equal(sh_pg_run(f->pg, &call, NULL, NULL), SH_INVALID);
    step.count = SH_PG_PARAMS_MAX + 1;
    assert_int_equal(sh_pg_run(f->pg, &call, NULL, NULL), SH_INVALID);
    assert_int_equal(sh_pg_run(f->pg, &empty, NULL, NULL), SH_INVALID);
}

static void a_deadline_ends_a_call_and_spares_the_connection(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {.wanted = 1};
    const struct sh_pg_param seconds = text("20");
    const struct sh_pg_step step = {&nap, &seconds, 1, false};
    struct sh_pg_call call = {&step, 1, false, 0, NULL};
    uint64_t started;
    char first_pid[64];

    f->config.pool_max = 1;
    open_pool(f);
    o.wanted = 0;
    run_one(f, &pid, &o);
    await(f, &o);
    (void)snprintf(first_pid, sizeof(first_pid), "%s", o.first);
    started = sh_now_ms();
    call.deadline_ms = started + 200;
    assert_int_equal(sh_pg_run(f->pg, &call, on_done, &o), SH_OK);
    o.wanted++;
    await(f, &o);
    assert_int_equal(o.err, SH_TIMEOUT);
    assert_in_range(sh_now_ms() - started, 190, 5000);
    run_one(f, &pid, &o);
    await(f, &o);
    assert_int_equal(o.err, SH_OK);
    assert_string_equal(o.first, first_pid);
}

static void calls_that_wait_too_long_time_out(void **state)
{
    struct fixture *f = *state;
    struct outcome slow = {.wanted = 1};
    struct outcome late = {.wanted = 1};
    const struct sh_pg_param seconds = text("0.6");
    const struct sh_pg_step naps = {&nap, &seconds, 1, false};
    const struct sh_pg_step ones = {&one, NULL, 0, false};
    struct sh_pg_call call = {&naps, 1, false, SH_NO_DEADLINE, NULL};

    f->config.pool_max = 1;
    open_pool(f);
    assert_int_equal(sh_pg_run(f->pg, &call, on_done, &slow), SH_OK);
    call.steps = &ones;
    call.deadline_ms = sh_now_ms() + 100;
    assert_int_equal(sh_pg_run(f->pg, &call, on_done, &late), SH_OK);
    await(f, &late);
    assert_int_equal(late.err, SH_TIMEOUT);
    assert_false(late.maybe_done);
    assert_int_equal(slow.calls, 0);
    await(f, &slow);
    assert_int_equal(slow.err, SH_OK);
}

static bool someone_naps(void *arg)
{
    return *servers_sql(arg, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                             "WHERE query LIKE '%pg_sleep%' AND state = 'active' "
                             "AND pid <> pg_backend_pid()") == 't';
}

static void a_lost_connection_may_have_done_the_work(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    const struct sh_pg_param seconds = text("20");
    const struct sh_pg_step step = {&nap, &seconds, 1, false};

    open_pool(f);
    run_steps(f, &step, 1, &o);
    while (!someone_naps(f->other))
        uv_run(&f->loop, UV_RUN_NOWAIT);
    await(f, &o);
    assert_int_equal(o.err, SH_UNAVAILABLE);
    assert_true(o.maybe_done);
    run_one(f, &one, &o);
    await(f, &o);
    assert_int_equal(o.err, SH_OK);
}

static void reads_are_tried_again_on_another_connection(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {.wanted = 1};
    const struct sh_pg_param seconds = text("0.3");
    const struct sh_pg_step step = {&nap, &seconds, 1, false};
    const struct sh_pg_call call = {&step, 1, true, SH_NO_DEADLINE, NULL};

    open_pool(f);
    assert_int_equal(sh_pg_run(f->pg, &call, on_done, &o), SH_OK);
    while (!someone_naps(f->other))
        uv_run(&f->loop, UV_RUN_NOWAIT);
    await(f, &o);
    assert_int_equal(o.err, SH_OK);
}

static void many_calls_share_few_connections(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};

    open_pool(f);
    for (int i = 0; i < 600; i++)
        run_one(f, &one, &o);
    await(f, &o);
    assert_int_equal(o.errs[SH_OK], 600);
    assert_in_range(sh_pg_size(f->pg), 1, 4);
    assert_int_equal(sh_pg_active(f->pg), 0);
}

static void the_queue_is_bounded_and_close_cancels_it(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    const struct sh_pg_param seconds = text("20");
    const struct sh_pg_step step = {&nap, &seconds, 1, false};
    const struct sh_pg_call call = {&step, 1, false, SH_NO_DEADLINE, NULL};
    struct sh_pg *pg;

    f->config.pool_max = 1;
    open_pool(f);
    run_one(f, &one, &o);
    await(f, &o);
    for (int i = 0; i < 1001; i++)
        run_steps(f, &step, 1, &o);
    assert_int_equal(sh_pg_run(f->pg, &call, on_done, &o), SH_BUSY);
    pg = f->pg;
    sh_pg_close(&f->pg);
    assert_null(f->pg);
    assert_int_equal(o.errs[SH_CANCELED], 1001);
    assert_int_equal(sh_pg_run(pg, &call, on_done, &o), SH_CANCELED);
}

static void close_then_run(struct outcome *o)
{
    const struct sh_pg_step step = {&one, NULL, 0, false};
    const struct sh_pg_call call = {&step, 1, false, SH_NO_DEADLINE, NULL};
    struct sh_pg *pg = o->f->pg;

    sh_pg_close(&o->f->pg);
    if (pg)
        assert_int_equal(sh_pg_run(pg, &call, on_done, o), SH_CANCELED);
}

static void a_caller_may_close_the_pool(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {.f = f, .then = close_then_run};

    open_pool(f);
    for (int i = 0; i < 10; i++)
        run_one(f, &one, &o);
    await(f, &o);
    assert_int_equal(o.errs[SH_OK], 1);
    assert_int_equal(o.errs[SH_CANCELED], 9);
}

static void serialisation_failures_are_tried_three_times(void **state)
{
    static const struct sh_pg_statement flaky = {"flaky", "SELECT flaky($1::int)"};
    struct fixture *f = *state;
    struct outcome o = {0};
    struct sh_pg_param needed = text("3");
    const struct sh_pg_step step = {&flaky, &needed, 1, false};

    servers_sql(
        f->other,
        "DROP SEQUENCE IF EXISTS tries; CREATE SEQUENCE tries;"
        "CREATE OR REPLACE FUNCTION flaky(needed int) RETURNS int LANGUAGE plpgsql "
        "AS $$ BEGIN IF nextval('tries') < needed THEN "
        "RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END IF; RETURN 9; END $$");
    open_pool(f);
    run_steps(f, &step, 1, &o);
    await(f, &o);
    assert_int_equal(o.err, SH_OK);
    assert_string_equal(o.first, "9");
    needed = text("1000");
    run_steps(f, &step, 1, &o);
    await(f, &o);
    assert_int_equal(o.err, SH_CONFLICT);
    assert_string_equal(servers_sql(f->other, "SELECT last_value FROM tries"), "6");
}

static void statements_are_prepared_again(void **state)
{
    static const struct sh_pg_statement forget = {"forget", "DEALLOCATE ALL"};
    static const struct sh_pg_statement all = {"all", "SELECT * FROM things"};
    struct fixture *f = *state;
    struct outcome o = {0};

    f->config.pool_max = 1;
    open_pool(f);
    run_one(f, &one, &o);
    run_one(f, &forget, &o);
    run_one(f, &one, &o); /* gone on the server: 26000 */
    run_one(f, &all, &o);
    await(f, &o);
    assert_int_equal(o.errs[SH_OK], 4);
    servers_sql(f->other, "ALTER TABLE things ADD COLUMN more text");
    run_one(f, &all, &o); /* cached plan must not change result type */
    await(f, &o);
    assert_int_equal(o.errs[SH_OK], 5);
}

static void survives_a_restart_of_the_server(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    char command[4096];

    open_pool(f);
    run_one(f, &one, &o);
    await(f, &o);
    (void)snprintf(command, sizeof(command), "%s restart -m immediate",
                   getenv("TEST_PG_CTL"));
    assert_int_equal(system(command), 0);
    for (int i = 0; i < 50 && o.errs[SH_OK] < 2; i++) {
        run_one(f, &one, &o);
        await(f, &o);
    }
    assert_int_equal(o.err, SH_OK);
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
    assert_in_range(sh_now_ms() - started, 400, 5000);
}

static void names_are_resolved(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};

    f->config.url = "postgresql://cairn@localhost:1/cairn";
    open_pool(f);
    run_one(f, &one, &o);
    await(f, &o);
    assert_int_equal(o.err, SH_UNAVAILABLE);
    assert_non_null(strstr(o.message, "refused"));
    sh_pg_close(&f->pg);
    f->config.url = "host=localhost,/nowhere port=1";
    open_pool(f);
    run_one(f, &one, &o);
    await(f, &o);
    assert_non_null(strstr(o.message, "refused"));
    assert_non_null(strstr(o.message, "/nowhere"));
}

static void reads_go_to_read_hosts_and_fall_back(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {.wanted = 1};
    const struct sh_pg_step step = {&one, NULL, 0, false};
    const struct sh_pg_call call = {&step, 1, true, SH_NO_DEADLINE, NULL};

    f->config.read_hosts = "/nowhere"; /* down: the primary answers */
    open_pool(f);
    assert_int_equal(sh_pg_run(f->pg, &call, on_done, &o), SH_OK);
    await(f, &o);
    assert_int_equal(o.err, SH_OK);
    sh_pg_close(&f->pg);
    f->config.url = "postgresql://cairn@/cairn?host=/nowhere"; /* now the reverse */
    f->config.read_hosts = getenv("TEST_SERVERS_DIR");
    open_pool(f);
    o.err = SH_INTERNAL;
    while (o.err != SH_OK) {
        assert_int_equal(sh_pg_run(f->pg, &call, on_done, &o), SH_OK);
        o.wanted++;
        await(f, &o);
    }
}

struct heard {
    size_t remade;
    size_t notes;
    size_t wanted_remade;
    size_t wanted_notes;
    char last[64];
};

static void on_notified(void *arg, const char *payload)
{
    struct heard *h = arg;

    if (!payload) {
        h->remade++;
        return;
    }
    h->notes++;
    (void)snprintf(h->last, sizeof(h->last), "%s", payload);
}

static bool heard_enough(void *arg)
{
    const struct heard *h = arg;

    return h->remade >= h->wanted_remade && h->notes >= h->wanted_notes;
}

static void a_listener_hears_and_is_made_anew(void **state)
{
    struct fixture *f = *state;
    struct heard h = {.wanted_remade = 1};
    struct sh_pg_listener *listener;

    assert_int_equal(
        sh_pg_listen(&f->loop, &f->config, "Bad;", on_notified, &h, &listener),
        SH_INVALID);
    assert_int_equal(
        sh_pg_listen(&f->loop, &f->config, "some_outbox", on_notified, &h, &listener),
        SH_OK);
    assert_true(servers_pump(&f->loop, heard_enough, &h));
    servers_sql(f->other, "NOTIFY some_outbox, 'hello'");
    h.wanted_notes = 1;
    assert_true(servers_pump(&f->loop, heard_enough, &h));
    assert_string_equal(h.last, "hello");
    servers_sql(f->other, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                          "WHERE query LIKE 'LISTEN%'");
    h.wanted_remade = 2;
    assert_true(servers_pump(&f->loop, heard_enough, &h));
    servers_sql(f->other, "NOTIFY some_outbox, 'again'");
    h.wanted_notes = 2;
    assert_true(servers_pump(&f->loop, heard_enough, &h));
    assert_string_equal(h.last, "again");
    sh_pg_unlisten(&listener);
    assert_null(listener);
}

static void conninfo_comes_from_url_or_parts(void **state)
{
    struct sh_pg_config config = config_of("");
    char *text_;

    (void)state;
    config.password = "it's \\";
    text_ = sh_pg_conninfo(&config, NULL);
    assert_string_equal(text_, "host='localhost' port='5432' dbname='cairn' user='cairn' "
                               "password='it\\'s \\\\'");
    sh_free(text_);
    text_ = sh_pg_conninfo(&config, "[::1]:6000");
    assert_non_null(strstr(text_, "host='::1' port='6000'"));
    sh_free(text_);
    config.url = "postgresql://u:p@primary:6432/db?sslmode=prefer";
    text_ = sh_pg_conninfo(&config, "replica");
    assert_non_null(strstr(text_, "host='replica'"));
    assert_non_null(strstr(text_, "port='6432'"));
    assert_non_null(strstr(text_, "password='p'"));
    assert_null(strstr(text_, "primary"));
    sh_free(text_);
}

static void a_bad_url_is_refused(void **state)
{
    struct fixture *f = *state;

    f->config.url = "postgresql://host:port:more/x?nonsense=1";
    assert_int_equal(sh_pg_create(&f->loop, &f->config, NULL, &f->pg), SH_INVALID);
}

/* At whatever point of the connect: by name, by socket, with and without a server. */
static void close_is_possible_at_any_time(void **state)
{
    static const char *const urls[] = {"", "postgresql://cairn@localhost:1/cairn",
                                       "postgresql://cairn@no.such.host.invalid/cairn"};
    struct fixture *f = *state;
    struct sh_pg_listener *listener;
    struct heard h = {0};

    for (int turns = 0; turns < 24; turns++) {
        struct outcome o = {0};
        const char *url = urls[turns % 3];
        f->config.url = *url ? url : getenv("TEST_DATABASE_URL");
        open_pool(f);
        assert_int_equal(
            sh_pg_listen(&f->loop, &f->config, "things", on_notified, &h, &listener),
            SH_OK);
        run_one(f, &one, &o);
        for (int i = 0; i < turns / 3; i++)
            uv_run(&f->loop, UV_RUN_NOWAIT);
        sh_pg_close(&f->pg);
        sh_pg_unlisten(&listener);
        assert_int_equal(o.calls, 1);
        uv_run(&f->loop, UV_RUN_DEFAULT);
    }
}

static void allocations_may_fail(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    struct sh_pg_listener *listener;
    struct heard h = {0};
    enum sh_err err = SH_NOMEM;
    int failures = 0;

    for (; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = sh_pg_create(&f->loop, &f->config, NULL, &f->pg);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
    }
    assert_true(failures > 1);
    for (err = SH_NOMEM, failures = 0; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = sh_pg_listen(&f->loop, &f->config, "things", on_notified, &h, &listener);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
    }
    sh_pg_unlisten(&listener);
    for (int i = 0; i < 12; i++) { /* at any point of what follows */
        const struct sh_pg_param params[] = {text("1"), text("a")};
        const struct sh_pg_step step = {&insert, params, 2, false};
        const struct sh_pg_call call = {&step, 1, false, sh_now_ms() + 15000, NULL};
        sh_mem_fail_after(i);
        if (sh_pg_run(f->pg, &call, on_done, &o) == SH_OK)
            o.wanted++;
        for (int n = 0; n < 20; n++)
            uv_run(&f->loop, UV_RUN_NOWAIT);
        sh_mem_fail_after(-1);
        await(f, &o);
    }
    run_one(f, &one, &o);
    await(f, &o);
    assert_int_equal(o.err, SH_OK);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(results_come_one_a_step),
        CASE(nulls_and_binary_values_pass_through),
        CASE(large_values_go_both_ways),
        CASE(a_failing_step_undoes_the_others),
        CASE(faults_in_data_are_the_callers),
        CASE(what_cannot_be_sent_is_refused),
        CASE(a_deadline_ends_a_call_and_spares_the_connection),
        CASE(calls_that_wait_too_long_time_out),
        CASE(a_lost_connection_may_have_done_the_work),
        CASE(reads_are_tried_again_on_another_connection),
        CASE(many_calls_share_few_connections),
        CASE(the_queue_is_bounded_and_close_cancels_it),
        CASE(a_caller_may_close_the_pool),
        CASE(serialisation_failures_are_tried_three_times),
        CASE(statements_are_prepared_again),
        CASE(survives_a_restart_of_the_server),
        CASE(health_follows_the_server),
        CASE(without_a_server_calls_fail_soon),
        CASE(names_are_resolved),
        CASE(reads_go_to_read_hosts_and_fall_back),
        CASE(a_listener_hears_and_is_made_anew),
        CASE(close_is_possible_at_any_time),
        CASE(allocations_may_fail),
        CASE(a_bad_url_is_refused),
        cmocka_unit_test(conninfo_comes_from_url_or_parts),
    };

    (void)argc;
    servers_ensure(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
