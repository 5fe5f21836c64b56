#include "services/embedder/batch/desk.h"

#include "services/embedder/batch/desk_batch.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/metrics.h"

/* A request takes what memory holds at once. Texts that are missing become jobs, or join
 * jobs of the same text; new jobs may first be looked up in Redis, all of a request in
 * one command, and are then queued. A request is finished when no text is missing: by a
 * timer of zero, never inside desk_submit(). */

static struct sh_family cache_results = {
    .kind = SH_COUNTER,
    .name = "cairn_embedder_cache_total",
    .help = "Texts looked for in a tier of the cache.",
    .labels = {"tier", "result"},
};
static struct sh_family tokens_total = {
    .kind = SH_COUNTER,
    .name = "cairn_embedder_tokens_total",
    .help = "Pieces of text turned into vectors, cached ones not counted.",
};

struct lookup { /* the new jobs of a request, while Redis is asked */
    struct desk *desk;
    struct lookup *next;
    struct lookup *prev;
    uint32_t dimension;
    size_t count;
    struct job *jobs[];
};

/* --- requests --------------------------------------------------------------------- */

static void count_cache(const char *tier, bool hit)
{
    sh_count(&cache_results, tier, hit ? "hit" : "miss");
}

static void free_request(struct desk_request *request)
{
    sh_free(request->vectors);
    sh_free(request->errs);
    sh_free(request);
}

static void unlink_request(struct desk *self, struct desk_request *request)
{
    *(request->prev ? &request->prev->next : &self->requests) = request->next;
    if (request->next)
        request->next->prev = request->prev;
}

static void finish(struct desk *self, struct desk_request *request)
{
    unlink_request(self, request);
    request->done(request->arg, &(struct desk_answer){
                                    .dimension = request->dimension,
                                    .count = request->count,
                                    .vectors = request->vectors,
                                    .errs = request->errs,
                                    .tokens = request->tokens,
                                    .fingerprint = request->fingerprint,
                                });
    free_request(request);
}

static void on_turn(uv_timer_t *timer)
{
    struct desk *self = timer->data;
    struct desk_request *request = self->requests;
    while (request) { /* `done` may submit and cancel others: begin anew after each */
        struct desk_request *next = request->next;
        if (request->missing == 0) {
            finish(self, request);
            next = self->requests;
        }
        request = next;
    }
    desk_dispatch(self);
}

void desk_wake(struct desk *self)
{
    uv_timer_start(&self->turn, on_turn, 0, 0);
}

static void fill(struct desk_request *request, size_t index, enum sh_err err,
                 const float *vector, uint32_t tokens)
{
    request->errs[index] = err;
    if (err == SH_OK)
        memcpy(request->vectors + index * request->dimension, vector,
               request->dimension * sizeof(float));
    request->tokens += tokens;
}

void desk_settle(struct desk *self, struct job *job, enum sh_err err, const float *vector,
                 uint32_t tokens)
{
    job_remove(&self->table, job);
    for (const struct waiter *w = job->waiters; w; w = w->next) {
        fill(w->request, w->index, err, vector, tokens);
        if (--w->request->missing == 0)
            desk_wake(self);
    }
    job_free(job);
}

static void keep(struct desk *self, const struct job *job,
                 const struct provider_text *text, uint32_t dimension)
{
    sh_series_add(sh_series(&tokens_total, NULL), text->tokens);
    if (job->epoch != self->epoch)
        return; /* the fingerprint is another by now */
    lru_put(self->options.lru, job->key, text->vector, dimension, text->tokens);
    if (self->options.remote && (job->urgent || self->options.remote_documents))
        remote_put(self->options.remote, self->options.provider->card.fingerprint,
                   job->key, text->vector, dimension, text->tokens);
}

static void enqueue(struct desk *self, struct job *job)
{
    job->state = JOB_QUEUED;
    job_queue_push(job->urgent ? &self->queries : &self->documents, job);
    desk_wake(self);
}

/* The batch was given up for those who waited then; someone with more time joined since.
 */
static bool worth_another_try(const struct job *job, enum sh_err err,
                              uint64_t deadline_ms)
{
    return job->waiters && ((err == SH_CANCELED) ||
                            (err == SH_TIMEOUT && job->deadline_ms > deadline_ms));
}

void desk_computed(struct desk *self, struct job *job, const struct provider_text *text,
                   const struct provider_batch *batch)
{
    if (worth_another_try(job, text->err, batch->deadline_ms)) {
        enqueue(self, job);
        return;
    }
    if (text->err == SH_OK)
        keep(self, job, text, batch->dimension);
    desk_settle(self, job, text->err, text->vector, text->tokens);
}

/* --- looking up ------------------------------------------------------------------- */

static void unlink_lookup(struct lookup *lookup)
{
    struct desk *self = lookup->desk;
    if (!self)
        return; /* the desk is gone; so are the jobs */
    *(lookup->prev ? &lookup->prev->next : &self->lookups) = lookup->next;
    if (lookup->next)
        lookup->next->prev = lookup->prev;
}

static void on_looked_up(void *arg, const struct remote_value *values, size_t count)
{
    struct lookup *lookup = arg;
    struct desk *self = lookup->desk;
    unlink_lookup(lookup);
    for (size_t i = 0; self && i < count; i++) {
        struct job *job = lookup->jobs[i];
        const struct remote_value *value = &values[i];
        count_cache("redis", value->vector != NULL);
        if (value->vector) {
            lru_put(self->options.lru, job->key, value->vector, lookup->dimension,
                    value->tokens);
            desk_settle(self, job, SH_OK, value->vector, value->tokens);
        } else {
            enqueue(self, job);
        }
    }
    sh_free(lookup);
}

static bool look_up(struct desk *self, struct lookup *lookup)
{
    const struct card *card = &self->options.provider->card;
    uint8_t *keys = sh_alloc_array(lookup->count, LRU_KEY_BYTES);
    if (!keys)
        return false;
    for (size_t i = 0; i < lookup->count; i++)
        memcpy(keys + i * LRU_KEY_BYTES, lookup->jobs[i]->key, LRU_KEY_BYTES);
    struct remote_question question = {card->fingerprint, keys, lookup->count,
                                       lookup->dimension};
    enum sh_err err = remote_get(self->options.remote, &question, on_looked_up, lookup);
    sh_free(keys);
    if (err != SH_OK)
        return false;
    lookup->next = self->lookups;
    if (lookup->next)
        lookup->next->prev = lookup;
    self->lookups = lookup;
    return true;
}

static void look_up_or_enqueue(struct desk *self, struct lookup *lookup, bool urgent)
{
    bool ask = self->options.remote && (urgent || self->options.remote_documents);
    if (lookup->count > 0 && ask && look_up(self, lookup))
        return;
    for (size_t i = 0; i < lookup->count; i++)
        enqueue(self, lookup->jobs[i]);
    sh_free(lookup);
}

/* --- submitting ------------------------------------------------------------------- */

static bool join(struct job *job, struct desk_request *request, size_t index)
{
    struct waiter *waiter = sh_alloc(sizeof(*waiter));
    if (!waiter)
        return false;
    *waiter = (struct waiter){job->waiters, request, index};
    job->waiters = waiter;
    if (request->deadline_ms > job->deadline_ms)
        job->deadline_ms = request->deadline_ms;
    request->missing++;
    return true;
}

/* A document that someone now searches for need not wait behind the others. */
static void hurry(struct desk *self, struct job *job)
{
    if (job->urgent)
        return;
    job->urgent = true;
    if (job->state != JOB_QUEUED)
        return;
    job_queue_remove(&self->documents, job);
    job_queue_push(&self->queries, job);
}

static struct job *new_job(struct desk *self, const uint8_t *key, const char *prefix,
                           const struct desk_ask *ask, size_t index)
{
    struct job *job = job_create(key, prefix, ask->texts[index]);
    if (!job)
        return NULL;
    job->refuse_long = ask->refuse_long;
    job->urgent = ask->purpose != 2;
    job->epoch = self->epoch;
    job_add(&self->table, job);
    return job;
}

/* Errors are the text's own: the others go on. */
static enum sh_err place(struct desk *self, struct desk_request *request,
                         const struct desk_ask *ask, size_t index, struct lookup *lookup)
{
    const struct card *card = &self->options.provider->card;
    const char *prefix = card_prefix(card, ask->purpose);
    uint8_t key[LRU_KEY_BYTES];
    if (ask->texts[index].len == 0)
        return SH_INVALID;
    enum sh_err err =
        job_key(card->fingerprint, ask->refuse_long, prefix, ask->texts[index], key);
    if (err != SH_OK)
        return err;
    struct job *job = job_find(&self->table, key);
    uint32_t tokens = 0;
    const float *vector =
        job ? NULL : lru_get(self->options.lru, key, card->dimension, &tokens);
    if (!job)
        count_cache("memory", vector != NULL);
    if (vector) {
        fill(request, index, SH_OK, vector, tokens);
        return SH_OK;
    }
    bool fresh = !job;
    if (fresh)
        job = new_job(self, key, prefix, ask, index);
    else if (ask->purpose != 2)
        hurry(self, job);
    if (job && join(job, request, index)) {
        if (fresh)
            lookup->jobs[lookup->count++] = job;
        return SH_OK;
    }
    if (fresh && job) {
        job_remove(&self->table, job);
        job_free(job);
    }
    return SH_NOMEM;
}

static struct desk_request *make_request(const struct desk *self,
                                         const struct desk_ask *ask)
{
    const struct card *card = &self->options.provider->card;
    struct desk_request *request = sh_alloc(sizeof(*request));
    if (!request)
        return NULL;
    request->count = ask->count;
    request->dimension = card->dimension;
    request->deadline_ms = ask->deadline_ms;
    memcpy(request->fingerprint, card->fingerprint, sizeof(request->fingerprint));
    size_t room = ask->count > 0 ? ask->count : 1;
    request->vectors = sh_alloc_array(room, card->dimension * sizeof(float));
    request->errs = sh_alloc_array(room, sizeof(*request->errs));
    if (request->vectors && request->errs)
        return request;
    free_request(request);
    return NULL;
}

enum sh_err desk_submit(struct desk *self, const struct desk_ask *ask, desk_done_fn *done,
                        void *arg, struct desk_request **out)
{
    if (!self->options.provider->known)
        return SH_UNAVAILABLE;
    if (desk_queued(self) + ask->count > self->options.queue_max)
        return SH_BUSY;
    struct lookup *lookup = sh_alloc(sizeof(*lookup) + ask->count * sizeof(struct job *));
    struct desk_request *request = make_request(self, ask);
    if (!request || !lookup) {
        sh_free(lookup);
        if (request)
            free_request(request);
        return SH_NOMEM;
    }
    lookup->desk = self;
    lookup->dimension = request->dimension;
    request->desk = self;
    request->done = done;
    request->arg = arg;
    request->next = self->requests;
    if (request->next)
        request->next->prev = request;
    self->requests = request;
    for (size_t i = 0; i < ask->count; i++)
        request->errs[i] = place(self, request, ask, i, lookup);
    look_up_or_enqueue(self, lookup, ask->purpose != 2);
    desk_wake(self);
    if (out)
        *out = request;
    return SH_OK;
}

/* --- giving up -------------------------------------------------------------------- */

/* Take the request's waiters out; true when nobody else waits for the job. */
static bool abandon(struct job *job, const struct desk_request *request)
{
    for (struct waiter **at = &job->waiters; *at;) {
        struct waiter *waiter = *at;
        if (waiter->request == request) {
            *at = waiter->next;
            sh_free(waiter);
        } else {
            at = &waiter->next;
        }
    }
    return job->waiters == NULL;
}

static void abandon_queue(struct desk *self, struct job_queue *queue,
                          const struct desk_request *request)
{
    for (struct job *job = queue->first; job;) {
        struct job *next = job->next;
        if (abandon(job, request)) {
            job_queue_remove(queue, job);
            job_remove(&self->table, job);
            job_free(job);
        }
        job = next;
    }
}

void desk_cancel(struct desk_request *request)
{
    struct desk *self = request->desk;
    abandon_queue(self, &self->queries, request);
    abandon_queue(self, &self->documents, request);
    for (struct lookup *l = self->lookups; l; l = l->next) {
        for (size_t i = 0; i < l->count; i++)
            (void)abandon(l->jobs[i], request); /* queued, and dropped there */
    }
    desk_abandon_running(self, request);
    unlink_request(self, request);
    free_request(request);
}

bool desk_abandon(struct job *job, const struct desk_request *request)
{
    return abandon(job, request);
}

/* --- life ------------------------------------------------------------------------- */

size_t desk_queued(const struct desk *self)
{
    return self->queries.count + self->documents.count;
}

void desk_forget(struct desk *self)
{
    self->epoch++;
    lru_clear(self->options.lru);
}

enum sh_err desk_create(uv_loop_t *loop, const struct desk_options *options,
                        struct desk **out)
{
    struct desk *self = sh_alloc(sizeof(*self));
    *out = self;
    if (!self)
        return SH_NOMEM;
    self->options = *options;
    (void)uv_timer_init(loop, &self->turn); /* cannot fail in libuv */
    self->turn.data = self;
    return SH_OK;
}

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

static void cancel_queue(struct desk *self, struct job_queue *queue)
{
    while (queue->first) {
        struct job *job = queue->first;
        job_queue_remove(queue, job);
        desk_settle(self, job, SH_CANCELED, NULL, 0);
    }
}

void desk_close(struct desk **desk)
{
    struct desk *self = *desk;
    if (!self)
        return;
    *desk = NULL;
    self->closing = true;
    for (struct lookup *l = self->lookups; l; l = l->next) {
        l->desk = NULL; /* Redis may answer yet */
        for (size_t i = 0; i < l->count; i++)
            desk_settle(self, l->jobs[i], SH_CANCELED, NULL, 0);
    }
    cancel_queue(self, &self->queries);
    cancel_queue(self, &self->documents);
    while (self->requests)
        finish(self, self->requests);
    uv_close((uv_handle_t *)&self->turn, on_closed);
}
