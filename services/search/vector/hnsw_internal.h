/* hnsw_internal: the inside of the graph, for its own files only.
 *
 * A node is one record: [code][head][links of level 0], aligned to the cache's lines. Its
 * links of the levels above lie in `upper`. A node's vector never changes while a reader
 * can reach it: a new vector is a new node, and the record of the old one is used again
 * only when all who were reading have left (epoch). Links are single atomic words; a
 * reader of a list that is being rewritten sees old and new ones mixed, which costs
 * nothing but a detour. Writers of a list hold its node's spin lock. */
#ifndef SEARCH_HNSW_INTERNAL_H
#define SEARCH_HNSW_INTERNAL_H

#include <pthread.h>

#include "services/search/vector/hnsw.h"
#include "services/search/vector/region.h"
#include "shared/epoch.h"

enum {
    HNSW_LEVELS = 16,
    HNSW_LINKS_MOST = 128,
    HNSW_EF_MOST = 4096,
    HNSW_SLOTS_MOST = 1 << 30,
    NODE_LOCK = 1,    /* flags */
    NODE_DEAD = 2,    /* removed, still linked */
    NODE_LEAVING = 4, /* dead, and being taken out: no new links to it */
    NODE_FREE = 8,    /* unlinked */
};

#define HNSW_NONE UINT32_MAX

struct node_head {
    uint32_t upper; /* first word of its lists in `upper`, when its level is above 0 */
    _Atomic uint16_t count; /* links of level 0 */
    uint8_t level;
    _Atomic uint8_t flags;
};

struct seen { /* a node met on the way; EXPANDED is a bit of `node` */
    float score;
    uint32_t node;
};

#define SEEN_EXPANDED (UINT32_C(1) << 31)

/* What one walk needs; belongs to a seat of the epoch. */
struct scratch {
    uint8_t *visited; /* by node: the stamp; + 1: known to be kept out by the filter */
    uint32_t visited_count;
    uint8_t stamp;
    struct seen *pool; /* best first */
    uint32_t pool_size;
    uint32_t *fresh; /* nodes to be scored next */
    struct seen *candidates;
    void *queries; /* three of them */
    struct code_query query;
    struct code_query left; /* of a heuristic's comparisons */
    struct code_query base;
};

struct hnsw {
    struct hnsw_options options;
    struct coder coder;
    size_t head_at; /* of the node's record */
    size_t links_at;
    size_t stride;
    double level_factor;
    struct region nodes;
    struct region upper;   /* uint32_t */
    struct region slots;   /* slot of a node: _Atomic uint32_t */
    struct region mapping; /* node of a slot, + 1: _Atomic uint32_t */
    _Atomic uint32_t node_count;
    _Atomic uint32_t slot_count; /* slots that have a place in `mapping` */
    uint32_t upper_words;        /* used; under `growing` */
    uint32_t *free_nodes;
    uint32_t free_count;
    uint64_t random;
    _Atomic uint64_t entry; /* level + 1 in the upper half, node below; 0: empty */
    _Atomic uint32_t live;
    _Atomic uint32_t dead;
    pthread_mutex_t growing;
    pthread_mutex_t compacting;
    pthread_rwlock_t saving; /* inserts share it */
    struct sh_epoch epoch;
    struct scratch scratch[SH_EPOCH_SEATS];
};

static inline char *node_at(const struct hnsw *self, uint32_t node)
{
    return self->nodes.base + node * self->stride;
}

static inline struct node_head *node_head(const struct hnsw *self, uint32_t node)
{
    void *head = node_at(self, node) + self->head_at;
    return head;
}

static inline _Atomic uint32_t *node_slot(const struct hnsw *self, uint32_t node)
{
    void *slots = self->slots.base;
    return (_Atomic uint32_t *)slots + node;
}

static inline _Atomic uint32_t *slot_node(const struct hnsw *self, uint32_t slot)
{
    void *mapping = self->mapping.base;
    return (_Atomic uint32_t *)mapping + slot;
}

static inline uint32_t links_most(const struct hnsw *self, uint32_t level)
{
    return level == 0 ? 2 * self->options.links : self->options.links;
}

/* The words of a list; for levels above 0 the count stands before them. */
static inline _Atomic uint32_t *node_links(const struct hnsw *self, uint32_t node,
                                           uint32_t level)
{
    void *bottom = node_at(self, node) + self->links_at;
    void *upper = self->upper.base;
    if (level == 0)
        return bottom;
    size_t lists = (size_t)(level - 1) * (self->options.links + 1);
    return (_Atomic uint32_t *)upper + node_head(self, node)->upper + lists + 1;
}

static inline uint32_t links_count(const struct hnsw *self, uint32_t node, uint32_t level)
{
    if (level == 0)
        return atomic_load_explicit(&node_head(self, node)->count, memory_order_acquire);
    return atomic_load_explicit(node_links(self, node, level) - 1, memory_order_acquire);
}

static inline void links_set_count(const struct hnsw *self, uint32_t node, uint32_t level,
                                   uint32_t count)
{
    if (level == 0)
        atomic_store_explicit(&node_head(self, node)->count, (uint16_t)count,
                              memory_order_release);
    else
        atomic_store_explicit(node_links(self, node, level) - 1, count,
                              memory_order_release);
}

static inline bool node_is(const struct hnsw *self, uint32_t node, uint8_t flag)
{
    return (atomic_load_explicit(&node_head(self, node)->flags, memory_order_acquire) &
            flag) != 0;
}

static inline float node_product(const struct hnsw *self, const struct code_query *query,
                                 uint32_t node)
{
    return coder_product(&self->coder, query, node_at(self, node));
}

/* hnsw.c */
SH_CHECK enum sh_err hnsw_make(const struct hnsw_options *options, struct hnsw **out);
void node_lock(const struct hnsw *self, uint32_t node);
void node_unlock(const struct hnsw *self, uint32_t node);
void node_mark(const struct hnsw *self, uint32_t node, uint8_t flag);

/* hnsw_walk.c: enters the epoch; the scratch is the caller's until the end. Errors:
 * SH_NOMEM (nothing is entered). */
SH_CHECK enum sh_err walk_begin(struct hnsw *self, uint32_t ef, uint32_t *seat);
void walk_end(struct hnsw *self, uint32_t seat);
/* Room for so many candidates. Errors: SH_NOMEM. */
SH_CHECK enum sh_err walk_widen(struct scratch *scratch, uint32_t ef);
void walk_stamp(struct scratch *scratch);

struct walk {
    const struct hnsw *self;
    struct scratch *scratch;
    const struct code_query *query;
    uint32_t level;
    uint32_t ef;
    uint32_t count; /* in scratch->pool */
    const struct bitmap *allowed;
    uint64_t deadline_ms;
    uint64_t scanned;
    bool cut;
};

/* Puts a node into the pool unless it was met already. */
void walk_seed(struct walk *walk, uint32_t node);
/* From what is in the pool to its surroundings, until none of the `ef` best is left. */
void walk_run(struct walk *walk);
/* The closest node by levels `from` down to `to`, one step at a time. */
uint32_t walk_descend(struct walk *walk, uint32_t start, uint32_t from, uint32_t to);

/* hnsw_link.c: candidates best first; those that are closer to one taken before than to
 * the centre are left out. Returns how many are in front of the array now. */
uint32_t link_select(const struct hnsw *self, struct scratch *scratch,
                     struct seen *candidates, uint32_t count, uint32_t most);
void link_sort(struct seen *seen, uint32_t count);
/* Replaces a list; under the node's lock. */
void link_write(const struct hnsw *self, uint32_t node, uint32_t level,
                const struct seen *chosen, uint32_t count);
void link_node(struct hnsw *self, struct scratch *scratch, uint32_t node);

static inline uint64_t entry_make(uint32_t node, uint32_t level)
{
    return (uint64_t)(level + 1) << 32 | node;
}

static inline uint32_t entry_level(uint64_t entry)
{
    return (uint32_t)(entry >> 32) - 1;
}

#endif
