#include "services/search/view/view_results.h"

enum sh_err explain_view_hit(const struct search *search,
                             const struct explainer *explainer,
                             const struct fusion_hit *hit, struct sh_bytes *json)
{
    const struct boosts *boosts = &search->boosts;
    const struct filter_row *row = &search->view->slots[hit->slot].document->row;
    const struct sh_bytes campus = search->asked->caller->campus;
    return explain_hit(explainer, hit, boosts_priority(boosts, row->priority),
                       boosts_campus(boosts, campus, row->campus), search->arena, json);
}

enum sh_err explain_view_start(struct search *search, struct explainer *explainer)
{
    const struct search_query *query = search->query;
    enum sh_err err =
        explain_start(search->want_text ? &search->text : NULL,
                      search->want_vector ? &search->vector : NULL,
                      query->similarity_threshold, &search->scratch, explainer);
    explainer->weight = search->weight;
    explainer->method = query->fusion == 1 ? FUSION_RRF : FUSION_WEIGHTED;
    explainer->score_weight = search->boosts.score;
    return err;
}

static json_t *terms_json(const struct search *search)
{
    json_t *terms = json_array();
    for (size_t i = 0; i < search->text_query.count && i < EXPLAIN_TERMS; i++) {
        struct sh_bytes text = search->text_query.words[i].forms[0].text;
        json_array_append_new(terms, json_stringn(text.data, text.len));
    }
    return terms;
}

enum sh_err explain_view_plan(const struct search *search, struct sh_bytes *json)
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
    return explain_print(plan, search->arena, json);
}
