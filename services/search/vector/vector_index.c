#include "services/search/vector/vector_index.h"

#include <math.h>

#include "services/search/vector/dot.h"
#include "shared/clock.h"

enum { BLOCK_ROWS = 1024, DIMENSION_MAX = 65536, DEADLINE_EVERY = 4096 };

struct block {
    void *memory;
    float *rows; /* `memory`, aligned */
};

struct vector_index {
    uint32_t dimension;
    size_t stride; /* floats from row to row */
    dot_fn *dot;
    struct block *blocks;
    uint32_t block_count;
    struct bitmap present; /* one bit a reserved slot */
    uint32_t count;
};

static float *align(void *memory)
{
    size_t beyond = (uintptr_t)memory % DOT_ALIGN;
    void *aligned = (char *)memory + (beyond > 0 ? DOT_ALIGN - beyond : 0);
    return aligned;
}

static float *row(const struct vector_index *self, uint32_t slot)
{
    return self->blocks[slot / BLOCK_ROWS].rows + slot % BLOCK_ROWS * self->stride;
}

enum sh_err vector_index_create(uint32_t dimension, struct vector_index **out)
{
    *out = NULL;
    if (dimension == 0 || dimension > DIMENSION_MAX)
        return SH_INVALID;
    struct vector_index *self = sh_alloc(sizeof(*self));
    if (!self)
        return SH_NOMEM;
    self->dimension = dimension;
    self->stride = ((size_t)dimension + DOT_STEP - 1) / DOT_STEP * DOT_STEP;
    self->dot = dot_best()->dot;
    *out = self;
    return SH_OK;
}

void vector_index_free(struct vector_index **index)
{
    struct vector_index *self = *index;
    if (!self)
        return;
    for (uint32_t i = 0; i < self->block_count; i++)
        sh_free(self->blocks[i].memory);
    sh_free(self->blocks);
    sh_free(self->present.words);
    sh_free(self);
    *index = NULL;
}

static enum sh_err add_block(struct vector_index *self)
{
    size_t count = self->block_count + (size_t)1;
    struct block *blocks = sh_realloc(self->blocks, count * sizeof(*blocks));
    if (!blocks)
        return SH_NOMEM;
    self->blocks = blocks;
    size_t words = bitmap_words((uint32_t)count * BLOCK_ROWS);
    uint64_t *present = sh_realloc(self->present.words, words * sizeof(*present));
    if (!present)
        return SH_NOMEM;
    self->present.words = present;
    size_t bytes = BLOCK_ROWS * self->stride * sizeof(float);
    void *memory = sh_alloc(bytes + DOT_ALIGN);
    if (!memory)
        return SH_NOMEM;
    size_t old_words = bitmap_words(self->present.bits);
    memset(present + old_words, 0, (words - old_words) * sizeof(*present));
    self->blocks[self->block_count++] = (struct block){memory, align(memory)};
    self->present.bits = (uint32_t)count * BLOCK_ROWS;
    return SH_OK;
}

enum sh_err vector_index_reserve(struct vector_index *self, uint32_t slots)
{
    enum sh_err err = SH_OK;
    if (slots > UINT32_MAX - BLOCK_ROWS)
        return SH_NOMEM;
    while (err == SH_OK && self->present.bits < slots)
        err = add_block(self);
    return err;
}

bool vector_is_finite(const float *vector, uint32_t dimension)
{
    for (uint32_t i = 0; i < dimension; i++) {
        if (!isfinite(vector[i]))
            return false;
    }
    return true;
}

/* Copies and scales to length 1; `to` is zero beyond the dimension already. */
static bool unit(float *to, const float *from, uint32_t dimension)
{
    double square = 0;
    for (uint32_t i = 0; i < dimension; i++)
        square += (double)from[i] * (double)from[i];
    if (!isfinite(square) || square < 1e-24)
        return false;
    double scale = 1 / sqrt(square);
    for (uint32_t i = 0; i < dimension; i++)
        to[i] = (float)((double)from[i] * scale);
    return true;
}

bool vector_index_set(struct vector_index *self, uint32_t slot, const float *vector)
{
    if (slot >= self->present.bits)
        return false;
    vector_index_remove(self, slot);
    if (!unit(row(self, slot), vector, self->dimension))
        return false;
    bitmap_add(&self->present, slot);
    self->count++;
    return true;
}

void vector_index_remove(struct vector_index *self, uint32_t slot)
{
    if (!vector_index_has(self, slot))
        return;
    bitmap_drop(&self->present, slot);
    self->count--;
}

bool vector_index_has(const struct vector_index *self, uint32_t slot)
{
    return bitmap_has(&self->present, slot);
}

uint32_t vector_index_count(const struct vector_index *self)
{
    return self->count;
}

uint32_t vector_index_dimension(const struct vector_index *self)
{
    return self->dimension;
}

size_t vector_index_bytes(const struct vector_index *self)
{
    size_t block = BLOCK_ROWS * self->stride * sizeof(float) + DOT_ALIGN;
    return sizeof(*self) + self->block_count * (block + sizeof(*self->blocks)) +
           bitmap_words(self->present.bits) * sizeof(uint64_t);
}

enum sh_err vector_query_make(const struct vector_index *self, const float *vector,
                              struct sh_arena *arena, const float **query)
{
    *query = NULL;
    void *memory = sh_arena_alloc(arena, self->stride * sizeof(float) + DOT_ALIGN);
    if (!memory)
        return SH_NOMEM;
    float *to = align(memory);
    if (unit(to, vector, self->dimension))
        *query = to;
    return SH_OK;
}

/* Slots of one word of the bitmaps, lowest first. */
static void scan_word(const struct vector_index *self, const float *query,
                      uint64_t present, uint32_t base, struct leg *leg)
{
    while (present != 0) {
        uint32_t slot = base + (uint32_t)__builtin_ctzll(present);
        present &= present - 1;
        float cosine = self->dot(query, row(self, slot), self->stride);
        leg->hits[leg->count++] = (struct leg_hit){slot, cosine};
    }
}

static size_t words_of_both(const struct vector_index *self, const struct bitmap *allowed)
{
    size_t mine = bitmap_words(self->present.bits);
    size_t theirs = bitmap_words(allowed->bits);
    return mine < theirs ? mine : theirs;
}

enum sh_err vector_index_scan(const struct vector_index *self, const float *query,
                              const struct bitmap *allowed, uint64_t deadline_ms,
                              struct sh_arena *arena, struct leg *leg)
{
    size_t words = words_of_both(self, allowed);
    size_t count = 0;
    *leg = (struct leg){0};
    for (size_t i = 0; i < words; i++)
        count += (size_t)__builtin_popcountll(self->present.words[i] & allowed->words[i]);
    if (count == 0)
        return SH_OK;
    leg->hits = sh_arena_array(arena, count, sizeof(*leg->hits));
    if (!leg->hits)
        return SH_NOMEM;
    for (size_t i = 0; i < words; i++) {
        if (i % (DEADLINE_EVERY / 64) == 0 && sh_now_ms() >= deadline_ms)
            return SH_TIMEOUT;
        scan_word(self, query, self->present.words[i] & allowed->words[i],
                  (uint32_t)i * 64, leg);
    }
    return SH_OK;
}

float vector_index_between(const struct vector_index *self, uint32_t a, uint32_t b)
{
    return self->dot(row(self, a), row(self, b), self->stride);
}
