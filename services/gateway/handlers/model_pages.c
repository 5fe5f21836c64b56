/* The models, as clients of Ollama and of OpenAI ask for them. There is what the embedder
 * has: nothing is loaded, pulled or deleted by these routes. */
#include <stdio.h>

#include "services/gateway/handlers/handlers.h"
#include "services/gateway/handlers/models.h"
#include "services/gateway/handlers/vectors.h"
#include "services/gateway/json_out.h"

#ifndef CAIRN_VERSION
#define CAIRN_VERSION "unknown"
#endif

/* --- Ollama's --------------------------------------------------------------------- */

struct show_body {
    struct sh_bytes model;
    struct sh_bytes name;
};

/* clang-format off */
#define AT(member) offsetof(struct show_body, member)
static const struct schema_field show_fields[] = {
    {.name = "model", .type = SCHEMA_TEXT, .offset = AT(model), .most = VECTORS_MODEL_MAX,
     .bytes = VECTORS_MODEL_MAX},
    {.name = "name", .type = SCHEMA_TEXT, .offset = AT(name), .most = VECTORS_MODEL_MAX,
     .bytes = VECTORS_MODEL_MAX, .help = "what model was called once"},
};
#undef AT
/* clang-format on */

const struct schema show_schema = {"ShowRequest", "The model to describe.",
                                   sizeof(struct show_body), show_fields,
                                   SH_COUNT(show_fields)};

/* A name without a tag means the tag "latest"; there it is always said. */
static void write_tagged(struct sh_buffer *out, const char *member, struct sh_bytes name)
{
    char tagged[VECTORS_MODEL_MAX + 16];
    bool has = name.len > 0 && memchr(name.data, ':', name.len) != NULL;

    (void)snprintf(tagged, sizeof tagged, "%.*s%s", (int)name.len,
                   (const char *)name.data, has ? "" : ":latest");
    json_member_text(out, member, sh_bytes_of(tagged));
}

static void write_details(struct sh_buffer *out, const struct model_card *card)
{
    json_member(out, "details");
    sh_buffer_text(out, "{");
    json_member_text(out, "parent_model", sh_bytes_of(""));
    json_member_text(out, "format", card->format);
    json_member_text(out, "family", card->family);
    json_member(out, "families");
    sh_buffer_text(out, "[");
    json_text(out, card->family);
    sh_buffer_text(out, "]");
    json_member_text(out, "parameter_size", card->parameter_size);
    json_member_text(out, "quantization_level", card->quantization);
    sh_buffer_text(out, "}");
}

static void write_modified(struct sh_buffer *out, const struct model_card *card)
{
    json_member(out, "modified_at");
    json_time(out, card->modified_at);
}

static void write_tag(struct sh_buffer *out, const struct model_card *card)
{
    sh_buffer_text(out, "{");
    write_tagged(out, "name", card->name);
    write_tagged(out, "model", card->name);
    write_modified(out, card);
    json_member(out, "size");
    json_u64(out, card->size_bytes);
    json_member_text(out, "digest", card->fingerprint);
    write_details(out, card);
    sh_buffer_text(out, "}");
}

static void answer_tags(struct exchange *x, const struct models_found *found)
{
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_text(out, "{\"models\":[");
    for (size_t i = 0; i < found->count; i++) {
        sh_buffer_text(out, i > 0 ? "," : "");
        write_tag(out, &found->cards[i]);
    }
    sh_buffer_text(out, "]}");
    exchange_answer(x, 200);
}

void models_tags(struct exchange *x, void *unused)
{
    (void)unused;
    models_all(x, answer_tags);
}

/* A figure of the model under its family's name, as there. */
static void write_figure(struct sh_buffer *out, const struct model_card *card,
                         const char *name, uint64_t value)
{
    char member[128];

    (void)snprintf(member, sizeof member, "%.*s.%s", (int)card->family.len,
                   (const char *)card->family.data, name);
    json_member(out, member);
    json_u64(out, value);
}

static void write_info(struct sh_buffer *out, const struct model_card *card)
{
    json_member(out, "model_info");
    sh_buffer_text(out, "{");
    json_member_text(out, "general.architecture", card->family);
    write_figure(out, card, "context_length", card->context_length);
    write_figure(out, card, "embedding_length", card->dimension);
    json_member_text(out, "cairn.provider", card->provider);
    json_member_text(out, "cairn.fingerprint", card->fingerprint);
    json_member_text(out, "cairn.weights_digest", card->digest);
    json_member_text(out, "cairn.query_prefix", card->query_prefix);
    json_member_text(out, "cairn.document_prefix", card->document_prefix);
    json_member(out, "cairn.hybrid_weight");
    json_number(out, card->alpha, 6);
    sh_buffer_text(out, "}");
}

static void answer_show(struct exchange *x, const struct models_found *found)
{
    const struct model_card *card = &found->cards[0];
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_text(out, "{\"modelfile\":\"\",\"parameters\":\"\",\"template\":\"\"");
    write_details(out, card);
    write_info(out, card);
    json_member(out, "capabilities");
    sh_buffer_text(out, "[\"embedding\"]");
    write_modified(out, card);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

void models_show(struct exchange *x, void *arg)
{
    const struct show_body *body = arg;
    struct sh_bytes name = body->model.len > 0 ? body->model : body->name;

    if (name.len == 0)
        exchange_invalid(x, "model", "model is required");
    else
        models_find(x, name, answer_show);
}

void models_version(struct exchange *x, void *unused)
{
    (void)unused;
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_text(out, "{");
    json_member_text(out, "version", sh_bytes_of(CAIRN_VERSION));
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

/* --- OpenAI's --------------------------------------------------------------------- */

static void write_model(struct sh_buffer *out, const struct model_card *card)
{
    sh_buffer_text(out, "{");
    json_member_text(out, "id", card->name);
    json_member_text(out, "object", sh_bytes_of("model"));
    json_member(out, "created");
    json_u64(out, card->modified_at > 0 ? (uint64_t)card->modified_at : 0);
    json_member_text(out, "owned_by", card->provider);
    sh_buffer_text(out, "}");
}

static void answer_list(struct exchange *x, const struct models_found *found)
{
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_text(out, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 0; i < found->count; i++) {
        sh_buffer_text(out, i > 0 ? "," : "");
        write_model(out, &found->cards[i]);
    }
    sh_buffer_text(out, "]}");
    exchange_answer(x, 200);
}

void openai_models(struct exchange *x, void *unused)
{
    (void)unused;
    models_all(x, answer_list);
}

static void answer_model(struct exchange *x, const struct models_found *found)
{
    struct sh_buffer *out = exchange_out(x);

    write_model(out, &found->cards[0]);
    exchange_answer(x, 200);
}

void openai_model(struct exchange *x, void *unused)
{
    char *name = sh_arena_alloc(&x->arena, VECTORS_MODEL_MAX + 1);

    (void)unused;
    if (name == NULL)
        exchange_fail_err(x, SH_NOMEM, NULL);
    else if (exchange_param(x, "model", name, VECTORS_MODEL_MAX + 1))
        models_find(x, sh_bytes_of(name), answer_model);
}
