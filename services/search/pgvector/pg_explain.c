#include <float.h>
#include <stdlib.h>

#include <jansson.h>

#include "services/search/pgvector/pg_search.h"

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

enum sh_err pg_explain_start(struct pg_search *search, struct pg_explainer *explainer)
{
    float least = (float)search->job->ask.query->similarity_threshold;
    enum sh_err err = fusion_ranks_make(&search->text_leg, -FLT_MAX, &search->scratch,
                                        &explainer->text);

    if (err == SH_OK)
        err = fusion_ranks_make(&search->vector_leg, least, &search->scratch,
                                &explainer->vector);
    return err;
}

/* A leg that did not find the passage has no rank; its score may still count. */
static json_t *leg_json(size_t rank, bool found, float score, double part, double weight)
{
    return json_pack("{s:f,s:f,s:f,s:o}", "score", (double)score, "normalised", part,
                     "weight", weight, "rank",
                     found ? json_integer((json_int_t)rank) : json_null());
}

static double weight_of(const struct pg_search *search, bool vector)
{
    if (search->want_text && search->want_vector)
        return vector ? search->weight : 1 - search->weight;
    return 1;
}

enum sh_err pg_explain_hit(const struct pg_search *search,
                           const struct pg_explainer *explainer,
                           const struct fusion_hit *hit, struct sh_bytes *json)
{
    json_t *text = NULL;
    json_t *vector = NULL;

    if (search->want_text)
        text = leg_json(fusion_rank(&explainer->text, hit->text), hit->in_text, hit->text,
                        hit->text_part, weight_of(search, false));
    if (search->want_vector && hit->has_vector)
        vector =
            leg_json(fusion_rank(&explainer->vector, hit->similarity), hit->in_vector,
                     hit->similarity, hit->vector_part, weight_of(search, true));
    const char *method = search->job->ask.query->fusion == 1 ? "rrf" : "weighted";
    json_t *all = json_pack(
        "{s:o*,s:o*,s:s,s:f,s:f,s:{s:f,s:f},s:f}", "text", text, "vector", vector,
        "fusion", method, "score", hit->score, "score_weight", search->boosts.score,
        "boosts", "priority", pg_boost_priority(search, hit->slot), "campus",
        pg_boost_campus(search, hit->slot), "combined", hit->combined);
    return print(&search->job->arena, all, json);
}

static json_t *terms_json(const struct pg_search *search)
{
    json_t *terms = json_array();

    for (size_t i = 0; i < search->text.count && i < PLAN_TERMS; i++) {
        struct sh_bytes text = search->text.words[i].folded;
        json_array_append_new(terms, json_stringn(text.data, text.len));
    }
    return terms;
}

/* `allowed` is exact unless the plan says that it is a lower bound. */
static json_t *vector_json(const struct pg_search *search)
{
    const struct pg_figures *figures = &search->figures;
    bool by_index = pg_by_index(search);
    json_t *json = json_pack(
        "{s:s,s:s,s:I,s:I}", "strategy", by_index ? "pgvector_hnsw" : "pgvector_exact",
        "type", search->backend->type, figures->more ? "allowed_at_least" : "allowed",
        (json_int_t)figures->allowed, "scanned", (json_int_t)figures->scanned);

    if (by_index && json)
        json_object_set_new(json, "ef",
                            json_integer((json_int_t)search->backend->ef_search));
    return json;
}

enum sh_err pg_explain_plan(const struct pg_search *search, struct sh_bytes *json)
{
    json_t *text = NULL;
    json_t *vector = NULL;

    if (search->want_vector)
        vector = vector_json(search);
    if (search->want_text)
        text =
            json_pack("{s:s,s:o,s:I}", "ranking", "ts_rank_cd", "terms",
                      terms_json(search), "matched", (json_int_t)search->figures.matched);
    json_t *plan =
        json_pack("{s:s,s:o*,s:o*,s:b}", "backend", "pgvector", "vector", vector, "text",
                  text, "complete", search->degraded_count == 0);
    return print(&search->job->arena, plan, json);
}
