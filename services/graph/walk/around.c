#include "services/graph/walk/reach.h"

struct circle {
    struct reach reach;
    const struct walk *walk;
    uint32_t depth; /* of what is reached now */
    bool truncated;
};

static enum sh_err arrive(void *arg, size_t from, const struct walk_step *step)
{
    struct circle *circle = arg;
    if (reach_find(&circle->reach, step->link.peer) != SIZE_MAX)
        return SH_OK;
    if (circle->reach.count >= circle->walk->budget.nodes) {
        circle->truncated = true;
        return SH_OK;
    }
    struct reached item = {step->link.peer, (uint32_t)from, circle->depth, *step};
    return reach_add(&circle->reach, &item);
}

static enum sh_err widen(struct circle *circle, uint32_t depth)
{
    enum sh_err err = SH_OK;
    size_t first = 0;
    for (circle->depth = 1; circle->depth <= depth && err == SH_OK; circle->depth++) {
        size_t end = circle->reach.count;
        if (first == end || circle->truncated)
            break;
        err = reach_level(circle->walk, &circle->reach, first, end, arrive, circle);
        first = end;
    }
    if (err == SH_TIMEOUT)
        circle->truncated = true;
    return err == SH_TIMEOUT ? SH_OK : err;
}

/* --- the edges between them ------------------------------------------------------- */

struct gathering {
    struct circle *circle;
    struct walk_subgraph *out;
    size_t max;
};

static enum sh_err gather(void *arg, size_t from, const struct walk_step *step)
{
    struct gathering *gathering = arg;
    struct walk_subgraph *out = gathering->out;
    (void)from;
    if (reach_find(&gathering->circle->reach, step->link.peer) == SIZE_MAX)
        return SH_OK;
    if (out->edge_count == gathering->max)
        out->truncated = true;
    else
        out->edges[out->edge_count++] = step->link.edge;
    return SH_OK;
}

static enum sh_err gather_edges(struct circle *circle, size_t max,
                                struct walk_subgraph *out)
{
    struct gathering gathering = {circle, out, max};
    struct walk outgoing = *circle->walk;
    size_t most = outgoing.reader->version->edge_count;
    most = most < max ? most : max;
    outgoing.scope = (struct walk_scope){true, false, outgoing.scope.type, WALK_ANY};
    out->edges = sh_arena_array(outgoing.arena, most + 1, sizeof(*out->edges));
    if (out->edges == NULL)
        return SH_NOMEM;
    enum sh_err err = reach_level(&outgoing, &circle->reach, 0, circle->reach.count,
                                  gather, &gathering);
    if (err == SH_TIMEOUT)
        circle->truncated = true;
    return err == SH_TIMEOUT ? SH_OK : err;
}

static enum sh_err list_nodes(const struct circle *circle, struct walk_subgraph *out)
{
    size_t count = circle->reach.count;
    out->nodes = sh_arena_array(circle->walk->arena, count, sizeof(*out->nodes));
    if (out->nodes == NULL)
        return SH_NOMEM;
    for (size_t i = 0; i < count; i++)
        out->nodes[i] = circle->reach.items[i].place;
    out->node_count = count;
    return SH_OK;
}

enum sh_err walk_around(const struct walk *walk, uint32_t root, uint32_t depth,
                        size_t max_edges, struct walk_subgraph *out)
{
    struct circle circle = {.walk = walk};
    *out = (struct walk_subgraph){.node_count = 0};
    enum sh_err err = reach_add(&circle.reach, &(struct reached){.place = root});
    if (err == SH_OK)
        err = widen(&circle, depth);
    if (err == SH_OK)
        err = gather_edges(&circle, max_edges, out);
    if (err == SH_OK)
        err = list_nodes(&circle, out);
    out->truncated = out->truncated || circle.truncated;
    reach_free(&circle.reach);
    return err;
}
