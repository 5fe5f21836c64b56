#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "shared/bytes.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/workers.h"

enum { PATIENCE_MS = 60000 };

struct fixture {
    uv_loop_t loop;
    struct sh_workers *workers;
    uv_sem_t gate; /* what blocks in `run` waits for it */
    atomic_int running;
    int done;
    int canceled;
};

struct job {
    struct sh_work work; /* first */
    struct fixture *fixture;
    pthread_t ran_on;
    char thread[16];
    bool ran;
    enum sh_err err;
};

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    assert_int_equal(uv_loop_init(&f.loop), 0);
    assert_int_equal(uv_sem_init(&f.gate, 0), 0);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    sh_workers_close(&f->workers);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    uv_sem_destroy(&f->gate);
    return uv_loop_close(&f->loop);
}

static void run_quick(struct sh_work *work)
{
    struct job *job = (struct job *)work;
    job->ran_on = pthread_self();
    pthread_getname_np(job->ran_on, job->thread, sizeof(job->thread));
    job->ran = true;
}

static void run_blocked(struct sh_work *work)
{
    struct job *job = (struct job *)work;
    atomic_fetch_add(&job->fixture->running, 1);
    uv_sem_wait(&job->fixture->gate);
    run_quick(work);
}

static void on_done(struct sh_work *work, enum sh_err err)
{
    struct job *job = (struct job *)work;
    job->err = err;
    job->fixture->done++;
    if (err == SH_CANCELED)
        job->fixture->canceled++;
}

static struct job job_of(struct fixture *f, void (*run)(struct sh_work *))
{
    return (struct job){.work = {run, on_done, NULL}, .fixture = f};
}

static void pump_until_done(struct fixture *f, int count)
{
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;
    while (f->done < count) {
        assert_true(sh_now_ms() < deadline);
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
}

static void wait_until_running(struct fixture *f, int count)
{
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;
    while (atomic_load(&f->running) < count)
        assert_true(sh_now_ms() < deadline);
}

static void create(struct fixture *f, unsigned threads, size_t queue_max)
{
    assert_int_equal(sh_workers_create(&f->loop, "test", threads, queue_max, &f->workers),
                     SH_OK);
}

static void work_runs_elsewhere_and_ends_on_the_loop(void **state)
{
    struct fixture *f = *state;
    struct job jobs[100];
    create(f, 2, 100);
    for (size_t i = 0; i < SH_COUNT(jobs); i++) {
        jobs[i] = job_of(f, run_quick);
        assert_int_equal(sh_workers_submit(f->workers, &jobs[i].work), SH_OK);
    }
    pump_until_done(f, 100);
    for (size_t i = 0; i < SH_COUNT(jobs); i++) {
        assert_true(jobs[i].ran);
        assert_int_equal(jobs[i].err, SH_OK);
        assert_false(pthread_equal(jobs[i].ran_on, pthread_self()));
        assert_memory_equal(jobs[i].thread, "test-", 5);
    }
    assert_int_equal(sh_workers_queued(f->workers), 0);
}

static void full_queue_refuses(void **state)
{
    struct fixture *f = *state;
    struct job jobs[4];
    create(f, 1, 2);
    for (size_t i = 0; i < SH_COUNT(jobs); i++)
        jobs[i] = job_of(f, run_blocked);
    assert_int_equal(sh_workers_submit(f->workers, &jobs[0].work), SH_OK);
    wait_until_running(f, 1);
    assert_int_equal(sh_workers_submit(f->workers, &jobs[1].work), SH_OK);
    assert_int_equal(sh_workers_submit(f->workers, &jobs[2].work), SH_OK);
    assert_int_equal(sh_workers_submit(f->workers, &jobs[3].work), SH_BUSY);
    assert_int_equal(sh_workers_queued(f->workers), 2);
    for (int i = 0; i < 3; i++)
        uv_sem_post(&f->gate);
    pump_until_done(f, 3);
    assert_false(jobs[3].ran);
}

static void close_finishes_what_runs_and_cancels_what_waits(void **state)
{
    struct fixture *f = *state;
    struct job running = job_of(f, run_blocked);
    struct job waiting = job_of(f, run_quick);
    create(f, 1, 10);
    assert_int_equal(sh_workers_submit(f->workers, &running.work), SH_OK);
    wait_until_running(f, 1);
    assert_int_equal(sh_workers_submit(f->workers, &waiting.work), SH_OK);
    uv_sem_post(&f->gate);
    sh_workers_close(&f->workers);
    assert_null(f->workers);
    assert_true(running.ran);
    assert_int_equal(running.err, SH_OK);
    assert_int_equal(f->done, 2);
    assert_int_equal(waiting.err, waiting.ran ? SH_OK : SH_CANCELED);
}

static void close_from_done(struct sh_work *work, enum sh_err err)
{
    struct job *job = (struct job *)work;
    on_done(work, err);
    sh_workers_close(&job->fixture->workers);
}

static void done_may_close_the_pool(void **state)
{
    struct fixture *f = *state;
    struct job jobs[50];
    create(f, 2, 100);
    for (size_t i = 0; i < SH_COUNT(jobs); i++) {
        jobs[i] = job_of(f, run_quick);
        jobs[i].work.done = close_from_done;
        assert_int_equal(sh_workers_submit(f->workers, &jobs[i].work), SH_OK);
    }
    pump_until_done(f, 50);
    assert_null(f->workers);
}

static void submit_again(struct sh_work *work, enum sh_err err)
{
    struct job *job = (struct job *)work;
    struct fixture *f = job->fixture;
    on_done(work, err);
    if (f->done < 100)
        assert_int_equal(sh_workers_submit(f->workers, work), SH_OK);
}

static void done_may_submit_again(void **state)
{
    struct fixture *f = *state;
    struct job job = job_of(f, run_quick);
    create(f, 1, 1);
    job.work.done = submit_again;
    assert_int_equal(sh_workers_submit(f->workers, &job.work), SH_OK);
    pump_until_done(f, 100);
}

static void bad_sizes_are_refused(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(sh_workers_create(&f->loop, "test", 1, 0, &f->workers), SH_INVALID);
    assert_int_equal(sh_workers_create(&f->loop, "test", 100000, 1, &f->workers),
                     SH_INVALID);
    assert_int_equal(sh_workers_create(&f->loop, "a-name-too-long", 1, 1, &f->workers),
                     SH_INVALID);
}

static void creation_survives_every_allocation_failure(void **state)
{
    struct fixture *f = *state;
    int failures = 0;
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = sh_workers_create(&f->loop, "oom", 0, 1, &f->workers);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
    }
    assert_true(failures > 1);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(work_runs_elsewhere_and_ends_on_the_loop),
        FIXTURE_TEST(full_queue_refuses),
        FIXTURE_TEST(close_finishes_what_runs_and_cancels_what_waits),
        FIXTURE_TEST(done_may_close_the_pool),
        FIXTURE_TEST(done_may_submit_again),
        FIXTURE_TEST(bad_sizes_are_refused),
        FIXTURE_TEST(creation_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
