#include "services/search/ingest/embed.h"

#include <math.h>

#include "shared/log.h"

struct batch {
    struct embed_job *job; /* NULL: free */
    uint64_t id;
    size_t count;
    size_t index[EMBED_BATCH]; /* of the order's texts */
};

struct embed_job {
    struct embed_order order;
    struct model model;
    struct sh_trace trace;
    embed_done_fn *done;
    void *arg;
    size_t next; /* the first text that no batch has looked at */
    size_t in_flight;
    struct batch batches[EMBED_IN_FLIGHT];
    struct embed_result result;
};

/* --- messages --------------------------------------------------------------------- */

enum sh_err embed_encode(const struct model *model, const struct sh_bytes *texts,
                         size_t count, enum embed_purpose purpose, struct sh_buffer *out)
{
    char wish[MODEL_WISH_MAX + 1];
    struct embed_request request = {.model = sh_bytes_of(model_wish(model, wish)),
                                    .texts = texts,
                                    .texts_count = count,
                                    .purpose = purpose,
                                    .fingerprint = sh_bytes_of(model->fingerprint)};

    return msg_encode(embed_request_desc(), &request, out);
}

bool embed_lost_model(enum sh_err err)
{
    return err == SH_NOTFOUND || err == SH_CONFLICT;
}

static float float_at(const uint8_t *bytes, size_t index)
{
    float value;

    memcpy(&value, bytes + index * sizeof(value), sizeof(value));
    return value;
}

static bool all_finite(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(float_at(bytes, i)))
            return false;
    return true;
}

enum sh_err embed_decode(const struct sh_rpc_response *response, size_t count,
                         struct sh_arena *arena, struct embed_reply *reply,
                         const uint8_t **vectors)
{
    enum sh_err err = msg_decode(embed_reply_desc(), response->meta, arena, reply);

    if (err == SH_NOMEM)
        return err;
    /* dimension ≤ 65,536 and count ≤ 2,048: no overflow */
    if (err != SH_OK || reply->count != count || reply->dimension == 0 ||
        reply->fingerprint.len == 0 ||
        response->payload.len != count * reply->dimension * sizeof(float) ||
        !all_finite(response->payload.data, count * reply->dimension))
        return SH_UPSTREAM;
    *vectors = response->payload.data;
    return SH_OK;
}

/* --- batches ---------------------------------------------------------------------- */

static size_t count_missing(const struct embed_order *order)
{
    size_t missing = 0;

    for (size_t i = 0; i < order->count; i++)
        missing += !order->have[i];
    return missing;
}

/* Take the next texts without a vector; none are left when count stays 0. */
static void fill_batch(struct embed_job *job, struct batch *batch)
{
    size_t bytes = 0;

    batch->count = 0;
    for (; job->next < job->order.count && batch->count < EMBED_BATCH; job->next++) {
        if (job->order.have[job->next])
            continue;
        bytes += job->order.texts[job->next].len;
        if (batch->count > 0 && bytes > EMBED_BATCH_BYTES)
            return;
        batch->index[batch->count++] = job->next;
    }
}

static void on_reply(void *arg, const struct sh_rpc_response *response);

static enum sh_err send_batch(struct embed_job *job, struct batch *batch)
{
    struct sh_bytes texts[EMBED_BATCH];
    struct sh_buffer payload = {0};
    enum sh_err err;

    for (size_t i = 0; i < batch->count; i++)
        texts[i] = job->order.texts[batch->index[i]];
    err = embed_encode(&job->model, texts, batch->count, EMBED_DOCUMENT, &payload);
    if (err == SH_OK) {
        struct sh_rpc_request request = {.method = METHOD_EMBEDDER_EMBED,
                                         .kind = SH_RPC_READ,
                                         .payload = sh_buffer_bytes(&payload),
                                         .deadline_ms = job->order.deadline_ms,
                                         .trace = &job->trace};
        err = sh_rpc_send(job->order.client, &request, on_reply, batch, &batch->id);
    }
    sh_buffer_free(&payload);
    return err;
}

/* Keep as many batches going as may be, until one fails or the texts end. */
static void send_more(struct embed_job *job)
{
    for (size_t i = 0; i < EMBED_IN_FLIGHT && job->result.err == SH_OK; i++) {
        struct batch *batch = &job->batches[i];
        if (batch->job != NULL)
            continue;
        fill_batch(job, batch);
        if (batch->count == 0)
            return;
        job->result.err = send_batch(job, batch);
        if (job->result.err != SH_OK)
            return;
        batch->job = job;
        job->in_flight++;
    }
}

/* A zero vector stands for a text that the model could not take. */
static void keep_vector(struct embed_job *job, size_t index, const uint8_t *vector)
{
    size_t dimension = job->model.dimension;
    bool zero = true;

    for (size_t i = 0; i < dimension && zero; i++)
        zero = fpclassify(float_at(vector, i)) == FP_ZERO;
    if (zero)
        return;
    memcpy(job->order.vectors + index * dimension, vector, dimension * sizeof(float));
    job->order.have[index] = true;
}

static enum sh_err take_reply(struct embed_job *job, const struct batch *batch,
                              const struct sh_rpc_response *response)
{
    struct sh_arena arena = {0};
    struct embed_reply reply;
    const uint8_t *vectors = NULL;
    enum sh_err err = response->err;

    if (err == SH_OK)
        err = embed_decode(response, batch->count, &arena, &reply, &vectors);
    if (err == SH_OK && (!sh_bytes_is(reply.fingerprint, job->model.fingerprint) ||
                         reply.dimension != job->model.dimension)) {
        err = SH_CONFLICT;
    }
    job->result.other_model = job->result.other_model || embed_lost_model(err);
    for (size_t i = 0; err == SH_OK && i < batch->count; i++)
        keep_vector(job, batch->index[i],
                    vectors + i * job->model.dimension * sizeof(float));
    sh_arena_free(&arena);
    return err;
}

static void on_reply(void *arg, const struct sh_rpc_response *response)
{
    struct batch *batch = arg;
    struct embed_job *job = batch->job;
    enum sh_err err = take_reply(job, batch, response);

    batch->job = NULL;
    job->in_flight--;
    if (err != SH_OK) {
        job->result.err = err;
        sh_warning(&job->trace, "%zu passages not embedded: %s", batch->count,
                   response->err == SH_OK ? sh_err_text(err) : response->message);
    }
    send_more(job);
    if (job->in_flight > 0)
        return;
    job->result.missing = count_missing(&job->order);
    job->done(job->arg, &job->result);
    sh_free(job);
}

enum sh_err embed_start(const struct embed_order *order, embed_done_fn *done, void *arg,
                        struct embed_job **job_out)
{
    struct embed_job *job;

    if (count_missing(order) == 0)
        return SH_NOTFOUND;
    job = sh_alloc(sizeof(*job));
    if (job == NULL)
        return SH_NOMEM;
    job->order = *order;
    job->done = done;
    job->arg = arg;
    job->model = *order->model;
    if (order->trace != NULL)
        job->trace = *order->trace;
    else
        sh_trace_start(&job->trace);
    send_more(job);
    if (job->in_flight == 0) {
        enum sh_err err = job->result.err;
        sh_free(job);
        return err;
    }
    *job_out = job;
    return SH_OK;
}

void embed_cancel(struct embed_job **job_in)
{
    struct embed_job *job = *job_in;

    *job_in = NULL;
    if (job == NULL)
        return;
    for (size_t i = 0; i < EMBED_IN_FLIGHT; i++)
        if (job->batches[i].job != NULL)
            sh_rpc_cancel(job->order.client, job->batches[i].id);
    sh_free(job);
}
