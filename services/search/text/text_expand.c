#include <utf8proc.h>

#include "services/search/text/text_internal.h"

enum {
    LEAST_PREFIX = 2, /* characters */
    LEAST_STEM = 4,   /* what "inform" must have to be meant by "informati" */
    ENDING = 5,       /* how much longer that may be */
    ONE_EDIT = 4,     /* characters of a word that may have one */
    TWO_EDITS = 8,
    SPELLED_WORDS = 8,  /* that are looked up in a query */
    RARE_OPEN = 2000,   /* one in so many passages: the word may not be finished */
    RARE_KNOWN = 20000, /* nor written as it was meant */
};

static const float prefix_weight = 0.5F;
static const float near_weight[] = {0, 0.6F, 0.4F};

struct expander {
    const struct text_index *index;
    const struct bitmap *allowed;
    struct sh_arena *arena;
    struct lexicon_hits hits;
    uint32_t spelled;
};

/* Allowed passages with the term, counted as far as `enough`. Nearly always one block
 * tells; the whole list is read where hardly any are allowed. */
static uint32_t count_allowed(const struct expander *expander, const struct term *term,
                              uint32_t enough)
{
    struct postings_cursor cursor;
    uint32_t count = 0;
    if (term->passages == 0)
        return 0;
    postings_open(&cursor, &term->postings);
    while (count < enough && postings_read(&cursor)) {
        for (uint32_t i = 0; i < cursor.count && count < enough; i++)
            count += bitmap_has(expander->allowed,
                                text_slot(expander->index, cursor.passages[i]));
    }
    return count;
}

static bool is_readable(void *arg, uint32_t term)
{
    const struct expander *expander = arg;
    return count_allowed(expander, &expander->index->terms.items[term], 1) > 0;
}

/* What others alone may read is not known: else it would show by what is not found. */
static bool is_known(const struct expander *expander, const struct text_word *word,
                     uint32_t rare)
{
    for (uint32_t i = 0; i < word->asked; i++) {
        const struct text_form *form = &word->forms[i];
        const struct term *term =
            terms_find(&expander->index->terms, form->text, form->hash);
        if (term && term->passages > rare &&
            count_allowed(expander, term, rare + 1) > rare)
            return true;
    }
    return false;
}

/* Letters only, so many; else 0. */
static uint32_t letters(struct sh_bytes text)
{
    const uint8_t *data = text.data;
    uint32_t count = 0;
    for (size_t pos = 0; pos < text.len; count++) {
        utf8proc_int32_t code = -1;
        utf8proc_ssize_t n =
            utf8proc_iterate(data + pos, (utf8proc_ssize_t)(text.len - pos), &code);
        if (n < 1 || (utf8proc_category(code) > UTF8PROC_CATEGORY_LO && code != '\''))
            return 0;
        pos += (size_t)n;
    }
    return count;
}

static bool was_asked(const struct text_word *word, struct sh_bytes text)
{
    for (uint32_t i = 0; i < word->asked; i++) {
        if (sh_bytes_equal(word->forms[i].text, text))
            return true;
    }
    return false;
}

static enum sh_err add_hits(struct expander *expander, struct text_word *word,
                            const float *weights)
{
    const struct terms *terms = &expander->index->terms;
    const struct lexicon_hits *hits = &expander->hits;
    if (hits->count == 0)
        return SH_OK;
    struct text_form *forms = sh_arena_array(
        expander->arena, (size_t)word->asked + hits->count, sizeof(*forms));
    if (!forms)
        return SH_NOMEM;
    memcpy(forms, word->forms, word->asked * sizeof(*forms));
    word->forms = forms;
    word->count = word->asked;
    for (uint32_t i = 0; i < hits->count; i++) {
        const struct term *term = &terms->items[hits->items[i].term];
        struct sh_bytes text = terms_text(terms, term);
        if (was_asked(word, text))
            continue;
        /* the pool moves when terms are added, and highlights come after the lock */
        text = sh_arena_copy(expander->arena, text);
        if (!text.data)
            return SH_NOMEM;
        forms[word->count++] =
            (struct text_form){text, terms_hash(text), weights[hits->items[i].distance]};
    }
    return SH_OK;
}

/* Terms are stems: "informati" begins none, but is the beginning of words with the stem
 * "inform". */
static void find_stem(struct expander *expander, struct sh_bytes word)
{
    const struct terms *terms = &expander->index->terms;
    expander->hits.count = 0;
    for (size_t cut = 1; cut <= ENDING && word.len >= LEAST_STEM + cut; cut++) {
        struct sh_bytes stem = {word.data, word.len - cut};
        const struct term *term = terms_find(terms, stem, terms_hash(stem));
        if (!term || count_allowed(expander, term, 1) == 0)
            continue;
        expander->hits.items[0] =
            (struct lexicon_hit){(uint32_t)(term - terms->items), term->passages, 0};
        expander->hits.count = 1;
        return;
    }
}

static enum sh_err add_beginning(struct expander *expander, struct text_word *word)
{
    const struct text_index *index = expander->index;
    lexicon_prefix(&index->lexicon, &index->terms, word->folded, &expander->hits);
    if (expander->hits.count == 0)
        find_stem(expander, word->folded);
    return add_hits(expander, word, &prefix_weight);
}

static enum sh_err add_near(struct expander *expander, struct text_word *word,
                            uint32_t most)
{
    const struct text_index *index = expander->index;
    struct lexicon_hits best = {.takes = is_readable, .arg = expander};
    if (expander->spelled++ >= SPELLED_WORDS)
        return SH_OK;
    for (uint32_t i = 0; i < word->asked; i++) {
        struct lexicon_hits *hits = &expander->hits;
        struct sh_bytes text = word->forms[i].text;
        if (text.len < ONE_EDIT - 1)
            continue;
        lexicon_near(&index->lexicon, &index->terms, text, most, hits);
        bool nearer = best.count == 0 || (hits->count > 0 && hits->items[0].distance <
                                                                 best.items[0].distance);
        /* distance 0 is the word itself */
        if (hits->count > 0 && nearer && hits->items[0].distance > 0)
            best = *hits;
    }
    expander->hits = best;
    return add_hits(expander, word, near_weight);
}

static enum sh_err expand(struct expander *expander, struct text_word *word)
{
    uint32_t live = expander->index->live;
    uint32_t points = letters(word->folded);
    enum sh_err err = SH_OK;
    if (word->prefix)
        return add_beginning(expander, word);
    if (word->exact || word->stop)
        return SH_OK;
    if (word->open && points >= LEAST_PREFIX &&
        !is_known(expander, word, live / RARE_OPEN))
        err = add_beginning(expander, word);
    if (err == SH_OK && word->count == word->asked && points >= ONE_EDIT &&
        !is_known(expander, word, live / RARE_KNOWN))
        err = add_near(expander, word, points >= TWO_EDITS ? 2 : 1);
    return err;
}

enum sh_err text_index_expand(const struct text_index *self, const struct bitmap *allowed,
                              struct text_query *query, struct sh_arena *arena)
{
    struct expander expander = {.index = self, .allowed = allowed, .arena = arena};
    enum sh_err err = SH_OK;
    expander.hits.takes = is_readable;
    expander.hits.arg = &expander;
    for (uint32_t i = 0; err == SH_OK && i < query->count; i++)
        err = expand(&expander, &query->words[i]);
    for (uint32_t r = 0; err == SH_OK && r < query->rule_count; r++) {
        struct text_rule *rule = &query->rules[r];
        for (uint32_t i = 0; err == SH_OK && i < rule->count; i++)
            err = expand(&expander, &rule->words[i]);
    }
    return err == SH_OK ? text_query_index(query, arena) : err;
}
