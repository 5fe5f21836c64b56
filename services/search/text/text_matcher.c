#include "services/search/text/text_matcher.h"

#include "shared/clock.h"

enum {
    DEADLINE_LOOKS = 64,
    PROBE = 16, /* postings that are marked in the time of one look-up */
};

static bool is_late(struct text_matcher *matcher)
{
    return ++matcher->looked % DEADLINE_LOOKS == 0 && sh_now_ms() >= matcher->deadline_ms;
}

const struct term *text_matcher_term(const struct text_matcher *matcher,
                                     const struct text_form *form)
{
    return terms_find(&matcher->index->terms, form->text, form->hash);
}

enum sh_err text_matcher_bitmap(struct text_matcher *matcher, struct bitmap *map)
{
    map->bits = matcher->index->count;
    map->words =
        sh_arena_array(&matcher->arena, bitmap_words(map->bits) + 1, sizeof(uint64_t));
    return map->words ? SH_OK : SH_NOMEM;
}

static enum sh_err mark_form(struct text_matcher *matcher, const struct text_form *form,
                             struct bitmap *map)
{
    const struct term *term = text_matcher_term(matcher, form);
    struct postings_cursor cursor;
    if (!term)
        return SH_OK;
    postings_open(&cursor, &term->postings);
    while (postings_read(&cursor)) {
        if (is_late(matcher))
            return SH_TIMEOUT;
        for (uint32_t i = 0; i < cursor.count; i++) {
            if (cursor.passages[i] < map->bits)
                bitmap_add(map, cursor.passages[i]);
        }
    }
    return SH_OK;
}

/* Of `few` those that the form is in, without a look at all the others it is in. */
static enum sh_err probe_form(struct text_matcher *matcher, const struct text_form *form,
                              const struct bitmap *few, struct bitmap *map)
{
    const struct term *term = text_matcher_term(matcher, form);
    struct postings_cursor cursor;
    uint32_t at = 0;
    if (!term)
        return SH_OK;
    postings_open(&cursor, &term->postings);
    for (size_t w = 0; w < bitmap_words(few->bits); w++) {
        for (uint64_t left = few->words[w]; left != 0; left &= left - 1) {
            uint32_t passage = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(left);
            if (is_late(matcher))
                return SH_TIMEOUT;
            if (!postings_advance(&cursor, passage, &at))
                return SH_OK;
            if (cursor.passages[at] == passage)
                bitmap_add(map, passage);
        }
    }
    return SH_OK;
}

/* At most so many passages hold the word. */
static uint64_t postings_of(const struct text_matcher *matcher,
                            const struct text_word *word)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < word->count; i++) {
        const struct term *term = text_matcher_term(matcher, &word->forms[i]);
        count += term ? term->postings.count : 0;
    }
    return count;
}

/* What lacks the word is taken out of `map`. */
static enum sh_err narrow(struct text_matcher *matcher, const struct text_word *word,
                          struct bitmap *map)
{
    struct bitmap *more = &matcher->more;
    size_t words = bitmap_words(map->bits);
    bool few = (uint64_t)bitmap_count(map) * PROBE < postings_of(matcher, word);
    enum sh_err err = SH_OK;
    memset(more->words, 0, words * sizeof(uint64_t));
    for (uint32_t i = 0; err == SH_OK && i < word->count; i++)
        err = few ? probe_form(matcher, &word->forms[i], map, more)
                  : mark_form(matcher, &word->forms[i], more);
    for (size_t w = 0; w < words; w++)
        map->words[w] &= more->words[w];
    return err;
}

uint32_t text_matcher_rarest(const struct text_matcher *matcher,
                             const struct text_rule *rule, uint64_t *passages)
{
    uint32_t rarest = 0;
    *passages = UINT64_MAX;
    for (uint32_t i = 0; i < rule->count; i++) {
        uint64_t count = postings_of(matcher, &rule->words[i]);
        if (count < *passages) {
            *passages = count;
            rarest = i;
        }
    }
    return rarest;
}

enum sh_err text_matcher_words(struct text_matcher *matcher, const struct text_rule *rule,
                               const struct bitmap *within)
{
    struct bitmap *map = &matcher->passages;
    size_t words = bitmap_words(map->bits);
    uint64_t passages = 0;
    uint32_t first = text_matcher_rarest(matcher, rule, &passages);
    const struct text_word *word = &rule->words[first];
    enum sh_err err = SH_OK;
    if (within)
        memcpy(map->words, within->words, words * sizeof(uint64_t));
    else
        memset(map->words, 0, words * sizeof(uint64_t));
    if (within)
        err = narrow(matcher, word, map);
    for (uint32_t i = 0; !within && err == SH_OK && i < word->count; i++)
        err = mark_form(matcher, &word->forms[i], map);
    for (uint32_t i = 0; err == SH_OK && i < rule->count; i++) {
        if (i != first)
            err = narrow(matcher, &rule->words[i], map);
    }
    return err;
}

enum sh_err text_matcher_open(struct text_matcher *matcher)
{
    enum sh_err err = text_matcher_bitmap(matcher, &matcher->passages);
    return err == SH_OK ? text_matcher_bitmap(matcher, &matcher->more) : err;
}
