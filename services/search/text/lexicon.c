#include "services/search/text/lexicon.h"

#include <stdlib.h>

#include "services/search/text/lexicon_internal.h"
#include "shared/mem.h"

enum { NEW_TERMS = 1024 };

struct sh_bytes lexicon_text(const struct terms *terms, uint32_t term)
{
    return terms_text(terms, &terms->items[term]);
}

static int compare(struct sh_bytes a, struct sh_bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.data, b.data, shorter);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

struct order {
    const struct terms *terms;
};

static int by_text(const void *a, const void *b, void *arg)
{
    const struct order *order = arg;
    return compare(lexicon_text(order->terms, *(const uint32_t *)a),
                   lexicon_text(order->terms, *(const uint32_t *)b));
}

static void merge(struct order *order, const struct lexicon *old, const uint32_t *fresh,
                  struct lexicon *out)
{
    uint32_t left = 0;
    uint32_t right = 0;
    uint32_t news = out->count - old->count;
    for (uint32_t i = 0; i < out->count; i++) {
        bool from_old =
            right == news ||
            (left < old->count && by_text(&old->order[left], &fresh[right], order) < 0);
        out->order[i] = from_old ? old->order[left++] : fresh[right++];
    }
}

enum sh_err lexicon_make(const struct terms *terms, const struct lexicon *old,
                         struct lexicon *out)
{
    uint32_t news = terms->count - old->count;
    struct order order = {terms};
    *out = (struct lexicon){.count = terms->count};
    if (terms->count == 0)
        return SH_OK;
    uint32_t *fresh = sh_alloc_array((size_t)news + 1, sizeof(*fresh));
    out->order = sh_alloc_array(terms->count, sizeof(*out->order));
    if (!fresh || !out->order) {
        sh_free(fresh);
        lexicon_free(out);
        return SH_NOMEM;
    }
    for (uint32_t i = 0; i < news; i++)
        fresh[i] = old->count + i;
    qsort_r(fresh, news, sizeof(*fresh), by_text, &order);
    merge(&order, old, fresh, out);
    sh_free(fresh);
    enum sh_err err = lexicon_shape(terms, out);
    if (err != SH_OK)
        lexicon_free(out);
    return err;
}

void lexicon_free(struct lexicon *lexicon)
{
    sh_free(lexicon->order);
    sh_free(lexicon->shapes);
    *lexicon = (struct lexicon){0};
}

bool lexicon_is_old(const struct lexicon *lexicon, const struct terms *terms)
{
    return terms->count - lexicon->count > lexicon->count / 16 + NEW_TERMS;
}

/* --- hits ------------------------------------------------------------------------- */

static bool takes(const struct lexicon_hits *hits, uint32_t term)
{
    return !hits->takes || hits->takes(hits->arg, term);
}

static uint32_t rarest(const struct lexicon_hits *hits)
{
    uint32_t least = 0;
    for (uint32_t i = 1; i < hits->count; i++) {
        if (hits->items[i].passages < hits->items[least].passages)
            least = i;
    }
    return least;
}

void lexicon_offer(struct lexicon_hits *hits, const struct terms *terms, uint32_t term,
                   uint32_t distance)
{
    struct lexicon_hit hit = {term, terms->items[term].passages, distance};
    bool nearer = hits->count > 0 && distance < hits->items[0].distance;
    if (hit.passages == 0 || (hits->count > 0 && distance > hits->items[0].distance))
        return;
    uint32_t at = nearer ? 0 : hits->count;
    if (at == LEXICON_HITS) {
        at = rarest(hits);
        if (hits->items[at].passages >= hit.passages)
            return;
    }
    if (!takes(hits, term))
        return;
    hits->items[at] = hit;
    if (nearer || hits->count < LEXICON_HITS)
        hits->count = at + 1;
}

/* --- prefixes --------------------------------------------------------------------- */

static bool begins_with(struct sh_bytes text, struct sh_bytes prefix)
{
    return text.len >= prefix.len && memcmp(text.data, prefix.data, prefix.len) == 0;
}

/* The first at `low` or behind it that is not below the prefix. */
static uint32_t lower_bound(const struct lexicon *lexicon, const struct terms *terms,
                            struct sh_bytes prefix)
{
    uint32_t low = 0;
    uint32_t high = lexicon->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(lexicon_text(terms, lexicon->order[middle]), prefix) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void lexicon_start(struct lexicon_walk *walk, const struct lexicon *lexicon,
                   const struct terms *terms, struct sh_bytes prefix)
{
    *walk = (struct lexicon_walk){.lexicon = lexicon,
                                  .terms = terms,
                                  .prefix = prefix,
                                  .at = lower_bound(lexicon, terms, prefix),
                                  .ordered = true};
}

bool lexicon_next(struct lexicon_walk *walk, uint32_t *term)
{
    const struct lexicon *lexicon = walk->lexicon;
    if (walk->ordered && walk->at < lexicon->count) {
        *term = lexicon->order[walk->at++];
        if (begins_with(lexicon_text(walk->terms, *term), walk->prefix))
            return true;
    }
    if (walk->ordered)
        walk->at = lexicon->count;
    walk->ordered = false;
    while (walk->at < walk->terms->count) {
        *term = walk->at++;
        if (begins_with(lexicon_text(walk->terms, *term), walk->prefix))
            return true;
    }
    return false;
}

void lexicon_prefix(const struct lexicon *lexicon, const struct terms *terms,
                    struct sh_bytes prefix, struct lexicon_hits *hits)
{
    struct lexicon_walk walk;
    uint32_t term = 0;
    hits->count = 0;
    lexicon_start(&walk, lexicon, terms, prefix);
    while (lexicon_next(&walk, &term))
        lexicon_offer(hits, terms, term, 0);
}
