/* Embeddings, as clients of Ollama ask for them: POST /api/embed, and the older
 * POST /api/embeddings. What they send besides (keep_alive, options) is for a server that
 * loads models on demand; it is taken and changes nothing here. */
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/handlers/vectors.h"
#include "services/gateway/json_out.h"
#include "shared/clock.h"

/* Word for word as Ollama says it. */
static const char too_long[] = "the input length exceeds the context length";

struct embed_body {
    struct sh_bytes model;
    struct schema_texts input;
    bool truncate;
    int64_t dimensions;
};

struct embeddings_body {
    struct sh_bytes model;
    struct sh_bytes prompt;
};

/* clang-format off */
#define AT(member) offsetof(struct embed_body, member)
static const struct schema_field embed_fields[] = {
    {.name = "model", .type = SCHEMA_TEXT, .offset = AT(model), .most = VECTORS_MODEL_MAX,
     .bytes = VECTORS_MODEL_MAX, .help = "the default model when absent"},
    {.name = "input", .type = SCHEMA_TEXTS, .offset = AT(input), .required = true,
     .most = VECTORS_TEXTS_MAX},
    {.name = "truncate", .type = SCHEMA_BOOLEAN, .offset = AT(truncate),
     .fallback = "true", .help = "cut what the model cannot take instead of refusing it"},
    {.name = "dimensions", .type = SCHEMA_INTEGER, .offset = AT(dimensions),
     .least = 1, .most = VECTORS_DIMENSIONS_MAX,
     .help = "shorten the vectors to as many numbers"},
};
#undef AT
#define AT(member) offsetof(struct embeddings_body, member)
static const struct schema_field embeddings_fields[] = {
    {.name = "model", .type = SCHEMA_TEXT, .offset = AT(model), .required = true,
     .least = 1, .most = VECTORS_MODEL_MAX, .bytes = VECTORS_MODEL_MAX},
    {.name = "prompt", .type = SCHEMA_TEXT, .offset = AT(prompt),
     .help = "without one there is no vector in the answer"},
};
#undef AT
/* clang-format on */

const struct schema embed_schema = {"EmbedRequest", "Texts to turn into vectors.",
                                    sizeof(struct embed_body), embed_fields,
                                    SH_COUNT(embed_fields)};
const struct schema embeddings_schema = {
    "EmbeddingsRequest", "A text to turn into a vector.", sizeof(struct embeddings_body),
    embeddings_fields, SH_COUNT(embeddings_fields)};

/* The model under the name that it was asked for by, like Ollama. */
static void answer(struct exchange *x, const struct vectors_order *order,
                   const struct embed_reply *reply, const char *raw)
{
    struct sh_buffer *out = exchange_out(x);
    uint64_t duration_ns = (sh_now_us() - x->started_us) * 1000;

    sh_buffer_text(out, "{");
    json_member_text(out, "model", order->model.len > 0 ? order->model : reply->model);
    json_member(out, "embeddings");
    sh_buffer_text(out, "[");
    for (uint32_t i = 0; i < reply->count; i++) {
        if (i > 0)
            sh_buffer_append(out, ",", 1);
        vectors_write(out, raw + (size_t)i * reply->dimension * sizeof(float),
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

void embed_post(struct exchange *x, void *arg)
{
    const struct embed_body *body = arg;
    const struct schema_texts *input = &body->input;
    bool nothing = input->single && input->items[0].len == 0;

    vectors_ask(x, &(struct vectors_order){
                       .model = body->model,
                       .texts = input->items,
                       .count = nothing ? 0 : input->count,
                       .refuse_long = !body->truncate,
                       .dimensions = (uint32_t)body->dimensions,
                       .too_long = too_long,
                       .answer = answer,
                   });
}

static void answer_one(struct exchange *x, const struct vectors_order *order,
                       const struct embed_reply *reply, const char *raw)
{
    struct sh_buffer *out = exchange_out(x);

    (void)order;
    sh_buffer_text(out, "{\"embedding\":");
    vectors_write(out, raw, reply->count > 0 ? reply->dimension : 0);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

void embeddings_post(struct exchange *x, void *arg)
{
    const struct embeddings_body *body = arg;

    vectors_ask(x, &(struct vectors_order){
                       .model = body->model,
                       .texts = &body->prompt,
                       .count = body->prompt.len > 0,
                       .too_long = too_long,
                       .answer = answer_one,
                   });
}
