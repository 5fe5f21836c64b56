#include "services/search/vector/hnsw_internal.h"

#include <stdlib.h>

static int best_first(const void *a, const void *b)
{
    const struct seen *left = a;
    const struct seen *right = b;
    if (left->score != right->score)
        return left->score < right->score ? 1 : -1;
    return (left->node > right->node) - (left->node < right->node);
}

/* Lists of links are short. */
void link_sort(struct seen *seen, uint32_t count)
{
    if (count > 64) {
        qsort(seen, count, sizeof(*seen), best_first);
        return;
    }
    for (uint32_t i = 1; i < count; i++) {
        struct seen moved = seen[i];
        uint32_t to = i;
        for (; to > 0 && seen[to - 1].score < moved.score; to--)
            seen[to] = seen[to - 1];
        seen[to] = moved;
    }
}

static bool is_covered(const struct hnsw *self, struct scratch *scratch,
                       const struct seen *candidate, const struct seen *chosen,
                       uint32_t count)
{
    if (count == 0)
        return false;
    coder_query_stored(&self->coder, node_at(self, candidate->node), &scratch->left);
    for (uint32_t i = 0; i < count; i++) {
        if (node_product(self, &scratch->left, chosen[i].node) > candidate->score)
            return true;
    }
    return false;
}

uint32_t link_select(const struct hnsw *self, struct scratch *scratch,
                     struct seen *candidates, uint32_t count, uint32_t most)
{
    uint32_t chosen = 0;
    for (uint32_t i = 0; i < count && chosen < most; i++) {
        if (!node_is(self, candidates[i].node, NODE_LEAVING) &&
            !is_covered(self, scratch, &candidates[i], candidates, chosen))
            candidates[chosen++] = candidates[i];
    }
    return chosen;
}

void link_write(const struct hnsw *self, uint32_t node, uint32_t level,
                const struct seen *chosen, uint32_t count)
{
    _Atomic uint32_t *links = node_links(self, node, level);
    uint32_t before = links_count(self, node, level);
    if (count < before)
        links_set_count(self, node, level, count);
    for (uint32_t i = 0; i < count; i++)
        atomic_store_explicit(&links[i], chosen[i].node, memory_order_release);
    if (count > before)
        links_set_count(self, node, level, count);
}

static bool is_linked(const struct hnsw *self, uint32_t from, uint32_t level,
                      uint32_t node)
{
    const _Atomic uint32_t *links = node_links(self, from, level);
    uint32_t count = links_count(self, from, level);
    for (uint32_t i = 0; i < count; i++) {
        if (atomic_load_explicit(&links[i], memory_order_relaxed) == node)
            return true;
    }
    return false;
}

/* The list is full: the best of it and the new one. */
static void choose_again(const struct hnsw *self, struct scratch *scratch, uint32_t node,
                         uint32_t level, uint32_t added)
{
    const _Atomic uint32_t *links = node_links(self, node, level);
    uint32_t count = links_count(self, node, level);
    struct seen *candidates = scratch->candidates;
    coder_query_stored(&self->coder, node_at(self, node), &scratch->base);
    for (uint32_t i = 0; i <= count; i++) {
        uint32_t other =
            i < count ? atomic_load_explicit(&links[i], memory_order_relaxed) : added;
        candidates[i].node = other;
        candidates[i].score = node_product(self, &scratch->base, other);
    }
    link_sort(candidates, count + 1);
    count = link_select(self, scratch, candidates, count + 1, links_most(self, level));
    link_write(self, node, level, candidates, count);
}

static void link_back(const struct hnsw *self, struct scratch *scratch, uint32_t from,
                      uint32_t level, uint32_t node)
{
    node_lock(self, from);
    uint32_t count = links_count(self, from, level);
    if (is_linked(self, from, level, node)) {
        node_unlock(self, from);
        return;
    }
    if (count < links_most(self, level)) {
        atomic_store_explicit(&node_links(self, from, level)[count], node,
                              memory_order_release);
        links_set_count(self, from, level, count + 1);
    } else {
        choose_again(self, scratch, from, level, node);
    }
    node_unlock(self, from);
}

/* True when there was none. */
static bool enter_first(struct hnsw *self, uint32_t node)
{
    uint64_t none = 0;
    return atomic_compare_exchange_strong(&self->entry, &none,
                                          entry_make(node, node_head(self, node)->level));
}

static void enter_higher(struct hnsw *self, uint32_t node)
{
    uint32_t level = node_head(self, node)->level;
    uint64_t entry = atomic_load(&self->entry);
    while (entry == 0 || entry_level(entry) < level) {
        if (atomic_compare_exchange_weak(&self->entry, &entry, entry_make(node, level)))
            return;
    }
}

/* The node's own links of one level, from `start`; the closest one is where the next
 * level starts. */
static uint32_t link_level(struct hnsw *self, struct walk *walk, uint32_t node,
                           uint32_t level, uint32_t start)
{
    struct scratch *scratch = walk->scratch;
    walk_stamp(scratch);
    scratch->visited[node] = scratch->stamp; /* not a neighbour of itself */
    walk->level = level;
    walk->count = 0;
    walk_seed(walk, start);
    walk_run(walk);
    if (walk->count == 0)
        return start;
    uint32_t closest = scratch->pool[0].node;
    uint32_t count =
        link_select(self, scratch, scratch->pool, walk->count, self->options.links);
    node_lock(self, node);
    link_write(self, node, level, scratch->pool, count);
    node_unlock(self, node);
    return closest;
}

void link_node(struct hnsw *self, struct scratch *scratch, uint32_t node)
{
    struct node_head *head = node_head(self, node);
    if (enter_first(self, node))
        return;
    uint64_t entry = atomic_load(&self->entry);
    coder_query_stored(&self->coder, node_at(self, node), &scratch->query);
    struct walk walk = {.self = self,
                        .scratch = scratch,
                        .query = &scratch->query,
                        .ef = self->options.ef_construction,
                        .deadline_ms = UINT64_MAX};
    uint32_t top = entry_level(entry);
    uint32_t start = walk_descend(&walk, (uint32_t)entry, top, head->level + 1U);
    uint32_t common = head->level < top ? head->level : top;
    for (uint32_t level = common + 1; level-- > 0;)
        start = link_level(self, &walk, node, level, start);
    /* it has all of its own links before others lead to it, the bottom first */
    for (uint32_t level = 0; level <= common; level++) {
        uint32_t count = links_count(self, node, level);
        for (uint32_t i = 0; i < count; i++)
            link_back(self, scratch,
                      atomic_load_explicit(&node_links(self, node, level)[i],
                                           memory_order_acquire),
                      level, node);
    }
    enter_higher(self, node);
}
