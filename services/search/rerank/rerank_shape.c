#include "services/search/rerank/rerank_shape.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "shared/mem.h"

/* --- asking ----------------------------------------------------------------------- */

/* The first RERANK_TEXT_BYTES, whole characters. */
static struct sh_bytes beginning(struct sh_bytes text)
{
    const unsigned char *data = text.data;
    size_t len = RERANK_TEXT_BYTES;
    if (text.len <= len)
        return text;
    while (len > 0 && (data[len] & 0xc0) == 0x80)
        len--;
    return (struct sh_bytes){text.data, len};
}

static json_t *texts_json(const struct rerank_question *question)
{
    json_t *texts = json_array();
    for (size_t i = 0; texts && i < question->count; i++) {
        struct sh_bytes text = beginning(question->texts[i]);
        if (json_array_append_new(texts, json_stringn(text.data, text.len)) != 0) {
            json_decref(texts);
            texts = NULL;
        }
    }
    return texts;
}

static json_t *cohere_json(const char *model, json_t *query, json_t *texts, size_t count)
{
    json_t *json = json_pack("{s:o, s:o, s:I}", "query", query, "documents", texts,
                             "top_n", (json_int_t)count);
    if (json && model[0] != '\0' &&
        json_object_set_new(json, "model", json_string(model)) != 0) {
        json_decref(json);
        json = NULL;
    }
    return json;
}

enum sh_err rerank_request(enum rerank_shape shape, const char *model,
                           const struct rerank_question *question, struct sh_buffer *out)
{
    json_t *query = json_stringn(question->query.data, question->query.len);
    json_t *texts = query ? texts_json(question) : NULL;
    if (!texts) {
        json_decref(query);
        return SH_MALFORMED;
    }
    json_t *json = shape == RERANK_COHERE
                       ? cohere_json(model, query, texts, question->count)
                       : json_pack("{s:o, s:o, s:b, s:b}", "query", query, "texts", texts,
                                   "raw_scores", 0, "truncate", 1);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    if (!text)
        return SH_NOMEM;
    sh_buffer_text(out, text);
    free(text); /* jansson's */
    return out->err;
}

/* --- the answer ------------------------------------------------------------------- */

static bool read_score(const json_t *item, const char *name, size_t count, double *scores)
{
    const json_t *index = json_object_get(item, "index");
    const json_t *score = json_object_get(item, name);
    if (!json_is_integer(index) || !json_is_number(score))
        return false;
    json_int_t at = json_integer_value(index);
    double value = json_number_value(score);
    if (at < 0 || (uint64_t)at >= count || !isnan(scores[at]) || !isfinite(value))
        return false;
    scores[at] = value;
    return true;
}

static bool read_scores(const json_t *list, const char *name, size_t count,
                        double *scores)
{
    if (!json_is_array(list) || json_array_size(list) != count)
        return false;
    for (size_t i = 0; i < count; i++)
        scores[i] = (double)NAN; /* not seen yet */
    for (size_t i = 0; i < count; i++) {
        if (!read_score(json_array_get(list, i), name, count, scores))
            return false;
    }
    return true;
}

static void normalise(double *scores, size_t count)
{
    bool logits = false;
    for (size_t i = 0; i < count; i++)
        logits = logits || scores[i] < 0 || scores[i] > 1;
    for (size_t i = 0; logits && i < count; i++)
        scores[i] = 1 / (1 + exp(-scores[i]));
}

enum sh_err rerank_scores(enum rerank_shape shape, struct sh_bytes body, size_t count,
                          double *scores)
{
    json_error_t error;
    json_t *json = json_loadb(body.data, body.len, JSON_REJECT_DUPLICATES, &error);
    bool right;
    if (!json)
        return json_error_code(&error) == json_error_out_of_memory ? SH_NOMEM
                                                                   : SH_UPSTREAM;
    if (shape == RERANK_COHERE)
        right = read_scores(json_object_get(json, "results"), "relevance_score", count,
                            scores);
    else
        right = read_scores(json, "score", count, scores);
    json_decref(json);
    if (right)
        normalise(scores, count);
    return right ? SH_OK : SH_UPSTREAM;
}
