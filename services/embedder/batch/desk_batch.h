/* desk_batch: the desk's other half: from its queues to the provider and back. */
#ifndef EMBEDDER_DESK_BATCH_H
#define EMBEDDER_DESK_BATCH_H

#include "services/embedder/batch/desk.h"
#include "services/embedder/batch/job.h"

struct desk_request {
    struct desk *desk;
    struct desk_request *next;
    struct desk_request *prev;
    desk_done_fn *done;
    void *arg;
    size_t count;
    size_t missing;
    uint32_t dimension;
    uint64_t deadline_ms;
    uint64_t tokens;
    float *vectors;
    enum sh_err *errs;
    char fingerprint[CARD_HASH_CHARS + 1];
};

struct desk_batch;
struct lookup;

struct desk {
    struct desk_options options;
    uv_timer_t turn; /* of zero: what came within a turn goes together */
    bool closing;
    unsigned epoch; /* counts the models that the provider has had */
    struct desk_request *requests;
    struct lookup *lookups;
    struct job_table table; /* every job that is not settled */
    struct job_queue queries;
    struct job_queue documents;
    struct desk_batch *running;
    unsigned running_count;
};

/* As many batches as the provider takes. */
void desk_dispatch(struct desk *self);
void desk_abandon_running(struct desk *self, const struct desk_request *request);

/* Of desk.c: */
void desk_wake(struct desk *self);
void desk_settle(struct desk *self, struct job *job, enum sh_err err, const float *vector,
                 uint32_t tokens);
void desk_computed(struct desk *self, struct job *job, const struct provider_text *text,
                   const struct provider_batch *batch);
bool desk_abandon(struct job *job, const struct desk_request *request);

#endif
