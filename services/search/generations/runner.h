/* runner: a job of style STEPS in hand: one thing at a time, a statement, a call,
 * work of a thread, a checkpoint or a pause, then the next step. It looks between them at
 * whether the job is to be cancelled or left. Loop thread only. */
#ifndef SEARCH_GENERATION_RUNNER_H
#define SEARCH_GENERATION_RUNNER_H

#include "shared/jobs.h"
#include "shared/rpc_client.h"
#include "shared/workers.h"

struct runner;

struct runner_kind {
    /* Begin the next thing with one of the calls below. */
    void (*step)(struct runner *runner);
    /* Somebody cancels the job: clean up and call runner_cancelled(). */
    void (*cancel)(struct runner *runner);
    /* The run has ended; free what embeds the runner. */
    void (*free)(struct runner *runner);
};

struct runner { /* embedded; the first five are the owner's to set */
    const struct runner_kind *kind;
    struct sh_pg *pg;
    struct sh_job_run *run;
    void (*gone)(void *arg, struct runner *runner); /* before `free`; may be NULL */
    void *arg;
    /* its own */
    bool busy;
    bool closing;
    bool ended;
    bool cleaning;
    unsigned faults; /* of statements, in a row, that will hardly pass by themselves */
    uint64_t call;
    struct sh_rpc_client *client; /* of the call; NULL: none is under way */
    sh_rpc_done_fn *answered;
    sh_pg_done_fn *queried;
    void (*saved)(struct runner *runner, enum sh_err err);
    void (*working)(struct runner *runner);
    void (*worked)(struct runner *runner);
    struct sh_work work;
    uv_timer_t timer;
};

/* `size` bytes, all zero, for what embeds a runner as its first member, which is `self`
 * with its first members. NULL: out of memory; the run is released. */
void *runner_make(size_t size, const struct runner *self);
/* The first step follows on a later turn of the loop. */
void runner_start(struct runner *self, uv_loop_t *loop);
/* The job is no longer wanted as it was. */
void runner_wanted(struct runner *self);
/* The service stops: the run is released as soon as nothing is under way. */
void runner_close(struct runner *self);

/* `done` gets the runner as its argument; it is not called when the run is left. A
 * failure of the database is tried again in a moment, by the same step; one that is no
 * failure of the connection at most ten times in a row. */
void runner_query(struct runner *self, const struct sh_pg_step *step,
                  sh_pg_done_fn *done);
void runner_call(struct runner *self, struct sh_rpc_client *client,
                 const struct sh_rpc_request *request, sh_rpc_done_fn *done);
/* `done` only when it was committed. */
void runner_save(struct runner *self, const struct sh_job_checkpoint *checkpoint,
                 void (*done)(struct runner *runner, enum sh_err err));
/* `work` on a thread of the workers, then `done` on the loop. */
void runner_work(struct runner *self, struct sh_workers *workers,
                 void (*work)(struct runner *runner),
                 void (*done)(struct runner *runner));
void runner_pause(struct runner *self, uint64_t ms);
void runner_next(struct runner *self);

/* The end; nothing may be begun any more. */
void runner_done(struct runner *self, struct sh_bytes result);
void runner_fail(struct runner *self, const char *code, const char *message);
void runner_cancelled(struct runner *self);
/* Not the end: the job is taken up again, from its cursor, at once. */
void runner_release(struct runner *self);

#endif
