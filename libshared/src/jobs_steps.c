/* Jobs of steps: claimed, run, told to stop, ended. */
#include "jobs_internal.h"
#include "shared/log.h"

struct sh_job_run {
    struct sh_job_run *next; /* of the worker's */
    struct jobs_kind *kind;
    uint64_t worker;
    PGresult *row; /* as claimed */
    enum sh_job_wish wanted;
    /* A checkpoint: its `done` is set while one is under way. */
    struct sh_buffer cursor; /* of the last one that was committed */
    struct sh_buffer saving;
    sh_job_saved_fn *saved;
    void *saved_arg;
    size_t save_step;
    /* The end, until it is stored. */
    bool ended;
    bool storing;
    enum sh_job_outcome outcome;
    uint64_t retry_ms;
    struct sh_buffer result;
    char code[64];
    char message[JOBS_TEXT_MAX + 1];
};

/* --- what a run can be asked ------------------------------------------------------ */

const char *sh_job_id(const struct sh_job_run *run)
{
    return PQgetvalue(run->row, 0, CLAIM_RUN_ID);
}

struct sh_bytes sh_job_params(const struct sh_job_run *run)
{
    return sh_pg_text(run->row, 0, CLAIM_RUN_PARAMS);
}

struct sh_bytes sh_job_cursor(const struct sh_job_run *run)
{
    return run->cursor.len > 0 ? sh_buffer_bytes(&run->cursor)
                               : sh_pg_text(run->row, 0, CLAIM_RUN_CURSOR);
}

struct sh_bytes sh_job_caller(const struct sh_job_run *run)
{
    return sh_pg_text(run->row, 0, CLAIM_RUN_CALLER);
}

enum sh_job_wish sh_job_wanted(const struct sh_job_run *run)
{
    return run->wanted;
}

static void tell(struct sh_job_run *run, enum sh_job_wish wanted)
{
    struct jobs_kind *kind = run->kind;

    /* Who is to leave need not clean up as well. */
    if (run->ended || run->wanted == wanted || run->wanted == SH_JOB_LEAVE)
        return;
    run->wanted = wanted;
    if (!kind->jobs->closing && kind->kind.wanted != NULL)
        kind->kind.wanted(kind->kind.arg, run);
}

/* A run may end from inside its callback: begin anew until nobody needs telling. */
void jobs_tell_runs(struct sh_jobs *jobs, enum sh_job_wish wanted)
{
    struct sh_job_run *run = jobs->runs;

    while (run != NULL) {
        if (!run->ended && run->wanted != wanted && run->wanted != SH_JOB_LEAVE) {
            tell(run, wanted);
            run = jobs->runs;
        } else {
            run = run->next;
        }
    }
}

/* --- the end ---------------------------------------------------------------------- */

static void free_run(struct sh_job_run *run)
{
    struct sh_jobs *jobs = run->kind->jobs;
    struct sh_job_run **link = &jobs->runs;

    while (*link != run)
        link = &(*link)->next;
    *link = run->next;
    PQclear(run->row);
    sh_buffer_free(&run->cursor);
    sh_buffer_free(&run->saving);
    sh_buffer_free(&run->result);
    sh_free(run);
    jobs_settled(jobs);
    jobs_release(jobs);
}

static void store_end(struct sh_job_run *run);

static void on_end_stored(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_job_run *run = arg;
    struct sh_jobs *jobs = run->kind->jobs;

    run->storing = false;
    if (reply->err == SH_INVALID && run->result.len > 0 && !jobs->closing) {
        sh_error(NULL, "the result of job %s is not JSON: %s", sh_job_id(run),
                 reply->message);
        sh_buffer_clear(&run->result);
        store_end(run);
    } else if (reply->err == SH_OK || reply->err == SH_INVALID ||
               reply->err == SH_INTERNAL || jobs->closing || jobs->draining) {
        if (reply->err != SH_OK && !jobs->closing)
            jobs_new_worker(jobs); /* its lease brings the job back */
        free_run(run);
    } /* else the next tick tries again */
    jobs_release(jobs);
}

static struct sh_pg_param text_or_null(struct sh_bytes text)
{
    return (struct sh_pg_param){text.len > 0 ? text : (struct sh_bytes){NULL, 0}, false};
}

static void store_end(struct sh_job_run *run)
{
    static const char *const states[] = {[SH_JOB_DONE] = "done",
                                         [SH_JOB_FAILED] = "failed",
                                         [SH_JOB_CANCELLED] = "cancelled",
                                         [SH_JOB_RELEASED] = "queued"};
    char worker[24];
    char wait[24];
    struct sh_pg_param params[] = {{sh_bytes_of(sh_job_id(run)), false},
                                   jobs_number(run->worker, worker),
                                   {sh_bytes_of(states[run->outcome]), false},
                                   text_or_null(sh_buffer_bytes(&run->result)),
                                   text_or_null(sh_bytes_of(run->code)),
                                   text_or_null(sh_bytes_of(run->message)),
                                   jobs_number(run->retry_ms, wait)};
    struct sh_pg_step step = {&jobs_run_end, params, SH_COUNT(params), false};

    run->storing = jobs_run(run->kind->jobs, &step, 1, on_end_stored, run) == SH_OK;
}

void sh_job_end(struct sh_job_run *run, const struct sh_job_end *end)
{
    struct jobs_kind *kind = run->kind;

    run->ended = true;
    run->outcome = end->outcome;
    run->retry_ms = end->retry_ms;
    sh_buffer_append(&run->result, end->result.data, end->result.len);
    if (run->result.err != SH_OK)
        sh_buffer_clear(&run->result);
    if (end->code != NULL)
        (void)snprintf(run->code, sizeof(run->code), "%s", end->code);
    if (end->message != NULL)
        (void)snprintf(run->message, sizeof(run->message), "%s", end->message);
    kind->in_hand--;
    kind->woken = true;
    if (kind->jobs->closing)
        free_run(run);
    else
        store_end(run);
}

void jobs_store_ends(struct sh_jobs *jobs)
{
    for (struct sh_job_run *run = jobs->runs; run != NULL; run = run->next) {
        if (run->ended && !run->storing)
            store_end(run);
    }
}

/* Those that have ended and are not being stored; the others go when they end. */
void jobs_close_runs(struct sh_jobs *jobs)
{
    struct sh_job_run *next;

    for (struct sh_job_run *run = jobs->runs; run != NULL; run = next) {
        next = run->next;
        run->wanted = SH_JOB_LEAVE;
        if (run->ended && !run->storing)
            free_run(run);
    }
}

/* --- a checkpoint ----------------------------------------------------------------- */

static void on_saved(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_job_run *run = arg;
    struct sh_jobs *jobs = run->kind->jobs;
    sh_job_saved_fn *saved = run->saved;
    bool cancel =
        reply->err == SH_OK && sh_pg_u64(reply->results[run->save_step], 0, 0) != 0;

    run->saved = NULL;
    if (reply->err == SH_OK) {
        struct sh_buffer old = run->cursor;
        run->cursor = run->saving;
        run->saving = old;
    } else if (reply->err == SH_CANCELED) {
        tell(run, SH_JOB_LEAVE);
    }
    if (cancel)
        tell(run, SH_JOB_CANCEL);
    saved(run->saved_arg, reply->err, reply); /* the run may be gone after it */
    jobs_release(jobs);
}

enum sh_err sh_job_checkpoint(struct sh_job_run *run,
                              const struct sh_job_checkpoint *point,
                              sh_job_saved_fn *done, void *arg)
{
    char texts[4][24];
    struct sh_pg_param hold[] = {{sh_bytes_of(sh_job_id(run)), false},
                                 jobs_number(run->worker, texts[0])};
    struct sh_pg_param save[] = {
        hold[0],
        {point->cursor, false},
        jobs_number(point->done, texts[1]),
        jobs_number(point->failed, texts[2]),
        jobs_number(point->total, texts[3]),
    };
    struct sh_pg_step *steps;
    enum sh_err err;

    if (run->saved != NULL || run->ended)
        return SH_BUSY;
    if (run->wanted == SH_JOB_LEAVE && run->kind->jobs->closing)
        return SH_CANCELED;
    steps = sh_alloc_array(point->step_count + 2, sizeof(*steps));
    sh_buffer_clear(&run->saving);
    sh_buffer_append(&run->saving, point->cursor.data, point->cursor.len);
    if (steps == NULL || run->saving.err != SH_OK) {
        sh_free(steps);
        return SH_NOMEM;
    }
    steps[0] = (struct sh_pg_step){&jobs_run_hold, hold, SH_COUNT(hold), false};
    for (size_t i = 0; i < point->step_count; i++)
        steps[i + 1] = point->steps[i];
    run->save_step = point->step_count + 1;
    steps[run->save_step] =
        (struct sh_pg_step){&jobs_run_save, save, SH_COUNT(save), false};
    run->saved = done;
    run->saved_arg = arg;
    err = jobs_run(run->kind->jobs, steps, point->step_count + 2, on_saved, run);
    if (err != SH_OK)
        run->saved = NULL;
    sh_free(steps);
    return err;
}

/* --- claiming --------------------------------------------------------------------- */

static void begin(struct jobs_kind *kind, PGresult *row)
{
    struct sh_jobs *jobs = kind->jobs;
    struct sh_job_run *run = sh_alloc(sizeof(*run));

    if (run == NULL) {
        PQclear(row);
        jobs_new_worker(jobs);
        return;
    }
    run->kind = kind;
    run->worker = kind->claimer;
    run->row = row;
    if (sh_pg_u64(row, 0, CLAIM_RUN_CANCEL) != 0)
        run->wanted = SH_JOB_CANCEL;
    run->next = jobs->runs;
    jobs->runs = run;
    jobs->refs++;
    kind->in_hand++;
    if (sh_pg_u64(row, 0, CLAIM_RUN_ATTEMPTS) > JOBS_RUN_ATTEMPTS) {
        struct sh_job_end end = {.outcome = SH_JOB_FAILED,
                                 .code = "GAVE_UP",
                                 .message = "its runs ended again and again without "
                                            "any progress"};
        sh_job_end(run, &end);
        return;
    }
    if (!jobs_open(jobs) || jobs->worker != run->worker)
        run->wanted = SH_JOB_LEAVE;
    kind->kind.run(kind->kind.arg, run);
}

static void on_claimed(void *arg, const struct sh_pg_reply *reply)
{
    struct jobs_kind *kind = arg;
    struct sh_jobs *jobs = kind->jobs;

    kind->claiming = false;
    if (reply->err != SH_OK) {
        if (reply->maybe_done)
            jobs_new_worker(jobs);
    } else if (PQntuples(reply->results[0]) > 0) {
        PGresult *row =
            PQcopyResult(reply->results[0], PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
        kind->woken = true;
        if (row == NULL || jobs->closing) {
            PQclear(row);
            jobs_new_worker(jobs);
        } else {
            begin(kind, row);
        }
        jobs_claim_runs(kind);
    }
    jobs_release(jobs);
}

void jobs_claim_runs(struct jobs_kind *kind)
{
    struct sh_jobs *jobs = kind->jobs;
    size_t most = kind->kind.at_once > 0 ? kind->kind.at_once : 1;
    char worker[24];

    if (!jobs_open(jobs) || kind->claiming || !kind->woken || kind->in_hand >= most)
        return;
    struct sh_pg_param params[] = {jobs_number(jobs->worker, worker),
                                   {sh_bytes_of(kind->kind.name), false}};
    struct sh_pg_step step = {&jobs_claim_run, params, 2, .binary_result = true};
    kind->woken = false;
    kind->claimer = jobs->worker;
    kind->claiming = jobs_run(jobs, &step, 1, on_claimed, kind) == SH_OK;
    if (!kind->claiming)
        kind->woken = true; /* the next tick tries again */
}

/* --- who is to be cancelled ------------------------------------------------------- */

static struct sh_job_run *find(struct sh_jobs *jobs, const char *id)
{
    struct sh_job_run *run = jobs->runs;

    while (run != NULL && (run->ended || strcmp(sh_job_id(run), id) != 0))
        run = run->next;
    return run;
}

static void on_looked(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_jobs *jobs = arg;

    jobs->looking = false;
    for (int i = 0; reply->err == SH_OK && i < PQntuples(reply->results[0]); i++) {
        struct sh_job_run *run = find(jobs, PQgetvalue(reply->results[0], i, 0));
        if (run != NULL)
            tell(run, SH_JOB_CANCEL);
    }
    if (jobs->look_again)
        jobs_look_at_runs(jobs, NULL);
    jobs_release(jobs);
}

void jobs_look_at_runs(struct sh_jobs *jobs, const char *job_id)
{
    char worker[24];

    if (jobs->runs == NULL || (job_id != NULL && find(jobs, job_id) == NULL))
        return;
    jobs->look_again = jobs->looking;
    if (jobs->looking)
        return;
    struct sh_pg_param params[] = {jobs_number(jobs->worker, worker)};
    struct sh_pg_step step = {&jobs_run_wanted, params, 1, false};
    jobs->looking = jobs_run(jobs, &step, 1, on_looked, jobs) == SH_OK;
}
