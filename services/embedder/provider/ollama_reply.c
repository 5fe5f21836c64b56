#include "services/embedder/provider/ollama_reply.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/mem.h"

enum { DIMENSION_MAX = 65536 };

static json_t *parse(struct sh_bytes body)
{
    return json_loadb(body.data, body.len, JSON_REJECT_DUPLICATES, NULL);
}

/* --- asking ----------------------------------------------------------------------- */

enum sh_err ollama_request(const char *model, const struct provider_text *texts,
                           size_t count, bool truncate, struct sh_buffer *out)
{
    json_t *input = json_array();
    enum sh_err err = input ? SH_OK : SH_NOMEM;
    for (size_t i = 0; err == SH_OK && i < count; i++) {
        json_t *text = json_stringn(texts[i].text.data, texts[i].text.len);
        if (!text || json_array_append_new(input, text) != 0)
            err = SH_MALFORMED; /* jansson checks UTF-8 */
    }
    if (err != SH_OK) {
        json_decref(input);
        return err;
    }
    json_t *json = json_pack("{s:s, s:o, s:b}", "model", model, "input", input,
                             "truncate", truncate);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    if (!text)
        return SH_NOMEM;
    sh_buffer_text(out, text);
    free(text); /* jansson's */
    return out->err;
}

/* --- vectors ---------------------------------------------------------------------- */

/* Finite, of this length, not zero; written as a unit vector. */
static bool read_vector(const json_t *from, uint32_t dimension, float *out)
{
    if (!json_is_array(from) || json_array_size(from) != dimension)
        return false;
    double squares = 0;
    for (uint32_t i = 0; i < dimension; i++) {
        const json_t *number = json_array_get(from, i);
        if (!json_is_number(number))
            return false;
        double value = json_number_value(number);
        squares += value * value;
    }
    if (!isfinite(squares) || squares < 1e-20)
        return false;
    /* in double: what is finite there need not be so as a float */
    double inverse = 1 / sqrt(squares);
    for (uint32_t i = 0; i < dimension; i++)
        out[i] = (float)(json_number_value(json_array_get(from, i)) * inverse);
    return true;
}

static bool read_vectors(const json_t *list, size_t count, uint32_t dimension, float *out)
{
    if (!json_is_array(list) || json_array_size(list) != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!read_vector(json_array_get(list, i), dimension, out + i * dimension))
            return false;
    }
    return true;
}

enum sh_err ollama_vectors(struct sh_bytes body, struct provider_text *texts,
                           size_t count, uint32_t dimension)
{
    enum sh_err err = SH_NOMEM;
    float *vectors = sh_alloc_array(count, dimension * sizeof(float));
    json_t *json = parse(body);
    if (!vectors)
        goto out;
    err = SH_UPSTREAM;
    if (!read_vectors(json_object_get(json, "embeddings"), count, dimension, vectors))
        goto out;
    json_int_t tokens = json_integer_value(json_object_get(json, "prompt_eval_count"));
    uint32_t share = tokens > 0 && tokens < UINT32_MAX ? (uint32_t)tokens : 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(texts[i].vector, vectors + i * dimension, dimension * sizeof(float));
        texts[i].err = SH_OK;
        texts[i].tokens = (uint32_t)(share * (i + 1) / count - share * i / count);
    }
    err = SH_OK;
out:
    json_decref(json);
    sh_free(vectors);
    return err;
}

uint32_t ollama_dimension(struct sh_bytes body)
{
    json_t *json = parse(body);
    size_t size = json_array_size(json_array_get(json_object_get(json, "embeddings"), 0));
    json_decref(json);
    return size <= DIMENSION_MAX ? (uint32_t)size : 0;
}

/* --- about the model -------------------------------------------------------------- */

static bool names(const json_t *entry, const char *model)
{
    struct card card = {.name = ""};
    (void)snprintf(card.name, sizeof(card.name), "%s", model);
    const char *name = json_string_value(json_object_get(entry, "name"));
    const char *other = json_string_value(json_object_get(entry, "model"));
    return (name && card_is(&card, sh_bytes_of(name))) ||
           (other && card_is(&card, sh_bytes_of(other)));
}

static void copy_text(const json_t *from, const char *name, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(from, name));
    if (text && strlen(text) < size) /* cut it might be no UTF-8 any more */
        (void)snprintf(out, size, "%s", text);
    else
        *out = '\0';
}

/* What people are told about it. */
static void read_details(const json_t *entry, struct card *card)
{
    const json_t *details = json_object_get(entry, "details");
    const char *modified = json_string_value(json_object_get(entry, "modified_at"));
    copy_text(details, "format", card->format, sizeof(card->format));
    copy_text(details, "family", card->family, sizeof(card->family));
    copy_text(details, "parameter_size", card->parameter_size,
              sizeof(card->parameter_size));
    copy_text(details, "quantization_level", card->quantization,
              sizeof(card->quantization));
    card->modified_at = modified ? card_time(modified) : 0;
}

enum ollama_presence ollama_tags(struct sh_bytes body, const char *model,
                                 struct card *card)
{
    json_t *json = parse(body);
    const json_t *models = json_object_get(json, "models");
    enum ollama_presence found = json_is_array(models) ? OLLAMA_ABSENT : OLLAMA_NONSENSE;
    for (size_t i = 0; found == OLLAMA_ABSENT && i < json_array_size(models); i++) {
        const json_t *entry = json_array_get(models, i);
        if (!names(entry, model))
            continue;
        found = OLLAMA_PRESENT;
        const char *digest = json_string_value(json_object_get(entry, "digest"));
        json_int_t size = json_integer_value(json_object_get(entry, "size"));
        (void)snprintf(card->digest, sizeof(card->digest), "%.128s",
                       digest ? digest : "");
        card->size_bytes = size > 0 ? (uint64_t)size : 0;
        read_details(entry, card);
    }
    json_decref(json);
    return found;
}

static bool ends_in(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t tail = strlen(end);
    return len >= tail && strcmp(text + len - tail, end) == 0;
}

void ollama_show(struct sh_bytes body, struct card *card)
{
    json_t *json = parse(body);
    json_t *info = json_object_get(json, "model_info");
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(info, key, value)
    {
        json_int_t number = json_integer_value(value);
        if (number <= 0 || number > UINT32_MAX)
            continue;
        if (ends_in(key, ".embedding_length") && number <= DIMENSION_MAX)
            card->dimension = (uint32_t)number;
        else if (ends_in(key, ".context_length"))
            card->context_length = (uint32_t)number;
    }
    json_decref(json);
}

void ollama_error(struct sh_bytes body, char *out, size_t size)
{
    json_t *json = parse(body);
    const char *words = json_string_value(json_object_get(json, "error"));
    (void)snprintf(out, size, "%.120s", words ? words : "");
    json_decref(json);
}
