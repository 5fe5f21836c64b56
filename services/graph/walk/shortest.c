#include "services/graph/walk/reach.h"

/* One end, and how far it has come. */
struct side {
    struct reach reach;
    struct walk walk;
    size_t first; /* of the level that was reached last */
    uint32_t depth;
};

struct search {
    struct side sides[2]; /* from the start; from the end, backwards */
    unsigned turn;        /* the side that goes on */
    bool met;
    bool truncated;
    size_t meeting[2]; /* indexes on both sides */
};

static size_t distance(const struct search *search, const size_t meeting[2])
{
    return (size_t)search->sides[0].reach.items[meeting[0]].depth +
           search->sides[1].reach.items[meeting[1]].depth;
}

/* A level may meet the other side at several depths: the nearest counts. */
static void meet(struct search *search, size_t mine, size_t theirs)
{
    size_t meeting[2];
    meeting[search->turn] = mine;
    meeting[1 - search->turn] = theirs;
    if (!search->met || distance(search, meeting) < distance(search, search->meeting))
        memcpy(search->meeting, meeting, sizeof(meeting));
    search->met = true;
}

static enum sh_err arrive(void *arg, size_t from, const struct walk_step *step)
{
    struct search *search = arg;
    struct side *side = &search->sides[search->turn];
    const struct reach *other = &search->sides[1 - search->turn].reach;
    uint32_t place = step->link.peer;
    if (reach_find(&side->reach, place) != SIZE_MAX)
        return SH_OK;
    if (side->reach.count + other->count >= side->walk.budget.nodes) {
        search->truncated = true;
        return SH_OK;
    }
    struct reached item = {place, (uint32_t)from, side->depth + 1, *step};
    enum sh_err err = reach_add(&side->reach, &item);
    size_t theirs = reach_find(other, place);
    if (err == SH_OK && theirs != SIZE_MAX)
        meet(search, side->reach.count - 1, theirs);
    return err;
}

static enum sh_err advance(struct search *search)
{
    size_t sizes[2];
    for (size_t i = 0; i < 2; i++)
        sizes[i] = search->sides[i].reach.count - search->sides[i].first;
    search->turn = sizes[1] < sizes[0];
    struct side *side = &search->sides[search->turn];
    size_t end = side->reach.count;
    enum sh_err err =
        reach_level(&side->walk, &side->reach, side->first, end, arrive, search);
    side->first = end;
    side->depth++;
    return err;
}

static bool is_exhausted(const struct side *side)
{
    return side->first == side->reach.count;
}

static enum sh_err run(struct search *search, uint32_t max_depth)
{
    enum sh_err err = SH_OK;
    while (err == SH_OK && !search->met && !search->truncated &&
           search->sides[0].depth + search->sides[1].depth < max_depth &&
           !is_exhausted(&search->sides[0]) && !is_exhausted(&search->sides[1]))
        err = advance(search);
    if (err == SH_TIMEOUT)
        search->truncated = true;
    return err == SH_TIMEOUT ? SH_OK : err;
}

/* --- the way
 * ---------------------------------------------------------------------------- */

/* A step of the far side leads away from its end: the same edge, seen from the other
 * node. */
static struct walk_step turned(const struct reach *reach, const struct reached *item)
{
    struct walk_step step = item->step;
    step.outgoing = !step.outgoing;
    step.link.peer = reach->items[item->from].place;
    return step;
}

static enum sh_err lay_out(const struct search *search, struct sh_arena *arena,
                           struct walk_path *out)
{
    const struct reach *near = &search->sides[0].reach;
    const struct reach *far = &search->sides[1].reach;
    out->length = distance(search, search->meeting);
    out->cost = (double)out->length;
    out->nodes = sh_arena_array(arena, out->length + 1, sizeof(*out->nodes));
    out->steps = sh_arena_array(arena, out->length + 1, sizeof(*out->steps));
    if (out->nodes == NULL || out->steps == NULL)
        return SH_NOMEM;
    size_t middle = near->items[search->meeting[0]].depth;
    size_t at = search->meeting[0];
    for (size_t i = middle; i > 0; i--, at = near->items[at].from) {
        out->nodes[i] = near->items[at].place;
        out->steps[i - 1] = near->items[at].step;
    }
    out->nodes[0] = near->items[0].place;
    at = search->meeting[1];
    for (size_t i = middle; i < out->length; i++, at = far->items[at].from) {
        out->steps[i] = turned(far, &far->items[at]);
        out->nodes[i + 1] = out->steps[i].link.peer;
    }
    out->found = true;
    return SH_OK;
}

/* A side's walk: the far one goes backwards; no label narrows a path. */
static struct walk side_walk(const struct walk *walk, bool out, bool in)
{
    struct walk own = *walk;
    own.scope = (struct walk_scope){out, in, walk->scope.type, WALK_ANY};
    return own;
}

enum sh_err walk_shortest(const struct walk *walk, uint32_t from, uint32_t to,
                          uint32_t max_depth, struct walk_path *out)
{
    struct search search = {.met = from == to};
    struct side *sides = search.sides;
    *out = (struct walk_path){.found = false};
    sides[0].walk = side_walk(walk, walk->scope.out, walk->scope.in);
    sides[1].walk = side_walk(walk, walk->scope.in, walk->scope.out);
    enum sh_err err = reach_add(&sides[0].reach, &(struct reached){.place = from});
    if (err == SH_OK)
        err = reach_add(&sides[1].reach, &(struct reached){.place = to});
    if (err == SH_OK)
        err = run(&search, max_depth);
    if (err == SH_OK && search.met)
        err = lay_out(&search, walk->arena, out);
    out->truncated = !search.met && search.truncated;
    reach_free(&sides[0].reach);
    reach_free(&sides[1].reach);
    return err;
}
