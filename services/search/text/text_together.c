#include "services/search/text/text_together.h"

/* --- the passages ----------------------------------------------------------------- */

static void mark_block(const struct text_together *self,
                       const struct postings_cursor *cursor, struct bitmap *map)
{
    for (uint32_t i = 0; i < cursor->count; i++) {
        uint32_t passage = cursor->passages[i];
        if (bitmap_has(self->allowed, text_slot(self->matcher.index, passage)))
            bitmap_add(map, passage);
    }
}

/* A long list is read in places that lie evenly in it. */
static void mark_form(const struct text_together *self, const struct text_form *form,
                      uint64_t most, struct bitmap *map)
{
    const struct term *term = text_matcher_term(&self->matcher, form);
    struct postings_cursor cursor;
    if (!term)
        return;
    uint64_t blocks = (uint64_t)postings_blocks(&term->postings) + 1;
    uint64_t samples = blocks < most ? blocks : most;
    postings_open(&cursor, &term->postings);
    for (uint64_t i = 0; i < samples; i++) {
        cursor.next = (uint32_t)(i * blocks / samples);
        if (postings_read(&cursor))
            mark_block(self, &cursor, map);
    }
}

static void mark_word(const struct text_together *self, const struct text_word *word,
                      struct bitmap *map)
{
    for (uint32_t i = 0; i < word->count; i++)
        mark_form(self, &word->forms[i], TOGETHER_BLOCKS / word->count + 1, map);
}

/* The passages of the rarest word, and of them those with the others. */
static enum sh_err find_passages(struct text_together *self,
                                 const struct text_rule *words)
{
    struct text_matcher *matcher = &self->matcher;
    struct bitmap within;
    uint64_t passages = 0;
    uint32_t first = text_matcher_rarest(matcher, words, &passages);
    struct text_rule others = {.count = words->count - 1};
    enum sh_err err = text_matcher_open(matcher);
    if (err == SH_OK)
        err = text_matcher_bitmap(matcher, &within);
    others.words = sh_arena_array(&matcher->arena, words->count, sizeof(*others.words));
    if (err != SH_OK || !others.words)
        return SH_NOMEM;
    for (uint32_t i = 0, to = 0; i < words->count; i++) {
        if (i != first)
            others.words[to++] = words->words[i];
    }
    mark_word(self, &words->words[first], &within);
    if (others.count > 0)
        return text_matcher_words(matcher, &others, &within);
    matcher->passages = within;
    return SH_OK;
}

static void list_few(struct text_together *self)
{
    const struct bitmap *passages = &self->matcher.passages;
    uint32_t count = 0;
    self->count = bitmap_count(passages);
    if (self->count > TOGETHER_FEW)
        return;
    for (size_t w = 0; w < bitmap_words(passages->bits); w++) {
        for (uint64_t left = passages->words[w]; left != 0; left &= left - 1)
            self->few[count++] = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(left);
    }
}

enum sh_err text_together_make(struct text_together *self, const struct text_index *index,
                               const struct text_rule *words, uint32_t offset,
                               const struct bitmap *allowed, uint64_t deadline_ms)
{
    self->matcher = (struct text_matcher){.index = index, .deadline_ms = deadline_ms};
    self->allowed = allowed;
    self->pair[0] = words->words[words->count - 1];
    self->pair[0].offset = 0;
    self->pair[1] =
        (struct text_word){.forms = &self->form, .count = 1, .offset = offset};
    enum sh_err err = find_passages(self, words);
    if (err == SH_OK)
        list_few(self);
    return err;
}

void text_together_free(struct text_together *self)
{
    sh_arena_free(&self->matcher.arena);
}

/* --- what else stands there ------------------------------------------------------- */

struct counting {
    struct text_together *together;
    const struct postings *list;
    uint32_t *blocks;
    uint32_t count; /* passages with both */
    uint32_t first[TOGETHER_NEXT];
};

static void take(struct counting *self, uint32_t passage)
{
    if (self->count < TOGETHER_NEXT)
        self->first[self->count] = passage;
    self->count++;
}

/* Where they are few, each is looked up. */
static uint32_t look_up(struct counting *self)
{
    const struct text_together *together = self->together;
    uint32_t step = together->count / TOGETHER_SAMPLES + 1;
    struct postings_cursor cursor;
    uint32_t at = 0;
    postings_open(&cursor, self->list);
    for (uint32_t i = 0; i<together->count && * self->blocks> 0; i += step) {
        --*self->blocks;
        if (!postings_advance(&cursor, together->few[i], &at))
            break;
        if (cursor.passages[at] == together->few[i])
            take(self, together->few[i]);
    }
    return step;
}

static uint32_t read_through(struct counting *self)
{
    uint64_t blocks = (uint64_t)postings_blocks(self->list) + 1;
    uint64_t samples = blocks < TOGETHER_SAMPLES ? blocks : TOGETHER_SAMPLES;
    struct postings_cursor cursor;
    postings_open(&cursor, self->list);
    for (uint64_t i = 0; i<samples && * self->blocks> 0; i++) {
        cursor.next = (uint32_t)(i * blocks / samples);
        --*self->blocks;
        if (!postings_read(&cursor))
            break;
        for (uint32_t p = 0; p < cursor.count; p++) {
            if (bitmap_has(&self->together->matcher.passages, cursor.passages[p]))
                take(self, cursor.passages[p]);
        }
    }
    return (uint32_t)(blocks / samples);
}

/* --- and how near ----------------------------------------------------------------- */

static enum sh_err open_phrase(struct text_together *self, const struct term *term)
{
    struct sh_bytes text = terms_text(&self->matcher.index->terms, term);
    const struct text_rule rule = {self->pair, SH_COUNT(self->pair), false};
    self->form = (struct text_form){text, terms_hash(text), 1};
    return text_phrase_open(&self->phrase, self->matcher.index, &rule,
                            &self->matcher.arena);
}

/* The passage where they stand side by side comes first: it shows best how what stands
 * there is written. */
static void give_slots(const struct text_together *self, const uint32_t *passages,
                       uint32_t count, uint32_t side_by_side, struct text_completion *one)
{
    one->next = side_by_side < count;
    if (one->next)
        one->slots[one->slot_count++] =
            text_slot(self->matcher.index, passages[side_by_side]);
    for (uint32_t i = 0; i < count && one->slot_count < SUGGEST_SLOTS; i++) {
        if (i != side_by_side)
            one->slots[one->slot_count++] = text_slot(self->matcher.index, passages[i]);
    }
}

enum sh_err text_together_count(struct text_together *self, uint32_t *blocks,
                                struct text_completion *one)
{
    const struct term *term = &self->matcher.index->terms.items[one->term];
    struct counting found = {.together = self, .list = &term->postings};
    bool few =
        self->count <= TOGETHER_FEW && postings_blocks(found.list) >= TOGETHER_SAMPLES;
    if (self->count == 0)
        return SH_OK;
    found.blocks = blocks;
    uint64_t about = few ? look_up(&found) : read_through(&found);
    about *= found.count;
    one->passages = about < UINT32_MAX ? (uint32_t)about : UINT32_MAX;
    enum sh_err err = found.count > 0 ? open_phrase(self, term) : SH_OK;
    if (err != SH_OK)
        return err;
    uint32_t count = found.count < TOGETHER_NEXT ? found.count : TOGETHER_NEXT;
    uint32_t next = 0;
    while (next < count && !text_phrase_at(&self->phrase, found.first[next]))
        next++;
    give_slots(self, found.first, count, next, one);
    return SH_OK;
}
