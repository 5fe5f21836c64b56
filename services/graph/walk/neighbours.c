#include "services/graph/walk/scope.h"
#include "services/graph/walk/walk.h"

/* --- degrees ---------------------------------------------------------------------- */

static uint64_t count_group(const struct graph_reader *reader, const struct links *links,
                            uint32_t group)
{
    uint32_t first = links->groups[group].first;
    uint32_t end = links->groups[group + 1].first;
    uint64_t count = 0;
    if (reader->permitted == NULL)
        return end - first;
    for (uint32_t i = first; i < end; i++)
        count += graph_follows(reader, &links->links[i]);
    return count;
}

static void count_groups(const struct graph_reader *reader, const struct links *links,
                         bool outgoing, struct walk_group *out, size_t *count)
{
    for (uint32_t i = 0; links != NULL && i < links->group_count; i++) {
        uint64_t links_seen = count_group(reader, links, i);
        if (links_seen > 0)
            out[(*count)++] =
                (struct walk_group){links->groups[i].type, outgoing, links_seen};
    }
}

enum sh_err walk_degrees(const struct graph_reader *reader, uint32_t place,
                         struct sh_arena *arena, struct walk_group **out, size_t *count)
{
    const struct node *node = graph_node(reader, place);
    *count = 0;
    if (node == NULL)
        return SH_NOTFOUND;
    size_t most =
        (node->out ? node->out->group_count : 0) + (node->in ? node->in->group_count : 0);
    *out = sh_arena_array(arena, most + 1, sizeof(**out));
    if (*out == NULL)
        return SH_NOMEM;
    count_groups(reader, node->out, true, *out, count);
    count_groups(reader, node->in, false, *out, count);
    return SH_OK;
}

/* --- links ------------------------------------------------------------------------ */

struct collector {
    const struct graph_reader *reader;
    const struct walk_scope *scope;
    const struct walk_step *after; /* NULL once it was passed */
    struct walk_step *out;
    size_t max;
    size_t count;
};

static bool is_behind(const struct link *link, const struct link *after)
{
    return link->peer > after->peer ||
           (link->peer == after->peer && link->edge > after->edge);
}

/* The first link of the group that may lie behind `after`, which is of this type. */
static uint32_t skip(const struct links *links, uint32_t group, const struct link *after)
{
    uint32_t low = links->groups[group].first;
    uint32_t high = links->groups[group + 1].first;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (is_behind(&links->links[middle], after))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* They lie far apart in memory: asked for together, they come together. */
__attribute__((always_inline)) static inline void
expect(const struct graph_reader *reader, const struct link *links, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pages_expect(&reader->version->nodes, links[i].peer);
        pages_expect(&reader->version->edges, links[i].edge);
    }
}

static void collect_group(struct collector *collector, const struct links *links,
                          uint32_t group, bool outgoing)
{
    uint32_t type = links->groups[group].type;
    uint32_t end = links->groups[group + 1].first;
    const struct walk_step *after = collector->after;
    uint32_t i = links->groups[group].first;
    if (after != NULL && after->outgoing == outgoing && after->type == type)
        i = skip(links, group, &after->link);
    size_t room = collector->max - collector->count;
    expect(collector->reader, &links->links[i], end - i < room ? end - i : room);
    for (; i < end && collector->count < collector->max; i++) {
        const struct link *link = &links->links[i];
        if (scope_follows(collector->reader, collector->scope, link))
            collector->out[collector->count++] =
                (struct walk_step){outgoing, type, *link};
    }
}

static void collect(struct collector *collector, const struct links *links, bool outgoing)
{
    const struct walk_step *after = collector->after;
    const struct walk_scope *scope = collector->scope;
    if (after != NULL && outgoing && !after->outgoing)
        return; /* all of these came before */
    for (uint32_t i = 0; links != NULL && i < links->group_count; i++) {
        uint32_t type = links->groups[i].type;
        bool before = after && after->outgoing == outgoing && type < after->type;
        if (!before && (scope->type == WALK_ANY || scope->type == type))
            collect_group(collector, links, i, outgoing);
    }
}

size_t walk_neighbours(const struct graph_reader *reader, uint32_t place,
                       const struct walk_scope *scope, const struct walk_step *after,
                       size_t max, struct walk_step *out)
{
    const struct node *node = graph_node(reader, place);
    struct collector collector = {reader, scope, after, out, max, 0};
    if (node != NULL && scope->out)
        collect(&collector, node->out, true);
    if (node != NULL && scope->in)
        collect(&collector, node->in, false);
    return collector.count;
}
