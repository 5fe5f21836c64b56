/* A worker of the queue: its lease, what wakes it, what it clears away, its end. */
#include "shared/jobs.h"

#include "jobs_internal.h"
#include "shared/clock.h"
#include "shared/log.h"

enum {
    TICK_MS = 500,
    POLL_TICKS = 4, /* what was put off, and lost notifications */
};

SH_SETTINGS_DEFINE(sh_jobs, "Jobs", SH_JOBS_SETTINGS)

/* --- calls ------------------------------------------------------------------------ */

struct sh_pg_param jobs_number(uint64_t value, char text[static 24])
{
    (void)snprintf(text, 24, "%llu", (unsigned long long)value);
    return (struct sh_pg_param){sh_bytes_of(text), false};
}

enum sh_err jobs_run(struct sh_jobs *jobs, const struct sh_pg_step *steps, size_t count,
                     sh_pg_done_fn *done, void *arg)
{
    struct sh_pg_call call = {
        .steps = steps, .count = count, .deadline_ms = sh_now_ms() + JOBS_STORE_MS};
    enum sh_err err = SH_CANCELED;

    if (!jobs->closing)
        err = sh_pg_run(jobs->options.pg, &call, done, arg);
    if (err == SH_OK)
        jobs->refs++;
    return err;
}

void jobs_release(struct sh_jobs *jobs)
{
    if (--jobs->refs == 0)
        sh_free(jobs);
}

bool jobs_open(const struct sh_jobs *jobs)
{
    return jobs->worker != 0 && !jobs->draining && !jobs->closing;
}

/* --- taking work ------------------------------------------------------------------ */

static void claim(struct jobs_kind *kind)
{
    if (kind->kind.style == SH_JOB_ITEMS)
        jobs_claim_more(kind);
    else
        jobs_claim_runs(kind);
}

static void wake(struct sh_jobs *jobs)
{
    for (size_t i = 0; i < jobs->kind_count; i++) {
        jobs->kinds[i].woken = true;
        claim(&jobs->kinds[i]);
    }
}

static void on_notified(void *arg, const char *payload)
{
    struct sh_jobs *jobs = arg;
    const char *id = payload;

    if (payload != NULL && strcmp(payload, "work") == 0) {
        wake(jobs);
        return;
    }
    if (payload == NULL)
        wake(jobs);
    jobs_look_at_runs(jobs, id);
    if (jobs->options.changed != NULL && !jobs->closing)
        jobs->options.changed(jobs->options.arg, id);
}

/* --- the lease -------------------------------------------------------------------- */

static uint64_t third_ms(const struct sh_jobs *jobs)
{
    return (uint64_t)jobs->config.lease_s * 1000 / 3;
}

static void on_enlisted(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_jobs *jobs = arg;

    jobs->enlisting = false;
    if (reply->err == SH_OK && !jobs->closing) {
        jobs->worker = sh_pg_u64(reply->results[0], 0, 0);
        jobs->renew_ms = sh_now_ms() + third_ms(jobs);
        wake(jobs);
    }
    jobs_release(jobs);
}

static void enlist(struct sh_jobs *jobs)
{
    char lease[24];
    struct sh_pg_param params[] = {jobs_number(jobs->config.lease_s, lease)};
    struct sh_pg_step step = {&jobs_enlist, params, 1, false};

    jobs->enlisting = jobs_run(jobs, &step, 1, on_enlisted, jobs) == SH_OK;
}

/* Runs of a worker that is none any more belong to others. Items in hand are finished:
 * whoever has them too does the same. */
void jobs_new_worker(struct sh_jobs *jobs)
{
    jobs->worker = 0;
    jobs_tell_runs(jobs, SH_JOB_LEAVE);
}

static void on_renewed(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_jobs *jobs = arg;

    jobs->renewing = false;
    if (reply->err == SH_OK && PQntuples(reply->results[0]) == 0 && !jobs->closing) {
        sh_warning(NULL, "the lease on jobs ran out; others have taken over");
        jobs_new_worker(jobs);
    } else if (reply->err != SH_OK) {
        jobs->renew_ms = 0; /* at the next tick */
    }
    jobs_release(jobs);
}

static void renew(struct sh_jobs *jobs)
{
    char texts[2][24];
    struct sh_pg_param params[] = {jobs_number(jobs->worker, texts[0]),
                                   jobs_number(jobs->config.lease_s, texts[1])};
    struct sh_pg_step step = {&jobs_renew, params, 2, false};

    jobs->renew_ms = sh_now_ms() + third_ms(jobs);
    jobs->renewing = jobs_run(jobs, &step, 1, on_renewed, jobs) == SH_OK;
    jobs_look_at_runs(jobs, NULL);
}

/* --- clearing away ---------------------------------------------------------------- */

static void on_trimmed(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_jobs *jobs = arg;

    jobs->sweeping = false;
    if (reply->err != SH_OK || strcmp(PQcmdTuples(reply->results[0]), "0") != 0)
        jobs->sweep_ms = 0; /* at the next tick: there may be more */
    jobs_release(jobs);
}

/* A transaction of its own: it locks items after jobs, and claims do the reverse. */
static void on_swept(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_jobs *jobs = arg;
    char hours[24];
    struct sh_pg_param params[] = {jobs_number(jobs->config.keep_hours, hours)};
    const struct sh_pg_step steps[] = {{&jobs_trim_items, params, 1, false},
                                       {&jobs_trim, params, 1, false}};

    jobs->sweeping = reply->err == SH_OK &&
                     jobs_run(jobs, steps, SH_COUNT(steps), on_trimmed, jobs) == SH_OK;
    if (!jobs->sweeping)
        jobs->sweep_ms = 0;
    jobs_release(jobs);
}

static void sweep(struct sh_jobs *jobs)
{
    static const struct sh_pg_step steps[] = {{&jobs_reap, NULL, 0, false},
                                              {&jobs_free_items, NULL, 0, false},
                                              {&jobs_free_runs, NULL, 0, false},
                                              {&jobs_abandon, NULL, 0, false}};

    jobs->sweep_ms = sh_now_ms() + third_ms(jobs);
    jobs->sweeping = jobs_run(jobs, steps, SH_COUNT(steps), on_swept, jobs) == SH_OK;
}

/* --- the clock -------------------------------------------------------------------- */

static void on_tick(uv_timer_t *timer)
{
    struct sh_jobs *jobs = timer->data;
    uint64_t now = sh_now_ms();

    for (size_t i = 0; i < jobs->kind_count; i++)
        jobs_store_reports(&jobs->kinds[i]);
    jobs_store_ends(jobs);
    if (jobs->worker != 0 && !jobs->renewing && now >= jobs->renew_ms)
        renew(jobs);
    if (jobs->worker == 0 && !jobs->enlisting && !jobs->draining)
        enlist(jobs);
    if (!jobs->sweeping && !jobs->draining && now >= jobs->sweep_ms)
        sweep(jobs);
    if (++jobs->ticks % POLL_TICKS == 0)
        wake(jobs);
    jobs_settled(jobs);
}

/* --- life ------------------------------------------------------------------------- */

static enum sh_err add_kinds(struct sh_jobs *jobs)
{
    const struct sh_jobs_options *options = &jobs->options;

    if (options->kind_count > JOBS_KINDS_MAX)
        return SH_INVALID;
    for (size_t i = 0; i < options->kind_count; i++) {
        struct jobs_kind *kind = &jobs->kinds[i];
        kind->jobs = jobs;
        kind->kind = options->kinds[i];
        kind->reports_end = &kind->reports;
        if (kind->kind.style == SH_JOB_ITEMS ? kind->kind.item == NULL
                                             : kind->kind.run == NULL)
            return SH_INVALID;
    }
    jobs->kind_count = options->kind_count;
    return SH_OK;
}

enum sh_err sh_jobs_create(uv_loop_t *loop, const struct sh_jobs_options *options,
                           struct sh_jobs **out)
{
    struct sh_jobs *jobs = sh_alloc(sizeof(*jobs));
    enum sh_err err;

    if (jobs == NULL)
        return SH_NOMEM;
    jobs->options = *options;
    jobs->config = *options->config;
    jobs->refs = 1; /* the timer's */
    err = add_kinds(jobs);
    if (err == SH_OK)
        err = sh_pg_listen(loop, options->pg_config, "jobs", on_notified, jobs,
                           &jobs->listener);
    if (err != SH_OK) {
        sh_free(jobs);
        return err;
    }
    (void)uv_timer_init(loop, &jobs->timer); /* cannot fail */
    jobs->timer.data = jobs;
    (void)uv_timer_start(&jobs->timer, on_tick, 0, TICK_MS);
    *out = jobs;
    return SH_OK;
}

static bool idle(const struct sh_jobs *jobs)
{
    for (size_t i = 0; i < jobs->kind_count; i++) {
        const struct jobs_kind *kind = &jobs->kinds[i];
        if (kind->claiming || kind->in_hand > 0 || kind->reports != NULL ||
            kind->storing != NULL)
            return false;
    }
    return jobs->runs == NULL && !jobs->enlisting;
}

static void on_left(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_jobs *jobs = arg;

    (void)reply; /* else the lease runs out */
    if (!jobs->closing)
        jobs->drained(jobs->drained_arg);
    jobs_release(jobs);
}

void jobs_settled(struct sh_jobs *jobs)
{
    char worker[24];
    struct sh_pg_param params[] = {jobs_number(jobs->worker, worker)};
    struct sh_pg_step step = {&jobs_leave, params, 1, false};

    if (jobs->draining && !jobs->closing && !jobs->left && idle(jobs))
        jobs->left = jobs_run(jobs, &step, 1, on_left, jobs) == SH_OK;
}

void sh_jobs_drain(struct sh_jobs *jobs, void (*done)(void *arg), void *arg)
{
    jobs->drained = done;
    jobs->drained_arg = arg;
    jobs->draining = true;
    jobs_tell_runs(jobs, SH_JOB_LEAVE);
    jobs_settled(jobs);
}

static void on_timer_closed(uv_handle_t *handle)
{
    jobs_release(handle->data);
}

void sh_jobs_close(struct sh_jobs **jobs_in)
{
    struct sh_jobs *jobs = *jobs_in;

    *jobs_in = NULL;
    if (jobs == NULL)
        return;
    jobs->closing = true;
    sh_pg_unlisten(&jobs->listener);
    for (size_t i = 0; i < jobs->kind_count; i++)
        jobs_drop_reports(&jobs->kinds[i]);
    jobs_close_runs(jobs);
    uv_close((uv_handle_t *)&jobs->timer, on_timer_closed);
}
