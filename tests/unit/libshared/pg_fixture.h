/* pg_fixture: a pool on a private PostgreSQL, a session of somebody else, and calls whose
 * outcomes are kept. Header only. */
#ifndef TESTS_PG_FIXTURE_H
#define TESTS_PG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shared/clock.h"
#include "shared/pg.h"
#include "tests/support/pg_config.h"
#include "tests/support/servers.h"

enum { CALL_MS = 3 * SERVERS_PUMP_MS }; /* longer than a test's patience */

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

static inline struct sh_pg_config config_of(const char *url)
{
    struct sh_pg_config config = pg_config_of(url);

    config.statement_timeout_ms = CALL_MS;
    return config;
}

static inline void open_pool(struct fixture *f)
{
    assert_int_equal(sh_pg_create(&f->loop, &f->config, NULL, &f->pg), SH_OK);
}

static inline int set_up(void **state)
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

static inline int tear_down(void **state)
{
    struct fixture *f = *state;

    sh_pg_close(&f->pg);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    PQfinish(f->other);
    free(f);
    return 0;
}

static inline void on_done(void *arg, const struct sh_pg_reply *reply)
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

static inline bool all_called(void *arg)
{
    const struct outcome *o = arg;

    return o->calls >= o->wanted;
}

static inline void await(struct fixture *f, struct outcome *o)
{
    assert_true(servers_pump(&f->loop, all_called, o));
    assert_int_equal(o->calls, o->wanted);
}

static inline void run_steps(struct fixture *f, const struct sh_pg_step *steps,
                             size_t count, struct outcome *o)
{
    const struct sh_pg_call call = {
        .steps = steps, .count = count, .deadline_ms = sh_now_ms() + CALL_MS};
    size_t before = o->calls;

    assert_int_equal(sh_pg_run(f->pg, &call, on_done, o), SH_OK);
    assert_int_equal(o->calls, before); /* never from inside */
    o->wanted++;
}

static inline void run_one(struct fixture *f, const struct sh_pg_statement *statement,
                           struct outcome *o)
{
    const struct sh_pg_step step = {.statement = statement};

    run_steps(f, &step, 1, o);
}

static inline struct sh_pg_param text(const char *value)
{
    return (struct sh_pg_param){sh_bytes_of(value), false};
}

static const struct sh_pg_statement one = {"one", "SELECT 1"};
static const struct sh_pg_statement pid = {"pid", "SELECT pg_backend_pid()"};
static const struct sh_pg_statement insert = {"insert",
                                              "INSERT INTO things VALUES ($1::int, $2)"};
static const struct sh_pg_statement total = {"total", "SELECT count(*) FROM things"};
static const struct sh_pg_statement nap = {"nap", "SELECT pg_sleep($1::float8)"};
/* Waits for as long as the other session holds it: servers_sql(f->other, HOLD). */
static const struct sh_pg_statement latch = {
    "latch", "SELECT pg_advisory_xact_lock(7), pg_sleep(0)"};
#define HOLD   "SELECT pg_advisory_lock(7)"
#define LET_GO "SELECT pg_advisory_unlock(7)"

/* A call waits half a second for a connection, which is not much on a busy machine. */
static inline void settle(struct fixture *f)
{
    struct outcome o = {.err = SH_UNAVAILABLE};
    uint64_t until = sh_now_ms() + SERVERS_PUMP_MS;

    while (o.err == SH_UNAVAILABLE && sh_now_ms() < until) {
        run_one(f, &one, &o);
        await(f, &o);
    }
    assert_int_equal(o.err, SH_OK);
}

static inline void open_settled(struct fixture *f)
{
    open_pool(f);
    settle(f);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
