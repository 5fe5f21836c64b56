/* Embeddings, as clients of Ollama ask for them. */
#include <stdio.h>

#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_out.h"
#include "shared/clock.h"

enum { TEXTS_MAX = 2048, DIMENSIONS_MAX = 65536 };

struct embed_body {
    struct sh_bytes model;
    struct schema_texts input;
    bool truncate;
    int64_t dimensions;
};

/* clang-format off */
#define AT(member) offsetof(struct embed_body, member)
static const struct schema_field embed_fields[] = {
    {.name = "model", .type = SCHEMA_TEXT, .offset = AT(model), .most = 256,
     .bytes = 256, .help = "the default model when absent"},
    {.name = "input", .type = SCHEMA_TEXTS, .offset = AT(input), .required = true,
     .most = TEXTS_MAX},
    {.name = "truncate", .type = SCHEMA_BOOLEAN, .offset = AT(truncate),
     .fallback = "true", .help = "cut what the model cannot take instead of refusing it"},
    {.name = "dimensions", .type = SCHEMA_INTEGER, .offset = AT(dimensions),
     .least = 1, .most = DIMENSIONS_MAX, .help = "shorten the vectors to as many numbers"},
};
#undef AT
/* clang-format on */

const struct schema embed_schema = {"EmbedRequest", "Texts to turn into vectors.",
                                    sizeof(struct embed_body), embed_fields,
                                    SH_COUNT(embed_fields)};

static void write_vector(struct sh_buffer *out, const char *raw, uint32_t dimension)
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

static void answer(struct exchange *x, const struct embed_reply *reply, const char *raw)
{
    struct sh_buffer *out = exchange_out(x);
    uint64_t duration_ns = (sh_now_us() - x->started_us) * 1000;

    sh_buffer_text(out, "{");
    json_member_text(out, "model", reply->model);
    json_member(out, "embeddings");
    sh_buffer_text(out, "[");
    for (uint32_t i = 0; i < reply->count; i++) {
        if (i > 0)
            sh_buffer_append(out, ",", 1);
        write_vector(out, raw + (size_t)i * reply->dimension * sizeof(float),
                     reply->dimension);
    }
    sh_buffer_text(out, "]");
    json_member(out, "total_duration");
    json_u64(out, duration_ns);
    json_member(out, "load_duration");
    json_u64(out, reply->load_us * 1000);
    json_member(out, "prompt_eval_count");
    json_u64(out, reply->tokens);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

/* One text that failed fails the request: a zero vector would pass for an answer. */
static void fail_text(struct exchange *x, const struct embed_failure *failure)
{
    char code[65], sentence[320], field[32];

    (void)snprintf(code, sizeof code, "%.*s", (int)failure->code.len,
                   (const char *)failure->code.data);
    (void)snprintf(sentence, sizeof sentence, "%.*s",
                   (int)(failure->message.len < 300 ? failure->message.len : 300),
                   (const char *)failure->message.data);
    (void)snprintf(field, sizeof field, "input[%u]", failure->index);
    exchange_fail(x, &(struct sh_problem){
                         .status = 400, .code = code, .field = field, .error = sentence});
}

static void on_vectors(struct exchange *x, const struct sh_rpc_response *response)
{
    struct embed_reply reply;
    size_t asked = *(size_t *)x->state;

    if (!exchange_decode(x, embed_reply_desc(), response->meta, &reply))
        return;
    if (reply.failures_count > 0)
        fail_text(x, &reply.failures[0]);
    else if (reply.count != asked || response->payload.len != (uint64_t)reply.count *
                                                                  reply.dimension *
                                                                  sizeof(float))
        exchange_fail_err(x, SH_UPSTREAM, NULL);
    else
        answer(x, &reply, response->payload.data);
}

static void answer_nothing(struct exchange *x, const struct embed_body *body)
{
    struct embed_reply reply = {.model = body->model};
    answer(x, &reply, ""); /* no vector, so nothing is read */
}

void embed_post(struct exchange *x, void *arg)
{
    const struct embed_body *body = arg;
    const struct schema_texts *input = &body->input;
    size_t *asked = sh_arena_alloc(&x->arena, sizeof *asked);
    const struct embed_request request = {
        .model = body->model,
        .texts = input->items,
        .texts_count = input->count,
        .refuse_long = !body->truncate,
        .dimensions = (uint32_t)body->dimensions,
    };

    if (asked == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    if (input->count == 0 || (input->single && input->items[0].len == 0)) {
        answer_nothing(x, body);
        return;
    }
    *asked = input->count;
    x->state = asked;
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
