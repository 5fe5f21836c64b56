#include "services/search/text/text_internal.h"
#include "shared/clock.h"
#include "shared/mem.h"

/* Words of a passage that phrases are looked for in; passages are far shorter. The fields
 * follow one another, so that no phrase reaches from one into the next. */
enum {
    OTHER_PLACES = 512, /* of the heading and of the title */
    BODY_PLACES = 16384,
    PLACE_WORDS = (2 * OTHER_PLACES + BODY_PLACES) / 64,
    DEADLINE_BLOCKS = 64,
};

struct places { /* a set of positions */
    uint64_t words[PLACE_WORDS];
    uint32_t used; /* words that may be other than 0 */
};

struct reader { /* of a form, passage by passage, ascending */
    struct postings_cursor cursor;
    const struct text_word *word;
    uint32_t at;
};

struct matcher {
    const struct text_index *index;
    uint64_t deadline_ms;
    uint32_t blocks;        /* read */
    struct sh_arena arena;  /* of one rule */
    struct bitmap passages; /* by number: those that hold every word so far */
    struct bitmap more;
    struct reader *readers;
    uint32_t reader_count;
    struct places start; /* where a phrase may begin */
    struct places found;
};

static bool is_late(struct matcher *matcher)
{
    return ++matcher->blocks % DEADLINE_BLOCKS == 0 &&
           sh_now_ms() >= matcher->deadline_ms;
}

static const struct term *term_of(const struct matcher *matcher,
                                  const struct text_form *form)
{
    return terms_find(&matcher->index->terms, form->text, form->hash);
}

/* --- all words in a passage ----------------------------------------------------------
 */

static enum sh_err make_bitmap(struct matcher *matcher, struct bitmap *map)
{
    map->bits = matcher->index->count;
    map->words =
        sh_arena_array(&matcher->arena, bitmap_words(map->bits) + 1, sizeof(uint64_t));
    return map->words ? SH_OK : SH_NOMEM;
}

static enum sh_err mark_form(struct matcher *matcher, const struct text_form *form,
                             struct bitmap *map)
{
    const struct term *term = term_of(matcher, form);
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

static enum sh_err mark_word(struct matcher *matcher, const struct text_word *word,
                             struct bitmap *map)
{
    enum sh_err err = SH_OK;
    for (uint32_t i = 0; err == SH_OK && i < word->count; i++)
        err = mark_form(matcher, &word->forms[i], map);
    return err;
}

static enum sh_err mark_all_words(struct matcher *matcher, const struct text_rule *rule)
{
    enum sh_err err = make_bitmap(matcher, &matcher->passages);
    if (err == SH_OK)
        err = make_bitmap(matcher, &matcher->more);
    if (err == SH_OK)
        err = mark_word(matcher, &rule->words[0], &matcher->passages);
    size_t words = bitmap_words(matcher->passages.bits);
    for (uint32_t i = 1; err == SH_OK && i < rule->count; i++) {
        memset(matcher->more.words, 0, words * sizeof(uint64_t));
        err = mark_word(matcher, &rule->words[i], &matcher->more);
        for (size_t w = 0; w < words; w++)
            matcher->passages.words[w] &= matcher->more.words[w];
    }
    return err;
}

/* --- one behind the other ------------------------------------------------------------
 */

static enum sh_err open_readers(struct matcher *matcher, const struct text_rule *rule)
{
    uint32_t forms = 0;
    for (uint32_t i = 0; i < rule->count; i++)
        forms += rule->words[i].count;
    matcher->reader_count = 0;
    matcher->readers = sh_arena_array(&matcher->arena, forms, sizeof(*matcher->readers));
    if (!matcher->readers)
        return SH_NOMEM;
    for (uint32_t i = 0; i < rule->count; i++) {
        for (uint32_t f = 0; f < rule->words[i].count; f++) {
            const struct term *term = term_of(matcher, &rule->words[i].forms[f]);
            if (!term)
                continue;
            struct reader *reader = &matcher->readers[matcher->reader_count++];
            reader->word = &rule->words[i];
            postings_open(&reader->cursor, &term->postings);
        }
    }
    return SH_OK;
}

static bool seek(struct reader *reader, uint32_t passage)
{
    return postings_advance(&reader->cursor, passage, &reader->at) &&
           reader->cursor.passages[reader->at] == passage;
}

static void add_place(struct places *places, uint32_t bit)
{
    for (; places->used <= bit / 64; places->used++)
        places->words[places->used] = 0;
    places->words[bit / 64] |= UINT64_C(1) << (bit % 64);
}

static void add_places(struct reader *reader, struct places *places)
{
    static const struct {
        enum text_field field;
        uint32_t from;
        uint32_t count;
    } fields[TEXT_FIELDS] = {
        {TEXT_BODY, 2 * OTHER_PLACES, BODY_PLACES},
        {TEXT_HEADING, 0, OTHER_PLACES},
        {TEXT_TITLE, OTHER_PLACES, OTHER_PLACES},
    };
    struct sh_bytes bytes = postings_positions(&reader->cursor, reader->at);
    const uint8_t *at = bytes.data;
    const uint8_t *end = at + bytes.len;
    uint32_t offset = reader->word->offset;
    for (int i = 0; i < TEXT_FIELDS; i++) {
        uint32_t left = reader->cursor.tf[fields[i].field][reader->at];
        uint32_t position = 0;
        for (; left > 0 && at < end; left--) {
            uint32_t distance = 0;
            at = varint_get(at, end, &distance);
            position += distance;
            if (position >= offset && position < fields[i].count)
                add_place(places, fields[i].from + position - offset);
        }
    }
}

static void copy_places(const struct places *from, struct places *to)
{
    memcpy(to->words, from->words, from->used * sizeof(*to->words));
    to->used = from->used;
}

/* Both have the same beginning: where the phrase would start. */
static bool keep_common(struct places *start, const struct places *found)
{
    uint64_t any = 0;
    if (found->used < start->used)
        start->used = found->used;
    for (uint32_t i = 0; i < start->used; i++) {
        start->words[i] &= found->words[i];
        any |= start->words[i];
    }
    return any != 0;
}

static bool has_phrase(struct matcher *matcher, uint32_t passage)
{
    const struct text_word *word = NULL;
    bool first = true;
    for (uint32_t i = 0; i < matcher->reader_count;) {
        word = matcher->readers[i].word;
        matcher->found.used = 0;
        for (; i < matcher->reader_count && matcher->readers[i].word == word; i++) {
            if (seek(&matcher->readers[i], passage))
                add_places(&matcher->readers[i], &matcher->found);
        }
        if (first)
            copy_places(&matcher->found, &matcher->start);
        else if (!keep_common(&matcher->start, &matcher->found))
            return false;
        first = false;
    }
    return !first;
}

static enum sh_err keep_phrases(struct matcher *matcher, const struct text_rule *rule)
{
    enum sh_err err = open_readers(matcher, rule);
    uint32_t looked = 0;
    for (size_t w = 0; err == SH_OK && w < bitmap_words(matcher->passages.bits); w++) {
        uint64_t left = matcher->passages.words[w];
        for (; err == SH_OK && left != 0; left &= left - 1) {
            uint32_t passage = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(left);
            if (++looked % 1024 == 0 && sh_now_ms() >= matcher->deadline_ms)
                err = SH_TIMEOUT;
            else if (!has_phrase(matcher, passage))
                bitmap_drop(&matcher->passages, passage);
        }
    }
    return err;
}

/* --- rules ---------------------------------------------------------------------------
 */

/* Where the passages are that were found; most words of the bitmap are empty. */
static void add_slots(const struct matcher *matcher, struct bitmap *slots)
{
    for (size_t w = 0; w < bitmap_words(matcher->passages.bits); w++) {
        uint64_t left = matcher->passages.words[w];
        for (; left != 0; left &= left - 1) {
            uint32_t passage = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(left);
            uint32_t slot = text_slot(matcher->index, passage);
            if (slot < slots->bits)
                bitmap_add(slots, slot);
        }
    }
}

static enum sh_err apply(struct matcher *matcher, const struct text_rule *rule,
                         struct bitmap *allowed)
{
    struct bitmap slots = {.bits = allowed->bits};
    size_t words = bitmap_words(allowed->bits);
    slots.words = sh_arena_array(&matcher->arena, words + 1, sizeof(uint64_t));
    enum sh_err err = slots.words ? mark_all_words(matcher, rule) : SH_NOMEM;
    if (err == SH_OK && rule->count > 1)
        err = keep_phrases(matcher, rule);
    if (err != SH_OK)
        return err;
    add_slots(matcher, &slots);
    for (size_t w = 0; w < words; w++)
        allowed->words[w] &= rule->excluded ? ~slots.words[w] : slots.words[w];
    return SH_OK;
}

enum sh_err text_index_restrict(const struct text_index *self,
                                const struct text_query *query, struct bitmap *allowed,
                                uint64_t deadline_ms)
{
    enum sh_err err = SH_OK;
    if (query->rule_count == 0 || allowed->bits == 0)
        return SH_OK;
    struct matcher *matcher = sh_alloc(sizeof(*matcher));
    if (!matcher)
        return SH_NOMEM;
    matcher->index = self;
    matcher->deadline_ms = deadline_ms;
    for (uint32_t r = 0; err == SH_OK && r < query->rule_count; r++) {
        err = apply(matcher, &query->rules[r], allowed);
        sh_arena_free(&matcher->arena);
    }
    sh_free(matcher);
    return err;
}
