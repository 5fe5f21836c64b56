#include "services/search/view/view_legs.h"

#include <stdlib.h>

#include "shared/clock.h"

/* The rest of the time is for the other leg, and for what comes after them. */
enum { VECTOR_PERCENT = 50, TEXT_PERCENT = 88 };

static uint64_t share_of(uint64_t deadline_ms, uint64_t percent)
{
    uint64_t left = sh_left_ms(deadline_ms);
    return deadline_ms - left + left / 100 * percent + left % 100 * percent / 100;
}

void legs_tell_deadline(struct search *search)
{
    struct sh_bytes deadline = sh_bytes_of("deadline");
    for (size_t i = 0; i < search->degraded_count; i++) {
        if (sh_bytes_equal(search->degraded[i], deadline))
            return;
    }
    search->degraded[search->degraded_count++] = deadline;
}

/* --- the text leg ----------------------------------------------------------------- */

/* The leg alone is ordered by its scores and the boosts: hits that no boost can lift far
 * enough are left out, unless what is added up could go beyond its bounds, where all are
 * alike. The ranks of explanations need every hit. */
static bool best_will_do(const struct search *search)
{
    double share = search->boosts.score;
    return search->allowed_count > 0 && !search->query->explain &&
           search->least_boost >= 0 && share > 0 && share + search->least_boost <= 1;
}

static enum sh_err text_whole(struct search *search, uint64_t deadline_ms)
{
    struct leg leg;
    enum sh_err err =
        text_index_search(search->view->text, &search->text_query, &search->allowed,
                          deadline_ms, &search->scratch, &leg);
    if (err == SH_OK) {
        search->text = leg;
        search->text_total = leg.count;
    }
    return err;
}

static enum sh_err text_top(struct search *search, size_t most, double spread,
                            uint64_t deadline_ms)
{
    const struct text_depth depth = {(uint32_t)most, spread, deadline_ms};
    struct text_best best;
    enum sh_err err = text_index_top(search->view->text, &search->text_query,
                                     &search->allowed, &depth, &search->scratch, &best);
    if (err == SH_OK) {
        search->text = best.leg;
        search->text_total = best.total;
    }
    return err;
}

enum sh_err legs_text(struct search *search, size_t wanted)
{
    uint64_t deadline_ms = search->asked->deadline_ms;
    double spread = search->most_boost - search->least_boost;
    if (!best_will_do(search))
        return text_whole(search, deadline_ms);
    return text_top(search, wanted, spread / search->boosts.score, deadline_ms);
}

/* --- both ------------------------------------------------------------------------- */

/* Too late for the words: the vectors answer alone, where they found something. */
static enum sh_err without_text(struct search *search, enum sh_err err)
{
    if (err != SH_TIMEOUT || search->vector.count == 0)
        return err;
    search->want_text = false;
    search->text = (struct leg){0};
    search->text_total = 0;
    legs_tell_deadline(search);
    return SH_OK;
}

/* Too late for the vectors: the words answer alone. */
static enum sh_err without_vectors(struct search *search, enum sh_err err)
{
    if (err != SH_TIMEOUT)
        return err;
    search->want_vector = false;
    search->want_text = true;
    search->vector = (struct leg){0};
    legs_tell_deadline(search);
    return SH_OK;
}

enum sh_err legs_complete(struct search *search)
{
    uint64_t deadline_ms = search->asked->deadline_ms;
    struct leg leg = {0};
    enum sh_err err =
        vector_index_scan(search->view->vectors, search->vector_query, &search->allowed,
                          share_of(deadline_ms, VECTOR_PERCENT), &search->scratch, &leg);
    search->vector = leg;
    search->plan.strategy = HNSW_EXACT;
    search->plan.ef = 0;
    search->plan.scanned += leg.count;
    search->plan.whole = err == SH_OK;
    err = without_vectors(search, err);
    if (err == SH_OK && search->want_text)
        err =
            without_text(search, text_whole(search, share_of(deadline_ms, TEXT_PERCENT)));
    return err;
}

static enum sh_err search_vectors(struct search *search)
{
    const struct vector_search ask = {
        .query = search->vector_query,
        .k = (uint32_t)search->candidates,
        .allowed = &search->allowed,
        .allowed_count = search->allowed_count,
        .deadline_ms = share_of(search->asked->deadline_ms, VECTOR_PERCENT),
    };
    struct hnsw_result found;
    enum sh_err err =
        vector_index_search(search->view->vectors, &ask, &search->scratch, &found);
    if (err != SH_OK)
        return err;
    search->vector = (struct leg){found.hits, found.count};
    search->plan.strategy = found.strategy;
    search->plan.ef = found.ef;
    search->plan.scanned = found.scanned;
    /* all that reach the threshold are among them */
    search->plan.whole =
        found.complete && found.strategy == HNSW_EXACT &&
        (found.count < search->candidates ||
         (double)found.hits[found.count - 1].score < search->query->similarity_threshold);
    if (!found.complete && found.count == 0)
        return without_vectors(search, SH_TIMEOUT);
    if (!found.complete)
        legs_tell_deadline(search);
    return SH_OK;
}

static bool is_better(const struct search *search, const struct leg_hit *a,
                      const struct leg_hit *b)
{
    if (a->score > b->score || a->score < b->score)
        return a->score > b->score;
    return search_order(search, a->slot, b->slot) < 0;
}

/* A heap with the worst on top, of the first `count` hits. */
static void sift_down(const struct search *search, struct leg_hit *hits, size_t at,
                      size_t count)
{
    for (;;) {
        size_t worst = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++) {
            if (is_better(search, &hits[worst], &hits[child]))
                worst = child;
        }
        if (worst == at)
            return;
        struct leg_hit moved = hits[at];
        hits[at] = hits[worst];
        hits[worst] = moved;
        at = worst;
    }
}

/* The best search->candidates hits come to the front. */
static void cut_text(struct search *search)
{
    struct leg *leg = &search->text;
    if (leg->count <= search->candidates)
        return;
    for (size_t at = search->candidates / 2; at-- > 0;)
        sift_down(search, leg->hits, at, search->candidates);
    for (size_t i = search->candidates; i < leg->count; i++) {
        if (!is_better(search, &leg->hits[i], &leg->hits[0]))
            continue;
        leg->hits[0] = leg->hits[i];
        sift_down(search, leg->hits, 0, search->candidates);
    }
    leg->count = search->candidates;
}

static int by_slot(const void *a, const void *b)
{
    const struct leg_hit *left = a;
    const struct leg_hit *right = b;
    return (left->slot > right->slot) - (left->slot < right->slot);
}

static void sort_by_slot(struct leg *leg)
{
    if (leg->count > 1)
        qsort(leg->hits, leg->count, sizeof(*leg->hits), by_slot);
}

/* The slots of `other` that are not in `own`; both ascend. */
static size_t lacking(const struct leg *own, const struct leg *other, uint32_t *slots)
{
    size_t count = 0;
    size_t at = 0;
    for (size_t i = 0; i < other->count; i++) {
        while (at < own->count && own->hits[at].slot < other->hits[i].slot)
            at++;
        if (at == own->count || own->hits[at].slot != other->hits[i].slot)
            slots[count++] = other->hits[i].slot;
    }
    return count;
}

/* Both ascend, and share no slot. */
static enum sh_err merge(struct sh_arena *arena, struct leg *own, const struct leg *more)
{
    struct leg all = {0};
    size_t at = 0;
    if (more->count == 0)
        return SH_OK;
    all.hits = sh_arena_array(arena, own->count + more->count, sizeof(*all.hits));
    if (!all.hits)
        return SH_NOMEM;
    for (size_t i = 0; i < own->count; i++) {
        while (at < more->count && more->hits[at].slot < own->hits[i].slot)
            all.hits[all.count++] = more->hits[at++];
        all.hits[all.count++] = own->hits[i];
    }
    while (at < more->count)
        all.hits[all.count++] = more->hits[at++];
    *own = all;
    return SH_OK;
}

static enum sh_err score_words(struct search *search, const uint32_t *slots, size_t count,
                               struct leg *leg)
{
    float *scores = sh_arena_array(&search->scratch, count + 1, sizeof(*scores));
    leg->hits = sh_arena_array(&search->scratch, count + 1, sizeof(*leg->hits));
    if (!scores || !leg->hits)
        return SH_NOMEM;
    enum sh_err err = text_index_score(search->view->text, &search->text_query, slots,
                                       count, SH_NO_DEADLINE, &search->scratch, scores);
    for (size_t i = 0; err == SH_OK && i < count; i++) {
        if (scores[i] > 0)
            leg->hits[leg->count++] = (struct leg_hit){slots[i], scores[i]};
    }
    return err;
}

/* What one leg found gets the other one's score, too; a few hundred: no deadline. */
static enum sh_err complete_scores(struct search *search)
{
    struct leg words = {0};
    struct leg cosines = {0};
    struct sh_arena *scratch = &search->scratch;
    size_t most = search->text.count + search->vector.count;
    uint32_t *slots = sh_arena_array(scratch, most + 1, sizeof(*slots));
    enum sh_err err = slots ? SH_OK : SH_NOMEM;
    sort_by_slot(&search->text);
    sort_by_slot(&search->vector);
    if (err == SH_OK && search->want_text)
        err = score_words(search, slots, lacking(&search->text, &search->vector, slots),
                          &words);
    if (err == SH_OK && search->want_vector)
        err = vector_index_cosines(search->view->vectors, search->vector_query, slots,
                                   lacking(&search->vector, &search->text, slots),
                                   scratch, &cosines);
    if (err == SH_OK)
        err = merge(scratch, &search->text, &words);
    return err == SH_OK ? merge(scratch, &search->vector, &cosines) : err;
}

enum sh_err legs_best(struct search *search)
{
    uint64_t deadline_ms = search->asked->deadline_ms;
    enum sh_err err = search_vectors(search);
    if (err == SH_OK && search->want_text)
        err = without_text(search, text_top(search, search->candidates, 0,
                                            share_of(deadline_ms, TEXT_PERCENT)));
    if (err != SH_OK)
        return err;
    cut_text(search);
    return complete_scores(search);
}
