/* The next version. Edges whose counts may change (they go, come, or have a node that is
 * relabelled) are counted out as they were before anything changes, and counted in as
 * they are after everything has. Links are gathered and laid out once a node. If anything
 * fails, all that was made is released and the version before stays. */
#include "services/graph/view/change.h"

/* --- the whole -------------------------------------------------------------------- */

static enum sh_err begin(struct change *change, struct graph *graph)
{
    *change = (struct change){.graph = graph,
                              .before = atomic_load(&graph->current),
                              .next = sh_alloc(sizeof(*change->next)),
                              .leftover = sh_alloc(sizeof(*change->leftover)),
                              .free_nodes = graph->free_nodes.count,
                              .free_edges = graph->free_edges.count};
    if (change->next == NULL || change->leftover == NULL)
        return SH_NOMEM;
    *change->next = *change->before;
    change->next->number++;
    change->memory.version = change->next->number;
    return SH_OK;
}

static enum sh_err build(struct change *change, const struct graph_changes *changes)
{
    static enum sh_err (*const steps[])(struct change *, const struct graph_changes *) = {
        change_count_out, change_drop_edges, change_drop_nodes, change_put_nodes,
        change_put_edges};
    enum sh_err err = SH_OK;
    for (size_t i = 0; i < SH_COUNT(steps) && err == SH_OK; i++)
        err = steps[i](change, changes);
    if (err == SH_OK)
        err = change_lay_links(change);
    if (err == SH_OK)
        err = change_count_touched(change, 1);
    if (err == SH_OK)
        err = change_lay_labels(change);
    if (err == SH_OK)
        err = change_lay_tally(change);
    return err;
}

/* Room for what became free, before anything is published. */
static enum sh_err reserve_freed(struct freed *freed, size_t left,
                                 const struct list *more)
{
    size_t wanted = left + more->count;
    if (wanted <= freed->capacity)
        return SH_OK;
    void *places = sh_realloc(freed->places, wanted * 2 * sizeof(*freed->places));
    if (places == NULL)
        return SH_NOMEM;
    freed->places = places;
    freed->capacity = wanted * 2;
    return SH_OK;
}

static void keep_freed(struct freed *freed, size_t left, const struct list *more)
{
    if (more->count > 0)
        memcpy(freed->places + left, more->items, more->count * sizeof(*freed->places));
    freed->count = left + more->count;
}

static void commit(struct change *change)
{
    struct graph *graph = change->graph;
    keep_freed(&graph->free_nodes, change->free_nodes, &change->freed_nodes);
    keep_freed(&graph->free_edges, change->free_edges, &change->freed_edges);
    retired_forget(&change->memory.made);
    change->leftover->memory = change->memory.replaced;
    graph_publish(graph, change->next, change->leftover);
}

static void abandon(struct change *change)
{
    retired_release(&change->memory.made);
    retired_forget(&change->memory.replaced);
    sh_free(change->next);
    sh_free(change->leftover);
}

enum sh_err graph_apply(struct graph *graph, const struct graph_changes *changes)
{
    struct change change;
    enum sh_err err = begin(&change, graph);
    if (err == SH_OK)
        err = build(&change, changes);
    if (err == SH_OK)
        err = reserve_freed(&graph->free_nodes, change.free_nodes, &change.freed_nodes);
    if (err == SH_OK)
        err = reserve_freed(&graph->free_edges, change.free_edges, &change.freed_edges);
    if (err == SH_OK)
        err = change_replace(&change, change.before);
    if (err == SH_OK)
        commit(&change);
    else
        abandon(&change);
    tally_clear(&change.tally);
    sh_free(change.edges.items);
    sh_free(change.links.items);
    sh_free(change.labels.items);
    sh_free(change.freed_nodes.items);
    sh_free(change.freed_edges.items);
    sh_buffer_free(&change.packed);
    return err;
}
