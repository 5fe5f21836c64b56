/* Jobs of steps: gone on with from the last checkpoint, by one worker at a time. */
#include "tests/unit/libshared/jobs_fixture.h"

static const struct sh_pg_statement note = {"test_note", "INSERT INTO notes VALUES ($1)"};

static void add_walk(struct fixture *f)
{
    const struct sh_job_new order = {.kind = "walk",
                                     .style = SH_JOB_STEPS,
                                     .params = sh_bytes_of("{\"to\": 3}"),
                                     .key = sh_bytes_of("one")};

    assert_int_equal(add(f, &order), SH_OK);
    sql(f, "CREATE TABLE IF NOT EXISTS notes (at text)");
}

static bool is_running(void *arg)
{
    return ((struct worker *)arg)->run != NULL;
}

static bool is_told(void *arg)
{
    return ((struct worker *)arg)->told > 0;
}

static void on_saved(void *arg, enum sh_err err, const struct sh_pg_reply *reply)
{
    struct fixture *f = arg;

    if (err == SH_OK)
        assert_string_equal(PQcmdTuples(reply->results[1]), "1");
    f->saved = true;
    f->save_err = err;
}

/* Notes the cursor in the same transaction. */
static enum sh_err save(struct worker *worker, const char *cursor, uint64_t done)
{
    struct sh_pg_param params[] = {{sh_bytes_of(cursor), false}};
    struct sh_pg_step step = {&note, params, 1, false};
    struct sh_job_checkpoint point = {
        .cursor = sh_bytes_of(cursor), .done = done, .total = 3, &step, 1};

    worker->f->saved = false;
    assert_int_equal(sh_job_checkpoint(worker->run, &point, on_saved, worker->f), SH_OK);
    assert_int_equal(sh_job_checkpoint(worker->run, &point, on_saved, worker->f),
                     SH_BUSY);
    await(worker->f, servers_is_set, &worker->f->saved);
    return worker->f->save_err;
}

static void end(struct worker *worker, enum sh_job_outcome outcome, const char *result)
{
    struct sh_job_end how = {.outcome = outcome,
                             .result = sh_bytes_of(result ? result : ""),
                             .code = outcome == SH_JOB_FAILED ? "LAME" : NULL,
                             .message = outcome == SH_JOB_FAILED ? "it limps" : NULL};
    struct sh_job_run *run = worker->run;

    worker->run = NULL;
    sh_job_end(run, &how);
}

static void a_run_comes_to_its_end(void **state)
{
    struct fixture *f = *state;
    struct worker *worker = start(f, 0);

    add_walk(f);
    await(f, is_running, worker);
    assert_string_equal(worker->cursor, "");
    assert_true(sh_bytes_is(sh_job_params(worker->run), "{\"to\": 3}"));
    assert_int_equal(sh_job_wanted(worker->run), SH_JOB_GO);
    assert_int_equal(save(worker, "{\"at\": 1}", 1), SH_OK);
    assert_true(sh_bytes_is(sh_job_cursor(worker->run), "{\"at\": 1}"));
    await_sql(f, JOB, "running 1 0 3");
    assert_int_equal(save(worker, "{\"at\": 3}", 3), SH_OK);
    end(worker, SH_JOB_DONE, "{\"steps\": 2}");
    await_sql(f, JOB, "done 3 0 3");
    await_sql(f, "SELECT result ->> 'steps' FROM jobs", "2");
    await_sql(f, "SELECT count(*) FROM notes", "2");
}

static void one_worker_at_a_time_and_one_of_a_key(void **state)
{
    struct fixture *f = *state;
    const struct sh_job_new same = {
        .kind = "walk", .style = SH_JOB_STEPS, .key = sh_bytes_of("one")};

    start(f, 0);
    start(f, 1);
    add_walk(f);
    assert_int_equal(add(f, &same), SH_CONFLICT);
    await_sql(f, "SELECT state FROM jobs", "running");
    while (f->workers[0].run == NULL && f->workers[1].run == NULL)
        uv_run(&f->loop, UV_RUN_ONCE);
    assert_int_equal(f->workers[0].runs + f->workers[1].runs, 1);
    end(&f->workers[f->workers[0].run == NULL], SH_JOB_DONE, NULL);
    await_sql(f, "SELECT state FROM jobs", "done");
    assert_int_equal(add(f, &same), SH_OK);
    while (f->workers[0].run == NULL && f->workers[1].run == NULL)
        uv_run(&f->loop, UV_RUN_ONCE);
    end(&f->workers[f->workers[0].run == NULL], SH_JOB_DONE, NULL);
}

static void whoever_takes_over_goes_on_and_the_other_can_do_no_harm(void **state)
{
    struct fixture *f = *state;
    struct worker *slow = start(f, 0);
    struct worker *next;

    add_walk(f);
    await(f, is_running, slow);
    assert_int_equal(save(slow, "{\"at\": 1}", 1), SH_OK);
    lose_lease(f);
    next = start(f, 1);
    await(f, is_running, next);
    assert_string_equal(next->cursor, "{\"at\": 1}");
    assert_int_equal(save(next, "{\"at\": 2}", 2), SH_OK);
    /* It wakes up and believes that the job is its own. */
    assert_int_equal(save(slow, "{\"at\": 9}", 9), SH_CANCELED);
    assert_int_equal(sh_job_wanted(slow->run), SH_JOB_LEAVE);
    assert_int_equal(slow->told, 1);
    end(slow, SH_JOB_DONE, NULL);
    assert_int_equal(save(next, "{\"at\": 3}", 3), SH_OK);
    await_sql(f, JOB, "running 3 0 3");
    end(next, SH_JOB_DONE, NULL);
    await_sql(f, JOB, "done 3 0 3");
    await_sql(f, "SELECT string_agg(at, '' ORDER BY at) FROM notes",
              "{\"at\": 1}{\"at\": 2}{\"at\": 3}");
}

static void who_runs_it_hears_that_it_is_cancelled(void **state)
{
    struct fixture *f = *state;
    struct worker *worker = start(f, 0);

    add_walk(f);
    await(f, is_running, worker);
    assert_int_equal(cancel(f), SH_OK);
    assert_string_equal(f->state, "running"); /* until it is cleaned up */
    await(f, is_told, worker);
    assert_int_equal(sh_job_wanted(worker->run), SH_JOB_CANCEL);
    end(worker, SH_JOB_CANCELLED, NULL);
    await_sql(f, "SELECT state FROM jobs", "cancelled");
}

static void what_never_began_is_cancelled_at_once(void **state)
{
    struct fixture *f = *state;

    add_walk(f);
    assert_int_equal(cancel(f), SH_OK);
    assert_string_equal(f->state, "cancelled");
}

static void a_job_that_nobody_runs_is_cancelled_by_the_next(void **state)
{
    struct fixture *f = *state;
    struct worker *dead = start(f, 0);
    struct worker *next;

    add_walk(f);
    await(f, is_running, dead);
    assert_int_equal(save(dead, "{\"at\": 1}", 1), SH_OK);
    sh_jobs_close(&dead->jobs);
    end(dead, SH_JOB_DONE, NULL); /* says nothing to anybody */
    assert_int_equal(cancel(f), SH_OK);
    lose_lease(f);
    next = start(f, 1);
    await(f, is_running, next);
    assert_int_equal(sh_job_wanted(next->run), SH_JOB_CANCEL);
    assert_string_equal(next->cursor, "{\"at\": 1}");
    end(next, SH_JOB_CANCELLED, NULL);
    await_sql(f, "SELECT state FROM jobs", "cancelled");
}

static void what_failed_goes_on_where_it_was(void **state)
{
    struct fixture *f = *state;
    struct worker *worker = start(f, 0);

    add_walk(f);
    await(f, is_running, worker);
    assert_int_equal(save(worker, "{\"at\": 2}", 2), SH_OK);
    end(worker, SH_JOB_FAILED, NULL);
    await_sql(f, "SELECT state || error_code || error FROM jobs", "failedLAMEit limps");
    assert_int_equal(retry(f), SH_OK);
    await(f, is_running, worker);
    assert_string_equal(worker->cursor, "{\"at\": 2}");
    end(worker, SH_JOB_DONE, NULL);
    await_sql(f, "SELECT state || coalesce(error_code, '') FROM jobs", "done");
}

static void what_is_released_is_taken_up_again(void **state)
{
    struct fixture *f = *state;
    struct worker *worker = start(f, 0);

    add_walk(f);
    for (size_t i = 1; i <= 3; i++) {
        await(f, is_running, worker);
        assert_int_equal(worker->runs, i);
        end(worker, SH_JOB_RELEASED, NULL);
    }
    await(f, is_running, worker);
    await_sql(f, "SELECT attempts FROM jobs", "1"); /* that is no crash */
    end(worker, SH_JOB_DONE, NULL);
    await_sql(f, "SELECT state FROM jobs", "done");
}

static void what_kills_its_runners_is_given_up(void **state)
{
    struct fixture *f = *state;

    add_walk(f);
    sql(f, "UPDATE jobs SET attempts = 20");
    start(f, 0);
    await_sql(f, "SELECT state || error_code FROM jobs", "failedGAVE_UP");
    assert_int_equal(f->workers[0].runs, 0);
}

static void a_result_that_is_no_json_does_not_hold_up_the_end(void **state)
{
    struct fixture *f = *state;
    struct worker *worker = start(f, 0);

    add_walk(f);
    await(f, is_running, worker);
    end(worker, SH_JOB_DONE, "{no");
    await_sql(f, "SELECT state || (result IS NULL)::text FROM jobs", "donetrue");
}

static void on_drained(void *arg)
{
    ((struct worker *)arg)->drained = true;
}

static void a_drain_asks_runs_to_leave(void **state)
{
    struct fixture *f = *state;
    struct worker *worker = start(f, 0);

    add_walk(f);
    await(f, is_running, worker);
    sh_jobs_drain(worker->jobs, on_drained, worker);
    assert_int_equal(worker->told, 1);
    assert_int_equal(sh_job_wanted(worker->run), SH_JOB_LEAVE);
    assert_int_equal(save(worker, "{\"at\": 1}", 1), SH_OK); /* the lease still holds */
    assert_false(worker->drained);
    end(worker, SH_JOB_RELEASED, NULL);
    await(f, servers_is_set, &worker->drained);
    await_sql(f, JOB, "queued 1 0 3");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(a_run_comes_to_its_end),
        CASE(one_worker_at_a_time_and_one_of_a_key),
        CASE(whoever_takes_over_goes_on_and_the_other_can_do_no_harm),
        CASE(who_runs_it_hears_that_it_is_cancelled),
        CASE(what_never_began_is_cancelled_at_once),
        CASE(a_job_that_nobody_runs_is_cancelled_by_the_next),
        CASE(what_failed_goes_on_where_it_was),
        CASE(what_is_released_is_taken_up_again),
        CASE(what_kills_its_runners_is_given_up),
        CASE(a_result_that_is_no_json_does_not_hold_up_the_end),
        CASE(a_drain_asks_runs_to_leave),
    };

    (void)argc;
    servers_ensure(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
