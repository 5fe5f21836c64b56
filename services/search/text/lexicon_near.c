#include <utf8proc.h>

#include "services/search/text/analyzer.h"
#include "services/search/text/lexicon_internal.h"
#include "shared/mem.h"

/* Each term has a shape: its length and the set of its letters. One that has more letters
 * that the word lacks than there may be edits, or lacks more, or is too long or short, is
 * too far, and nearly all are: shapes lie one behind the other and are compared many at a
 * time. The few that are left are gone through in order, as a trie would be: of each only
 * what it does not share with the one before is looked at, and no further than to where
 * it is too far from the word. */

enum { POINTS = ANALYZER_TERM_MAX, ROWS = POINTS + 1 };
enum { LETTERS = 26, LONGEST = 63, LANES = 16 }; /* bits of a shape: letters, length */

typedef uint32_t lanes_u32 __attribute__((vector_size(LANES * sizeof(uint32_t))));

struct walk {
    const struct lexicon *lexicon;
    const struct terms *terms;
    int32_t word[POINTS];
    uint32_t count;
    uint32_t least;
    uint32_t most;
    uint8_t rows[ROWS][ROWS]; /* edits between beginnings of the term and of the word */
    int32_t points[ROWS];     /* of the term */
    uint32_t ends[ROWS];      /* bytes before the point of this number */
    uint32_t depth;           /* points that rows are made for */
    struct sh_bytes text;     /* the term they are made for */
};

uint32_t lexicon_point(struct sh_bytes text, uint32_t pos, int32_t *code)
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
        uint32_t pos = lexicon_point(text, walk->ends[walk->depth], &point);
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
    if (distance >= walk->least && distance <= walk->most)
        lexicon_offer(hits, walk->terms, term, distance);
}

static bool start(struct walk *walk, struct sh_bytes word)
{
    for (uint32_t pos = 0; pos < word.len;) {
        if (walk->count == POINTS)
            return false;
        pos = lexicon_point(word, pos, &walk->word[walk->count++]);
    }
    for (uint32_t j = 0; j <= walk->count; j++)
        walk->rows[0][j] = (uint8_t)j;
    walk->ends[0] = 0;
    return walk->count > 0;
}

/* --- shapes ----------------------------------------------------------------------- */

static uint32_t shape_of(struct sh_bytes text)
{
    uint32_t letters = 0;
    uint32_t points = 0;
    for (uint32_t pos = 0; pos < text.len; points++) {
        int32_t code = 0;
        pos = lexicon_point(text, pos, &code);
        letters |= UINT32_C(1) << ((uint32_t)code % LETTERS);
    }
    return (points < LONGEST ? points : LONGEST) << LETTERS | letters;
}

enum sh_err lexicon_shape(const struct terms *terms, struct lexicon *lexicon)
{
    /* the last lanes may reach beyond the last term */
    size_t room = ((size_t)lexicon->count + LANES) / LANES * LANES;
    lexicon->shapes = sh_alloc_array(room, sizeof(*lexicon->shapes));
    if (!lexicon->shapes)
        return SH_NOMEM;
    for (uint32_t i = 0; i < lexicon->count; i++)
        lexicon->shapes[i] = shape_of(lexicon_text(terms, lexicon->order[i]));
    return SH_OK;
}

struct sieve {
    uint32_t letters; /* of the word */
    uint32_t shortest;
    uint32_t longest;
    uint32_t most;
};

static struct sieve sieve_of(struct sh_bytes word, uint32_t most)
{
    uint32_t shape = shape_of(word);
    uint32_t points = shape >> LETTERS;
    return (struct sieve){.letters = shape & ((UINT32_C(1) << LETTERS) - 1),
                          .shortest = points > most ? points - most : 0,
                          .longest = points + most,
                          .most = most};
}

/* Bits: which of the lanes may be near. An edit brings in one letter at most, and takes
 * one away. */
static uint32_t sift(const struct sieve *sieve, const uint32_t *shapes)
{
    lanes_u32 shape;
    memcpy(&shape, shapes, sizeof(shape));
    lanes_u32 letters = shape & ((UINT32_C(1) << LETTERS) - 1);
    lanes_u32 points = shape >> LETTERS;
    lanes_u32 lacking = sieve->letters & ~letters;
    lanes_u32 extra = letters & ~sieve->letters;
    for (uint32_t i = 0; i < sieve->most; i++) {
        lacking &= lacking - 1; /* one letter less */
        extra &= extra - 1;
    }
    lanes_u32 far = lacking | extra | (lanes_u32)(points < sieve->shortest) |
                    (lanes_u32)(points > sieve->longest);
    uint32_t all[LANES];
    uint32_t near = 0;
    uint32_t passed = 0;
    lanes_u32 is_near = (lanes_u32)(far == 0);
    memcpy(all, &is_near, sizeof(all));
    for (uint32_t i = 0; i < LANES; i++)
        passed |= all[i];
    for (uint32_t i = 0; passed != 0 && i < LANES; i++)
        near |= (all[i] & 1) << i;
    return near;
}

static void look_at_near(struct walk *walk, const struct sieve *sieve, uint32_t first,
                         struct lexicon_hits *hits)
{
    const struct lexicon *lexicon = walk->lexicon;
    uint32_t left = sift(sieve, lexicon->shapes + first);
    for (; left != 0; left &= left - 1) {
        uint32_t at = first + (uint32_t)__builtin_ctz(left);
        if (at < lexicon->count &&
            feed(walk, lexicon_text(walk->terms, lexicon->order[at])))
            look_at(walk, lexicon->order[at], hits);
    }
}

static void find_near(struct walk *walk, struct sh_bytes word, struct lexicon_hits *hits)
{
    const struct lexicon *lexicon = walk->lexicon;
    hits->count = 0;
    if (!start(walk, word))
        return;
    const struct sieve sieve = sieve_of(word, walk->most);
    for (uint32_t at = 0; at < lexicon->count; at += LANES)
        look_at_near(walk, &sieve, at, hits);
    for (uint32_t term = lexicon->count; term < walk->terms->count; term++) {
        if (feed(walk, lexicon_text(walk->terms, term)))
            look_at(walk, term, hits);
    }
}

void lexicon_near(const struct lexicon *lexicon, const struct terms *terms,
                  struct sh_bytes word, uint32_t most, struct lexicon_hits *hits)
{
    struct walk walk = {
        .lexicon = lexicon, .terms = terms, .most = most, .text = {"", 0}};
    find_near(&walk, word, hits);
}

void lexicon_beside(const struct lexicon *lexicon, const struct terms *terms,
                    struct sh_bytes word, struct lexicon_hits *hits)
{
    struct walk walk = {
        .lexicon = lexicon, .terms = terms, .least = 1, .most = 1, .text = {"", 0}};
    find_near(&walk, word, hits);
}
