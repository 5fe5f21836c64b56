/* Every way between two nodes that passes no node twice, the shorter ones first: depth
 * first for one length after the other (Korf 1985), never away from the end for longer
 * than there are edges left. */
#include "services/graph/walk/reach.h"
#include "shared/clock.h"

enum { PAGE = 64, LOOK_EVERY = 1024 };

struct stand { /* on a node of the way */
    uint32_t place;
    struct walk_step page[PAGE]; /* what leads on from it */
    size_t count;
    size_t at;
};

struct every {
    struct walk walk;
    const struct walk_ends *ends;
    struct reach near; /* the end: what it is at most so far away from */
    struct stand *stands;
    size_t max;
    size_t looked;
    struct walk_paths *out;
};

static enum sh_err note(void *arg, size_t from, const struct walk_step *step)
{
    struct every *self = arg;
    uint32_t depth = self->near.items[from].depth + 1;
    if (reach_find(&self->near, step->link.peer) != SIZE_MAX)
        return SH_OK;
    if (self->near.count >= self->walk.budget.nodes)
        return SH_TIMEOUT;
    struct reached item = {.place = step->link.peer, .depth = depth};
    return reach_add(&self->near, &item);
}

/* How far it is to the end, from wherever it is near enough. */
static enum sh_err look_back(struct every *self)
{
    struct walk back = self->walk;
    size_t first = 0;
    back.scope.out = self->walk.scope.in;
    back.scope.in = self->walk.scope.out;
    enum sh_err err = reach_add(&self->near, &(struct reached){.place = self->ends->to});
    for (uint32_t depth = 0; depth < self->ends->max_depth && err == SH_OK; depth++) {
        size_t end = self->near.count;
        err = reach_level(&back, &self->near, first, end, note, self);
        first = end;
    }
    return err;
}

static enum sh_err spent(struct every *self)
{
    const struct walk_budget *budget = &self->walk.budget;
    if (++self->looked > budget->nodes)
        return SH_TIMEOUT;
    if (self->looked % LOOK_EVERY != 0)
        return SH_OK;
    if (budget->cancelled != NULL && atomic_load(budget->cancelled))
        return SH_CANCELED;
    return budget->deadline_ms != 0 && sh_now_ms() >= budget->deadline_ms ? SH_TIMEOUT
                                                                          : SH_OK;
}

static void stand_on(struct every *self, size_t depth, uint32_t place)
{
    struct stand *stand = &self->stands[depth];
    stand->place = place;
    stand->at = 0;
    stand->count = walk_neighbours(self->walk.reader, place, &self->walk.scope, NULL,
                                   PAGE, stand->page);
}

/* NULL: nothing more leads on from there. */
static const struct walk_step *next_step(struct every *self, struct stand *stand)
{
    if (stand->at == PAGE) {
        struct walk_step last = stand->page[PAGE - 1];
        stand->at = 0;
        stand->count = walk_neighbours(self->walk.reader, stand->place, &self->walk.scope,
                                       &last, PAGE, stand->page);
    }
    return stand->at < stand->count ? &stand->page[stand->at++] : NULL;
}

static bool leads_there(const struct every *self, size_t depth, size_t length,
                        uint32_t place)
{
    size_t index = reach_find(&self->near, place);
    size_t left = length - depth - 1;
    if (index == SIZE_MAX || self->near.items[index].depth > left)
        return false;
    if (left > 0 && place == self->ends->to)
        return false; /* not before the end */
    for (size_t i = 0; i <= depth; i++)
        if (self->stands[i].place == place)
            return false;
    return true;
}

static enum sh_err record(struct every *self, size_t length)
{
    struct sh_arena *arena = self->walk.arena;
    struct walk_path path = {.found = true, .length = length, .cost = (double)length};
    if (self->out->count == self->max)
        return SH_TIMEOUT; /* there are more */
    path.nodes = sh_arena_array(arena, length + 1, sizeof(*path.nodes));
    path.steps = sh_arena_array(arena, length + 1, sizeof(*path.steps));
    if (path.nodes == NULL || path.steps == NULL)
        return SH_NOMEM;
    path.nodes[0] = self->ends->from;
    for (size_t i = 0; i < length; i++) {
        path.steps[i] = self->stands[i].page[self->stands[i].at - 1];
        path.nodes[i + 1] = path.steps[i].link.peer;
    }
    self->out->paths[self->out->count++] = path;
    return SH_OK;
}

static enum sh_err all_of_length(struct every *self, size_t length)
{
    size_t depth = 0;
    enum sh_err err = SH_OK;
    stand_on(self, 0, self->ends->from);
    while (err == SH_OK) {
        const struct walk_step *step = next_step(self, &self->stands[depth]);
        err = spent(self);
        if (step == NULL) {
            if (depth-- == 0)
                break;
        } else if (err == SH_OK && leads_there(self, depth, length, step->link.peer)) {
            if (depth + 1 == length)
                err = record(self, length);
            else
                stand_on(self, ++depth, step->link.peer);
        }
    }
    return err;
}

static enum sh_err run(struct every *self)
{
    enum sh_err err = look_back(self);
    size_t start = err == SH_OK ? reach_find(&self->near, self->ends->from) : SIZE_MAX;
    if (start == SIZE_MAX)
        return err;
    if (self->ends->from == self->ends->to)
        return record(self, 0);
    for (size_t length = self->near.items[start].depth;
         length <= self->ends->max_depth && err == SH_OK; length++)
        err = all_of_length(self, length);
    return err;
}

enum sh_err walk_every(const struct walk *walk, const struct walk_ends *ends, size_t max,
                       struct walk_paths *out)
{
    struct every self = {.walk = *walk, .ends = ends, .max = max, .out = out};
    self.walk.scope.label = WALK_ANY;
    *out = (struct walk_paths){
        .paths = sh_arena_array(walk->arena, max + 1, sizeof(*out->paths))};
    self.stands = sh_alloc_array((size_t)ends->max_depth + 1, sizeof(*self.stands));
    enum sh_err err = out->paths && self.stands ? run(&self) : SH_NOMEM;
    out->truncated = err == SH_TIMEOUT;
    reach_free(&self.near);
    sh_free(self.stands);
    return err == SH_TIMEOUT ? SH_OK : err;
}
