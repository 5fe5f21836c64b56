#include "services/search/vector/hnsw_internal.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>

struct hnsw_options hnsw_defaults(uint32_t dimension)
{
    return (struct hnsw_options){
        .dimension = dimension,
        .links = 16,
        .ef_construction = 200,
        .most = 1U << 24,
        .kind = CODE_INT8,
        .seed = 0x9e3779b97f4a7c15U,
    };
}

static bool options_hold(const struct hnsw_options *o)
{
    return o->dimension >= 1 && o->dimension <= 65536 && o->links >= 2 &&
           o->links <= HNSW_LINKS_MOST && o->ef_construction >= 1 &&
           o->ef_construction <= HNSW_EF_MOST && o->most >= 1 &&
           o->most < HNSW_SLOTS_MOST && (unsigned)o->kind < CODE_KINDS;
}

/* Room for every node at level 1 at least, on average far more than is used. */
static size_t upper_most(const struct hnsw_options *o)
{
    return ((size_t)o->most + 64) * (o->links + 1) * sizeof(uint32_t);
}

static enum sh_err open_regions(struct hnsw *self)
{
    const struct hnsw_options *o = &self->options;
    enum sh_err err = region_open(o->most * self->stride, &self->nodes);
    if (err == SH_OK)
        err = region_open(upper_most(o), &self->upper);
    if (err == SH_OK)
        err = region_open(o->most * sizeof(uint32_t), &self->slots);
    if (err == SH_OK)
        err = region_open(HNSW_SLOTS_MOST * sizeof(uint32_t), &self->mapping);
    return err;
}

enum sh_err hnsw_make(const struct hnsw_options *options, struct hnsw **out)
{
    *out = NULL;
    if (!options_hold(options))
        return SH_INVALID;
    void *memory = NULL;
    if (posix_memalign(&memory, 64, sizeof(struct hnsw)) != 0)
        return SH_NOMEM;
    struct hnsw *self = memory;
    memset(memory, 0, sizeof(*self));
    self->options = *options;
    self->coder = coder_make(options->kind, options->dimension);
    self->head_at = self->coder.bytes;
    self->links_at = self->head_at + sizeof(struct node_head);
    size_t record = self->links_at + sizeof(uint32_t) * 2 * options->links;
    self->stride = (record + CODE_ALIGN - 1) / CODE_ALIGN * CODE_ALIGN;
    self->level_factor = 1 / log((double)options->links);
    self->random = options->seed;
    sh_epoch_init(&self->epoch);
    pthread_mutex_init(&self->growing, NULL);
    pthread_mutex_init(&self->compacting, NULL);
    pthread_rwlock_init(&self->saving, NULL);
    enum sh_err err = open_regions(self);
    if (err != SH_OK)
        hnsw_free(&self);
    *out = self;
    return err;
}

enum sh_err hnsw_create(const struct hnsw_options *options, struct hnsw **out)
{
    return hnsw_make(options, out);
}

static void free_scratch(struct scratch *scratch)
{
    sh_free(scratch->visited);
    sh_free(scratch->pool);
    sh_free(scratch->fresh);
    sh_free(scratch->candidates);
    free(scratch->queries);
}

void hnsw_free(struct hnsw **out)
{
    struct hnsw *self = *out;
    if (!self)
        return;
    for (uint32_t i = 0; i < SH_EPOCH_SEATS; i++)
        free_scratch(&self->scratch[i]);
    region_close(&self->nodes);
    region_close(&self->upper);
    region_close(&self->slots);
    region_close(&self->mapping);
    sh_free(self->free_nodes);
    pthread_mutex_destroy(&self->growing);
    pthread_mutex_destroy(&self->compacting);
    pthread_rwlock_destroy(&self->saving);
    free(self);
    *out = NULL;
}

/* --- locks and flags of nodes ----------------------------------------------------- */

void node_lock(const struct hnsw *self, uint32_t node)
{
    _Atomic uint8_t *flags = &node_head(self, node)->flags;
    for (uint32_t tries = 1;
         atomic_fetch_or_explicit(flags, NODE_LOCK, memory_order_acquire) & NODE_LOCK;
         tries++) {
        if (tries % 64 == 0)
            sched_yield(); /* who holds it may be waiting for this processor */
    }
}

void node_unlock(const struct hnsw *self, uint32_t node)
{
    atomic_fetch_and_explicit(&node_head(self, node)->flags, (uint8_t)~NODE_LOCK,
                              memory_order_release);
}

void node_mark(const struct hnsw *self, uint32_t node, uint8_t flag)
{
    atomic_fetch_or_explicit(&node_head(self, node)->flags, flag, memory_order_release);
}

/* --- nodes ------------------------------------------------------------------------ */

static double random_unit(struct hnsw *self)
{
    uint64_t z = self->random += 0x9e3779b97f4a7c15U;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    z ^= z >> 31;
    return ((double)(z >> 11) + 1) * 0x1p-53; /* (0, 1] */
}

static enum sh_err grow(struct hnsw *self, uint32_t node, uint32_t upper_words)
{
    if (node >= self->options.most)
        return SH_TOOBIG;
    enum sh_err err = region_grow(&self->nodes, (node + (size_t)1) * self->stride);
    if (err == SH_OK)
        err = region_grow(&self->slots, (node + (size_t)1) * sizeof(uint32_t));
    if (err == SH_OK)
        err = region_grow(&self->upper,
                          (self->upper_words + (size_t)upper_words) * sizeof(uint32_t));
    return err;
}

/* Under `growing`. */
static enum sh_err new_node(struct hnsw *self, uint32_t *node)
{
    uint32_t next = atomic_load_explicit(&self->node_count, memory_order_relaxed);
    double level = -log(random_unit(self)) * self->level_factor;
    uint32_t height = level < HNSW_LEVELS - 1 ? (uint32_t)level : HNSW_LEVELS - 1;
    uint32_t words = height * (self->options.links + 1);
    enum sh_err err = grow(self, next, words);
    if (err != SH_OK)
        return err;
    struct node_head *head = node_head(self, next);
    head->level = (uint8_t)height;
    head->upper = self->upper_words;
    self->upper_words += words;
    atomic_store_explicit(&self->node_count, next + 1, memory_order_release);
    *node = next;
    return SH_OK;
}

/* A record that nobody sees: a used one keeps its level, so the levels stay as they were
 * drawn. */
static enum sh_err take_node(struct hnsw *self, uint32_t *node)
{
    enum sh_err err = SH_OK;
    pthread_mutex_lock(&self->growing);
    if (self->free_count > 0)
        *node = self->free_nodes[--self->free_count];
    else
        err = new_node(self, node);
    pthread_mutex_unlock(&self->growing);
    return err;
}

static enum sh_err map_slot(struct hnsw *self, uint32_t slot)
{
    enum sh_err err = SH_OK;
    if (slot < atomic_load_explicit(&self->slot_count, memory_order_acquire))
        return SH_OK;
    pthread_mutex_lock(&self->growing);
    err = region_grow(&self->mapping, (slot + (size_t)1) * sizeof(uint32_t));
    if (err == SH_OK && slot >= atomic_load(&self->slot_count))
        atomic_store_explicit(&self->slot_count, slot + 1, memory_order_release);
    pthread_mutex_unlock(&self->growing);
    return err;
}

static void fill_node(struct hnsw *self, uint32_t node, uint32_t slot,
                      const float *vector)
{
    struct node_head *head = node_head(self, node);
    coder_encode(&self->coder, vector, node_at(self, node));
    for (uint32_t level = 0; level <= head->level; level++)
        links_set_count(self, node, level, 0);
    atomic_store_explicit(node_slot(self, node), slot, memory_order_release);
    atomic_store_explicit(&head->flags, 0, memory_order_release);
}

static void bury(struct hnsw *self, uint32_t node_and_1)
{
    if (node_and_1 == 0)
        return;
    node_mark(self, node_and_1 - 1, NODE_DEAD);
    atomic_fetch_add(&self->dead, 1);
    atomic_fetch_sub(&self->live, 1);
}

static enum sh_err insert(struct hnsw *self, uint32_t slot, const float *vector)
{
    uint32_t seat = 0;
    uint32_t node = 0;
    enum sh_err err = map_slot(self, slot);
    if (err == SH_OK)
        err = take_node(self, &node);
    if (err != SH_OK)
        return err;
    fill_node(self, node, slot, vector);
    err = walk_begin(self, self->options.ef_construction, &seat);
    if (err == SH_OK) {
        link_node(self, &self->scratch[seat], node);
        walk_end(self, seat);
        atomic_fetch_add(&self->live, 1);
        bury(self, atomic_exchange(slot_node(self, slot), node + 1));
        return SH_OK;
    }
    /* nobody knows it yet: compaction finds it */
    node_mark(self, node, NODE_DEAD);
    atomic_fetch_add(&self->dead, 1);
    return err;
}

enum sh_err hnsw_set(struct hnsw *self, uint32_t slot, const float *vector)
{
    if (slot >= HNSW_SLOTS_MOST)
        return SH_INVALID;
    for (uint32_t i = 0; i < self->options.dimension; i++) {
        if (!isfinite(vector[i]))
            return SH_INVALID;
    }
    pthread_rwlock_rdlock(&self->saving);
    enum sh_err err = insert(self, slot, vector);
    pthread_rwlock_unlock(&self->saving);
    return err;
}

void hnsw_remove(struct hnsw *self, uint32_t slot)
{
    if (slot >= atomic_load_explicit(&self->slot_count, memory_order_acquire))
        return;
    pthread_rwlock_rdlock(&self->saving);
    bury(self, atomic_exchange(slot_node(self, slot), 0));
    pthread_rwlock_unlock(&self->saving);
}

bool hnsw_has(const struct hnsw *self, uint32_t slot)
{
    return slot < atomic_load_explicit(&self->slot_count, memory_order_acquire) &&
           atomic_load(slot_node(self, slot)) != 0;
}

uint32_t hnsw_count(const struct hnsw *self)
{
    return atomic_load(&self->live);
}

uint32_t hnsw_dead(const struct hnsw *self)
{
    return atomic_load(&self->dead);
}

uint32_t hnsw_dimension(const struct hnsw *self)
{
    return self->options.dimension;
}

size_t hnsw_bytes(const struct hnsw *self)
{
    size_t bytes = sizeof(*self) + self->nodes.usable + self->upper.usable +
                   self->slots.usable + self->mapping.usable;
    for (uint32_t i = 0; i < SH_EPOCH_SEATS; i++)
        bytes += self->scratch[i].visited_count;
    return bytes;
}
