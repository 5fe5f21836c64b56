#include "services/embedder/model/hashing.h"

#include <math.h>
#include <stdlib.h>

#include "services/embedder/model/words.h"
#include "shared/mem.h"

struct feature {
    uint64_t hash;
    float weight;
};

struct hashing {
    struct words *splitter;
    struct feature *features;
    size_t count;
    size_t room;
    size_t words;
};

enum sh_err hashing_create(struct hashing **out)
{
    struct hashing *self = sh_alloc(sizeof(*self));
    if (self && words_create(&self->splitter) != SH_OK)
        hashing_free(&self);
    *out = self;
    return self ? SH_OK : SH_NOMEM;
}

void hashing_free(struct hashing **self)
{
    if (!*self)
        return;
    words_free(&(*self)->splitter);
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

static enum sh_err add_word(void *arg, const struct word *word)
{
    struct hashing *self = arg;
    enum sh_err err = add(self, hash_of('w', word->stem.data, word->stem.len), 1);
    /* all of a word's trigrams together have length 0.5 */
    float weight = 0.5f / sqrtf((float)word->len);
    self->words++;
    for (size_t i = 0; err == SH_OK && i < word->len; i++)
        err = add(self, hash_of('t', word->letters + i, 3 * sizeof(word->letters[0])),
                  weight);
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
    enum sh_err err =
        words_each(self->splitter, words_shorten(text, HASHING_TEXT_MAX), add_word, self);
    if (err != SH_OK)
        return err;
    gather(self, vector);
    *words = self->words;
    return normalise(vector);
}
