/* Jobs of many items: done once, counted once, whatever becomes of who does them. */
#include "tests/unit/libshared/jobs_fixture.h"

static void fill(char *text, size_t count, char with)
{
    memset(text, with, count);
    text[count] = '\0';
}

static void replicas_share_the_items_and_each_counts_once(void **state)
{
    struct fixture *f = *state;
    char many[501];

    start(f, 0);
    start(f, 1);
    add_things(f);
    assert_string_equal(f->state, "queued");
    fill(many, 500, 'g');
    append(f, many);
    append(f, many);
    assert_int_equal(seal(f, 1000), SH_OK);
    await_sql(f, JOB, "done 1000 0 1000");
    assert_int_equal(f->workers[0].given + f->workers[1].given, 1000);
    await_sql(f, "SELECT count(*) FROM job_items", "0"); /* payloads are gone */
    await_sql(f, "SELECT waiting_bytes FROM jobs", "0");
    await_sql(f, "SELECT (started_at <= finished_at)::text FROM jobs", "true");
}

static void work_begins_before_the_job_is_sealed(void **state)
{
    struct fixture *f = *state;

    start(f, 0);
    add_things(f);
    append(f, "ggg");
    await_sql(f, JOB, "running 3 0 3");
    append(f, "g");
    await_sql(f, JOB, "running 4 0 4");
    assert_int_equal(seal(f, 4), SH_OK);
    await_sql(f, JOB, "done 4 0 4");
}

static void an_empty_job_ends_when_it_is_sealed(void **state)
{
    struct fixture *f = *state;

    add_things(f);
    assert_int_equal(seal(f, 0), SH_OK);
    assert_string_equal(f->state, "done");
}

static void what_fails_keeps_its_reason_and_can_be_tried_again(void **state)
{
    struct fixture *f = *state;

    start(f, 0);
    add_things(f);
    append(f, "gbxg");
    assert_int_equal(seal(f, 4), SH_OK);
    await_sql(f, JOB, "done 2 2 4");
    await_sql(f,
              "SELECT string_agg(seq || error_code || ':' || error, ',' ORDER BY seq) "
              "FROM job_items WHERE failed",
              "1SPOILT:it is bad,2UNREADABLE:UNREADABLE");
    sql(f, "UPDATE job_items SET payload = 'good' WHERE payload = 'bad'");
    assert_int_equal(retry(f), SH_OK);
    await_sql(f, JOB, "done 3 1 4");
    /* What could not be read cannot be tried again. */
    assert_int_equal(retry(f), SH_CONFLICT);
}

static void a_job_of_which_all_fails_has_failed(void **state)
{
    struct fixture *f = *state;

    start(f, 0);
    add_things(f);
    append(f, "bb");
    assert_int_equal(seal(f, 2), SH_OK);
    await_sql(f, JOB, "failed 0 2 2");
}

static void trouble_that_passes_is_waited_out(void **state)
{
    struct fixture *f = *state;

    f->again = 1;
    start(f, 0);
    add_things(f);
    append(f, "gg");
    assert_int_equal(seal(f, 2), SH_OK);
    await_sql(f, JOB, "done 2 0 2");
    assert_int_equal(f->workers[0].given, 4);
}

static bool holds_all(void *arg)
{
    const struct fixture *f = arg;

    return f->workers[0].held_count == f->total;
}

static void what_a_dead_worker_had_is_done_by_others_and_counts_once(void **state)
{
    struct fixture *f = *state;

    f->hold = true;
    start(f, 0);
    add_things(f);
    append(f, "ggggb");
    assert_int_equal(seal(f, 5), SH_OK);
    await(f, holds_all, f);
    lose_lease(f);
    f->hold = false;
    start(f, 1);
    await_sql(f, JOB, "done 4 1 5");
    assert_int_equal(f->workers[1].given, 5);
    answer_held(&f->workers[0]); /* it was only slow; nobody asked it any more */
    add_things(f);
    append_at(f, 0, "g", 1 << 20);
    assert_int_equal(seal(f, 1), SH_OK);
    await_sql(f, JOB " ORDER BY created_at DESC LIMIT 1", "done 1 0 1");
    await_sql(f, JOB " ORDER BY created_at LIMIT 1", "done 4 1 5");
}

static bool holds_one(void *arg)
{
    return ((struct worker *)arg)->held_count == 1;
}

/* Two versions of the same document: the later must win. */
static void items_of_one_turn_follow_each_other(void **state)
{
    struct fixture *f = *state;
    struct worker *worker = start(f, 0);
    char lowest[2] = "0";

    f->hold = true;
    add_things(f);
    append(f, "ttt");
    for (; lowest[0] < '3'; lowest[0]++) {
        await(f, holds_one, worker);
        assert_int_equal(worker->given, lowest[0] - '0' + 1);
        await_sql(f, "SELECT seq FROM job_items WHERE worker IS NOT NULL", lowest);
        answer_held(worker);
    }
    await_sql(f, JOB, "running 3 0 3");
}

static void what_kills_whoever_touches_it_is_given_up(void **state)
{
    struct fixture *f = *state;

    add_things(f);
    append(f, "gg");
    sql(f, "UPDATE job_items SET attempts = 10 WHERE seq = 1");
    assert_int_equal(seal(f, 2), SH_OK);
    start(f, 0);
    await_sql(f, JOB, "done 1 1 2");
    await_sql(f, "SELECT error_code FROM job_items", "GAVE_UP");
    assert_int_equal(f->workers[0].given, 1);
}

static void an_append_that_is_repeated_adds_nothing(void **state)
{
    struct fixture *f = *state;

    start(f, 0);
    add_things(f);
    append(f, "ggg");
    await_sql(f, JOB, "running 3 0 3");
    assert_int_equal(append_at(f, 0, "ggg", 1 << 20), SH_OK);
    assert_int_equal(f->total, 3);
    assert_int_equal(append_at(f, 5, "g", 1 << 20), SH_CONFLICT); /* a gap */
    assert_int_equal(seal(f, 4), SH_CONFLICT);
    assert_int_equal(seal(f, 3), SH_OK);
    assert_int_equal(seal(f, 3), SH_OK);
    assert_int_equal(append_at(f, 3, "g", 1 << 20), SH_CONFLICT);
    await_sql(f, JOB, "done 3 0 3");
    await_sql(f, "SELECT count(*) FROM job_items", "0");
}

static void who_adds_faster_than_is_done_has_to_wait(void **state)
{
    struct fixture *f = *state;

    add_things(f);
    assert_int_equal(append_at(f, 0, "gggg", 10), SH_OK);
    assert_false(f->full); /* the last may go over */
    assert_int_equal(append_at(f, 4, "gg", 10), SH_OK);
    assert_true(f->full);
    await_sql(f, JOB, "queued 0 0 4");
    start(f, 0);
    await_sql(f, "SELECT done FROM jobs", "4");
    assert_int_equal(append_at(f, 4, "gg", 10), SH_OK);
    assert_false(f->full);
    await_sql(f, JOB, "running 6 0 6");
}

static void a_job_that_nobody_goes_on_filling_is_cleared_away(void **state)
{
    struct fixture *f = *state;

    f->hold = true;
    add_things(f);
    append(f, "ggg");
    sql(f, "UPDATE jobs SET open_until = now() - interval '1 second'");
    start(f, 0);
    await_sql(f, "SELECT state || error_code FROM jobs", "cancelledABANDONED");
    assert_int_equal(append_at(f, 3, "g", 1 << 20), SH_CONFLICT);
    f->hold = false;
    answer_held(&f->workers[0]);
    await_sql(f, "SELECT count(*) FROM job_items WHERE worker IS NOT NULL", "0");
    start(f, 1); /* sweeps at once */
    await_sql(f, "SELECT count(*) FROM job_items", "0");
}

static void a_cancelled_job_is_over_at_once(void **state)
{
    struct fixture *f = *state;

    add_things(f);
    append(f, "gggg");
    assert_int_equal(cancel(f), SH_OK);
    assert_string_equal(f->state, "cancelled");
    assert_int_equal(cancel(f), SH_CONFLICT);
    assert_int_equal(retry(f), SH_CONFLICT);
    start(f, 0);
    await_sql(f, "SELECT count(*) FROM job_items", "0");
    await_sql(f, JOB, "cancelled 0 0 4");
    assert_int_equal(f->workers[0].given, 0);
}

static void what_has_ended_long_ago_goes(void **state)
{
    struct fixture *f = *state;

    add_things(f);
    append(f, "xx");
    assert_int_equal(seal(f, 2), SH_OK);
    sql(f, "UPDATE jobs SET finished_at = now() - interval '25 hours'");
    start(f, 0);
    await_sql(f, "SELECT count(*) FROM jobs", "0");
    await_sql(f, "SELECT count(*) FROM job_items", "0");
}

static void a_user_has_a_bounded_number(void **state)
{
    struct fixture *f = *state;
    struct sh_job_new order = {
        .kind = "things", .created_by = sh_bytes_of("jane"), .most_by_user = 2};

    assert_int_equal(add(f, &order), SH_OK);
    assert_int_equal(add(f, &order), SH_OK);
    assert_int_equal(add(f, &order), SH_BUSY);
    order.created_by = sh_bytes_of("john");
    assert_int_equal(add(f, &order), SH_OK);
}

static void a_job_keeps_what_its_file_was_called(void **state)
{
    struct fixture *f = *state;
    struct sh_job_new order = {.kind = "things"};
    const uint8_t key[SH_JOB_WRITE_KEY] = "as of a request";

    assert_int_equal(add(f, &order), SH_OK);
    await_sql(f, "SELECT count(*) FROM jobs WHERE file_name IS NULL", "1");
    order.file_name = sh_bytes_of("gr\u00fc\u00dfe.ndjson");
    assert_int_equal(add(f, &order), SH_OK);
    order.write_key = key;
    assert_int_equal(add(f, &order), SH_OK);
    await_sql(f, "SELECT count(*) FROM jobs WHERE file_name = U&'gr\\00fc\\00dfe.ndjson'",
              "2");
}

static void what_is_unknown_is_not_found(void **state)
{
    struct fixture *f = *state;

    (void)snprintf(f->id, sizeof(f->id), "00000000-0000-0000-0000-000000000000");
    assert_int_equal(cancel(f), SH_NOTFOUND);
    assert_int_equal(append_at(f, 0, "g", 1), SH_NOTFOUND);
    (void)snprintf(f->id, sizeof(f->id), "no id");
    assert_int_equal(retry(f), SH_NOTFOUND);
    assert_int_equal(seal(f, 0), SH_NOTFOUND);
}

static void on_drained(void *arg)
{
    ((struct worker *)arg)->drained = true;
}

static void a_drain_waits_for_what_is_in_hand(void **state)
{
    struct fixture *f = *state;
    struct worker *worker;

    f->hold = true;
    worker = start(f, 0);
    add_things(f);
    append(f, "ggg");
    await(f, holds_all, f);
    sh_jobs_drain(worker->jobs, on_drained, worker);
    f->hold = false; /* one claim may be on its way */
    append(f, "gg"); /* is for others */
    assert_false(worker->drained);
    answer_held(worker);
    await(f, servers_is_set, &worker->drained);
    append(f, "ggg");
    await_sql(f, "SELECT count(*) FROM job_workers", "0");
    await_sql(f, "SELECT count(*) FROM job_items WHERE worker IS NOT NULL", "0");
    await_sql(f, "SELECT (done BETWEEN 3 AND 5)::text FROM jobs", "true");
}

static void items_outlive_their_worker(void **state)
{
    struct fixture *f = *state;

    f->hold = true;
    start(f, 0);
    add_things(f);
    append(f, "gg");
    await(f, holds_all, f);
    sh_jobs_close(&f->workers[0].jobs);
    answer_held(&f->workers[0]); /* says nothing to anybody */
    await_sql(f, "SELECT count(*) FROM job_items", "2");
}

static bool has_changed(void *arg)
{
    return ((struct fixture *)arg)->changes > 0;
}

static void progress_is_told(void **state)
{
    struct fixture *f = *state;

    start(f, 0);
    add_things(f);
    append(f, "g");
    await_sql(f, "SELECT done FROM jobs", "1");
    await(f, has_changed, f);
    await_sql(f, "SELECT (version > 1)::text FROM jobs", "true");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(replicas_share_the_items_and_each_counts_once),
        CASE(work_begins_before_the_job_is_sealed),
        CASE(an_empty_job_ends_when_it_is_sealed),
        CASE(what_fails_keeps_its_reason_and_can_be_tried_again),
        CASE(a_job_of_which_all_fails_has_failed),
        CASE(trouble_that_passes_is_waited_out),
        CASE(what_a_dead_worker_had_is_done_by_others_and_counts_once),
        CASE(items_of_one_turn_follow_each_other),
        CASE(what_kills_whoever_touches_it_is_given_up),
        CASE(an_append_that_is_repeated_adds_nothing),
        CASE(who_adds_faster_than_is_done_has_to_wait),
        CASE(a_job_that_nobody_goes_on_filling_is_cleared_away),
        CASE(a_cancelled_job_is_over_at_once),
        CASE(what_has_ended_long_ago_goes),
        CASE(a_user_has_a_bounded_number),
        CASE(a_job_keeps_what_its_file_was_called),
        CASE(what_is_unknown_is_not_found),
        CASE(a_drain_waits_for_what_is_in_hand),
        CASE(items_outlive_their_worker),
        CASE(progress_is_told),
    };

    (void)argc;
    servers_ensure(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
