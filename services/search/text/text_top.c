#include <stdlib.h>

#include "services/search/text/text_score.h"
#include "shared/clock.h"

/* Block-max MaxScore. Passages are gone through in windows. In each, the words that even
 * together cannot lift a passage to the threshold only add to what the others find; and
 * where all together cannot, nothing is read. Parts are summed in the order of the query,
 * so that a passage has the same score however many hits are asked for. */

enum { WINDOW = 2048, WORTH = 4096 };

struct lane { /* a word */
    struct scored_form form;
    struct postings_cursor cursor;
    uint32_t block; /* the first that reaches into the window or behind it */
    uint32_t at;    /* in the block that was read */
    float bound;    /* in the window */
    float here;     /* of the passage at hand */
    bool essential; /* in the window */
    float parts[WINDOW];
};

struct top {
    struct scorer scorer;
    const struct bitmap *allowed;
    uint64_t deadline_ms;
    struct sh_arena *arena;
    struct lane *lanes;
    uint32_t lane_count;
    uint32_t order[TEXT_QUERY_WORDS]; /* lanes, ascending by bound */
    uint32_t extra;                   /* so many of them are not essential */
    float rest;                       /* what those add at most */
    uint32_t low;                     /* of the window */
    uint32_t high;
    uint64_t seen[WINDOW / 64];
    float *heap; /* the best scores, the least on top; NULL: the threshold stands */
    uint32_t heap_count;
    uint32_t most;
    float threshold;
    struct leg_hit *hits;
    size_t hit_count;
    size_t hit_capacity;
};

/* --- hits ----------------------------------------------------------------------------
 */

static void sift_down(float *heap, uint32_t count)
{
    for (uint32_t at = 0;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++) {
            if (heap[child] < heap[least])
                least = child;
        }
        if (least == at)
            return;
        float kept = heap[at];
        heap[at] = heap[least];
        heap[least] = kept;
        at = least;
    }
}

static void raise_threshold(struct top *top, float score)
{
    if (top->heap_count == top->most) {
        if (score > top->heap[0]) {
            top->heap[0] = score;
            sift_down(top->heap, top->most);
        }
        top->threshold = top->heap[0];
        return;
    }
    uint32_t at = top->heap_count++;
    for (; at > 0 && top->heap[(at - 1) / 2] > score; at = (at - 1) / 2)
        top->heap[at] = top->heap[(at - 1) / 2];
    top->heap[at] = score;
    if (top->heap_count == top->most)
        top->threshold = top->heap[0];
}

static void drop_hits(struct top *top)
{
    size_t kept = 0;
    for (size_t i = 0; i < top->hit_count; i++) {
        if (top->hits[i].score >= top->threshold)
            top->hits[kept++] = top->hits[i];
    }
    top->hit_count = kept;
}

static enum sh_err add_hit(struct top *top, uint32_t slot, float score)
{
    if (top->hit_count == top->hit_capacity)
        drop_hits(top);
    if (top->hit_count * 2 >= top->hit_capacity) {
        size_t capacity = top->hit_capacity ? top->hit_capacity * 2 : 256;
        struct leg_hit *hits = sh_arena_array(top->arena, capacity, sizeof(*hits));
        if (!hits)
            return SH_NOMEM;
        if (top->hit_count > 0)
            memcpy(hits, top->hits, top->hit_count * sizeof(*hits));
        top->hits = hits;
        top->hit_capacity = capacity;
    }
    top->hits[top->hit_count++] = (struct leg_hit){slot, score};
    if (top->heap)
        raise_threshold(top, score);
    return SH_OK;
}

/* --- a window ------------------------------------------------------------------------
 */

static float bound_of(const struct top *top, struct lane *lane)
{
    const struct postings *list = &lane->form.term->postings;
    uint32_t blocks = postings_blocks(list);
    float most = 0;
    while (lane->block < blocks && list->blocks[lane->block].last < top->low)
        lane->block++;
    uint32_t block = lane->block;
    for (; block < blocks; block++) {
        float bound = scorer_bound(&top->scorer, &list->blocks[block], lane->form.factor);
        most = fmaxf(most, bound);
        if (list->blocks[block].last >= top->high - 1)
            return most;
    }
    /* of the tail nothing is known */
    bool tail = list->last > top->low;
    return tail ? lane->form.factor * (top->scorer.k1 + 1) * 1.0001F : most;
}

static void order_lanes(struct top *top)
{
    for (uint32_t i = 0; i < top->lane_count; i++) {
        struct lane *lane = &top->lanes[i];
        uint32_t at = i;
        lane->bound = bound_of(top, lane);
        lane->here = 0;
        for (; at > 0 && top->lanes[top->order[at - 1]].bound > lane->bound; at--)
            top->order[at] = top->order[at - 1];
        top->order[at] = i;
    }
}

/* Splits the lanes; false: nothing in this window reaches the threshold. */
static bool split_lanes(struct top *top)
{
    float sum = 0;
    order_lanes(top);
    top->extra = 0;
    top->rest = 0;
    for (uint32_t i = 0; i < top->lane_count; i++) {
        struct lane *lane = &top->lanes[top->order[i]];
        sum += lane->bound;
        lane->essential = sum >= top->threshold;
        if (!lane->essential) {
            top->extra = i + 1;
            top->rest = sum;
        }
    }
    return sum >= top->threshold && sum > 0;
}

static void fill_block(struct top *top, struct lane *lane)
{
    struct postings_cursor *cursor = &lane->cursor;
    postings_counts(cursor);
    for (; lane->at < cursor->count && cursor->passages[lane->at] < top->high;
         lane->at++) {
        uint32_t place = cursor->passages[lane->at] - top->low;
        if (place >= WINDOW)
            continue; /* a snapshot that contradicts itself */
        lane->parts[place] =
            scorer_score(&top->scorer, cursor, lane->at, lane->form.factor);
        top->seen[place / 64] |= UINT64_C(1) << (place % 64);
    }
}

static void fill(struct top *top, struct lane *lane)
{
    memset(lane->parts, 0, sizeof(lane->parts));
    if (!postings_advance(&lane->cursor, top->low, &lane->at))
        return;
    fill_block(top, lane);
    while (lane->at == lane->cursor.count) {
        lane->at = 0;
        if (!postings_read(&lane->cursor))
            return;
        fill_block(top, lane);
    }
}

/* False as soon as the threshold is out of reach. */
static bool add_extras(struct top *top, uint32_t passage, float sum)
{
    float rest = top->rest;
    for (uint32_t i = top->extra; i > 0; i--) {
        struct lane *lane = &top->lanes[top->order[i - 1]];
        if ((sum + rest) * 1.0001F < top->threshold)
            return false;
        rest -= lane->bound;
        lane->here = 0;
        if (!postings_advance(&lane->cursor, passage, &lane->at) ||
            lane->cursor.passages[lane->at] != passage)
            continue;
        postings_counts(&lane->cursor);
        lane->here =
            scorer_score(&top->scorer, &lane->cursor, lane->at, lane->form.factor);
        sum += lane->here;
    }
    return true;
}

static enum sh_err judge(struct top *top, uint32_t place)
{
    uint32_t passage = top->low + place;
    uint32_t slot = text_slot(top->scorer.index, passage);
    float sum = 0;
    if (!bitmap_has(top->allowed, slot))
        return SH_OK;
    for (uint32_t i = top->extra; i < top->lane_count; i++)
        sum += top->lanes[top->order[i]].parts[place];
    if (!add_extras(top, passage, sum))
        return SH_OK;
    sum = 0;
    for (uint32_t i = 0; i < top->lane_count; i++) {
        const struct lane *lane = &top->lanes[i];
        sum += lane->essential ? lane->parts[place] : lane->here;
    }
    return sum >= top->threshold ? add_hit(top, slot, sum) : SH_OK;
}

static enum sh_err do_window(struct top *top)
{
    enum sh_err err = SH_OK;
    if (!split_lanes(top))
        return SH_OK;
    memset(top->seen, 0, sizeof(top->seen));
    for (uint32_t i = top->extra; i < top->lane_count; i++)
        fill(top, &top->lanes[top->order[i]]);
    for (uint32_t w = 0; w < WINDOW / 64; w++) {
        for (uint64_t left = top->seen[w]; err == SH_OK && left != 0; left &= left - 1)
            err = judge(top, w * 64 + (uint32_t)__builtin_ctzll(left));
    }
    return err;
}

static enum sh_err run(struct top *top)
{
    uint32_t count = top->scorer.index->count;
    enum sh_err err = SH_OK;
    for (uint32_t i = 0; i < top->lane_count; i++) {
        struct lane *lane = &top->lanes[i];
        postings_open(&lane->cursor, &lane->form.term->postings);
        lane->block = 0;
        lane->at = 0;
    }
    for (uint32_t low = 0; err == SH_OK && low < count; low = top->high) {
        top->low = low;
        top->high = count - low > WINDOW ? low + WINDOW : count;
        err = sh_now_ms() >= top->deadline_ms ? SH_TIMEOUT : do_window(top);
    }
    drop_hits(top);
    return err;
}

/* --- both runs -----------------------------------------------------------------------
 */

/* The first finds the scores; the second, where it must go deeper, the hits. */
static enum sh_err run_twice(struct top *top, double spread)
{
    float best = 0;
    top->heap = sh_arena_array(top->arena, top->most, sizeof(float));
    enum sh_err err = top->heap ? run(top) : SH_NOMEM;
    if (err != SH_OK || spread <= 0 || top->heap_count < top->most)
        return err;
    for (size_t i = 0; i < top->hit_count; i++)
        best = fmaxf(best, top->hits[i].score);
    double least = (double)top->threshold - (spread + 1e-6) * (double)best;
    top->threshold = least > 0 ? (float)least : 0;
    top->heap = NULL;
    top->hit_count = 0;
    return run(top);
}

static int by_slot(const void *a, const void *b)
{
    uint32_t left = ((const struct leg_hit *)a)->slot;
    uint32_t right = ((const struct leg_hit *)b)->slot;
    return (left > right) - (left < right);
}

/* False: some word has several forms, or there is too little to leave out: of a single
 * word every posting is read for the total in any case. */
static bool open_lanes(struct top *top, const struct text_query *query)
{
    uint64_t postings = 0;
    for (uint32_t i = 0; i < query->count; i++) {
        struct scored_form forms[TEXT_FORMS];
        uint32_t count = scorer_forms(top->scorer.index, &query->words[i], forms);
        if (count > 1)
            return false;
        if (count == 1) {
            top->lanes[top->lane_count++].form = forms[0];
            postings += forms[0].term->postings.count;
        }
    }
    return top->lane_count > 1 && postings >= WORTH && top->most < postings / 8;
}

/* NULL: out of memory. */
static struct top *make_top(const struct text_index *index, const struct bitmap *allowed,
                            uint64_t deadline_ms, uint32_t words, struct sh_arena *arena)
{
    struct top *top = sh_arena_alloc(arena, sizeof(*top));
    struct lane *lanes = sh_arena_array(arena, words, sizeof(*lanes));
    if (!top || !lanes)
        return NULL;
    top->scorer = scorer_of(index);
    top->allowed = allowed;
    top->deadline_ms = deadline_ms;
    top->arena = arena;
    top->lanes = lanes;
    return top;
}

static enum sh_err find_top(struct top *top, double spread, struct text_best *best)
{
    enum sh_err err = run_twice(top, spread);
    if (err != SH_OK)
        return err;
    if (top->hit_count > 0)
        qsort(top->hits, top->hit_count, sizeof(*top->hits), by_slot);
    best->leg = (struct leg){top->hits, top->hit_count};
    return SH_OK;
}

enum sh_err text_index_top(const struct text_index *self, const struct text_query *query,
                           const struct bitmap *allowed, const struct text_depth *depth,
                           struct sh_arena *arena, struct text_best *best)
{
    *best = (struct text_best){.total = 0};
    if (self->live == 0 || query->count == 0 || allowed->bits == 0)
        return SH_OK;
    struct top *top = make_top(self, allowed, depth->deadline_ms, query->count, arena);
    if (!top)
        return SH_NOMEM;
    top->most = depth->most;
    if (depth->most > 0 && open_lanes(top, query)) {
        enum sh_err err = find_top(top, depth->spread, best);
        if (err == SH_OK)
            err = text_index_count(self, query, allowed, depth->deadline_ms, arena,
                                   &best->total);
        return err;
    }
    enum sh_err err =
        text_index_search(self, query, allowed, depth->deadline_ms, arena, &best->leg);
    best->total = best->leg.count;
    return err;
}
