#include "services/gateway/handlers/vectors.h"

#include <stdio.h>

#include "services/gateway/handlers/models.h"
#include "services/gateway/json_out.h"

void vectors_write(struct sh_buffer *out, const char *raw, uint32_t dimension)
{
    sh_buffer_append(out, "[", 1);
    for (uint32_t i = 0; i < dimension; i++) {
        float value;
        memcpy(&value, raw + (size_t)i * sizeof value, sizeof value);
        if (i > 0)
            sh_buffer_append(out, ",", 1);
        json_float(out, value);
    }
    sh_buffer_append(out, "]", 1);
}

/* One text that failed fails the request: a zero vector would pass for an answer. */
static void fail_text(struct exchange *x, const struct vectors_order *order,
                      const struct embed_failure *failure)
{
    char code[65], sentence[320], field[32];
    struct sh_bytes said = failure->message;

    if (sh_bytes_is(failure->code, "text_too_long"))
        said = sh_bytes_of(order->too_long);
    (void)snprintf(code, sizeof code, "%.*s", (int)failure->code.len,
                   (const char *)failure->code.data);
    (void)snprintf(sentence, sizeof sentence, "%.*s",
                   (int)(said.len < 300 ? said.len : 300), (const char *)said.data);
    (void)snprintf(field, sizeof field, "input[%u]", failure->index);
    exchange_fail(x, &(struct sh_problem){
                         .status = 400, .code = code, .field = field, .error = sentence});
}

static void on_vectors(struct exchange *x, const struct sh_rpc_response *response)
{
    const struct vectors_order *order = x->state;
    struct embed_reply reply;

    if (!exchange_decode(x, embed_reply_desc(), response->meta, &reply))
        return;
    if (reply.failures_count > 0)
        fail_text(x, order, &reply.failures[0]);
    else if (reply.count != order->count ||
             response->payload.len !=
                 (uint64_t)reply.count * reply.dimension * sizeof(float))
        exchange_fail_err(x, SH_UPSTREAM, NULL);
    else
        order->answer(x, order, &reply, response->payload.data);
}

static void on_model(struct exchange *x, const struct models_found *found)
{
    const struct vectors_order *order = x->state;
    const struct embed_reply reply = {.model = found->cards[0].name};

    order->answer(x, order, &reply, ""); /* no vector, so nothing is read */
}

void vectors_ask(struct exchange *x, const struct vectors_order *order)
{
    struct vectors_order *kept = sh_arena_alloc(&x->arena, sizeof *kept);
    const struct embed_request request = {
        .model = order->model,
        .texts = order->texts,
        .texts_count = order->count,
        .refuse_long = order->refuse_long,
        .dimensions = order->dimensions,
    };

    if (kept == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    *kept = *order;
    x->state = kept;
    if (order->count == 0) {
        models_find(x, order->model, on_model);
        return;
    }
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_EMBEDDER,
                         .method = METHOD_EMBEDDER_EMBED,
                         .kind = SH_RPC_READ,
                         .desc = embed_request_desc(),
                         .msg = &request,
                         .timeout_ms = x->edge->gateway->config.write_timeout_ms,
                         .done = on_vectors,
                     });
}
