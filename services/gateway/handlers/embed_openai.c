/* POST /v1/embeddings: embeddings as clients of OpenAI ask for them. */
#include <sodium.h>

#include "services/gateway/handlers/handlers.h"
#include "services/gateway/handlers/vectors.h"
#include "services/gateway/json_out.h"

enum format { FORMAT_FLOAT, FORMAT_BASE64 };
static const char *const formats[] = {"float", "base64", NULL};

struct openai_body {
    struct sh_bytes model;
    struct schema_texts input;
    int64_t dimensions;
    uint32_t format;
    struct sh_bytes user;
};

/* clang-format off */
#define AT(member) offsetof(struct openai_body, member)
static const struct schema_field fields[] = {
    {.name = "model", .type = SCHEMA_TEXT, .offset = AT(model), .required = true,
     .least = 1, .most = VECTORS_MODEL_MAX, .bytes = VECTORS_MODEL_MAX},
    {.name = "input", .type = SCHEMA_TEXTS, .offset = AT(input), .required = true,
     .least = 1, .most = VECTORS_TEXTS_MAX, .help = "none of them empty"},
    {.name = "dimensions", .type = SCHEMA_INTEGER, .offset = AT(dimensions),
     .least = 1, .most = VECTORS_DIMENSIONS_MAX,
     .help = "shorten the vectors to as many numbers"},
    {.name = "encoding_format", .type = SCHEMA_CHOICE, .offset = AT(format),
     .fallback = "\"float\"", .choices = formats,
     .help = "base64: of the vector as little-endian float32"},
    {.name = "user", .type = SCHEMA_TEXT, .offset = AT(user),
     .help = "taken, and not used"},
};
#undef AT
/* clang-format on */

const struct schema openai_embed_schema = {
    "OpenAIEmbeddingsRequest", "Texts to turn into vectors.", sizeof(struct openai_body),
    fields, SH_COUNT(fields)};

static void write_base64(struct sh_buffer *out, const char *raw, size_t bytes)
{
    size_t room = sodium_base64_encoded_len(bytes, sodium_base64_VARIANT_ORIGINAL);

    sh_buffer_append(out, "\"", 1);
    char *at = sh_buffer_reserve(out, room);
    if (at == NULL)
        return; /* the buffer remembers */
    sodium_bin2base64(at, room, (const unsigned char *)raw, bytes,
                      sodium_base64_VARIANT_ORIGINAL);
    out->len += room - 1; /* without the NUL */
    sh_buffer_append(out, "\"", 1);
}

static void write_usage(struct sh_buffer *out, uint64_t tokens)
{
    json_member(out, "usage");
    sh_buffer_text(out, "{");
    json_member(out, "prompt_tokens");
    json_u64(out, tokens);
    json_member(out, "total_tokens");
    json_u64(out, tokens);
    sh_buffer_text(out, "}");
}

static void answer(struct exchange *x, const struct vectors_order *order,
                   const struct embed_reply *reply, const char *raw)
{
    struct sh_buffer *out = exchange_out(x);
    size_t bytes = reply->dimension * sizeof(float);

    sh_buffer_text(out, "{\"object\":\"list\",\"data\":[");
    for (uint32_t i = 0; i < reply->count; i++) {
        sh_buffer_printf(out, "%s{\"object\":\"embedding\",\"index\":%u,\"embedding\":",
                         i > 0 ? "," : "", i);
        if (order->choice == FORMAT_BASE64)
            write_base64(out, raw + i * bytes, bytes);
        else
            vectors_write(out, raw + i * bytes, reply->dimension);
        sh_buffer_append(out, "}", 1);
    }
    sh_buffer_text(out, "]");
    json_member_text(out, "model", reply->model);
    write_usage(out, reply->tokens);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

void openai_embed_post(struct exchange *x, void *arg)
{
    const struct openai_body *body = arg;
    const struct schema_texts *input = &body->input;

    for (size_t i = 0; i < input->count; i++)
        if (input->items[i].len == 0) {
            exchange_invalid(x, "input", "input must not hold an empty text");
            return;
        }
    vectors_ask(x, &(struct vectors_order){
                       .model = body->model,
                       .texts = input->items,
                       .count = input->count,
                       .refuse_long = true,
                       .dimensions = (uint32_t)body->dimensions,
                       .too_long = "a text of input is longer than this model's maximum "
                                   "context length",
                       .choice = body->format,
                       .answer = answer,
                   });
}
