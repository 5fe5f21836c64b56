#include <float.h>
#include <stdlib.h>

#include <jansson.h>

#include "services/search/view/view_results.h"

enum { PLAN_TERMS = 64 };

static enum sh_err print(struct sh_arena *arena, json_t *json, struct sh_bytes *out)
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

enum sh_err explain_start(struct search *search, struct explainer *explainer)
{
    float least = (float)search->query->similarity_threshold;
    enum sh_err err =
        fusion_ranks_make(&search->text, -FLT_MAX, &search->scratch, &explainer->text);
    if (err == SH_OK)
        err = fusion_ranks_make(&search->vector, least, &search->scratch,
                                &explainer->vector);
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

static double weight_of(const struct search *search, bool vector)
{
    if (search->want_text && search->want_vector)
        return vector ? search->weight : 1 - search->weight;
    return 1;
}

enum sh_err explain_hit(const struct search *search, const struct explainer *explainer,
                        const struct fusion_hit *hit, struct sh_bytes *json)
{
    const struct boosts *boosts = &search->boosts;
    const struct filter_row *row = &search->view->slots[hit->slot].document->row;
    json_t *text = NULL;
    json_t *vector = NULL;
    if (search->want_text)
        text = leg_json(fusion_rank(&explainer->text, hit->text), hit->in_text, hit->text,
                        hit->text_part, weight_of(search, false));
    if (search->want_vector && hit->has_vector)
        vector =
            leg_json(fusion_rank(&explainer->vector, hit->similarity), hit->in_vector,
                     hit->similarity, hit->vector_part, weight_of(search, true));
    const char *method = search->query->fusion == 1 ? "rrf" : "weighted";
    json_t *all = json_pack(
        "{s:o*,s:o*,s:s,s:f,s:f,s:{s:f,s:f},s:f}", "text", text, "vector", vector,
        "fusion", method, "score", hit->score, "score_weight", boosts->score, "boosts",
        "priority", boosts_priority(boosts, row->priority), "campus",
        boosts_campus(boosts, search->asked->caller->campus, row->campus), "combined",
        hit->combined);
    return print(search->arena, all, json);
}

static json_t *terms_json(const struct search *search)
{
    json_t *terms = json_array();
    for (size_t i = 0; i < search->text_query.count && i < PLAN_TERMS; i++) {
        struct sh_bytes text = search->text_query.words[i].forms[0].text;
        json_array_append_new(terms, json_stringn(text.data, text.len));
    }
    return terms;
}

enum sh_err explain_plan(const struct search *search, struct sh_bytes *json)
{
    json_t *text = NULL;
    json_t *vector = NULL;
    if (search->want_vector)
        vector = json_pack(
            "{s:s,s:I,s:I,s:I}", "strategy", hnsw_strategy_name(search->plan.strategy),
            "allowed", (json_int_t)search->allowed_count, "scanned",
            (json_int_t)search->plan.scanned, "ef", (json_int_t)search->plan.ef);
    if (search->want_text)
        text = json_pack("{s:o,s:I}", "terms", terms_json(search), "matched",
                         (json_int_t)search->text_total);
    bool exact = !search->want_vector || search->plan.whole;
    json_t *plan =
        json_pack("{s:o*,s:o*,s:b,s:b}", "vector", vector, "text", text, "complete",
                  search->degraded_count == 0, "total_exact", exact);
    return print(search->arena, plan, json);
}
