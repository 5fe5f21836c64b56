#include "services/search/text/text_hits.h"
#include "services/search/text/text_lane.h"
#include "shared/clock.h"

/* Block-max MaxScore. Passages are gone through in windows. In each, the words that even
 * together cannot lift a passage to the threshold only add to what the others find; and
 * where all together cannot, nothing is read. Parts are summed in the order of the query,
 * so that a passage has the same score however many hits are asked for. */

enum { LOOK_UP = 16 }; /* postings that are gone through in the time of one look-up */

/* What is added up in another order may differ by so much. */
static const float rounding = 1.0001F;

struct top {
    struct scorer scorer;
    const struct bitmap *allowed;
    uint64_t deadline_ms;
    struct lane *lanes;
    uint32_t lane_count;
    uint32_t order[TEXT_QUERY_WORDS]; /* lanes, ascending by bound */
    uint32_t extra;                   /* so many of them are not essential */
    float rest;                       /* what those add at most */
    float sum;                        /* all of them */
    const float *sums;                /* by place: what the essential ones add */
    float all_sums[TEXT_WINDOW];
    struct text_window window;
    struct text_hits hits;
};

/* --- a window --------------------------------------------------------------------- */

static void order_lanes(struct top *top)
{
    for (uint32_t i = 0; i < top->lane_count; i++) {
        struct lane *lane = &top->lanes[i];
        uint32_t at = i;
        lane->bound = lane_bound(lane, &top->scorer, &top->window);
        lane->here = 0;
        for (; at > 0 && top->lanes[top->order[at - 1]].bound > lane->bound; at--)
            top->order[at] = top->order[at - 1];
        top->order[at] = i;
    }
}

/* Splits the lanes; false: nothing in this window reaches the threshold. */
static bool split_lanes(struct top *top)
{
    order_lanes(top);
    top->extra = 0;
    top->rest = 0;
    top->sum = 0;
    for (uint32_t i = 0; i < top->lane_count; i++) {
        struct lane *lane = &top->lanes[top->order[i]];
        top->sum += lane->bound;
        lane->essential = top->sum * rounding >= top->hits.threshold && lane->bound > 0;
        if (!lane->essential) {
            top->extra = i + 1;
            top->rest = top->sum;
        }
    }
    return top->extra < top->lane_count;
}

static void add_up(struct top *top)
{
    const struct lane *first = &top->lanes[top->order[top->extra]];
    top->sums = first->parts;
    if (top->extra + 1 == top->lane_count)
        return;
    float *sums = top->all_sums;
    memcpy(sums, first->parts, sizeof(first->parts));
    for (uint32_t i = top->extra + 1; i < top->lane_count; i++) {
        const struct lane *lane = &top->lanes[top->order[i]];
        for (int place = 0; lane->filled && place < TEXT_WINDOW; place++)
            sums[place] += lane->parts[place];
    }
    top->sums = sums;
}

static void fill(struct top *top)
{
    memset(top->window.seen, 0, sizeof(top->window.seen));
    for (uint32_t i = top->extra; i < top->lane_count; i++) {
        struct lane *lane = &top->lanes[top->order[i]];
        top->window.need = top->hits.threshold / rounding - (top->sum - lane->bound);
        lane_fill(lane, &top->scorer, &top->window);
    }
    add_up(top);
}

/* False as soon as the threshold is out of reach. */
static bool add_extras(struct top *top, uint32_t passage, float sum)
{
    float rest = top->rest;
    for (uint32_t i = top->extra; i > 0; i--) {
        struct lane *lane = &top->lanes[top->order[i - 1]];
        if ((sum + rest) * rounding < top->hits.threshold)
            return false;
        if (lane->bound <= 0)
            break; /* nor have the others any part in this window */
        rest -= lane->bound;
        lane->here = lane_probe(lane, &top->scorer, passage,
                                top->hits.threshold / rounding - sum - rest);
        sum += lane->here;
    }
    return true;
}

static enum sh_err judge(struct top *top, uint32_t place)
{
    uint32_t passage = top->window.low + place;
    uint32_t slot = text_slot(top->scorer.index, passage);
    if (!bitmap_has(top->allowed, slot) || !add_extras(top, passage, top->sums[place]))
        return SH_OK;
    float sum = 0;
    for (uint32_t i = 0; i < top->lane_count; i++) {
        const struct lane *lane = &top->lanes[i];
        sum += lane->essential ? lane->parts[place] : lane->here;
    }
    /* 0: all its places are in fields that do not count */
    bool found = sum > 0 && sum >= top->hits.threshold;
    return found ? text_hits_add(&top->hits, slot, sum) : SH_OK;
}

static enum sh_err do_window(struct top *top)
{
    enum sh_err err = SH_OK;
    if (!split_lanes(top))
        return SH_OK;
    fill(top);
    for (uint32_t w = 0; w < TEXT_WINDOW / 64; w++) {
        uint64_t left = top->window.seen[w];
        for (; err == SH_OK && left != 0; left &= left - 1) {
            uint32_t place = w * 64 + (uint32_t)__builtin_ctzll(left);
            if ((top->sums[place] + top->rest) * rounding >= top->hits.threshold)
                err = judge(top, place);
        }
    }
    return err;
}

static enum sh_err run(struct top *top)
{
    uint32_t count = top->scorer.index->count;
    struct text_window *window = &top->window;
    enum sh_err err = SH_OK;
    for (uint32_t i = 0; i < top->lane_count; i++)
        lane_rewind(&top->lanes[i], &top->scorer);
    for (uint32_t low = 0; err == SH_OK && low < count; low = window->high) {
        window->low = low;
        window->high = count - low > TEXT_WINDOW ? low + TEXT_WINDOW : count;
        err = sh_now_ms() >= top->deadline_ms ? SH_TIMEOUT : do_window(top);
    }
    return err;
}

/* --- all windows ------------------------------------------------------------------ */

/* The first run finds the scores; the second, where it must go deeper, the hits. */
static enum sh_err run_deep(struct top *top, double spread)
{
    enum sh_err err = run(top);
    if (err != SH_OK || spread <= 0 || top->hits.count < top->hits.most)
        return err;
    text_hits_deepen(&top->hits, spread);
    return run(top);
}

static uint64_t postings_of(const struct text_index *index,
                            const struct text_query *query)
{
    uint64_t postings = 0;
    for (uint32_t i = 0; i < query->count; i++) {
        for (uint32_t f = 0; f < query->words[i].count; f++) {
            const struct text_form *form = &query->words[i].forms[f];
            const struct term *term = terms_find(&index->terms, form->text, form->hash);
            postings += term ? term->postings.count : 0;
        }
    }
    return postings;
}

static enum sh_err open_lanes(struct top *top, const struct text_query *query,
                              struct sh_arena *arena)
{
    top->lanes = sh_arena_array(arena, query->count, sizeof(*top->lanes));
    if (!top->lanes)
        return SH_NOMEM;
    for (uint32_t i = 0; i < query->count && top->lane_count < TEXT_QUERY_WORDS; i++) {
        struct lane *lane = &top->lanes[top->lane_count];
        if (lane_open(lane, &top->scorer, &query->words[i], arena))
            top->lane_count++;
        else if (lane->count > 0)
            return SH_NOMEM;
    }
    return SH_OK;
}

/* What a field is worth nothing in is not found, but would be counted. */
static bool every_place_counts(const struct text_options *options)
{
    bool all = true;
    for (int field = 0; field < TEXT_FIELDS; field++)
        all = all && options->weight[field] > 0;
    return all;
}

/* Few are allowed: each is looked up. */
static enum sh_err find_allowed(struct top *top, const struct text_query *query,
                                uint32_t count, struct text_best *best)
{
    struct sh_arena *arena = top->hits.arena;
    uint32_t *slots = sh_arena_array(arena, count + 1, sizeof(*slots));
    float *scores = sh_arena_array(arena, count + 1, sizeof(*scores));
    struct leg *leg = &best->leg;
    leg->hits = sh_arena_array(arena, count + 1, sizeof(*leg->hits));
    if (!slots || !scores || !leg->hits)
        return SH_NOMEM;
    if (sh_now_ms() >= top->deadline_ms)
        return SH_TIMEOUT;
    count = 0;
    for (size_t w = 0; w < bitmap_words(top->allowed->bits); w++) {
        for (uint64_t left = top->allowed->words[w]; left != 0; left &= left - 1)
            slots[count++] = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(left);
    }
    enum sh_err err = text_index_score(top->scorer.index, query, slots, count,
                                       top->deadline_ms, arena, scores);
    for (uint32_t i = 0; err == SH_OK && i < count; i++) {
        if (scores[i] > 0)
            leg->hits[leg->count++] = (struct leg_hit){slots[i], scores[i]};
    }
    best->total = leg->count;
    return err;
}

static enum sh_err find(struct top *top, const struct text_query *query,
                        const struct text_depth *depth, struct text_best *best)
{
    const struct text_index *index = top->scorer.index;
    struct sh_arena *arena = top->hits.arena;
    uint64_t postings = postings_of(index, query);
    uint32_t allowed = bitmap_count(top->allowed);
    if ((uint64_t)allowed * LOOK_UP * query->count < postings)
        return find_allowed(top, query, allowed, best);
    enum sh_err err = open_lanes(top, query, arena);
    if (err != SH_OK)
        return err;
    bool few =
        depth->most > 0 && depth->most < postings && every_place_counts(&index->options);
    top->hits.most = few ? depth->most : 0;
    err = few ? run_deep(top, depth->spread) : run(top);
    if (err == SH_OK)
        err = text_hits_finish(&top->hits, top->allowed->bits, &best->leg);
    best->total = best->leg.count;
    if (err == SH_OK && top->hits.threshold > 0)
        err = text_index_count(index, query, top->allowed, depth->deadline_ms, arena,
                               &best->total);
    return err;
}

enum sh_err text_index_top(const struct text_index *self, const struct text_query *query,
                           const struct bitmap *allowed, const struct text_depth *depth,
                           struct sh_arena *arena, struct text_best *best)
{
    *best = (struct text_best){.total = 0};
    if (self->live == 0 || query->count == 0 || allowed->bits == 0)
        return SH_OK;
    struct top *top = sh_arena_alloc(arena, sizeof(*top));
    if (!top)
        return SH_NOMEM;
    top->scorer = scorer_of(self);
    top->allowed = allowed;
    top->deadline_ms = depth->deadline_ms;
    top->hits.arena = arena;
    return find(top, query, depth, best);
}

enum sh_err text_index_search(const struct text_index *self,
                              const struct text_query *query,
                              const struct bitmap *allowed, uint64_t deadline_ms,
                              struct sh_arena *arena, struct leg *leg)
{
    const struct text_depth depth = {0, 0, deadline_ms};
    struct text_best best;
    enum sh_err err = text_index_top(self, query, allowed, &depth, arena, &best);
    *leg = best.leg;
    return err;
}
