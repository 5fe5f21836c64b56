#include "services/graph/vectors/node_vectors.h"

#include <math.h>
#include <pthread.h>

enum { BLOCK = 128, STEP = 64 /* bytes that are multiplied at a time */ };

struct entry {
    uint64_t number; /* of the node; 0: nothing is known */
    uint64_t hash;
    float scale; /* of a byte; 0: there is no vector */
};

struct block {
    struct entry entries[BLOCK];
    int8_t bytes[]; /* BLOCK vectors */
};

struct node_vectors {
    pthread_rwlock_t lock;
    struct block **blocks; /* NULL: nothing is known of these places */
    size_t block_count;
    size_t dimension;
    size_t stride;
    size_t count; /* vectors */
    size_t max;
};

enum sh_err node_vectors_create(size_t max, struct node_vectors **out)
{
    struct node_vectors *self = sh_alloc(sizeof(*self));
    if (self == NULL)
        return SH_NOMEM;
    if (pthread_rwlock_init(&self->lock, NULL) != 0) {
        sh_free(self);
        return SH_NOMEM;
    }
    self->max = max;
    *out = self;
    return SH_OK;
}

static void drop_all(struct node_vectors *self)
{
    for (size_t i = 0; i < self->block_count; i++)
        sh_free(self->blocks[i]);
    sh_free(self->blocks);
    self->blocks = NULL;
    self->block_count = 0;
    self->count = 0;
}

void node_vectors_free(struct node_vectors **self_p)
{
    struct node_vectors *self = *self_p;
    *self_p = NULL;
    if (self == NULL)
        return;
    drop_all(self);
    pthread_rwlock_destroy(&self->lock);
    sh_free(self);
}

void node_vectors_reset(struct node_vectors *self, size_t dimension)
{
    pthread_rwlock_wrlock(&self->lock);
    drop_all(self);
    self->dimension = dimension;
    self->stride = (dimension + STEP - 1) / STEP * STEP;
    pthread_rwlock_unlock(&self->lock);
}

void node_vectors_figures(struct node_vectors *self, size_t *count, size_t *bytes)
{
    pthread_rwlock_rdlock(&self->lock);
    *count = self->count;
    *bytes = self->block_count * sizeof(struct block *);
    for (size_t i = 0; i < self->block_count; i++)
        if (self->blocks[i] != NULL)
            *bytes += sizeof(struct block) + BLOCK * self->stride;
    pthread_rwlock_unlock(&self->lock);
}

/* --- putting ---------------------------------------------------------------------- */

static struct block *block_of(const struct node_vectors *self, uint32_t place)
{
    size_t index = place / BLOCK;
    return index < self->block_count ? self->blocks[index] : NULL;
}

bool node_vectors_has(const struct node_vectors *self, uint32_t place, uint64_t number,
                      uint64_t hash)
{
    const struct block *block = block_of(self, place);
    const struct entry *entry = block ? &block->entries[place % BLOCK] : NULL;
    return entry != NULL && entry->number == number && entry->hash == hash;
}

bool node_vectors_is_full(const struct node_vectors *self)
{
    return self->count >= self->max;
}

static struct block *make_block(struct node_vectors *self, uint32_t place)
{
    size_t index = place / BLOCK;
    struct block *block = block_of(self, place);
    if (block != NULL)
        return block;
    if (index >= self->block_count) {
        size_t count = index + 1 + index / 2;
        void *blocks = sh_realloc(self->blocks, count * sizeof(struct block *));
        if (blocks == NULL)
            return NULL;
        self->blocks = blocks;
        for (size_t i = self->block_count; i < count; i++)
            self->blocks[i] = NULL;
        self->block_count = count;
    }
    self->blocks[index] = sh_alloc(sizeof(struct block) + BLOCK * self->stride);
    return self->blocks[index];
}

/* The largest number becomes 127; returns what a byte is worth, for length 1. */
static float pack(const float *vector, size_t dimension, int8_t *out)
{
    float most = 0;
    float square = 0;
    for (size_t i = 0; i < dimension; i++) {
        most = fmaxf(most, fabsf(vector[i]));
        square += vector[i] * vector[i];
    }
    if (!(most > 0) || !isfinite(square) || !(square > 0))
        return 0;
    for (size_t i = 0; i < dimension; i++)
        out[i] = (int8_t)lrintf(vector[i] / most * 127);
    return most / 127 / sqrtf(square);
}

static int8_t *bytes_at(const struct node_vectors *self, struct block *block,
                        uint32_t place)
{
    return block->bytes + (size_t)(place % BLOCK) * self->stride;
}

/* `fresh` says what its bytes, which are there already, are worth. */
static enum sh_err enter(struct node_vectors *self, struct entry *entry,
                         const struct entry *fresh)
{
    if (fresh->scale > 0 && self->count >= self->max)
        return SH_TOOBIG;
    self->count += fresh->scale > 0;
    *entry = *fresh;
    return SH_OK;
}

static struct entry *clear_entry(struct node_vectors *self, uint32_t place,
                                 int8_t **bytes)
{
    struct block *block = make_block(self, place);
    if (block == NULL)
        return NULL;
    struct entry *entry = &block->entries[place % BLOCK];
    self->count -= entry->scale > 0;
    *entry = (struct entry){.number = 0};
    *bytes = bytes_at(self, block, place);
    return entry;
}

enum sh_err node_vectors_put(struct node_vectors *self, uint32_t place, uint64_t number,
                             uint64_t hash, const float *vector)
{
    struct entry fresh = {.number = number, .hash = hash};
    int8_t *bytes;
    enum sh_err err = SH_NOMEM;
    pthread_rwlock_wrlock(&self->lock);
    struct entry *entry = clear_entry(self, place, &bytes);
    if (entry != NULL && self->count >= self->max) {
        err = SH_TOOBIG;
    } else if (entry != NULL) {
        fresh.scale = pack(vector, self->dimension, bytes);
        err = enter(self, entry, &fresh);
    }
    pthread_rwlock_unlock(&self->lock);
    return err;
}

enum sh_err node_vectors_put_packed(struct node_vectors *self, uint32_t place,
                                    const struct packed_vector *vector)
{
    const struct entry fresh = {vector->number, vector->hash, vector->scale};
    int8_t *bytes;
    enum sh_err err = SH_NOMEM;
    pthread_rwlock_wrlock(&self->lock);
    struct entry *entry = clear_entry(self, place, &bytes);
    if (entry != NULL) {
        memcpy(bytes, vector->bytes, self->dimension);
        err = enter(self, entry, &fresh);
    }
    pthread_rwlock_unlock(&self->lock);
    return err;
}

/* --- keeping ---------------------------------------------------------------------- */

size_t node_vectors_dimension(const struct node_vectors *self)
{
    return self->dimension;
}

size_t node_vectors_known(const struct node_vectors *self)
{
    size_t known = 0;
    for (size_t b = 0; b < self->block_count; b++)
        for (size_t i = 0; self->blocks[b] != NULL && i < BLOCK; i++)
            known += self->blocks[b]->entries[i].number != 0;
    return known;
}

void node_vectors_each(const struct node_vectors *self, node_vectors_each_fn *each,
                       void *arg)
{
    for (size_t b = 0; b < self->block_count; b++)
        for (size_t i = 0; self->blocks[b] != NULL && i < BLOCK; i++) {
            const struct entry *entry = &self->blocks[b]->entries[i];
            struct packed_vector vector = {entry->number, entry->hash, entry->scale,
                                           self->blocks[b]->bytes + i * self->stride};
            if (entry->number != 0)
                each(arg, &vector);
        }
}

/* --- searching -------------------------------------------------------------------- */

struct search {
    const struct graph_reader *reader;
    uint32_t label;
    uint32_t self; /* place */
    size_t max;
    struct similar_node *out;
    size_t count;
};

static int32_t multiply(const int8_t *left, const int8_t *right, size_t stride)
{
    int32_t sum = 0;
    for (size_t i = 0; i < stride; i += STEP)
        for (size_t j = 0; j < STEP; j++)
            sum += left[i + j] * right[i + j];
    return sum;
}

/* Asked only of what is similar enough. */
static bool may_be_shown(const struct search *search, uint32_t place, uint64_t number)
{
    const struct node *node = graph_node(search->reader, place);
    if (node == NULL || node->body->number != number || place == search->self)
        return false;
    bool found = search->label == WALK_ANY;
    for (uint32_t i = 0; i < node->body->label_count && !found; i++)
        found = node->body->labels[i] == search->label;
    return found;
}

static void offer(struct search *search, uint32_t place, uint64_t number,
                  double similarity)
{
    struct similar_node *out = search->out;
    size_t at = search->count;
    if (at == search->max && !(at > 0 && similarity > out[at - 1].similarity))
        return;
    if (!may_be_shown(search, place, number))
        return;
    if (at == search->max)
        at--;
    else
        search->count++;
    for (; at > 0 && out[at - 1].similarity < similarity; at--)
        out[at] = out[at - 1];
    out[at] = (struct similar_node){place, similarity};
}

static void scan(const struct node_vectors *self, const int8_t *vector, float scale,
                 struct search *search)
{
    for (size_t b = 0; b < self->block_count; b++) {
        const struct block *block = self->blocks[b];
        for (size_t i = 0; block != NULL && i < BLOCK; i++) {
            const struct entry *entry = &block->entries[i];
            if (!(entry->scale > 0))
                continue;
            int32_t sum = multiply(vector, block->bytes + i * self->stride, self->stride);
            offer(search, (uint32_t)(b * BLOCK + i), entry->number,
                  (double)sum * (double)scale * (double)entry->scale);
        }
    }
}

bool node_vectors_nearest(struct node_vectors *self, const struct graph_reader *reader,
                          const struct similar_query *query, struct similar_node *out,
                          size_t *count)
{
    uint32_t place = query->place;
    struct search search = {.reader = reader,
                            .label = query->label,
                            .self = place,
                            .max = query->max,
                            .out = out};
    const struct node *node = graph_node(reader, place);
    pthread_rwlock_rdlock(&self->lock);
    const struct block *block = block_of(self, place);
    const struct entry *entry = block ? &block->entries[place % BLOCK] : NULL;
    bool known = node && entry && entry->scale > 0 && entry->number == node->body->number;
    if (known)
        scan(self, block->bytes + (size_t)(place % BLOCK) * self->stride, entry->scale,
             &search);
    pthread_rwlock_unlock(&self->lock);
    *count = search.count;
    return known;
}
