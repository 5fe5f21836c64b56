#include "services/search/text/text_suggest.h"

#include <stdlib.h>

#include "services/search/text/text_together.h"

enum {
    LEAST_STEM = 4, /* what "univers" must have to be meant by "universit" */
    ENDING = 5,     /* how much longer that may be */
    ONE_EDIT = 4,   /* bytes of a word that may have one */
};

/* --- what allowed passages hold --------------------------------------------------- */

static bool read_block(struct text_suggest *self, struct postings_cursor *cursor)
{
    if (self->blocks == 0)
        return false;
    self->blocks--;
    return postings_read(cursor);
}

static void count_block(const struct text_suggest *self,
                        const struct postings_cursor *cursor, struct text_completion *out)
{
    for (uint32_t i = 0; i < cursor->count; i++) {
        uint32_t slot = text_slot(self->index, cursor->passages[i]);
        if (!bitmap_has(self->allowed, slot))
            continue;
        out->passages++;
        if (out->slot_count < SUGGEST_SLOTS)
            out->slots[out->slot_count++] = slot;
    }
}

/* A long list is read in places that lie evenly in it. */
static void count_allowed(struct text_suggest *self, const struct postings *list,
                          struct text_completion *out)
{
    uint64_t blocks = (uint64_t)postings_blocks(list) + 1;
    uint64_t samples = blocks < SUGGEST_SAMPLES ? blocks : SUGGEST_SAMPLES;
    struct postings_cursor cursor;
    postings_open(&cursor, list);
    for (uint64_t i = 0; i < samples; i++) {
        cursor.next = (uint32_t)(i * blocks / samples);
        if (!read_block(self, &cursor))
            break;
        count_block(self, &cursor, out);
    }
    uint64_t estimate = out->passages * blocks / samples;
    out->passages = estimate < UINT32_MAX ? (uint32_t)estimate : UINT32_MAX;
}

static bool has(const struct text_completions *list, uint32_t term)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].term == term)
            return true;
    }
    return false;
}

static enum sh_err offer(struct text_suggest *self, uint32_t number, bool near,
                         struct text_completions *out)
{
    const struct term *term = &self->index->terms.items[number];
    struct text_completion one = {.term = number, .near = near};
    enum sh_err err = SH_OK;
    if (out->count == out->room || term->passages == 0 || has(out, number))
        return SH_OK;
    if (self->together)
        err = text_together_count(self->together, &self->blocks, &one);
    else
        count_allowed(self, &term->postings, &one);
    one.text = terms_text(&self->index->terms, term);
    if (one.slot_count > 0)
        out->items[out->count++] = one;
    return err;
}

enum sh_err text_suggest_term(struct text_suggest *self, struct sh_bytes text,
                              struct text_completions *out)
{
    const struct terms *terms = &self->index->terms;
    const struct term *term = terms_find(terms, text, terms_hash(text));
    return term ? offer(self, (uint32_t)(term - terms->items), false, out) : SH_OK;
}

/* --- what begins so --------------------------------------------------------------- */

struct candidate {
    uint32_t term;
    uint32_t passages;
};

struct candidates { /* full: a heap with the rarest on top */
    struct candidate items[SUGGEST_CANDIDATES];
    uint32_t count;
};

static void sink(struct candidate *items, uint32_t count, uint32_t at)
{
    for (;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++) {
            if (items[child].passages < items[least].passages)
                least = child;
        }
        if (least == at)
            return;
        struct candidate other = items[at];
        items[at] = items[least];
        items[least] = other;
        at = least;
    }
}

static void make_heap(struct candidates *best)
{
    for (uint32_t i = best->count / 2; i > 0; i--)
        sink(best->items, best->count, i - 1);
}

static void keep(struct candidates *best, struct candidate one)
{
    if (best->count < SUGGEST_CANDIDATES) {
        best->items[best->count++] = one;
        if (best->count == SUGGEST_CANDIDATES)
            make_heap(best);
    } else if (one.passages > best->items[0].passages) {
        best->items[0] = one;
        sink(best->items, best->count, 0);
    }
}

static int by_passages(const void *a, const void *b)
{
    const struct candidate *left = a;
    const struct candidate *right = b;
    if (left->passages != right->passages)
        return left->passages < right->passages ? 1 : -1;
    return (left->term > right->term) - (left->term < right->term);
}

static void collect(const struct text_index *index, struct sh_bytes prefix,
                    struct candidates *best)
{
    struct lexicon_walk walk;
    uint32_t term = 0;
    lexicon_start(&walk, &index->lexicon, &index->terms, prefix);
    for (uint32_t i = 0; i < SUGGEST_LOOKED && lexicon_next(&walk, &term); i++) {
        uint32_t passages = index->terms.items[term].passages;
        if (passages > 0)
            keep(best, (struct candidate){term, passages});
    }
    qsort(best->items, best->count, sizeof(best->items[0]), by_passages);
}

enum sh_err text_suggest_prefix(struct text_suggest *self, struct sh_bytes prefix,
                                struct sh_arena *arena, struct text_completions *out)
{
    struct candidates *best = sh_arena_alloc(arena, sizeof(*best));
    if (!best)
        return SH_NOMEM;
    best->count = 0;
    collect(self->index, prefix, best);
    enum sh_err err = SH_OK;
    for (uint32_t i = 0;
         err == SH_OK && i < best->count && out->count < out->room && self->blocks > 0;
         i++)
        err = offer(self, best->items[i].term, false, out);
    /* terms are stems: "universit" begins none, but what has the stem "univers" */
    for (size_t cut = 1; err == SH_OK && cut <= ENDING && prefix.len >= LEAST_STEM + cut;
         cut++) {
        struct sh_bytes stem = {prefix.data, prefix.len - cut};
        err = text_suggest_term(self, stem, out);
    }
    return err;
}

enum sh_err text_suggest_near(struct text_suggest *self, struct sh_bytes word,
                              struct text_completions *out)
{
    enum sh_err err = SH_OK;
    const struct text_index *index = self->index;
    struct lexicon_hits hits = {.takes = NULL};
    if (word.len < ONE_EDIT)
        return SH_OK;
    lexicon_beside(&index->lexicon, &index->terms, word, &hits);
    for (uint32_t i = 0; err == SH_OK && i < hits.count; i++)
        err = offer(self, hits.items[i].term, true, out);
    return err;
}

/* --- titles ----------------------------------------------------------------------- */

/* Blocks without the term in a title are passed over unread. */
static bool next_titled(struct postings_cursor *cursor)
{
    const struct postings *list = cursor->list;
    uint32_t blocks = postings_blocks(list);
    while (cursor->next < blocks && list->blocks[cursor->next].most[TEXT_TITLE] == 0)
        cursor->next++;
    return cursor->next <= blocks;
}

bool text_suggest_titles(struct text_suggest *self, uint32_t term, text_suggest_fn *take,
                         void *arg)
{
    struct postings_cursor cursor;
    postings_open(&cursor, &self->index->terms.items[term].postings);
    while (next_titled(&cursor) && read_block(self, &cursor)) {
        postings_counts(&cursor);
        for (uint32_t i = 0; i < cursor.count; i++) {
            uint32_t slot = text_slot(self->index, cursor.passages[i]);
            if (cursor.tf[TEXT_TITLE][i] > 0 && bitmap_has(self->allowed, slot) &&
                !take(arg, slot))
                return false;
        }
    }
    return self->blocks > 0;
}
