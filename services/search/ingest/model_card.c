#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/search/ingest/model.h"

static void copy_text(char *out, size_t room, struct sh_bytes text)
{
    size_t len = text.len < room ? text.len : room - 1;

    if (len > 0)
        memcpy(out, text.data, len);
    out[len] = '\0';
}

bool model_of_card(const struct model_card *card, struct model *out)
{
    if (card->fingerprint.len == 0 || card->dimension == 0 || !isfinite(card->alpha))
        return false;
    *out = (struct model){.dimension = card->dimension, .alpha = card->alpha};
    copy_text(out->fingerprint, sizeof(out->fingerprint), card->fingerprint);
    copy_text(out->name, sizeof(out->name), card->name);
    copy_text(out->provider, sizeof(out->provider), card->provider);
    return true;
}

static json_t *text_of(struct sh_bytes text)
{
    return json_stringn(text.len > 0 ? text.data : "", text.len);
}

bool model_describe(const struct model_card *card, char out[MODEL_CARD_MAX])
{
    json_t *json = json_pack(
        "{s:o, s:o, s:I, s:I, s:b, s:o, s:o, s:f, s:o, s:o}", "name", text_of(card->name),
        "provider", text_of(card->provider), "dimension", (json_int_t)card->dimension,
        "context_length", (json_int_t)card->context_length, "normalised",
        (int)card->normalised, "query_prefix", text_of(card->query_prefix),
        "document_prefix", text_of(card->document_prefix), "alpha", card->alpha, "digest",
        text_of(card->digest), "probe_hash", text_of(card->probe_hash));
    size_t len = json ? json_dumpb(json, out, MODEL_CARD_MAX - 1, JSON_COMPACT) : 0;

    json_decref(json);
    if (len == 0 || len >= MODEL_CARD_MAX)
        return false;
    out[len] = '\0';
    return true;
}

const char *model_wish(const struct model *model, char out[MODEL_WISH_MAX + 1])
{
    bool told =
        strcmp(model->provider, "builtin") == 0 || strcmp(model->provider, "ollama") == 0;

    (void)snprintf(out, MODEL_WISH_MAX + 1, "%.64s%s%.190s", told ? model->provider : "",
                   told ? ":" : "", model->name);
    return out;
}

void model_read(const PGresult *rows, int row, struct model *out)
{
    *out = (struct model){.dimension = (uint32_t)sh_pg_u64(rows, row, 3),
                          .alpha = strtod(PQgetvalue(rows, row, 4), NULL)};
    copy_text(out->fingerprint, sizeof(out->fingerprint), sh_pg_text(rows, row, 0));
    copy_text(out->name, sizeof(out->name), sh_pg_text(rows, row, 1));
    copy_text(out->provider, sizeof(out->provider), sh_pg_text(rows, row, 2));
}

bool model_same(const struct model *a, const struct model *b)
{
    return strcmp(a->fingerprint, b->fingerprint) == 0;
}
