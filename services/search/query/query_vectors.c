#include "services/search/query/query_vectors.h"

#include <stdlib.h>
#include <xxhash.h>

#include "shared/mem.h"

enum { WAYS = 8, QUESTION_MAX = 1024 };

struct kept {
    uint64_t hash;
    uint64_t used; /* when, in calls */
    uint32_t dimension;
    uint32_t fingerprint_len;
    uint32_t question_len;
    float vector[]; /* then the fingerprint, then the question */
};

struct query_vectors {
    uint64_t calls;
    uint32_t sets; /* a power of two */
    struct kept *places[];
};

static uint64_t hash_of(struct sh_bytes fingerprint, struct sh_bytes question)
{
    return XXH3_64bits_withSeed(question.data, question.len,
                                XXH3_64bits(fingerprint.data, fingerprint.len));
}

static struct kept **set_of(struct query_vectors *self, uint64_t hash)
{
    return &self->places[(hash & (self->sets - 1)) * WAYS];
}

static bool is_it(const struct kept *kept, uint64_t hash, struct sh_bytes fingerprint,
                  struct sh_bytes question)
{
    if (kept == NULL || kept->hash != hash)
        return false;
    const char *texts = (const char *)(kept->vector + kept->dimension);
    return sh_bytes_equal((struct sh_bytes){texts, kept->fingerprint_len}, fingerprint) &&
           sh_bytes_equal(
               (struct sh_bytes){texts + kept->fingerprint_len, kept->question_len},
               question);
}

const float *query_vectors_find(struct query_vectors *self, struct sh_bytes fingerprint,
                                struct sh_bytes question, uint32_t dimension)
{
    if (self == NULL || question.len > QUESTION_MAX)
        return NULL;
    uint64_t hash = hash_of(fingerprint, question);
    struct kept **set = set_of(self, hash);
    for (size_t i = 0; i < WAYS; i++) {
        if (is_it(set[i], hash, fingerprint, question) &&
            set[i]->dimension == dimension) {
            set[i]->used = ++self->calls;
            return set[i]->vector;
        }
    }
    return NULL;
}

/* The question's own place if it has one, else a free one, else that unused longest. */
static struct kept **place_for(struct query_vectors *self, uint64_t hash,
                               struct sh_bytes fingerprint, struct sh_bytes question)
{
    struct kept **set = set_of(self, hash);
    struct kept **oldest = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (is_it(set[i], hash, fingerprint, question))
            return &set[i];
        if (*oldest != NULL && (set[i] == NULL || set[i]->used < (*oldest)->used))
            oldest = &set[i];
    }
    return oldest;
}

void query_vectors_keep(struct query_vectors *self, struct sh_bytes fingerprint,
                        struct sh_bytes question, const float *vector, uint32_t dimension)
{
    size_t numbers = (size_t)dimension * sizeof(float);
    if (self == NULL || question.len > QUESTION_MAX || fingerprint.len > QUESTION_MAX)
        return;
    struct kept *kept =
        sh_alloc(sizeof(*kept) + numbers + fingerprint.len + question.len);
    if (kept == NULL)
        return;
    kept->hash = hash_of(fingerprint, question);
    kept->used = ++self->calls;
    kept->dimension = dimension;
    kept->fingerprint_len = (uint32_t)fingerprint.len;
    kept->question_len = (uint32_t)question.len;
    memcpy(kept->vector, vector, numbers);
    char *texts = (char *)(kept->vector + dimension);
    memcpy(texts, fingerprint.data, fingerprint.len);
    memcpy(texts + fingerprint.len, question.data, question.len);
    struct kept **place = place_for(self, kept->hash, fingerprint, question);
    sh_free(*place);
    *place = kept;
}

static struct sh_bytes question_of(const struct kept *kept)
{
    const char *texts = (const char *)(kept->vector + kept->dimension);
    return (struct sh_bytes){texts + kept->fingerprint_len, kept->question_len};
}

static int used_last(const void *a, const void *b)
{
    const struct kept *left = *(const struct kept *const *)a;
    const struct kept *right = *(const struct kept *const *)b;
    return (left->used < right->used) - (left->used > right->used);
}

static bool is_among(struct sh_bytes question, const struct sh_bytes *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sh_bytes_equal(question, out[i]))
            return true;
    return false;
}

size_t query_vectors_recent(const struct query_vectors *self, struct sh_bytes *out,
                            size_t most)
{
    size_t places = self != NULL ? (size_t)self->sets * WAYS : 0;
    struct kept **all = sh_alloc_array(places + 1, sizeof(struct kept *));
    size_t kept = 0;
    size_t count = 0;
    if (all == NULL)
        return 0;
    for (size_t i = 0; i < places; i++)
        if (self->places[i] != NULL)
            all[kept++] = self->places[i];
    qsort(all, kept, sizeof(struct kept *), used_last);
    for (size_t i = 0; i < kept && count < most; i++)
        if (!is_among(question_of(all[i]), out, count))
            out[count++] = question_of(all[i]);
    sh_free(all);
    return count;
}

enum sh_err query_vectors_create(uint32_t count, struct query_vectors **out)
{
    uint32_t sets = 1;
    while (sets < UINT32_MAX / (2 * WAYS) && sets * WAYS < count)
        sets *= 2;
    struct query_vectors *self =
        sh_alloc(sizeof(*self) + (size_t)sets * WAYS * sizeof(struct kept *));
    *out = self;
    if (self == NULL)
        return SH_NOMEM;
    self->sets = sets;
    return SH_OK;
}

void query_vectors_free(struct query_vectors **vectors)
{
    struct query_vectors *self = *vectors;
    if (self == NULL)
        return;
    for (size_t i = 0; i < (size_t)self->sets * WAYS; i++)
        sh_free(self->places[i]);
    sh_free(self);
    *vectors = NULL;
}
