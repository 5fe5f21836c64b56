#include <utf8proc.h>

#include "services/search/text/analyzer.h"
#include "services/search/text/lexicon_internal.h"

/* The terms are gone through in order, as a trie would be: of each only what it does not
 * share with the one before is looked at, and where a beginning is too far from the word
 * already, all that begin so are passed over. */

enum { POINTS = ANALYZER_TERM_MAX, ROWS = POINTS + 1 };

struct walk {
    const struct lexicon *lexicon;
    const struct terms *terms;
    int32_t word[POINTS];
    uint32_t count;
    uint32_t most;
    uint8_t rows[ROWS][ROWS]; /* edits between beginnings of the term and of the word */
    int32_t points[ROWS];     /* of the term */
    uint32_t ends[ROWS];      /* bytes before the point of this number */
    uint32_t depth;           /* points that rows are made for */
    struct sh_bytes text;     /* the term they are made for */
};

static uint32_t next_point(struct sh_bytes text, uint32_t pos, int32_t *code)
{
    const uint8_t *data = text.data;
    utf8proc_int32_t point = -1;
    utf8proc_ssize_t n =
        utf8proc_iterate(data + pos, (utf8proc_ssize_t)(text.len - pos), &point);
    *code = n < 1 ? data[pos] : point;
    return pos + (n < 1 ? 1 : (uint32_t)n);
}

static uint8_t least(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

/* The row of one point more; returns the least of it. */
static uint8_t add_row(struct walk *walk, int32_t point)
{
    uint32_t d = ++walk->depth;
    const uint8_t *above = walk->rows[d - 1];
    uint8_t *row = walk->rows[d];
    uint8_t best = row[0] = (uint8_t)d;
    walk->points[d - 1] = point;
    for (uint32_t j = 1; j <= walk->count; j++) {
        bool same = walk->word[j - 1] == point;
        row[j] = least((uint8_t)(above[j - 1] + !same),
                       (uint8_t)(least(above[j], row[j - 1]) + 1));
        if (d > 1 && j > 1 && walk->word[j - 2] == point &&
            walk->word[j - 1] == walk->points[d - 2])
            row[j] = least(row[j], (uint8_t)(walk->rows[d - 2][j - 2] + 1));
        best = least(best, row[j]);
    }
    return best;
}

static uint32_t shared_depth(const struct walk *walk, struct sh_bytes text)
{
    const char *old = walk->text.data;
    const char *now = text.data;
    uint32_t same = 0;
    while (same < walk->text.len && same < text.len && old[same] == now[same])
        same++;
    uint32_t depth = walk->depth;
    while (depth > 0 && walk->ends[depth] > same)
        depth--;
    return depth;
}

/* False: nothing that begins with the first ends[depth] bytes can be near. */
static bool feed(struct walk *walk, struct sh_bytes text)
{
    walk->depth = shared_depth(walk, text);
    walk->text = text;
    while (walk->ends[walk->depth] < text.len) {
        int32_t point = 0;
        uint32_t pos = next_point(text, walk->ends[walk->depth], &point);
        if (walk->depth == POINTS)
            return false;
        uint8_t best = add_row(walk, point);
        walk->ends[walk->depth] = pos;
        if (best > walk->most)
            return false;
    }
    return true;
}

static void look_at(struct walk *walk, uint32_t term, struct lexicon_hits *hits)
{
    uint32_t distance = walk->rows[walk->depth][walk->count];
    if (distance <= walk->most)
        lexicon_offer(hits, walk->terms, term, distance);
}

static bool is_above(const struct walk *walk, uint32_t at, struct sh_bytes prefix)
{
    struct sh_bytes text = lexicon_text(walk->terms, walk->lexicon->order[at]);
    size_t shorter = text.len < prefix.len ? text.len : prefix.len;
    return memcmp(text.data, prefix.data, shorter) > 0;
}

/* The first behind `at` that does not begin so; most often it is near. */
static uint32_t pass_over(const struct walk *walk, uint32_t at)
{
    struct sh_bytes prefix = {walk->text.data, walk->ends[walk->depth]};
    uint32_t low = at + 1;
    uint32_t step = 1;
    uint32_t count = walk->lexicon->count;
    while (low < count && step < count - low && !is_above(walk, low + step - 1, prefix)) {
        low += step;
        step *= 2;
    }
    uint32_t high = step < count - low ? low + step : count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (is_above(walk, middle, prefix))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static bool start(struct walk *walk, struct sh_bytes word)
{
    for (uint32_t pos = 0; pos < word.len;) {
        if (walk->count == POINTS)
            return false;
        pos = next_point(word, pos, &walk->word[walk->count++]);
    }
    for (uint32_t j = 0; j <= walk->count; j++)
        walk->rows[0][j] = (uint8_t)j;
    walk->ends[0] = 0;
    return walk->count > 0;
}

void lexicon_near(const struct lexicon *lexicon, const struct terms *terms,
                  struct sh_bytes word, uint32_t most, struct lexicon_hits *hits)
{
    struct walk walk = {
        .lexicon = lexicon, .terms = terms, .most = most, .text = {"", 0}};
    hits->count = 0;
    if (!start(&walk, word))
        return;
    for (uint32_t at = 0; at < lexicon->count;) {
        uint32_t term = lexicon->order[at];
        if (feed(&walk, lexicon_text(terms, term))) {
            look_at(&walk, term, hits);
            at++;
        } else {
            at = pass_over(&walk, at);
        }
    }
    for (uint32_t term = lexicon->count; term < terms->count; term++) {
        if (feed(&walk, lexicon_text(terms, term)))
            look_at(&walk, term, hits);
    }
}
