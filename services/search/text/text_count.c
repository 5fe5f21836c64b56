#include "services/search/text/text_internal.h"
#include "shared/clock.h"

enum { DEADLINE_BLOCKS = 64 };

static enum sh_err mark(const struct term *term, uint64_t deadline_ms,
                        struct bitmap *found)
{
    struct postings_cursor cursor;
    uint32_t blocks = 0;
    postings_open(&cursor, &term->postings);
    while (postings_read(&cursor)) {
        if (++blocks % DEADLINE_BLOCKS == 0 && sh_now_ms() >= deadline_ms)
            return SH_TIMEOUT;
        for (uint32_t i = 0; i < cursor.count; i++) {
            if (cursor.passages[i] < found->bits)
                bitmap_add(found, cursor.passages[i]);
        }
    }
    return SH_OK;
}

static enum sh_err mark_word(const struct text_index *self, const struct text_word *word,
                             uint64_t deadline_ms, struct bitmap *found)
{
    enum sh_err err = SH_OK;
    for (uint32_t i = 0; err == SH_OK && i < word->count; i++) {
        const struct text_form *form = &word->forms[i];
        const struct term *term = terms_find(&self->terms, form->text, form->hash);
        if (term)
            err = mark(term, deadline_ms, found);
    }
    return err;
}

static bool allows_all(const struct text_index *self, const struct bitmap *allowed)
{
    size_t words = bitmap_words(self->numbers_capacity);
    size_t there = bitmap_words(allowed->bits);
    uint64_t missing = 0;
    for (size_t w = 0; w < words; w++)
        missing |= self->live_slots[w] & ~(w < there ? allowed->words[w] : 0);
    return missing == 0;
}

/* What the only term of a query finds where all is allowed; NULL: not so. */
static const struct term *only_term(const struct text_index *self,
                                    const struct text_query *query)
{
    if (query->count != 1 || query->words[0].count != 1)
        return NULL;
    const struct text_form *form = &query->words[0].forms[0];
    return terms_find(&self->terms, form->text, form->hash);
}

static size_t count_marks(const struct text_index *self, const struct bitmap *found,
                          const struct bitmap *allowed)
{
    bool all = allows_all(self, allowed);
    size_t total = 0;
    for (size_t w = 0; w < bitmap_words(found->bits); w++) {
        uint64_t left = found->words[w] & self->live_numbers[w];
        if (all)
            total += (size_t)__builtin_popcountll(left);
        for (; !all && left != 0; left &= left - 1) {
            uint32_t n = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(left);
            total += bitmap_has(allowed, text_slot(self, n));
        }
    }
    return total;
}

static bool has_form(const struct text_query *query, const struct text_form *form)
{
    for (uint32_t i = 0; i < query->count; i++) {
        for (uint32_t f = 0; f < query->words[i].count; f++) {
            const struct text_form *other = &query->words[i].forms[f];
            if (other->hash == form->hash && sh_bytes_equal(other->text, form->text))
                return true;
        }
    }
    return false;
}

/* A word that must be there, which is searched for, too: then whatever is allowed has
 * been found by it. */
static bool finds_all_allowed(const struct text_query *query)
{
    for (uint32_t r = 0; r < query->rule_count; r++) {
        const struct text_rule *rule = &query->rules[r];
        const struct text_word *word = &rule->words[0];
        bool all = !rule->excluded && rule->count > 0 && word->count > 0;
        for (uint32_t f = 0; all && f < word->count; f++)
            all = has_form(query, &word->forms[f]);
        if (all)
            return true;
    }
    return false;
}

enum sh_err text_index_count(const struct text_index *self,
                             const struct text_query *query, const struct bitmap *allowed,
                             uint64_t deadline_ms, struct sh_arena *arena, size_t *total)
{
    struct bitmap found = {.bits = self->count};
    const struct term *only = only_term(self, query);
    enum sh_err err = SH_OK;
    *total = only ? only->passages : 0;
    if (only && allows_all(self, allowed))
        return SH_OK;
    if (finds_all_allowed(query)) {
        *total = bitmap_count(allowed);
        return SH_OK;
    }
    found.words = sh_arena_array(arena, bitmap_words(found.bits) + 1, sizeof(uint64_t));
    if (!found.words)
        return SH_NOMEM;
    for (uint32_t i = 0; err == SH_OK && i < query->count; i++)
        err = mark_word(self, &query->words[i], deadline_ms, &found);
    *total = count_marks(self, &found, allowed);
    return err;
}

enum sh_err text_index_match(const struct text_index *self,
                             const struct text_query *query, const struct bitmap *allowed,
                             uint64_t deadline_ms, struct sh_arena *arena,
                             struct bitmap *found)
{
    struct bitmap numbers = {.bits = self->count};
    enum sh_err err = SH_OK;
    if (finds_all_allowed(query)) {
        for (size_t w = 0; w < bitmap_words(allowed->bits); w++)
            found->words[w] |= allowed->words[w];
        return SH_OK;
    }
    numbers.words =
        sh_arena_array(arena, bitmap_words(numbers.bits) + 1, sizeof(uint64_t));
    if (!numbers.words)
        return SH_NOMEM;
    for (uint32_t i = 0; err == SH_OK && i < query->count; i++)
        err = mark_word(self, &query->words[i], deadline_ms, &numbers);
    for (size_t w = 0; err == SH_OK && w < bitmap_words(numbers.bits); w++) {
        uint64_t left = numbers.words[w] & self->live_numbers[w];
        for (; left != 0; left &= left - 1) {
            uint32_t n = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(left);
            uint32_t slot = text_slot(self, n);
            if (bitmap_has(allowed, slot))
                bitmap_add(found, slot);
        }
    }
    return err;
}
