/* Who waits for a job to change. A clock looks after them, not the changes themselves: a
 * job that changes a hundred times a second is read five times a second for each of them.
 */
#include "services/search/jobs/desk_internal.h"
#include "shared/clock.h"

enum { TICK_MS = 200, WAITING_MAX = 1024, WAIT_MAX_MS = 60000 };

struct desk_wait { /* in the arena of its call */
    struct desk_call *call;
    struct desk_wait *next;
    uint64_t version;
    uint64_t deadline_ms;
    bool asked;   /* the database is reading the job */
    bool changed; /* since it was last read */
};

static void arm(struct desk *desk);

static void forget(struct desk_wait *wait)
{
    struct desk_wait **link = &wait->call->desk->waiting;

    while (*link != NULL && *link != wait)
        link = &(*link)->next;
    if (*link == wait)
        *link = wait->next;
}

static void remember(struct desk_wait *wait)
{
    struct desk *desk = wait->call->desk;

    wait->next = desk->waiting;
    desk->waiting = wait;
    arm(desk);
}

/* --- the job is read -------------------------------------------------------------- */

static bool has_ended(const struct job *job)
{
    return !sh_bytes_is(job->state, "queued") && !sh_bytes_is(job->state, "running");
}

static void on_read(void *arg, const struct sh_pg_reply *reply)
{
    struct desk_wait *wait = arg;
    struct desk_call *self = wait->call;
    bool over = self->desk->draining || sh_rpc_call_canceled(self->call) ||
                sh_left_ms(wait->deadline_ms) == 0;
    struct job job;

    wait->asked = false;
    forget(wait); /* an answer takes it away */
    if (!desk_has_job(self, reply))
        return;
    desk_read_job(reply->results[0], 0, &job);
    if (job.version == wait->version && !has_ended(&job) && !over) {
        remember(wait); /* the clock looks again */
        return;
    }
    if (desk_read_errors(reply->results[1], sh_rpc_call_arena(self->call), &job))
        sh_rpc_reply(self->call, job_desc(), &job);
    else
        desk_refuse(self->call, SH_NOMEM, NULL);
}

static void read_job(struct desk_wait *wait)
{
    struct desk_call *self = wait->call;
    struct sh_pg_param params[3] = {{sh_bytes_of(self->id), false}};
    const struct sh_pg_step steps[] = {{&desk_job, params, 3, false},
                                       {&desk_errors, params, 1, false}};
    const struct sh_pg_call work = {
        .steps = steps, .count = 2, .deadline_ms = sh_now_ms() + 5000};
    enum sh_err err;

    desk_rights(self->call, params + 1);
    wait->changed = false;
    wait->asked = true;
    err = sh_pg_run(self->desk->options.pg, &work, on_read, wait);
    if (err != SH_OK) {
        forget(wait);
        desk_refuse(self->call, err, NULL);
    }
}

/* --- the clock -------------------------------------------------------------------- */

static void on_tick(uv_timer_t *timer)
{
    struct desk *desk = timer->data;
    struct desk_wait *next;

    for (struct desk_wait *wait = desk->waiting; wait != NULL; wait = next) {
        next = wait->next;
        if (!wait->asked && (wait->changed || sh_left_ms(wait->deadline_ms) == 0))
            read_job(wait);
    }
    arm(desk);
}

static void arm(struct desk *desk)
{
    if (desk->waiting == NULL)
        uv_timer_stop(&desk->timer);
    else if (!uv_is_active((uv_handle_t *)&desk->timer))
        (void)uv_timer_start(&desk->timer, on_tick, TICK_MS, TICK_MS);
}

void desk_changed(struct desk *desk, const char *job_id)
{
    for (struct desk_wait *wait = desk->waiting; wait != NULL; wait = wait->next)
        if (job_id == NULL || strcmp(job_id, wait->call->id) == 0)
            wait->changed = true;
}

static void on_cancel(void *arg)
{
    struct desk_wait *wait = arg;

    wait->deadline_ms = 0; /* the clock ends it */
}

void desk_drain(struct desk *desk)
{
    desk->draining = true;
    for (struct desk_wait *wait = desk->waiting; wait != NULL;) {
        struct desk_wait *next = wait->next;
        if (!wait->asked) {
            forget(wait);
            sh_rpc_fail(wait->call->call, SH_DRAINING, NULL, NULL, "shutting down");
        }
        wait = next;
    }
    arm(desk);
}

/* --- the call --------------------------------------------------------------------- */

static void begin(struct desk_call *self, const struct job_wait *wanted)
{
    struct desk_wait *wait = sh_arena_alloc(sh_rpc_call_arena(self->call), sizeof(*wait));
    uint64_t own = sh_rpc_call_deadline_ms(self->call);
    uint64_t latest = sh_now_ms() + wanted->wait_ms;

    if (wait == NULL) {
        desk_refuse(self->call, SH_NOMEM, NULL);
        return;
    }
    *wait = (struct desk_wait){.call = self,
                               .version = wanted->version,
                               .deadline_ms = own < latest ? own : latest};
    remember(wait);
    sh_rpc_call_on_cancel(self->call, on_cancel, wait);
    read_job(wait); /* it may have changed before */
}

void desk_wait(void *arg, struct sh_rpc_call *call)
{
    struct desk *desk = arg;
    struct job_wait wanted;
    struct desk_call *self;
    size_t count = 0;

    if (sh_rpc_call_decode(call, job_wait_desc(), &wanted) != SH_OK)
        return;
    for (struct desk_wait *wait = desk->waiting; wait != NULL; wait = wait->next)
        count++;
    if (desk->draining || count >= WAITING_MAX) {
        sh_rpc_fail(call, desk->draining ? SH_DRAINING : SH_BUSY, NULL, NULL,
                    "nobody more can wait here");
        return;
    }
    self = desk_begin(desk, call, wanted.id);
    if (self != NULL)
        begin(self, &wanted);
}
