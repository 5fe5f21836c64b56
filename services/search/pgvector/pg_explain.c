#include "services/search/pgvector/pg_search.h"

enum sh_err pg_explain_start(struct pg_search *search, struct explainer *explainer)
{
    const struct search_query *query = search->job->ask.query;
    enum sh_err err =
        explain_start(search->want_text ? &search->text_leg : NULL,
                      search->want_vector ? &search->vector_leg : NULL,
                      query->similarity_threshold, &search->scratch, explainer);

    explainer->weight = search->weight;
    explainer->method = query->fusion == 1 ? FUSION_RRF : FUSION_WEIGHTED;
    explainer->score_weight = search->boosts.score;
    return err;
}

enum sh_err pg_explain_hit(const struct pg_search *search,
                           const struct explainer *explainer,
                           const struct fusion_hit *hit, struct sh_bytes *json)
{
    return explain_hit(explainer, hit, pg_boost_priority(search, hit->slot),
                       pg_boost_campus(search, hit->slot), &search->job->arena, json);
}

static json_t *terms_json(const struct pg_search *search)
{
    json_t *terms = json_array();

    for (size_t i = 0; i < search->text.count && i < EXPLAIN_TERMS; i++) {
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
    return explain_print(plan, &search->job->arena, json);
}
