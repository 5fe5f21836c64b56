#include <float.h>
#include <math.h>

#include "services/search/view/view_legs.h"
#include "services/search/view/view_results.h"
#include "shared/clock.h"

enum mode { MODE_HYBRID, MODE_VECTOR, MODE_TEXT };

/* --- before the lock -------------------------------------------------------------- */

static enum sh_err compile(struct search *search, struct view_problem *problem)
{
    struct filter_problem found = {{0}, {0}};
    enum sh_err err = filter_compile(search->query->filters, search->asked->caller,
                                     &search->scratch, &search->filter, &found);
    if (err == SH_INVALID || err == SH_FORBIDDEN)
        problem_set(problem, found.field, found.message);
    if (err == SH_OK && search->query->filters.len > 0)
        err = filter_compile((struct sh_bytes){0}, search->asked->caller,
                             &search->scratch, &search->rights, &found);
    return err;
}

static enum sh_err read_query(struct search *search)
{
    struct analyzer *analyzers[TEXT_LANGUAGES];
    size_t count = 0;
    for (unsigned i = 0; i < LANGUAGE_COUNT && count < TEXT_LANGUAGES; i++) {
        if (search->analyzers[i])
            analyzers[count++] = search->analyzers[i];
    }
    enum sh_err err = text_query_make(analyzers, count, search->query->query,
                                      &search->scratch, &search->text_query);
    if (err == SH_OK && search->query->mode != MODE_VECTOR && !search->query->no_expand)
        err = glossary_widen(search->asked->glossary, search->query->query,
                             search->analyzers, search->arena, &search->text_query,
                             &search->expanded);
    return err;
}

enum sh_err search_prepare(struct search *search, struct view_problem *problem)
{
    enum sh_err err = search_check(search->query, problem);
    if (err == SH_OK)
        err = compile(search, problem);
    if (err == SH_OK)
        err = languages_of(search->view, search->analyzers);
    return err == SH_OK ? read_query(search) : err;
}

/* --- under the lock --------------------------------------------------------------- */

static void lose_vectors(struct search *search, const char *why)
{
    search->degraded[search->degraded_count++] = sh_bytes_of(why);
    search->want_vector = false;
    search->want_text = true;
}

/* Which legs can run. */
static enum sh_err choose_legs(struct search *search)
{
    const struct view *view = search->view;
    const struct view_query *asked = search->asked;
    enum sh_err err = SH_OK;

    search->want_vector = search->query->mode != MODE_TEXT;
    search->want_text = search->query->mode != MODE_VECTOR;
    search->weight =
        search->query->vector_weight >= 0 ? search->query->vector_weight : view->alpha;
    if (!search->want_vector)
        return SH_OK;
    if (!asked->vector) {
        const char *why = asked->vector_missing ? asked->vector_missing : "embedding";
        lose_vectors(search, why);
    } else if (!view->vectors) {
        lose_vectors(search, "no_model");
    } else if (asked->dimension != vector_index_dimension(view->vectors) ||
               !sh_bytes_is(asked->fingerprint, view->fingerprint)) {
        lose_vectors(search, "vectors_of_another_model");
    } else {
        err = vector_query_make(view->vectors, asked->vector, &search->scratch,
                                &search->vector_query);
        if (err == SH_OK && !search->vector_query)
            lose_vectors(search, "embedding");
    }
    return err;
}

static void note_boosts(struct search *search, const struct priorities *found,
                        double campus)
{
    const struct boosts *boosts = &search->boosts;
    double one_end = campus + boosts_priority(boosts, found->least);
    double other_end = campus + boosts_priority(boosts, found->most);
    if (!found->any)
        return;
    search->least_boost = fmin(search->least_boost, fmin(one_end, other_end));
    search->most_boost = fmax(search->most_boost, fmax(one_end, other_end));
}

static enum sh_err filter_slots(struct search *search)
{
    const struct view *view = search->view;
    struct sh_bytes campus = search->asked->caller->campus;
    struct selection found;
    enum sh_err err =
        columns_select(view->columns, search->filter, view->slot_count,
                       search->asked->deadline_ms, &search->scratch, &found);
    if (err != SH_OK)
        return err;
    search->allowed = found.allowed;
    search->allowed_count = found.count;
    search->least_boost = DBL_MAX;
    search->most_boost = -DBL_MAX;
    note_boosts(search, &found.own, boosts_campus(&search->boosts, campus, campus));
    note_boosts(search, &found.others, 0);
    return SH_OK;
}

/* Words are spelled by all that the caller may read: what is filtered out is no reason to
 * mean another word. */
static enum sh_err expand(struct search *search)
{
    const struct view *view = search->view;
    struct selection readable = {.allowed = search->allowed};
    enum sh_err err = SH_OK;
    if (search->rights)
        err = columns_select(view->columns, search->rights, view->slot_count,
                             search->asked->deadline_ms, &search->scratch, &readable);
    return err == SH_OK ? text_index_expand(view->text, &readable.allowed,
                                            &search->text_query, &search->scratch)
                        : err;
}

/* What the query's phrases and signs ask for holds for both legs; in mode `vector` the
 * query is nothing but a text to be embedded. */
static enum sh_err apply_query(struct search *search)
{
    const struct text_index *text = search->view->text;
    if (search->query->mode == MODE_VECTOR)
        return SH_OK;
    enum sh_err err = expand(search);
    if (err != SH_OK || search->text_query.rule_count == 0)
        return err;
    err = text_index_restrict(text, &search->text_query, &search->allowed,
                              search->asked->deadline_ms);
    search->allowed_count = bitmap_count(&search->allowed);
    return err;
}

/* A leg is out, or was cut short, and whoever asks does not want the rest alone. */
static enum sh_err refuse_part(const struct search *search)
{
    bool refused = search->query->require_complete && search->degraded_count > 0;
    return refused ? SH_UNAVAILABLE : SH_OK;
}

/* It must not depend on how many results are asked for, else more of them would begin
 * otherwise than few. */
static size_t candidates_of(const struct search_query *query)
{
    bool several = query->merge || query->per_document > 0 || query->diversity > 0;
    bool by_rank =
        query->fusion == 1; /* the score of each hangs on the ranks of others */
    return several || by_rank ? VIEW_POOL : VIEW_CANDIDATES;
}

enum sh_err search_select(struct search *search)
{
    search->candidates = candidates_of(search->query);
    enum sh_err err = choose_legs(search);
    if (err == SH_OK)
        err = refuse_part(search);
    if (err == SH_OK)
        err = filter_slots(search);
    return err == SH_OK ? apply_query(search) : err;
}

static enum sh_err look(struct search *search, struct fusion_result *fused,
                        struct search_results *results)
{
    enum sh_err err = search_select(search);
    if (err == SH_OK)
        err = search_group(search, fused);
    if (err == SH_OK)
        err = search_facets(search, &results->facets);
    if (err == SH_OK)
        err = refuse_part(search);
    if (err == SH_OK)
        err = results_copy(search, fused, results);
    return err;
}

enum sh_err view_search(const struct view *view, const struct view_query *asked,
                        struct sh_arena *arena, struct search_results *results,
                        struct view_problem *problem)
{
    uint64_t start = sh_now_us();
    struct fusion_result fused = {0};
    struct search search = {
        .view = view, .asked = asked, .query = asked->query, .arena = arena};
    search.boosts = asked->boosts ? *asked->boosts : boosts_default();

    *results = (struct search_results){.mode = asked->query->mode};
    *problem = (struct view_problem){{0}, {0}};
    enum sh_err err = search_prepare(&search, problem);
    if (err == SH_OK) {
        pthread_rwlock_rdlock(view->lock);
        err = look(&search, &fused, results);
        pthread_rwlock_unlock(view->lock);
    }
    if (err == SH_OK)
        err = results_finish(&search, results);
    if (err == SH_UNAVAILABLE)
        problem_set(problem, "",
                    "the search is incomplete: a leg is out or was cut short");
    language_analyzers_free(search.analyzers);
    sh_arena_free(&search.scratch);
    results->duration_us = sh_now_us() - start;
    return err;
}
