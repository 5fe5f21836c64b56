#include "services/search/vector/hnsw_internal.h"

#include <stdlib.h>

#include "shared/clock.h"

enum { DEADLINE_EVERY = 64, LINE = 64, LINES_MOST = 16 };

/* --- scratch ---------------------------------------------------------------------- */

enum sh_err walk_widen(struct scratch *scratch, uint32_t ef)
{
    if (scratch->pool_size >= ef + 1)
        return SH_OK;
    struct seen *pool = sh_realloc(scratch->pool, (ef + (size_t)1) * sizeof(*pool));
    if (!pool)
        return SH_NOMEM;
    scratch->pool = pool;
    scratch->pool_size = ef + 1;
    return SH_OK;
}

/* Nodes that come later are unknown to this walk: it leaves them out. */
static enum sh_err ready_visited(struct scratch *scratch, uint32_t nodes)
{
    if (scratch->visited_count >= nodes)
        return SH_OK;
    size_t wanted = nodes + (size_t)nodes / 4 + 1024;
    sh_free(scratch->visited);
    scratch->visited_count = 0;
    scratch->stamp = 0;
    scratch->visited = sh_alloc(wanted);
    if (!scratch->visited)
        return SH_NOMEM;
    scratch->visited_count = (uint32_t)wanted;
    return SH_OK;
}

static enum sh_err ready_rest(const struct hnsw *self, struct scratch *scratch)
{
    size_t fresh = 6 * (size_t)self->options.links + 1;
    size_t candidates = HNSW_EF_MOST + fresh * fresh / 4 + fresh;
    size_t query = coder_query_bytes(&self->coder);
    if (scratch->queries)
        return SH_OK;
    if (!scratch->fresh)
        scratch->fresh = sh_alloc_array(fresh, sizeof(*scratch->fresh));
    if (!scratch->candidates)
        scratch->candidates = sh_alloc_array(candidates, sizeof(*scratch->candidates));
    if (!scratch->fresh || !scratch->candidates ||
        posix_memalign(&scratch->queries, CODE_ALIGN, 3 * query) != 0) {
        scratch->queries = NULL;
        return SH_NOMEM;
    }
    char *queries = scratch->queries;
    scratch->query.data = queries;
    scratch->left.data = queries + query;
    scratch->base.data = queries + 2 * query;
    return SH_OK;
}

enum sh_err walk_begin(struct hnsw *self, uint32_t ef, uint32_t *seat)
{
    *seat = sh_epoch_enter(&self->epoch);
    struct scratch *scratch = &self->scratch[*seat];
    uint32_t nodes = atomic_load_explicit(&self->node_count, memory_order_acquire);
    enum sh_err err = walk_widen(scratch, ef);
    if (err == SH_OK)
        err = ready_visited(scratch, nodes);
    if (err == SH_OK)
        err = ready_rest(self, scratch);
    if (err != SH_OK)
        sh_epoch_leave(&self->epoch, *seat);
    return err;
}

void walk_end(struct hnsw *self, uint32_t seat)
{
    sh_epoch_leave(&self->epoch, seat);
}

void walk_stamp(struct scratch *scratch)
{
    scratch->stamp += 2;
    if (scratch->stamp < 2) {
        memset(scratch->visited, 0, scratch->visited_count);
        scratch->stamp = 2;
    }
}

/* --- the pool --------------------------------------------------------------------- */

/* Where it went; `ef` when it is not among the best. */
static inline uint32_t offer(struct walk *walk, uint32_t node, float score)
{
    struct seen *pool = walk->scratch->pool;
    uint32_t low = 0;
    uint32_t high = walk->count;
    if (walk->count == walk->ef && !(score > pool[walk->count - 1].score))
        return walk->ef;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (pool[middle].score >= score)
            low = middle + 1;
        else
            high = middle;
    }
    uint32_t moved = walk->count - low;
    if (walk->count == walk->ef)
        moved--;
    else
        walk->count++;
    memmove(&pool[low + 1], &pool[low], moved * sizeof(*pool));
    pool[low] = (struct seen){score, node};
    return low;
}

/* False when it was met before. */
static inline bool visit(struct scratch *scratch, uint32_t node)
{
    if (node >= scratch->visited_count || scratch->visited[node] == scratch->stamp)
        return false;
    scratch->visited[node] = scratch->stamp;
    return true;
}

__attribute__((always_inline)) static inline void prefetch(const char *at, size_t bytes)
{
    for (size_t i = 0; i < bytes && i < (size_t)LINES_MOST * LINE; i += LINE)
        __builtin_prefetch(at + i);
}

__attribute__((always_inline)) static inline void prefetch_links(const struct hnsw *self,
                                                                 uint32_t node)
{
    prefetch(node_at(self, node) + self->head_at, self->stride - self->head_at);
}

static inline bool is_allowed(const struct walk *walk, uint32_t node)
{
    uint32_t slot =
        atomic_load_explicit(node_slot(walk->self, node), memory_order_relaxed);
    return bitmap_has(walk->allowed, slot);
}

void walk_seed(struct walk *walk, uint32_t node)
{
    if (!visit(walk->scratch, node))
        return;
    walk->scanned++;
    offer(walk, node, node_product(walk->self, walk->query, node));
}

/* Neighbours that were not met yet, their vectors on the way to the cache. */
static uint32_t gather(struct walk *walk, uint32_t node)
{
    const struct hnsw *self = walk->self;
    struct scratch *scratch = walk->scratch;
    const _Atomic uint32_t *links = node_links(self, node, walk->level);
    uint32_t count = links_count(self, node, walk->level);
    uint32_t fresh = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t next = atomic_load_explicit(&links[i], memory_order_acquire);
        if (!visit(scratch, next))
            continue;
        prefetch(node_at(self, next), self->links_at);
        scratch->fresh[fresh++] = next;
    }
    return fresh;
}

/* Those of a neighbour that is not allowed: over it, to the ones that are. What passes
 * cannot be foretold, so nothing here branches on it. */
static uint32_t gather_beyond(struct walk *walk, uint32_t node, uint32_t fresh)
{
    const struct hnsw *self = walk->self;
    uint8_t *visited = walk->scratch->visited;
    uint32_t *nodes = walk->scratch->fresh;
    uint32_t known = walk->scratch->visited_count;
    uint8_t stamp = walk->scratch->stamp;
    const _Atomic uint32_t *links = node_links(self, node, walk->level);
    uint32_t count = links_count(self, node, walk->level);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t next = atomic_load_explicit(&links[i], memory_order_acquire);
        if (next >= known)
            continue;
        uint8_t before = visited[next];
        bool passes = is_allowed(walk, next);
        nodes[fresh] = next;
        fresh += passes & (before != stamp);
        visited[next] = passes ? stamp : before;
    }
    return fresh;
}

/* Allowed ones within two steps. */
static uint32_t gather_allowed(struct walk *walk, uint32_t node)
{
    const struct hnsw *self = walk->self;
    uint8_t *visited = walk->scratch->visited;
    uint32_t *nodes = walk->scratch->fresh;
    uint32_t known = walk->scratch->visited_count;
    uint8_t stamp = walk->scratch->stamp;
    const _Atomic uint32_t *links = node_links(self, node, walk->level);
    uint32_t count = links_count(self, node, walk->level);
    uint32_t most = 4 * self->options.links;
    uint32_t bridges[2 * HNSW_LINKS_MOST + 1];
    uint32_t bridge_count = 0;
    uint32_t fresh = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t next = atomic_load_explicit(&links[i], memory_order_acquire);
        if (next >= known)
            continue;
        bool is_new = visited[next] != stamp;
        bool passes = is_allowed(walk, next);
        visited[next] = stamp;
        nodes[fresh] = next;
        bridges[bridge_count] = next;
        fresh += is_new & passes;
        bridge_count += is_new & !passes;
    }
    for (uint32_t i = 0; i < bridge_count; i++)
        prefetch_links(self, bridges[i]);
    for (uint32_t i = 0; i < bridge_count && fresh < most; i++)
        fresh = gather_beyond(walk, bridges[i], fresh);
    for (uint32_t i = 0; i < fresh; i++)
        prefetch(node_at(self, nodes[i]), self->links_at);
    return fresh;
}

/* The best place that a new one took in the pool. */
static uint32_t score_fresh(struct walk *walk, uint32_t fresh)
{
    const uint32_t *nodes = walk->scratch->fresh;
    uint32_t best = walk->ef;
    walk->scanned += fresh;
    for (uint32_t i = 0; i < fresh; i++) {
        float score = node_product(walk->self, walk->query, nodes[i]);
        uint32_t place = offer(walk, nodes[i], score);
        best = place < best ? place : best;
    }
    return best;
}

void walk_run(struct walk *walk)
{
    struct seen *pool = walk->scratch->pool;
    uint32_t steps = 0;
    for (uint32_t at = 0; at < walk->count;) {
        if (pool[at].node & SEEN_EXPANDED) {
            at++;
            continue;
        }
        if (++steps % DEADLINE_EVERY == 0 && sh_now_ms() >= walk->deadline_ms) {
            walk->cut = true;
            break;
        }
        uint32_t node = pool[at].node;
        pool[at].node |= SEEN_EXPANDED;
        uint32_t fresh = walk->allowed ? gather_allowed(walk, node) : gather(walk, node);
        uint32_t best = score_fresh(walk, fresh);
        at = best <= at ? best : at + 1;
        if (at < walk->count)
            prefetch_links(walk->self, pool[at].node & ~SEEN_EXPANDED);
    }
    for (uint32_t i = 0; i < walk->count; i++)
        pool[i].node &= ~SEEN_EXPANDED;
}

static bool step(struct walk *walk, uint32_t level, uint32_t *node, float *score)
{
    const struct hnsw *self = walk->self;
    const _Atomic uint32_t *links = node_links(self, *node, level);
    uint32_t count = links_count(self, *node, level);
    bool closer = false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t next = atomic_load_explicit(&links[i], memory_order_acquire);
        float other = node_product(self, walk->query, next);
        if (other > *score) {
            *score = other;
            *node = next;
            closer = true;
        }
    }
    walk->scanned += count;
    return closer;
}

uint32_t walk_descend(struct walk *walk, uint32_t start, uint32_t from, uint32_t to)
{
    uint32_t node = start;
    if (from < to)
        return node;
    float score = node_product(walk->self, walk->query, node);
    walk->scanned++;
    for (uint32_t level = from + 1; level-- > to;) {
        while (step(walk, level, &node, &score))
            continue;
    }
    return node;
}
