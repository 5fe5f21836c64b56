#include "services/search/view/view_recall.h"

#include <float.h>
#include <stdlib.h>

#include "services/search/view/view_legs.h"

static const double rounding = 1e-5; /* of two ways to compute a cosine */

static int descending(const void *a, const void *b)
{
    float left = *(const float *)a;
    float right = *(const float *)b;
    return (left < right) - (left > right);
}

/* The least cosine of the best RECALL_AT, or of all where there are fewer. */
static enum sh_err find_bar(struct search *search, float *bar, size_t *most)
{
    struct leg leg = {0};
    enum sh_err err =
        vector_index_scan(search->view->vectors, search->vector_query, &search->allowed,
                          search->asked->deadline_ms, &search->scratch, &leg);
    if (err != SH_OK)
        return err;
    if (leg.count == 0)
        return SH_NOTFOUND;
    float *cosines = sh_arena_array(&search->scratch, leg.count, sizeof(*cosines));
    if (!cosines)
        return SH_NOMEM;
    for (size_t i = 0; i < leg.count; i++)
        cosines[i] = leg.hits[i].score;
    qsort(cosines, leg.count, sizeof(*cosines), descending);
    *most = leg.count < RECALL_AT ? leg.count : RECALL_AT;
    *bar = cosines[*most - 1];
    return SH_OK;
}

static enum sh_err compare(struct search *search, uint32_t candidates,
                           struct view_recall *out)
{
    const struct vector_search ask = {
        .query = search->vector_query,
        .k = candidates > 0 ? candidates : VIEW_OVERFETCH,
        .allowed = &search->allowed,
        .allowed_count = search->allowed_count,
        .deadline_ms = search->asked->deadline_ms,
    };
    struct hnsw_result found;
    float bar = 0;
    size_t most = 0;
    size_t hits = 0;
    enum sh_err err =
        vector_index_search(search->view->vectors, &ask, &search->scratch, &found);
    if (err == SH_OK)
        err = find_bar(search, &bar, &most);
    if (err != SH_OK)
        return err;
    for (size_t i = 0; i < found.count && i < most; i++)
        hits += (double)found.hits[i].score >= (double)bar - rounding;
    out->ratio = (double)hits / (double)most;
    out->strategy = hnsw_strategy_name(found.strategy);
    return SH_OK;
}

static enum sh_err measure(struct search *search, uint32_t candidates,
                           struct view_recall *out)
{
    enum sh_err err = search_select(search);
    if (err != SH_OK)
        return err;
    if (!search->want_vector || search->allowed_count == 0)
        return SH_NOTFOUND;
    uint32_t all = vector_index_count(search->view->vectors);
    out->selectivity = all > 0 ? (double)search->allowed_count / all : 1;
    /* of so few every one is looked at: the search is the comparison */
    if (candidates == 0 && search->allowed_count <= VIEW_COMPLETE) {
        out->ratio = 1;
        out->strategy = hnsw_strategy_name(HNSW_EXACT);
        return SH_OK;
    }
    return compare(search, candidates, out);
}

enum sh_err view_recall(const struct view *view, const struct view_query *asked,
                        uint32_t candidates, struct view_recall *out)
{
    struct sh_arena unused = {0};
    struct view_problem problem;
    struct search search = {
        .view = view, .asked = asked, .query = asked->query, .arena = &unused};
    *out = (struct view_recall){0};
    enum sh_err err = search_prepare(&search, &problem);
    if (err == SH_OK) {
        pthread_rwlock_rdlock(view->lock);
        err = measure(&search, candidates, out);
        pthread_rwlock_unlock(view->lock);
    }
    languages_free(search.analyzers);
    sh_arena_free(&search.scratch);
    sh_arena_free(&unused);
    return err;
}
