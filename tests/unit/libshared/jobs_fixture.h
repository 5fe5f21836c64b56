/* jobs_fixture: a private PostgreSQL with the queue's tables, two workers on one loop,
 * each with a pool of its own, and kinds that note what they are given. Leases are long:
 * a test that wants one to run out says so in SQL, and whoever comes new sweeps at once.
 * Header only. */
#ifndef TESTS_JOBS_FIXTURE_H
#define TESTS_JOBS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shared/clock.h"
#include "shared/jobs.h"
#include "tests/support/migrate.h"
#include "tests/support/pg_config.h"

enum { HELD_MAX = 512, WORKERS = 2 };

struct fixture;

struct worker {
    struct fixture *f;
    struct sh_pg *pg;
    struct sh_jobs *jobs;
    size_t given;
    struct sh_job_item *held[HELD_MAX]; /* while f->hold */
    size_t held_count;
    struct sh_job_run *run;
    char cursor[64]; /* as the run began */
    size_t runs;
    size_t told;
    bool drained;
};

struct fixture {
    uv_loop_t loop;
    struct sh_pg_config config;
    struct sh_jobs_config settings;
    struct worker workers[WORKERS];
    PGconn *db;
    bool hold;      /* items are kept until the test answers them */
    unsigned again; /* the first so many attempts fail for now */
    char id[SH_JOB_ID_TEXT];
    /* the last reply */
    bool replied;
    enum sh_err err;
    uint64_t total;
    bool full;
    char state[16];
    /* the last checkpoint */
    bool saved;
    enum sh_err save_err;
    size_t changes;    /* notifications of f->id */
    const char *query; /* what is awaited */
    const char *answer;
};

static inline void sql(struct fixture *f, const char *text)
{
    const char *answer = servers_sql(f->db, text);

    if (strncmp(answer, "error", 5) == 0)
        fail_msg("%s: %s", text, answer);
}

static inline void jobs_on_turn(uv_timer_t *timer)
{
    (void)timer;
}

static inline bool sql_is(void *arg)
{
    const struct fixture *f = arg;

    return strcmp(servers_sql(f->db, f->query), f->answer) == 0;
}

/* Until the query's answer is this. */
static inline void await_sql(struct fixture *f, const char *query, const char *answer)
{
    uv_timer_t *tick = calloc(1, sizeof(*tick)); /* the loop must turn */
    bool reached;

    assert_non_null(tick);
    f->query = query;
    f->answer = answer;
    uv_timer_init(&f->loop, tick);
    tick->data = f;
    uv_timer_start(tick, jobs_on_turn, 20, 20);
    reached = servers_pump(&f->loop, sql_is, f);
    uv_close((uv_handle_t *)tick, servers_on_guard_closed);
    if (!reached)
        fail_msg("%s: %s, not %s", query, servers_sql(f->db, query), answer);
}

static inline void await(struct fixture *f, bool (*reached)(void *arg), void *arg)
{
    assert_true(servers_pump(&f->loop, reached, arg));
}

/* --- kinds ------------------------------------------------------------------------ */

/* What an item is to come to is in its payload: "good", "bad". */
static inline void answer_item(struct fixture *f, struct sh_job_item *item)
{
    if (item->attempt <= f->again)
        sh_job_item_fail(item, "BUSY", "not now", true);
    else if (sh_bytes_is(item->payload, "bad"))
        sh_job_item_fail(item, "SPOILT", "it is bad", false);
    else
        sh_job_item_done(item);
}

static inline void on_item(void *arg, struct sh_job_item *item)
{
    struct worker *worker = arg;

    worker->given++;
    assert_true(sh_bytes_is(item->caller, "somebody"));
    if (!worker->f->hold) {
        answer_item(worker->f, item);
        return;
    }
    assert_true(worker->held_count < HELD_MAX);
    worker->held[worker->held_count++] = item;
}

static inline void answer_held(struct worker *worker)
{
    size_t count = worker->held_count;

    worker->held_count = 0;
    for (size_t i = 0; i < count; i++)
        answer_item(worker->f, worker->held[i]);
}

static inline void on_run(void *arg, struct sh_job_run *run)
{
    struct worker *worker = arg;
    struct sh_bytes cursor = sh_job_cursor(run);

    (void)snprintf(worker->cursor, sizeof(worker->cursor), "%.*s", (int)cursor.len,
                   cursor.data ? (const char *)cursor.data : "");
    worker->runs++;
    worker->run = run;
}

static inline void on_wanted(void *arg, struct sh_job_run *run)
{
    struct worker *worker = arg;

    assert_ptr_equal(run, worker->run);
    worker->told++;
}

static inline void on_changed(void *arg, const char *job_id)
{
    struct worker *worker = arg;

    if (job_id != NULL && strcmp(job_id, worker->f->id) == 0)
        worker->f->changes++;
}

/* --- life ------------------------------------------------------------------------- */

static inline struct worker *start(struct fixture *f, size_t which)
{
    struct worker *worker = &f->workers[which];
    const struct sh_job_kind kinds[] = {{.name = "things",
                                         .style = SH_JOB_ITEMS,
                                         .at_once = 8,
                                         .item = on_item,
                                         .arg = worker},
                                        {.name = "walk",
                                         .style = SH_JOB_STEPS,
                                         .run = on_run,
                                         .wanted = on_wanted,
                                         .arg = worker}};
    const struct sh_jobs_options options = {.pg = worker->pg,
                                            .pg_config = &f->config,
                                            .config = &f->settings,
                                            .kinds = kinds,
                                            .kind_count = SH_COUNT(kinds),
                                            .changed = on_changed,
                                            .arg = worker};

    assert_int_equal(sh_jobs_create(&f->loop, &options, &worker->jobs), SH_OK);
    return worker;
}

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    f->config = pg_config_of(getenv("TEST_DATABASE_URL"));
    f->config.pool_max = 3;
    f->settings = (struct sh_jobs_config){600, 24, 1024, 20};
    f->db = servers_connect();
    migrate_afresh(f->db);
    for (size_t i = 0; i < WORKERS; i++) {
        f->workers[i].f = f;
        assert_int_equal(sh_pg_create(&f->loop, &f->config, NULL, &f->workers[i].pg),
                         SH_OK);
    }
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < WORKERS; i++) {
        sh_jobs_close(&f->workers[i].jobs);
        answer_held(&f->workers[i]);
        sh_pg_close(&f->workers[i].pg);
    }
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    PQfinish(f->db);
    free(f);
    return 0;
}

/* As if its process had died: its lease is over, its claims remain. */
static inline void lose_lease(struct fixture *f)
{
    sql(f, "UPDATE job_workers SET alive_until = now() - interval '1 second'");
}

/* --- asking ----------------------------------------------------------------------- */

static inline void on_reply(void *arg, const struct sh_job_reply *reply)
{
    struct fixture *f = arg;

    f->replied = true;
    f->err = reply->err;
    f->total = reply->total;
    f->full = reply->full;
    (void)snprintf(f->state, sizeof(f->state), "%s", reply->state);
    if (reply->err == SH_OK)
        (void)snprintf(f->id, sizeof(f->id), "%s", reply->id);
}

static inline enum sh_err reply(struct fixture *f, enum sh_err accepted)
{
    assert_int_equal(accepted, SH_OK);
    f->replied = false;
    await(f, servers_is_set, &f->replied);
    return f->err;
}

static inline enum sh_err add(struct fixture *f, const struct sh_job_new *order)
{
    return reply(f, sh_job_add(f->workers[0].pg, order, on_reply, f));
}

static inline void add_things(struct fixture *f)
{
    const struct sh_job_new order = {.kind = "things",
                                     .style = SH_JOB_ITEMS,
                                     .caller = sh_bytes_of("somebody"),
                                     .created_by = sh_bytes_of("jane")};

    assert_int_equal(add(f, &order), SH_OK);
}

/* "ggb": two good ones and a bad one; "x" could not even be read. */
static inline enum sh_err append_at(struct fixture *f, uint64_t first, const char *items,
                                    uint64_t backlog)
{
    struct sh_job_input inputs[SH_JOB_ITEMS_MAX] = {0};
    size_t count = strlen(items);

    for (size_t i = 0; i < count; i++) {
        inputs[i].label = sh_bytes_of("line");
        if (items[i] == 'x')
            inputs[i].code = inputs[i].message = "UNREADABLE";
        else
            inputs[i].payload = sh_bytes_of(items[i] == 'b' ? "bad" : "good");
        inputs[i].turn = items[i] == 't' ? UINT64_MAX : 0;
    }
    struct sh_job_inputs batch = {first, inputs, count, backlog};
    return reply(f, sh_job_append(f->workers[0].pg, f->id, &batch, on_reply, f));
}

static inline void append(struct fixture *f, const char *items)
{
    assert_int_equal(append_at(f, f->total, items, 1 << 20), SH_OK);
    assert_false(f->full);
}

static inline enum sh_err seal(struct fixture *f, uint64_t total)
{
    return reply(f, sh_job_seal(f->workers[0].pg, f->id, total, on_reply, f));
}

static inline enum sh_err cancel(struct fixture *f)
{
    return reply(f, sh_job_cancel(f->workers[0].pg, f->id, on_reply, f));
}

static inline enum sh_err retry(struct fixture *f)
{
    return reply(f, sh_job_retry(f->workers[0].pg, f->id, on_reply, f));
}

#define JOB        "SELECT state || ' ' || done || ' ' || failed || ' ' || total FROM jobs"
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
