/* A job in hand: computed on a thread, while its progress is told now and then; then what
 * was found is written, so many nodes with each checkpoint. */
#include "services/graph/analysis/analyses.h"

#include <stdlib.h>

#include "services/graph/analysis/results_write.h"
#include "shared/log.h"

enum { TELL_MS = 500, RETRY_MS = 1000, FAULTS_MAX = 10 };

struct analysis_run {
    struct analyses *owner;
    struct sh_job_run *run;
    struct analysis analysis;
    struct sh_arena arena;
    struct caller caller; /* who started it */
    struct held_graph *held;
    struct sh_work work;
    uv_timer_t timer;
    enum sh_err err;
    bool computing;
    bool saving;
    bool lost;         /* another worker has it */
    uint32_t position; /* nodes before this one are written */
    uint32_t saved;    /* the position once the checkpoint is there */
    uint64_t written;
    unsigned faults; /* in a row */
    struct analysis_run *next;
};

/* --- the end ---------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct analysis_run *self = handle->data;

    analysis_free(&self->analysis);
    sh_arena_free(&self->arena);
    sh_free(self);
}

static void end(struct analysis_run *self, const struct sh_job_end *how)
{
    struct analysis_run **at = &self->owner->running;

    while (*at != self)
        at = &(*at)->next;
    *at = self->next;
    sh_job_end(self->run, how);
    uv_close((uv_handle_t *)&self->timer, on_closed);
}

static void end_as(struct analysis_run *self, enum sh_job_outcome outcome)
{
    end(self, &(struct sh_job_end){.outcome = outcome, .retry_ms = RETRY_MS});
}

static void fail(struct analysis_run *self, const char *code, const char *message)
{
    sh_warning(NULL, "an analysis of the graph failed: %s", message);
    end(self,
        &(struct sh_job_end){.outcome = SH_JOB_FAILED, .code = code, .message = message});
}

static void finish(struct analysis_run *self)
{
    char *text = analysis_tell(&self->analysis, self->written);

    if (text != NULL)
        end(self,
            &(struct sh_job_end){.outcome = SH_JOB_DONE, .result = sh_bytes_of(text)});
    else
        end_as(self, SH_JOB_RELEASED);
    free(text); /* jansson's */
}

/* --- what was found --------------------------------------------------------------- */

static void go_on(struct analysis_run *self);

static void on_timer(uv_timer_t *timer)
{
    go_on(timer->data);
}

static void pause_run(struct analysis_run *self)
{
    uv_timer_start(&self->timer, on_timer, RETRY_MS, 0);
}

static void on_written(void *arg, enum sh_err err, const struct sh_pg_reply *reply)
{
    struct analysis_run *self = arg;

    self->saving = false;
    self->lost = self->lost || err == SH_CANCELED;
    if (err == SH_OK) {
        if (reply->count > 1)
            self->written += strtoull(PQcmdTuples(reply->results[1]), NULL, 10);
        self->position = self->saved;
        self->faults = 0;
    }
    if (err == SH_OK || self->lost || self->owner->closing)
        go_on(self);
    else if (++self->faults >= FAULTS_MAX)
        fail(self, "internal_error", "the results could not be stored");
    else
        pause_run(self);
}

/* Also what tells of the end, where nothing is to be written. */
static enum sh_err write_some(struct analysis_run *self)
{
    uint32_t count = self->analysis.graph.count;
    bool writes = self->analysis.order.property[0] != '\0';
    uint32_t left = count - self->position;
    struct results_step step = {0};
    enum sh_err err = SH_OK;

    self->saved = count;
    if (writes) {
        self->saved = left < RESULTS_AT_ONCE ? count : self->position + RESULTS_AT_ONCE;
        err = results_step_make(&self->analysis, &self->caller, self->position, &step);
    }
    struct sh_job_checkpoint checkpoint = {.cursor = sh_bytes_of("{}"),
                                           .done = self->saved,
                                           .total = count,
                                           .steps = writes ? &step.step : NULL,
                                           .step_count = writes};
    if (err == SH_OK)
        err = sh_job_checkpoint(self->run, &checkpoint, on_written, self);
    results_step_free(&step);
    self->saving = err == SH_OK;
    return err;
}

/* The next thing to be done, when nothing is under way. */
static void go_on(struct analysis_run *self)
{
    enum sh_job_wish wish = sh_job_wanted(self->run);
    enum sh_err err = self->err;

    bool left = self->lost || self->owner->closing || wish == SH_JOB_LEAVE;

    if (wish == SH_JOB_CANCEL && !left) {
        end_as(self, SH_JOB_CANCELLED);
    } else if (left || err == SH_CANCELED) {
        end_as(self, SH_JOB_RELEASED);
    } else if (err != SH_OK) {
        fail(self, sh_err_code(err), sh_err_text(err));
    } else if (self->position >= self->analysis.graph.count) {
        finish(self);
    } else {
        err = write_some(self);
        if (err == SH_CANCELED)
            end_as(self, SH_JOB_RELEASED);
        else if (err != SH_OK)
            pause_run(self);
    }
}

/* --- computing -------------------------------------------------------------------- */

static void compute(struct sh_work *work)
{
    struct analysis_run *self = SH_CONTAINER_OF(work, struct analysis_run, work);
    struct graph_reader reader;

    self->err = graph_enter(self->held->graph, &self->caller, &reader);
    if (self->err != SH_OK)
        return;
    self->err = analysis_take(&self->analysis, &reader);
    graph_leave(&reader);
    if (self->err == SH_OK)
        self->err = analysis_compute(&self->analysis);
}

static void on_computed(struct sh_work *work, enum sh_err err)
{
    struct analysis_run *self = SH_CONTAINER_OF(work, struct analysis_run, work);

    self->computing = false;
    self->err = err == SH_OK ? self->err : err;
    held_release(self->held);
    self->held = NULL;
    uv_timer_stop(&self->timer);
    if (!self->saving)
        go_on(self);
}

static void on_told(void *arg, enum sh_err err, const struct sh_pg_reply *reply)
{
    struct analysis_run *self = arg;

    (void)reply;
    self->saving = false;
    self->lost = self->lost || err == SH_CANCELED;
    if (self->lost)
        atomic_store(&self->analysis.watch.cancelled, true);
    if (!self->computing)
        go_on(self);
}

/* Progress, in steps of whatever is computed. */
static void on_tell(uv_timer_t *timer)
{
    struct analysis_run *self = timer->data;
    uint32_t total = atomic_load(&self->analysis.watch.total);
    struct sh_job_checkpoint checkpoint = {
        .cursor = sh_bytes_of("{}"),
        .done = atomic_load(&self->analysis.watch.done),
        .total = total,
    };

    if (!self->saving && total > 0)
        self->saving = sh_job_checkpoint(self->run, &checkpoint, on_told, self) == SH_OK;
}

/* --- the beginning ---------------------------------------------------------------- */

static enum sh_err prepare(struct analysis_run *self)
{
    enum sh_err err = order_parse(sh_job_params(self->run), &self->analysis.order);

    if (err == SH_OK)
        err = msg_decode(caller_desc(), sh_job_caller(self->run), &self->arena,
                         &self->caller);
    if (err != SH_OK)
        return err;
    self->held = feed_hold(self->owner->feed);
    if (self->held == NULL)
        return SH_CANCELED; /* not yet: it is taken up again */
    self->work = (struct sh_work){.run = compute, .done = on_computed};
    err = sh_workers_submit(self->owner->workers, &self->work);
    self->computing = err == SH_OK;
    if (err != SH_OK) {
        held_release(self->held);
        self->held = NULL;
    }
    return err == SH_BUSY ? SH_CANCELED : err;
}

static void on_run(void *arg, struct sh_job_run *run)
{
    struct analyses *owner = arg;
    struct analysis_run *self = sh_alloc(sizeof(*self));

    if (self == NULL) {
        sh_job_end(
            run, &(struct sh_job_end){.outcome = SH_JOB_RELEASED, .retry_ms = RETRY_MS});
        return;
    }
    self->owner = owner;
    self->run = run;
    self->next = owner->running;
    owner->running = self;
    uv_timer_init(owner->loop, &self->timer); /* cannot fail */
    self->timer.data = self;
    self->err = sh_job_wanted(run) == SH_JOB_GO ? prepare(self) : SH_CANCELED;
    if (self->computing)
        uv_timer_start(&self->timer, on_tell, TELL_MS, TELL_MS);
    else
        go_on(self);
}

static void on_wanted(void *arg, struct sh_job_run *run)
{
    const struct analyses *owner = arg;

    for (struct analysis_run *self = owner->running; self != NULL; self = self->next)
        if (self->run == run)
            atomic_store(&self->analysis.watch.cancelled, true);
}

struct sh_job_kind analyses_kind(struct analyses *self)
{
    return (struct sh_job_kind){.name = ANALYSIS_KIND,
                                .style = SH_JOB_STEPS,
                                .at_once = 1,
                                .run = on_run,
                                .wanted = on_wanted,
                                .arg = self};
}

void analyses_stop(struct analyses *self)
{
    struct analysis_run *next;

    self->closing = true;
    self->pg = NULL;
    for (struct analysis_run *run = self->running; run != NULL; run = next) {
        next = run->next;
        atomic_store(&run->analysis.watch.cancelled, true);
        if (!run->computing && !run->saving)
            go_on(run);
    }
}
