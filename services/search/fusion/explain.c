#include "services/search/fusion/explain.h"

#include <float.h>
#include <stdlib.h>

enum sh_err explain_start(const struct leg *text, const struct leg *vector,
                          double threshold, struct sh_arena *arena,
                          struct explainer *explainer)
{
    enum sh_err err = SH_OK;
    *explainer = (struct explainer){.want_text = text, .want_vector = vector};
    if (text)
        err = fusion_ranks_make(text, -FLT_MAX, arena, &explainer->text);
    if (err == SH_OK && vector)
        err = fusion_ranks_make(vector, (float)threshold, arena, &explainer->vector);
    return err;
}

/* A leg that did not find the passage has no rank; its score may still count. */
static json_t *leg_json(size_t rank, bool found, float score, double part, double weight)
{
    json_t *json = json_pack("{s:f,s:f,s:f}", "score", (double)score, "normalised", part,
                             "weight", weight);
    json_t *number = found ? json_integer((json_int_t)rank) : json_null();
    if (json_object_set_new(json, "rank", number) != 0) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static double weight_of(const struct explainer *explainer, bool vector)
{
    if (explainer->want_text && explainer->want_vector)
        return vector ? explainer->weight : 1 - explainer->weight;
    return 1;
}

enum sh_err explain_hit(const struct explainer *explainer, const struct fusion_hit *hit,
                        double priority, double campus, struct sh_arena *arena,
                        struct sh_bytes *json)
{
    json_t *text = NULL;
    json_t *vector = NULL;
    if (explainer->want_text)
        text = leg_json(fusion_rank(&explainer->text, hit->text), hit->in_text, hit->text,
                        hit->text_part, weight_of(explainer, false));
    if (explainer->want_vector && hit->has_vector)
        vector =
            leg_json(fusion_rank(&explainer->vector, hit->similarity), hit->in_vector,
                     hit->similarity, hit->vector_part, weight_of(explainer, true));
    const char *method = explainer->method == FUSION_RRF ? "rrf" : "weighted";
    json_t *all = json_pack("{s:o*,s:o*,s:s,s:f,s:f,s:{s:f,s:f},s:f}", "text", text,
                            "vector", vector, "fusion", method, "score", hit->score,
                            "score_weight", explainer->score_weight, "boosts", "priority",
                            priority, "campus", campus, "combined", hit->combined);
    return explain_print(all, arena, json);
}

enum sh_err explain_print(json_t *json, struct sh_arena *arena, struct sh_bytes *out)
{
    enum sh_err err = SH_NOMEM;
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    if (text) {
        *out = sh_arena_copy(arena, sh_bytes_of(text));
        err = out->data ? SH_OK : SH_NOMEM;
    }
    free(text); /* jansson's */
    json_decref(json);
    return err;
}
