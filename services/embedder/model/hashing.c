#include "services/embedder/model/hashing.h"

#include <libstemmer.h>
#include <math.h>
#include <stdlib.h>
#include <utf8proc.h>

#include "shared/mem.h"

enum { WORD_MAX = 64 }; /* characters; the rest of a longer one is left out */

struct feature {
    uint64_t hash;
    float weight;
};

struct hashing {
    struct sb_stemmer *stemmer;
    struct feature *features;
    size_t count;
    size_t room;
    size_t words;
};

enum sh_err hashing_create(struct hashing **out)
{
    struct hashing *self = sh_alloc(sizeof(*self));
    if (self)
        self->stemmer = sb_stemmer_new("english", "UTF_8");
    if (self && !self->stemmer)
        hashing_free(&self);
    *out = self;
    return self ? SH_OK : SH_NOMEM;
}

void hashing_free(struct hashing **self)
{
    if (!*self)
        return;
    if ((*self)->stemmer)
        sb_stemmer_delete((*self)->stemmer);
    sh_free((*self)->features);
    sh_free(*self);
    *self = NULL;
}

/* FNV-1a, then a finaliser that spreads every bit over all (splitmix64). `kind` keeps a
 * word and a trigram of the same letters apart. */
static uint64_t hash_of(char kind, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    uint64_t h = (0xcbf29ce484222325u ^ (uint8_t)kind) * 0x100000001b3u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ bytes[i]) * 0x100000001b3u;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
    return h ^ (h >> 31);
}

static enum sh_err add(struct hashing *self, uint64_t hash, float weight)
{
    if (self->count == self->room) {
        size_t room = self->room == 0 ? 256 : self->room * 2;
        struct feature *features = sh_realloc(self->features, room * sizeof(*features));
        if (!features)
            return SH_NOMEM;
        self->features = features;
        self->room = room;
    }
    self->features[self->count++] = (struct feature){hash, weight};
    return SH_OK;
}

/* A word as code points with a boundary at both ends: 0, letters, 0. */
struct word {
    utf8proc_int32_t letters[WORD_MAX + 2];
    size_t len; /* of the letters */
};

static enum sh_err add_word(struct hashing *self, const struct word *word)
{
    uint8_t text[WORD_MAX * 4];
    size_t len = 0;
    for (size_t i = 1; i <= word->len; i++)
        len += (size_t)utf8proc_encode_char(word->letters[i], text + len);
    const sb_symbol *stem = sb_stemmer_stem(self->stemmer, text, (int)len);
    if (!stem)
        return SH_NOMEM;
    self->words++;
    enum sh_err err =
        add(self, hash_of('w', stem, (size_t)sb_stemmer_length(self->stemmer)), 1);
    /* all of a word's trigrams together have length 0.5 */
    float weight = 0.5f / sqrtf((float)word->len);
    for (size_t i = 0; err == SH_OK && i < word->len; i++)
        err = add(self, hash_of('t', word->letters + i, 3 * sizeof(word->letters[0])),
                  weight);
    return err;
}

static bool in_word(utf8proc_int32_t letter)
{
    utf8proc_category_t category = utf8proc_category(letter);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

static enum sh_err split(struct hashing *self, const uint8_t *text, size_t len)
{
    struct word word = {{0}, 0};
    enum sh_err err = SH_OK;
    for (size_t at = 0; err == SH_OK && at <= len;) {
        utf8proc_int32_t letter = ' '; /* the end ends a word too */
        utf8proc_ssize_t step = 1;
        if (at < len)
            step = utf8proc_iterate(text + at, (utf8proc_ssize_t)(len - at), &letter);
        if (step <= 0)
            return SH_MALFORMED;
        at += (size_t)step;
        if (in_word(letter)) {
            if (word.len < WORD_MAX)
                word.letters[++word.len] = letter;
        } else if (word.len > 0) {
            err = add_word(self, &word);
            memset(&word, 0, sizeof(word));
        }
    }
    return err;
}

static enum sh_err fold(struct hashing *self, struct sh_bytes text)
{
    utf8proc_uint8_t *folded = NULL;
    utf8proc_ssize_t len =
        utf8proc_map(text.data, (utf8proc_ssize_t)text.len, &folded,
                     UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT |
                         UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK);
    if (len < 0)
        return len == UTF8PROC_ERROR_NOMEM ? SH_NOMEM : SH_MALFORMED;
    enum sh_err err = split(self, folded, (size_t)len);
    free(folded); /* libc's: utf8proc allocated it */
    return err;
}

static int by_hash(const void *a, const void *b)
{
    const struct feature *x = a;
    const struct feature *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->weight > y->weight) - (x->weight < y->weight);
}

/* Equal features together: n of mean weight w count w * (1 + ln n). The index takes the
 * low nine bits; two of the high ones together choose the sign. */
static void gather(struct hashing *self, float *vector)
{
    qsort(self->features, self->count, sizeof(*self->features), by_hash);
    for (size_t i = 0; i < self->count;) {
        uint64_t hash = self->features[i].hash;
        float weight = 0;
        size_t n = 0;
        for (; i < self->count && self->features[i].hash == hash; i++, n++)
            weight += self->features[i].weight;
        weight = weight / (float)n * (1 + logf((float)n));
        bool minus = ((hash >> 63) ^ (hash >> 62 & 1)) != 0;
        vector[hash % HASHING_DIMENSION] += minus ? -weight : weight;
    }
}

static enum sh_err normalise(float *vector)
{
    double squares = 0;
    for (size_t i = 0; i < HASHING_DIMENSION; i++)
        squares += (double)vector[i] * (double)vector[i];
    if (squares <= 0)
        return SH_INVALID;
    float inverse = (float)(1 / sqrt(squares));
    for (size_t i = 0; i < HASHING_DIMENSION; i++)
        vector[i] *= inverse;
    return SH_OK;
}

static struct sh_bytes shorten(struct sh_bytes text)
{
    const uint8_t *bytes = text.data;
    size_t len = text.len < HASHING_TEXT_MAX ? text.len : HASHING_TEXT_MAX;
    while (len > 0 && len < text.len && (bytes[len] & 0xc0) == 0x80)
        len--;
    return (struct sh_bytes){text.data, len};
}

enum sh_err hashing_embed(struct hashing *self, struct sh_bytes text, bool refuse_long,
                          float vector[HASHING_DIMENSION], size_t *words)
{
    memset(vector, 0, HASHING_DIMENSION * sizeof(float));
    *words = 0;
    if (text.len == 0)
        return SH_INVALID;
    if (refuse_long && text.len > HASHING_TEXT_MAX)
        return SH_TOOBIG;
    self->count = 0;
    self->words = 0;
    enum sh_err err = fold(self, shorten(text));
    if (err != SH_OK)
        return err;
    gather(self, vector);
    *words = self->words;
    return normalise(vector);
}
