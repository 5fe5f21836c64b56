#include "services/search/text/text_matcher.h"
#include "services/search/text/text_phrase.h"

#include <stdlib.h>

#include "shared/clock.h"
#include "shared/mem.h"

struct matcher {
    struct text_matcher words;
    struct text_phrase phrase;
};

static enum sh_err keep_phrases(struct matcher *matcher, const struct text_rule *rule)
{
    enum sh_err err = text_phrase_open(&matcher->phrase, matcher->words.index, rule,
                                       &matcher->words.arena);
    uint32_t looked = 0;
    for (size_t w = 0; err == SH_OK && w < bitmap_words(matcher->words.passages.bits);
         w++) {
        uint64_t left = matcher->words.passages.words[w];
        for (; err == SH_OK && left != 0; left &= left - 1) {
            uint32_t passage = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(left);
            if (++looked % 1024 == 0 && sh_now_ms() >= matcher->words.deadline_ms)
                err = SH_TIMEOUT;
            else if (!text_phrase_at(&matcher->phrase, passage))
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
