#include "services/search/text/text_matcher.h"

#include <stdlib.h>

#include "shared/clock.h"
#include "shared/mem.h"

/* Words of a passage that phrases are looked for in; passages are far shorter. The fields
 * follow one another, so that no phrase reaches from one into the next. */
enum {
    OTHER_PLACES = 512, /* of the heading and of the title */
    BODY_PLACES = 16384,
    PLACE_WORDS = (2 * OTHER_PLACES + BODY_PLACES) / 64,
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
    struct text_matcher words;
    struct reader *readers;
    uint32_t reader_count;
    struct places start; /* where a phrase may begin */
    struct places found;
};

/* --- one behind the other --------------------------------------------------------- */

static enum sh_err open_readers(struct matcher *matcher, const struct text_rule *rule)
{
    uint32_t forms = 0;
    for (uint32_t i = 0; i < rule->count; i++)
        forms += rule->words[i].count;
    matcher->reader_count = 0;
    matcher->readers =
        sh_arena_array(&matcher->words.arena, forms, sizeof(*matcher->readers));
    if (!matcher->readers)
        return SH_NOMEM;
    for (uint32_t i = 0; i < rule->count; i++) {
        for (uint32_t f = 0; f < rule->words[i].count; f++) {
            const struct term *term =
                text_matcher_term(&matcher->words, &rule->words[i].forms[f]);
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
    for (size_t w = 0; err == SH_OK && w < bitmap_words(matcher->words.passages.bits);
         w++) {
        uint64_t left = matcher->words.passages.words[w];
        for (; err == SH_OK && left != 0; left &= left - 1) {
            uint32_t passage = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(left);
            if (++looked % 1024 == 0 && sh_now_ms() >= matcher->words.deadline_ms)
                err = SH_TIMEOUT;
            else if (!has_phrase(matcher, passage))
                bitmap_drop(&matcher->words.passages, passage);
        }
    }
    return err;
}

/* --- rules ------------------------------------------------------------------------ */

/* In the places of passages, not of slots: to them goes only what is left in the end. */
struct verdict {
    struct bitmap required; /* what every rule so far wants */
    struct bitmap excluded; /* what some rule does not */
    bool any_required;
};

static enum sh_err match_rule(struct matcher *matcher, const struct text_rule *rule,
                              const struct bitmap *within)
{
    enum sh_err err = text_matcher_words(&matcher->words, rule, within);
    return err == SH_OK && rule->count > 1 ? keep_phrases(matcher, rule) : err;
}

static enum sh_err require(struct matcher *matcher, const struct text_rule *rule,
                           struct verdict *verdict)
{
    struct bitmap *required = &verdict->required;
    enum sh_err err = match_rule(matcher, rule, verdict->any_required ? required : NULL);
    verdict->any_required = true;
    memcpy(required->words, matcher->words.passages.words,
           bitmap_words(required->bits) * sizeof(uint64_t));
    return err;
}

/* Of passages that are out already it does not matter. */
static enum sh_err exclude(struct matcher *matcher, const struct text_rule *rule,
                           struct verdict *verdict)
{
    enum sh_err err =
        match_rule(matcher, rule, verdict->any_required ? &verdict->required : NULL);
    for (size_t w = 0; w < bitmap_words(verdict->excluded.bits); w++)
        verdict->excluded.words[w] |= matcher->words.passages.words[w];
    return err;
}

struct ordered {
    const struct text_rule *rule;
    uint64_t passages;
};

/* What must be there first, and of that the rarest: of the others only what is in its
 * passages is looked at. */
static int by_rarity(const void *a, const void *b)
{
    const struct ordered *left = a;
    const struct ordered *right = b;
    if (left->rule->excluded != right->rule->excluded)
        return left->rule->excluded ? 1 : -1;
    return (left->passages > right->passages) - (left->passages < right->passages);
}

static struct ordered *order_rules(struct matcher *matcher,
                                   const struct text_query *query)
{
    struct ordered *rules =
        sh_arena_array(&matcher->words.arena, query->rule_count, sizeof(*rules));
    for (uint32_t r = 0; rules && r < query->rule_count; r++) {
        rules[r].rule = &query->rules[r];
        text_matcher_rarest(&matcher->words, rules[r].rule, &rules[r].passages);
    }
    if (rules)
        qsort(rules, query->rule_count, sizeof(*rules), by_rarity);
    return rules;
}

static enum sh_err judge(struct matcher *matcher, const struct text_query *query,
                         struct verdict *verdict)
{
    const struct ordered *rules = order_rules(matcher, query);
    enum sh_err err = rules ? text_matcher_open(&matcher->words) : SH_NOMEM;
    if (err == SH_OK)
        err = text_matcher_bitmap(&matcher->words, &verdict->required);
    if (err == SH_OK)
        err = text_matcher_bitmap(&matcher->words, &verdict->excluded);
    for (uint32_t r = 0; err == SH_OK && r < query->rule_count; r++)
        err = rules[r].rule->excluded ? exclude(matcher, rules[r].rule, verdict)
                                      : require(matcher, rules[r].rule, verdict);
    return err;
}

/* Where the passages are; most words of the bitmap are empty. */
static void add_slots(const struct matcher *matcher, const struct bitmap *passages,
                      struct bitmap *slots)
{
    for (size_t w = 0; w < bitmap_words(passages->bits); w++) {
        for (uint64_t left = passages->words[w]; left != 0; left &= left - 1) {
            uint32_t passage = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(left);
            uint32_t slot = text_slot(matcher->words.index, passage);
            if (slot < slots->bits)
                bitmap_add(slots, slot);
        }
    }
}

static enum sh_err apply(struct matcher *matcher, const struct text_query *query,
                         struct bitmap *allowed)
{
    struct verdict verdict = {.any_required = false};
    struct bitmap slots = {.bits = allowed->bits};
    size_t words = bitmap_words(allowed->bits);
    slots.words = sh_arena_array(&matcher->words.arena, words + 1, sizeof(uint64_t));
    enum sh_err err = slots.words ? judge(matcher, query, &verdict) : SH_NOMEM;
    if (err != SH_OK)
        return err;
    struct bitmap *required = &verdict.required;
    for (size_t w = 0; w < bitmap_words(required->bits); w++)
        required->words[w] &= ~verdict.excluded.words[w];
    add_slots(matcher, verdict.any_required ? required : &verdict.excluded, &slots);
    for (size_t w = 0; w < words; w++)
        allowed->words[w] &= verdict.any_required ? slots.words[w] : ~slots.words[w];
    return SH_OK;
}

enum sh_err text_index_restrict(const struct text_index *self,
                                const struct text_query *query, struct bitmap *allowed,
                                uint64_t deadline_ms)
{
    if (query->rule_count == 0 || allowed->bits == 0)
        return SH_OK;
    struct matcher *matcher = sh_alloc(sizeof(*matcher));
    if (!matcher)
        return SH_NOMEM;
    matcher->words.index = self;
    matcher->words.deadline_ms = deadline_ms;
    enum sh_err err = apply(matcher, query, allowed);
    sh_arena_free(&matcher->words.arena);
    sh_free(matcher);
    return err;
}
