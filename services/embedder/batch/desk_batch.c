#include "services/embedder/batch/desk_batch.h"

#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/metrics.h"

struct desk_batch {
    struct provider_batch base;
    struct desk *desk;
    struct desk_batch *next;
    struct desk_batch *prev;
    float *vectors;
    struct job **jobs;
    struct provider_text *texts;
};

static const double sizes[] = {1, 2, 4, 8, 16, 32, 64, 128, 0};
static struct sh_family batch_size = {
    .kind = SH_HISTOGRAM,
    .name = "cairn_embedder_batch_size",
    .help = "Texts that went to the provider together.",
    .buckets = sizes,
};

static void free_batch(struct desk_batch *batch)
{
    sh_free(batch->vectors);
    sh_free(batch->jobs);
    sh_free(batch->texts);
    sh_free(batch);
}

static struct desk_batch *make_batch(struct desk *self, size_t room)
{
    const struct provider *provider = self->options.provider;
    struct desk_batch *batch = sh_alloc(sizeof(*batch));
    if (!batch)
        return NULL;
    batch->desk = self;
    batch->base.dimension = provider->card.dimension;
    batch->vectors = sh_alloc_array(room, provider->card.dimension * sizeof(float));
    batch->jobs = sh_alloc_array(room, sizeof(struct job *));
    batch->texts = sh_alloc_array(room, sizeof(*batch->texts));
    if (batch->vectors && batch->jobs && batch->texts)
        return batch;
    free_batch(batch);
    return NULL;
}

static void on_done(struct provider_batch *base)
{
    struct desk_batch *batch = (struct desk_batch *)base;
    struct desk *self = batch->desk;
    *(batch->prev ? &batch->prev->next : &self->running) = batch->next;
    if (batch->next)
        batch->next->prev = batch->prev;
    self->running_count--;
    for (size_t i = 0; i < base->count; i++)
        desk_computed(self, batch->jobs[i], &batch->texts[i], base);
    free_batch(batch);
    desk_wake(self);
}

/* Nobody waits, or nobody can use it any more. */
static bool dropped(struct desk *self, struct job_queue *queue, struct job *job)
{
    bool late = sh_now_ms() > job->deadline_ms;
    bool stale = job->epoch != self->epoch; /* asked of a model that is gone */
    if (job->waiters && !late && !stale)
        return false;
    job_queue_remove(queue, job);
    desk_settle(self, job, late ? SH_TIMEOUT : SH_UNAVAILABLE, NULL, 0);
    return true;
}

static void take(struct desk_batch *batch, struct job_queue *queue, struct job *job)
{
    struct provider_batch *base = &batch->base;
    size_t i = base->count++;
    job_queue_remove(queue, job);
    job->state = JOB_RUNNING;
    batch->jobs[i] = job;
    batch->texts[i] = (struct provider_text){
        .text = {job->text, job->len},
        .vector = batch->vectors + i * base->dimension,
    };
    base->refuse_long = job->refuse_long;
    if (job->deadline_ms > base->deadline_ms)
        base->deadline_ms = job->deadline_ms;
}

/* From the front of the queue, as long as there is room and the rule is the same. */
static void collect(struct desk *self, struct desk_batch *batch, struct job_queue *queue,
                    size_t *bytes)
{
    const struct provider *provider = self->options.provider;
    while (queue->first && batch->base.count < provider->batch_texts) {
        struct job *job = queue->first;
        if (dropped(self, queue, job))
            continue;
        bool first = batch->base.count == 0;
        bool fits = *bytes + job->len <= provider->batch_bytes;
        if (!first && (!fits || job->refuse_long != batch->base.refuse_long))
            return;
        *bytes += job->len;
        take(batch, queue, job);
    }
}

static void start(struct desk *self, struct desk_batch *batch)
{
    batch->base.texts = batch->texts;
    batch->base.done = on_done;
    batch->next = self->running;
    if (batch->next)
        batch->next->prev = batch;
    self->running = batch;
    self->running_count++;
    sh_series_observe(sh_series(&batch_size, NULL), (double)batch->base.count);
    self->options.provider->submit(self->options.provider, &batch->base);
}

void desk_dispatch(struct desk *self)
{
    const struct provider *provider = self->options.provider;
    while (!self->closing && self->running_count < provider->slots &&
           self->queries.count + self->documents.count > 0) {
        struct desk_batch *batch = make_batch(self, provider->batch_texts);
        if (!batch)
            return; /* tried again when the next request or batch comes */
        size_t bytes = 0;
        collect(self, batch, &self->queries, &bytes);
        if (batch->base.count == 0) /* a query must not wait for documents in its batch */
            collect(self, batch, &self->documents, &bytes);
        if (batch->base.count == 0) {
            free_batch(batch);
            return;
        }
        start(self, batch);
    }
}

void desk_abandon_running(struct desk *self, const struct desk_request *request)
{
    for (struct desk_batch *batch = self->running; batch; batch = batch->next) {
        bool wanted = false;
        for (size_t i = 0; i < batch->base.count; i++)
            wanted = !desk_abandon(batch->jobs[i], request) || wanted;
        if (!wanted)
            atomic_store_explicit(&batch->base.stop, true, memory_order_relaxed);
    }
}
