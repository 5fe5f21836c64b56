#include <math.h>
#include <stdio.h>

#include "services/embedder/embedder.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/metrics.h"
#include "shared/rpc_server.h"

enum { PAYLOAD_MAX = 16 << 20, FAILURES_MAX = 32 };

static struct sh_family requests_total = {
    .kind = SH_COUNTER,
    .name = "embedding_requests_total",
    .help = "Requests for vectors, by outcome.",
    .labels = {"status"},
};

/* One call of embedder.embed that waits for the desk. */
struct embedding {
    struct shelf_waiter waiter; /* while the model is being opened */
    struct embed_request asked; /* its texts are in the memory of the call */
    struct shelf_model *model;  /* cannot go while it was just asked for */
    struct sh_rpc_call *call;
    struct desk_request *request;
    uint32_t dimensions; /* asked for; 0: all */
    uint64_t started_us;
};

/* --- answering -------------------------------------------------------------------- */

static const char *failure_code(enum sh_err err)
{
    if (err == SH_INVALID)
        return "empty_text";
    if (err == SH_MALFORMED)
        return "invalid_utf8";
    return err == SH_TOOBIG ? "text_too_long" : sh_err_code(err);
}

static const char *failure_text(enum sh_err err)
{
    if (err == SH_INVALID)
        return "there is nothing in the text to embed";
    if (err == SH_MALFORMED)
        return "the text is not UTF-8";
    return err == SH_TOOBIG ? "the text is longer than the model's context"
                            : sh_err_text(err);
}

/* Is it the text's own fault, rather than the model's or the load's? */
static bool of_the_text(enum sh_err err)
{
    return err == SH_INVALID || err == SH_MALFORMED || err == SH_TOOBIG;
}

static size_t list_failures(const struct desk_answer *answer, struct embed_failure *out)
{
    size_t count = 0;
    for (size_t i = 0; i < answer->count && count < FAILURES_MAX; i++) {
        if (answer->errs[i] == SH_OK)
            continue;
        out[count++] = (struct embed_failure){
            .index = (uint32_t)i,
            .code = sh_bytes_of(failure_code(answer->errs[i])),
            .message = sh_bytes_of(failure_text(answer->errs[i])),
        };
    }
    return count;
}

/* The error of all when no text came through and the texts are not to blame. */
static enum sh_err common_error(const struct desk_answer *answer)
{
    enum sh_err first = SH_OK;
    for (size_t i = 0; i < answer->count; i++) {
        if (answer->errs[i] == SH_OK)
            return SH_OK;
        if (first == SH_OK && !of_the_text(answer->errs[i]))
            first = answer->errs[i];
    }
    return first;
}

/* The first `kept` of each vector, made unit vectors again. NULL when out of memory. */
static float *shorten(const struct desk_answer *answer, uint32_t kept)
{
    float *out = sh_alloc_array(answer->count + 1, kept * sizeof(float));
    for (size_t i = 0; out && i < answer->count; i++) {
        const float *from = answer->vectors + i * answer->dimension;
        double squares = 0;
        for (uint32_t j = 0; j < kept; j++)
            squares += (double)from[j] * (double)from[j];
        float inverse = squares > 0 ? (float)(1 / sqrt(squares)) : 0;
        for (uint32_t j = 0; j < kept; j++)
            out[i * kept + j] = from[j] * inverse;
    }
    return out;
}

static void reply(const struct embedding *self, const struct desk_answer *answer)
{
    const struct card *card = &self->model->provider->card;
    struct embed_failure failures[FAILURES_MAX];
    uint32_t dimension = answer->dimension;
    const float *vectors = answer->vectors;
    float *shortened = NULL;
    if (self->dimensions > 0 && self->dimensions < dimension) {
        shortened = shorten(answer, self->dimensions);
        if (!shortened) {
            sh_rpc_fail(self->call, SH_NOMEM, NULL, NULL, "out of memory");
            return;
        }
        dimension = self->dimensions;
        vectors = shortened;
    }
    struct embed_reply message = {
        .model = sh_bytes_of(card->name),
        .fingerprint = sh_bytes_of(answer->fingerprint),
        .dimension = dimension,
        .count = (uint32_t)answer->count,
        .alpha = card->alpha,
        .tokens = answer->tokens,
        .duration_us = sh_now_us() - self->started_us,
        .failures = failures,
        .failures_count = list_failures(answer, failures),
    };
    struct sh_bytes raw = {vectors, answer->count * dimension * sizeof(float)};
    sh_rpc_reply_raw(self->call, embed_reply_desc(), &message, raw);
    sh_free(shortened);
}

static void on_answer(void *arg, const struct desk_answer *answer)
{
    struct embedding *self = arg;
    enum sh_err err = common_error(answer);
    sh_count(&requests_total, err == SH_OK ? "success" : sh_err_code(err));
    if (err == SH_OK)
        reply(self, answer);
    else
        sh_rpc_fail(self->call, err, NULL, NULL, "embedding: %s", sh_err_text(err));
    sh_free(self);
}

static void on_cancel(void *arg)
{
    struct embedding *self = arg;
    desk_cancel(self->request);
    sh_count(&requests_total, "canceled");
    sh_rpc_fail(self->call, SH_CANCELED, NULL, NULL, "canceled");
    sh_free(self);
}

/* --- asking ----------------------------------------------------------------------- */

/* Why there is no model for the caller. */
static void refuse(struct sh_rpc_call *call, enum sh_err err, struct sh_bytes name)
{
    int len = (int)name.len;
    const char *text = len > 0 ? name.data : "";
    if (err == SH_NOTFOUND)
        sh_rpc_fail(call, err, "model_not_found", "model", "model '%.*s' not found", len,
                    text);
    else if (err == SH_CONFLICT)
        sh_rpc_fail(call, err, "model_changed", "fingerprint",
                    "model '%.*s' has another fingerprint by now", len, text);
    else
        sh_rpc_fail(call, err, NULL, NULL, "model '%.*s' cannot be opened: %s", len, text,
                    sh_err_text(err));
}

static bool dimensions_ok(const struct provider *provider, struct sh_rpc_call *call,
                          const struct embed_request *request)
{
    if (!provider->known || request->dimensions <= provider->card.dimension)
        return true;
    sh_rpc_fail(call, SH_INVALID, NULL, "dimensions", "the model has %u dimensions",
                provider->card.dimension);
    return false;
}

static void submit(struct embedding *self)
{
    const struct embed_request *request = &self->asked;
    struct desk_ask ask = {
        .texts = request->texts,
        .count = request->texts_count,
        .purpose = request->purpose,
        .refuse_long = request->refuse_long,
        .deadline_ms = sh_rpc_call_deadline_ms(self->call),
    };
    enum sh_err err =
        desk_submit(self->model->desk, &ask, on_answer, self, &self->request);
    if (err == SH_OK) {
        sh_rpc_call_on_cancel(self->call, on_cancel, self);
        return;
    }
    const char *why = self->model->provider->why;
    sh_count(&requests_total, sh_err_code(err));
    sh_rpc_fail(self->call, err, NULL, NULL, "embedding: %s",
                err == SH_UNAVAILABLE && *why ? why : sh_err_text(err));
    sh_free(self);
}

static void on_model_open(struct shelf_waiter *waiter)
{
    struct embedding *self = SH_CONTAINER_OF(waiter, struct embedding, waiter);
    sh_rpc_call_on_cancel(self->call, NULL, NULL);
    if (dimensions_ok(self->model->provider, self->call, &self->asked)) {
        submit(self);
        return;
    }
    sh_count(&requests_total, "invalid_request");
    sh_free(self);
}

static void on_cancel_waiting(void *arg)
{
    struct embedding *self = arg;
    shelf_unwait(&self->waiter);
    sh_count(&requests_total, "canceled");
    sh_rpc_fail(self->call, SH_CANCELED, NULL, NULL, "canceled");
    sh_free(self);
}

static void wait_for_model(struct embedding *self)
{
    self->waiter = (struct shelf_waiter){
        .deadline_ms = sh_rpc_call_deadline_ms(self->call), .go = on_model_open};
    shelf_wait(self->model, &self->waiter);
    sh_rpc_call_on_cancel(self->call, on_cancel_waiting, self);
}

static void on_embed(void *arg, struct sh_rpc_call *call)
{
    struct embedder *embedder = arg;
    struct embed_request request;
    struct shelf_model *model = NULL;
    if (sh_rpc_call_decode(call, embed_request_desc(), &request) != SH_OK)
        return; /* answered */
    struct shelf_wish wish = {request.model, request.fingerprint};
    enum sh_err err = shelf_find(&embedder->shelf, &wish, false, &model);
    if (err != SH_OK)
        refuse(call, err, request.model);
    if (err != SH_OK || !dimensions_ok(model->provider, call, &request)) {
        sh_count(&requests_total, "invalid_request");
        return;
    }
    struct embedding *self = sh_alloc(sizeof(*self));
    if (!self) {
        sh_rpc_fail(call, SH_NOMEM, NULL, NULL, "out of memory");
        return;
    }
    self->model = model;
    self->call = call;
    self->asked = request;
    self->dimensions = request.dimensions;
    self->started_us = sh_now_us();
    if (model->provider->opening)
        wait_for_model(self);
    else
        submit(self);
}

static struct model_card card_message(const struct card *card)
{
    return (struct model_card){
        .name = sh_bytes_of(card->name),
        .provider = sh_bytes_of(card->provider),
        .dimension = card->dimension,
        .context_length = card->context_length,
        .normalised = true,
        .query_prefix = sh_bytes_of(card->query_prefix),
        .document_prefix = sh_bytes_of(card->document_prefix),
        .alpha = card->alpha,
        .digest = sh_bytes_of(card->digest),
        .probe_hash = sh_bytes_of(card->probe_hash),
        .fingerprint = sh_bytes_of(card->fingerprint),
        .size_bytes = card->size_bytes,
        .format = sh_bytes_of(card->format),
        .family = sh_bytes_of(card->family),
        .parameter_size = sh_bytes_of(card->parameter_size),
        .quantization = sh_bytes_of(card->quantization),
        .modified_at = card->modified_at,
    };
}

static void on_models(void *arg, struct sh_rpc_call *call)
{
    const struct shelf *shelf = &((struct embedder *)arg)->shelf;
    struct model_card cards[SHELF_MAX];
    struct models_reply message = {.models = cards};
    /* what is not known yet is not at hand; without the default nothing is, for callers
     * take the first one for it */
    bool any = shelf->models[0]->provider->known;
    for (size_t i = 0; any && i < shelf->count; i++) {
        const struct provider *provider = shelf->models[i]->provider;
        if (provider->known)
            cards[message.models_count++] = card_message(&provider->card);
    }
    sh_rpc_reply(call, models_reply_desc(), &message);
}

static void answer_model(struct sh_rpc_call *call, const struct provider *provider)
{
    if (!provider->known) {
        sh_rpc_fail(call, SH_UNAVAILABLE, NULL, NULL, "%s", provider->why);
        return;
    }
    struct model_card card = card_message(&provider->card);
    struct models_reply message = {&card, 1};
    sh_rpc_reply(call, models_reply_desc(), &message);
}

/* One call of embedder.model that waits for a model to be opened. */
struct asking {
    struct shelf_waiter waiter;
    struct sh_rpc_call *call;
};

static void on_asked_open(struct shelf_waiter *waiter)
{
    struct asking *self = SH_CONTAINER_OF(waiter, struct asking, waiter);
    answer_model(self->call, waiter->model->provider);
    sh_free(self);
}

static void on_cancel_asking(void *arg)
{
    struct asking *self = arg;
    shelf_unwait(&self->waiter);
    sh_rpc_fail(self->call, SH_CANCELED, NULL, NULL, "canceled");
    sh_free(self);
}

static void on_model(void *arg, struct sh_rpc_call *call)
{
    struct embedder *embedder = arg;
    struct model_request request;
    struct shelf_model *model = NULL;
    if (sh_rpc_call_decode(call, model_request_desc(), &request) != SH_OK)
        return; /* answered */
    struct shelf_wish wish = {request.model, request.fingerprint};
    enum sh_err err = shelf_find(&embedder->shelf, &wish, true, &model);
    if (err != SH_OK) {
        refuse(call, err, request.model);
        return;
    }
    struct asking *self = model->provider->opening ? sh_alloc(sizeof(*self)) : NULL;
    if (!self) {
        answer_model(call, model->provider);
        return;
    }
    *self = (struct asking){
        .waiter = {.deadline_ms = sh_rpc_call_deadline_ms(call), .go = on_asked_open},
        .call = call};
    shelf_wait(model, &self->waiter);
    sh_rpc_call_on_cancel(call, on_cancel_asking, self);
}

static void on_forget(void *arg, struct sh_rpc_call *call)
{
    static const struct empty nothing;
    struct embedder *embedder = arg;
    struct model_request request;

    if (sh_rpc_call_decode(call, model_request_desc(), &request) != SH_OK)
        return; /* answered */
    shelf_forget(&embedder->shelf, request.fingerprint);
    sh_rpc_reply(call, empty_desc(), &nothing);
}

enum sh_err methods_add(struct embedder *embedder, struct sh_rpc_server *rpc)
{
    enum sh_err err = sh_rpc_server_add(rpc, METHOD_EMBEDDER_EMBED, "embedder.embed",
                                        PAYLOAD_MAX, on_embed, embedder);
    if (err == SH_OK)
        err = sh_rpc_server_add(rpc, METHOD_EMBEDDER_MODELS, "embedder.models", 0,
                                on_models, embedder);
    if (err == SH_OK)
        err = sh_rpc_server_add(rpc, METHOD_EMBEDDER_MODEL, "embedder.model", 0, on_model,
                                embedder);
    if (err == SH_OK)
        err = sh_rpc_server_add(rpc, METHOD_EMBEDDER_FORGET, "embedder.forget", 0,
                                on_forget, embedder);
    return err;
}
