#include "services/search/vector/hnsw_internal.h"

struct compaction {
    struct hnsw *self;
    uint32_t *leaving;
    uint32_t count;
    uint32_t nodes; /* that were there at the start */
    struct scratch *scratch;
};

static enum sh_err collect(struct compaction *job)
{
    struct hnsw *self = job->self;
    uint32_t most = atomic_load(&self->dead);
    job->leaving = sh_alloc_array(most + (size_t)1, sizeof(*job->leaving));
    if (!job->leaving)
        return SH_NOMEM;
    for (uint32_t node = 0; node < job->nodes && job->count < most; node++) {
        if (!node_is(self, node, NODE_DEAD))
            continue;
        node_mark(self, node, NODE_LEAVING);
        job->leaving[job->count++] = node;
    }
    return SH_OK;
}

/* The highest node that stays; 0 when there is none. */
static uint64_t best_entry(const struct compaction *job)
{
    const struct hnsw *self = job->self;
    uint64_t best = 0;
    for (uint32_t node = 0; node < job->nodes; node++) {
        uint64_t entry = entry_make(node, node_head(self, node)->level);
        /* a node on its way in is not mapped yet and may have no links */
        uint32_t slot = atomic_load_explicit(node_slot(self, node), memory_order_relaxed);
        if (!node_is(self, node, NODE_LEAVING | NODE_FREE) && entry >> 32 > best >> 32 &&
            slot < atomic_load(&self->slot_count) &&
            atomic_load(slot_node(self, slot)) == node + 1)
            best = entry;
    }
    return best;
}

static void move_entry(const struct compaction *job)
{
    struct hnsw *self = job->self;
    uint64_t entry = atomic_load(&self->entry);
    while (entry != 0 && node_is(self, (uint32_t)entry, NODE_LEAVING)) {
        if (atomic_compare_exchange_strong(&self->entry, &entry, best_entry(job)))
            return;
    }
}

static bool leads_to_leaving(const struct hnsw *self, uint32_t node, uint32_t level)
{
    const _Atomic uint32_t *links = node_links(self, node, level);
    uint32_t count = links_count(self, node, level);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t next = atomic_load_explicit(&links[i], memory_order_acquire);
        if (node_is(self, next, NODE_LEAVING))
            return true;
    }
    return false;
}

/* A candidate once, and never the node itself. */
static uint32_t add(const struct compaction *job, uint32_t node, uint32_t next,
                    uint32_t count)
{
    struct scratch *scratch = job->scratch;
    if (next == node || next >= scratch->visited_count ||
        scratch->visited[next] == scratch->stamp ||
        node_is(job->self, next, NODE_LEAVING))
        return count;
    scratch->visited[next] = scratch->stamp;
    float score = node_product(job->self, &scratch->base, next);
    scratch->candidates[count] = (struct seen){score, next};
    return count + 1;
}

/* Its neighbours that stay, and what the leaving ones led to. */
static uint32_t gather(const struct compaction *job, uint32_t node, uint32_t level)
{
    const struct hnsw *self = job->self;
    const _Atomic uint32_t *links = node_links(self, node, level);
    uint32_t links_here = links_count(self, node, level);
    uint32_t count = 0;
    coder_query_stored(&self->coder, node_at(self, node), &job->scratch->base);
    walk_stamp(job->scratch);
    for (uint32_t i = 0; i < links_here; i++) {
        uint32_t next = atomic_load_explicit(&links[i], memory_order_acquire);
        if (!node_is(self, next, NODE_LEAVING)) {
            count = add(job, node, next, count);
            continue;
        }
        const _Atomic uint32_t *beyond = node_links(self, next, level);
        uint32_t links_there = links_count(self, next, level);
        for (uint32_t j = 0; j < links_there; j++)
            count = add(job, node, atomic_load_explicit(&beyond[j], memory_order_acquire),
                        count);
    }
    return count;
}

static void repair(const struct compaction *job, uint32_t node, uint32_t level)
{
    struct hnsw *self = job->self;
    struct scratch *scratch = job->scratch;
    node_lock(self, node);
    uint32_t count = gather(job, node, level);
    link_sort(scratch->candidates, count);
    count =
        link_select(self, scratch, scratch->candidates, count, links_most(self, level));
    link_write(self, node, level, scratch->candidates, count);
    node_unlock(self, node);
    if (count == 0 && level == 0)
        link_node(self, scratch, node); /* all around it left */
}

static void repair_all(const struct compaction *job)
{
    const struct hnsw *self = job->self;
    for (uint32_t node = 0; node < job->nodes; node++) {
        if (node_is(self, node, NODE_LEAVING | NODE_FREE))
            continue;
        for (uint32_t level = node_head(self, node)->level + 1U; level-- > 0;) {
            if (leads_to_leaving(self, node, level))
                repair(job, node, level);
        }
    }
}

static void give_back(const struct compaction *job)
{
    struct hnsw *self = job->self;
    pthread_mutex_lock(&self->growing);
    for (uint32_t i = 0; i < job->count; i++) {
        atomic_store(&node_head(self, job->leaving[i])->flags, NODE_FREE);
        self->free_nodes[self->free_count++] = job->leaving[i];
    }
    pthread_mutex_unlock(&self->growing);
    atomic_fetch_sub(&self->dead, job->count);
}

static enum sh_err reserve_free(struct hnsw *self, uint32_t more)
{
    pthread_mutex_lock(&self->growing);
    size_t wanted = self->free_count + (size_t)more + 1;
    uint32_t *nodes = sh_realloc(self->free_nodes, wanted * sizeof(*nodes));
    if (nodes)
        self->free_nodes = nodes;
    pthread_mutex_unlock(&self->growing);
    return nodes ? SH_OK : SH_NOMEM;
}

static void unmark(const struct compaction *job)
{
    for (uint32_t i = 0; i < job->count; i++)
        atomic_fetch_and(&node_head(job->self, job->leaving[i])->flags,
                         (uint8_t)~NODE_LEAVING);
}

/* The nodes that are being inserted while it runs were begun after the marks were made,
 * or have been waited for: no list gets a link to a leaving node behind our back. */
static enum sh_err compact(struct compaction *job)
{
    struct hnsw *self = job->self;
    uint32_t seat = 0;
    enum sh_err err = reserve_free(self, job->count);
    if (err != SH_OK)
        return err;
    move_entry(job);
    sh_epoch_wait(&self->epoch);
    job->nodes = atomic_load_explicit(&self->node_count, memory_order_acquire);
    err = walk_begin(self, self->options.ef_construction, &seat);
    if (err != SH_OK)
        return err;
    job->scratch = &self->scratch[seat];
    repair_all(job);
    walk_end(self, seat);
    sh_epoch_wait(&self->epoch);
    give_back(job);
    return SH_OK;
}

enum sh_err hnsw_compact(struct hnsw *self)
{
    struct compaction job = {.self = self};
    if (pthread_mutex_trylock(&self->compacting) != 0)
        return SH_BUSY;
    job.nodes = atomic_load_explicit(&self->node_count, memory_order_acquire);
    enum sh_err err = collect(&job);
    if (err == SH_OK && job.count > 0)
        err = compact(&job);
    if (err != SH_OK)
        unmark(&job);
    sh_free(job.leaving);
    pthread_mutex_unlock(&self->compacting);
    return err;
}
