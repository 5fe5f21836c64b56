#include "services/search/generations/runner.h"

#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"

enum { FAULTS_MAX = 10, RETRY_MS = 1000, QUERY_MS = 120000 };

/* --- the end ---------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct runner *self = handle->data;

    self->kind->free(self);
}

static void end(struct runner *self, const struct sh_job_end *end_)
{
    self->ended = true;
    uv_timer_stop(&self->timer);
    sh_job_end(self->run, end_);
    if (self->gone != NULL)
        self->gone(self->arg, self);
    uv_close((uv_handle_t *)&self->timer, on_closed);
}

void runner_release(struct runner *self)
{
    end(self, &(struct sh_job_end){.outcome = SH_JOB_RELEASED});
}

void runner_done(struct runner *self, struct sh_bytes result)
{
    end(self, &(struct sh_job_end){.outcome = SH_JOB_DONE, .result = result});
}

void runner_fail(struct runner *self, const char *code, const char *message)
{
    sh_warning(NULL, "a job failed: %s", message);
    end(self,
        &(struct sh_job_end){.outcome = SH_JOB_FAILED, .code = code, .message = message});
}

void runner_cancelled(struct runner *self)
{
    end(self, &(struct sh_job_end){.outcome = SH_JOB_CANCELLED});
}

/* --- from one thing to the next --------------------------------------------------- */

void runner_next(struct runner *self)
{
    enum sh_job_wish wish = sh_job_wanted(self->run);

    if (self->closing || wish == SH_JOB_LEAVE) {
        runner_release(self);
    } else if (wish == SH_JOB_CANCEL) {
        self->cleaning = true;
        self->kind->cancel(self);
    } else {
        self->kind->step(self);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct runner *self = timer->data;

    self->busy = false;
    runner_next(self);
}

void runner_pause(struct runner *self, uint64_t ms)
{
    uv_timer_start(&self->timer, on_timer, ms, 0);
}

/* What was begun has come back. False: the run is over, or left. */
static bool returned(struct runner *self)
{
    self->busy = false;
    if (!self->closing && sh_job_wanted(self->run) != SH_JOB_LEAVE)
        return true;
    runner_release(self);
    return false;
}

/* --- the database ----------------------------------------------------------------- */

static void on_queried(void *arg, const struct sh_pg_reply *reply)
{
    struct runner *self = arg;

    if (!returned(self))
        return;
    if (reply->err == SH_OK) {
        self->faults = 0;
        self->queried(self, reply);
        return;
    }
    if (reply->err == SH_INTERNAL && ++self->faults >= FAULTS_MAX) {
        runner_fail(self, "internal_error", "the database refuses a statement");
        return;
    }
    sh_warning(NULL, "a job waits for the database: %s", reply->message);
    runner_pause(self, RETRY_MS);
}

void runner_query(struct runner *self, const struct sh_pg_step *step, sh_pg_done_fn *done)
{
    struct sh_pg_call call = {
        .steps = step, .count = 1, .deadline_ms = sh_now_ms() + QUERY_MS};

    self->queried = done;
    self->busy = sh_pg_run(self->pg, &call, on_queried, self) == SH_OK;
    if (!self->busy)
        runner_pause(self, RETRY_MS);
}

/* --- checkpoints ------------------------------------------------------------------ */

static void on_saved(void *arg, enum sh_err err, const struct sh_pg_reply *reply)
{
    struct runner *self = arg;

    (void)reply;
    if (!returned(self))
        return;
    if (err == SH_OK)
        self->saved(self, err);
    else if (err == SH_CANCELED)
        runner_release(self);
    else
        runner_pause(self, RETRY_MS);
}

void runner_save(struct runner *self, const struct sh_job_checkpoint *checkpoint,
                 void (*done)(struct runner *runner, enum sh_err err))
{
    enum sh_err err = sh_job_checkpoint(self->run, checkpoint, on_saved, self);

    self->saved = done;
    self->busy = err == SH_OK;
    if (err == SH_CANCELED)
        runner_release(self);
    else if (err != SH_OK)
        runner_pause(self, RETRY_MS);
}

/* --- calls ------------------------------------------------------------------------ */

static void on_answered(void *arg, const struct sh_rpc_response *response)
{
    struct runner *self = arg;

    self->client = NULL;
    if (returned(self))
        self->answered(self, response);
}

void runner_call(struct runner *self, struct sh_rpc_client *client,
                 const struct sh_rpc_request *request, sh_rpc_done_fn *done)
{
    self->answered = done;
    self->busy = sh_rpc_send(client, request, on_answered, self, &self->call) == SH_OK;
    self->client = self->busy ? client : NULL;
    if (!self->busy)
        runner_pause(self, RETRY_MS);
}

/* --- threads ---------------------------------------------------------------------- */

static void run_work(struct sh_work *work)
{
    struct runner *self = SH_CONTAINER_OF(work, struct runner, work);

    self->working(self);
}

static void on_worked(struct sh_work *work, enum sh_err err)
{
    struct runner *self = SH_CONTAINER_OF(work, struct runner, work);

    if (err != SH_OK)
        self->closing = true;
    if (returned(self))
        self->worked(self);
}

void runner_work(struct runner *self, struct sh_workers *workers,
                 void (*work)(struct runner *runner), void (*done)(struct runner *runner))
{
    self->working = work;
    self->worked = done;
    self->work = (struct sh_work){.run = run_work, .done = on_worked};
    self->busy = sh_workers_submit(workers, &self->work) == SH_OK;
    if (!self->busy)
        runner_pause(self, RETRY_MS);
}

/* --- life ------------------------------------------------------------------------- */

void *runner_make(size_t size, const struct runner *self)
{
    struct runner *made = sh_alloc(size);

    if (made != NULL)
        *made = *self;
    else
        sh_job_end(self->run, &(struct sh_job_end){.outcome = SH_JOB_RELEASED,
                                                   .retry_ms = RETRY_MS});
    return made;
}

void runner_start(struct runner *self, uv_loop_t *loop)
{
    uv_timer_init(loop, &self->timer); /* cannot fail */
    self->timer.data = self;
    runner_pause(self, 0);
}

/* A pause ends; what is under way is looked at when it comes back. */
void runner_wanted(struct runner *self)
{
    if (!self->busy && !self->ended && !self->cleaning)
        runner_pause(self, 0);
}

void runner_close(struct runner *self)
{
    self->closing = true;
    if (self->client != NULL) {
        sh_rpc_cancel(self->client, self->call);
        self->client = NULL;
        self->busy = false;
    }
    if (!self->busy && !self->ended)
        runner_release(self);
}
