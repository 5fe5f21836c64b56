#include "services/search/view/view_recall.h"

#include "services/search/view/view_legs.h"
#include "shared/clock.h"

/* What it does under the lock is short: it gives way in between. */
enum { SLICE_WORDS = 16, SLICE_SLOTS = SLICE_WORDS * 64 };

static const double rounding = 1e-5; /* of two ways to compute a cosine */

/* The greatest cosines, descending. */
struct best {
    float cosines[RECALL_AT];
    size_t count;
};

static void offer(struct best *best, float cosine)
{
    if (best->count == RECALL_AT && cosine <= best->cosines[RECALL_AT - 1])
        return;
    size_t at = best->count < RECALL_AT ? best->count++ : RECALL_AT - 1;
    for (; at > 0 && best->cosines[at - 1] < cosine; at--)
        best->cosines[at] = best->cosines[at - 1];
    best->cosines[at] = cosine;
}

/* --- every vector ----------------------------------------------------------------- */

/* Under the lock. */
static enum sh_err scan_slice(struct search *search, const struct vector_index *vectors,
                              const uint32_t *slots, size_t count, struct best *best)
{
    struct sh_arena arena = {0};
    struct leg leg = {0};
    if (search->view->vectors != vectors)
        return SH_CONFLICT;
    enum sh_err err =
        vector_index_cosines(vectors, search->vector_query, slots, count, &arena, &leg);
    for (size_t i = 0; err == SH_OK && i < leg.count; i++)
        offer(best, leg.hits[i].score);
    sh_arena_free(&arena);
    return err;
}

/* The allowed ones of so many words of the bitmap. */
static size_t slots_of(const struct bitmap *allowed, size_t first,
                       uint32_t slots[SLICE_SLOTS])
{
    size_t words = bitmap_words(allowed->bits);
    size_t end = words - first < SLICE_WORDS ? words : first + SLICE_WORDS;
    size_t count = 0;
    for (size_t w = first; w < end; w++) {
        for (uint64_t left = allowed->words[w]; left != 0; left &= left - 1)
            slots[count++] = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(left);
    }
    return count;
}

static enum sh_err may_go_on(const struct search *search, const atomic_bool *stopped)
{
    if (stopped && atomic_load_explicit(stopped, memory_order_relaxed))
        return SH_CANCELED;
    return sh_now_ms() >= search->asked->deadline_ms ? SH_TIMEOUT : SH_OK;
}

/* By slices, with the lock let go between them: who wants to change the view need not
 * wait for all of it, nor the searches behind. What changes meanwhile is looked at as it
 * is then. */
static enum sh_err scan(struct search *search, const struct vector_index *vectors,
                        const atomic_bool *stopped, struct best *best)
{
    const struct bitmap *allowed = &search->allowed;
    size_t words = bitmap_words(allowed->bits);
    uint32_t slots[SLICE_SLOTS];
    enum sh_err err = SH_OK;
    for (size_t first = 0; err == SH_OK && first < words; first += SLICE_WORDS) {
        size_t count = slots_of(allowed, first, slots);
        sh_yield_pause(search->view->options.vectors.yield);
        err = may_go_on(search, stopped);
        if (err != SH_OK || count == 0)
            continue;
        pthread_rwlock_rdlock(search->view->lock);
        err = scan_slice(search, vectors, slots, count, best);
        pthread_rwlock_unlock(search->view->lock);
    }
    return err;
}

/* --- the search as it is done ----------------------------------------------------- */

/* Under the lock. *exact: every vector was looked at, there is nothing to compare. */
static enum sh_err repeat(struct search *search, uint32_t candidates,
                          struct view_recall *out, struct hnsw_result *found, bool *exact)
{
    enum sh_err err = search_select(search);
    if (err != SH_OK)
        return err;
    if (!search->want_vector || search->allowed_count == 0)
        return SH_NOTFOUND;
    const struct vector_search ask = {
        .query = search->vector_query,
        .k = candidates > 0 ? candidates : (uint32_t)search->candidates,
        .allowed = &search->allowed,
        .allowed_count = search->allowed_count,
        .deadline_ms = search->asked->deadline_ms,
    };
    uint32_t all = vector_index_count(search->view->vectors);
    out->selectivity = all > 0 ? (double)search->allowed_count / all : 1;
    out->strategy = hnsw_strategy_name(HNSW_EXACT);
    *exact = candidates == 0 && search->allowed_count <= VIEW_COMPLETE;
    if (*exact)
        return SH_OK;
    err = vector_index_search(search->view->vectors, &ask, &search->scratch, found);
    out->strategy = hnsw_strategy_name(found->strategy);
    return err;
}

static enum sh_err measure(struct search *search, uint32_t candidates,
                           const atomic_bool *stopped, struct view_recall *out)
{
    struct hnsw_result found = {.hits = NULL};
    struct best best = {.count = 0};
    bool exact = false;
    size_t hits = 0;
    pthread_rwlock_rdlock(search->view->lock);
    const struct vector_index *vectors = search->view->vectors;
    enum sh_err err = repeat(search, candidates, out, &found, &exact);
    pthread_rwlock_unlock(search->view->lock);
    out->ratio = 1;
    if (err != SH_OK || exact)
        return err;
    err = scan(search, vectors, stopped, &best);
    if (err == SH_OK && best.count == 0)
        err = SH_NOTFOUND;
    if (err != SH_OK)
        return err;
    double bar = (double)best.cosines[best.count - 1] - rounding;
    for (size_t i = 0; i < found.count && i < best.count; i++)
        hits += (double)found.hits[i].score >= bar;
    out->ratio = (double)hits / (double)best.count;
    return SH_OK;
}

enum sh_err view_recall(const struct view *view, const struct view_query *asked,
                        uint32_t candidates, const atomic_bool *stopped,
                        struct view_recall *out)
{
    struct sh_arena unused = {0};
    struct view_problem problem;
    struct search search = {
        .view = view, .asked = asked, .query = asked->query, .arena = &unused};
    *out = (struct view_recall){0};
    enum sh_err err = search_prepare(&search, &problem);
    if (err == SH_OK)
        err = measure(&search, candidates, stopped, out);
    language_analyzers_free(search.analyzers);
    sh_arena_free(&search.scratch);
    sh_arena_free(&unused);
    return err;
}
