#include "services/graph/walk/reach.h"

struct circle {
    struct reach reach;
    const struct walk_budget *budget;
    uint32_t depth; /* of what is reached now */
    bool truncated;
};

static enum sh_err arrive(void *arg, size_t from, const struct walk_step *step)
{
    struct circle *circle = arg;
    if (reach_find(&circle->reach, step->link.peer) != SIZE_MAX)
        return SH_OK;
    if (circle->reach.count >= circle->budget->nodes) {
        circle->truncated = true;
        return SH_OK;
    }
    struct reached item = {step->link.peer, (uint32_t)from, circle->depth, *step};
    return reach_add(&circle->reach, &item);
}

static enum sh_err widen(const struct graph_reader *reader,
                         const struct walk_scope *scope, uint32_t depth,
                         struct circle *circle)
{
    enum sh_err err = SH_OK;
    size_t first = 0;
    for (circle->depth = 1; circle->depth <= depth && err == SH_OK; circle->depth++) {
        size_t end = circle->reach.count;
        if (first == end || circle->truncated)
            break;
        err = reach_level(reader, &circle->reach, first, end, scope, circle->budget,
                          arrive, circle);
        first = end;
    }
    if (err == SH_TIMEOUT)
        circle->truncated = true;
    return err == SH_TIMEOUT ? SH_OK : err;
}

/* --- the edges between them ------------------------------------------------------------
 */

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

static enum sh_err gather_edges(const struct graph_reader *reader,
                                const struct walk_scope *scope, struct circle *circle,
                                size_t max, struct sh_arena *arena,
                                struct walk_subgraph *out)
{
    struct gathering gathering = {circle, out, max};
    struct walk_scope outgoing = {true, false, scope->type, WALK_ANY};
    size_t most = reader->version->edge_count < max ? reader->version->edge_count : max;
    out->edges = sh_arena_array(arena, most + 1, sizeof(*out->edges));
    if (out->edges == NULL)
        return SH_NOMEM;
    enum sh_err err = reach_level(reader, &circle->reach, 0, circle->reach.count,
                                  &outgoing, circle->budget, gather, &gathering);
    if (err == SH_TIMEOUT)
        circle->truncated = true;
    return err == SH_TIMEOUT ? SH_OK : err;
}

enum sh_err walk_around(const struct graph_reader *reader, uint32_t root,
                        const struct walk_scope *scope, uint32_t depth, size_t max_edges,
                        const struct walk_budget *budget, struct sh_arena *arena,
                        struct walk_subgraph *out)
{
    struct circle circle = {.budget = budget};
    struct reached start = {.place = root};
    *out = (struct walk_subgraph){.node_count = 0};
    enum sh_err err = reach_add(&circle.reach, &start);
    if (err == SH_OK)
        err = widen(reader, scope, depth, &circle);
    if (err == SH_OK)
        err = gather_edges(reader, scope, &circle, max_edges, arena, out);
    if (err == SH_OK) {
        out->truncated = out->truncated || circle.truncated;
        out->nodes = sh_arena_array(arena, circle.reach.count, sizeof(*out->nodes));
        out->node_count = out->nodes ? circle.reach.count : 0;
        err = out->nodes ? SH_OK : SH_NOMEM;
    }
    for (size_t i = 0; i < out->node_count; i++)
        out->nodes[i] = circle.reach.items[i].place;
    reach_free(&circle.reach);
    return err;
}
