/* The cheapest ways between two nodes, without a loop: Yen (Management Science 17, 1971)
 * with Lawler's rule (1972) that a way is only left from where it left another one. What
 * is still to come is known from one search backwards. */
#include "services/graph/walk/trails.h"

struct candidate {
    struct walk_path path;
    size_t leaves; /* the step with which it leaves an earlier one */
};

struct several {
    struct walk onwards;
    struct walk backwards;
    const struct walk_ends *ends;
    struct trails remains;
    size_t budget;
    size_t wanted;
    struct candidate *found;
    size_t found_count;
    struct candidate *open;
    size_t open_count;
    size_t open_room;
    uint32_t *shut; /* room for one edge of each that was found */
    bool unweighted;
};

static enum sh_err lay_out(struct several *self, const struct trails *trails,
                           uint32_t last, const struct candidate *root,
                           struct candidate *out)
{
    struct sh_arena *arena = self->onwards.arena;
    const struct trail *trail = &trails->items[last];
    struct walk_path *path = &out->path;
    *path =
        (struct walk_path){.found = true, .length = trail->length, .cost = trail->cost};
    path->nodes = sh_arena_array(arena, path->length + 1, sizeof(*path->nodes));
    path->steps = sh_arena_array(arena, path->length + 1, sizeof(*path->steps));
    if (path->nodes == NULL || path->steps == NULL)
        return SH_NOMEM;
    for (; trail->before != TRAIL_NONE; trail = &trails->items[trail->before]) {
        path->nodes[trail->length] = trail->place;
        path->steps[trail->length - 1] = trail->step;
    }
    out->leaves = trail->length;
    path->nodes[trail->length] = trail->place;
    for (size_t i = 0; root != NULL && i < out->leaves; i++) {
        path->nodes[i] = root->path.nodes[i];
        path->steps[i] = root->path.steps[i];
    }
    return SH_OK;
}

static enum sh_err keep(struct several *self, const struct candidate *candidate)
{
    if (self->open_count == self->open_room) {
        size_t room = self->open_room * 2 + 16;
        void *open = sh_realloc(self->open, room * sizeof(*self->open));
        if (open == NULL)
            return SH_NOMEM;
        self->open = open;
        self->open_room = room;
    }
    self->open[self->open_count++] = *candidate;
    return SH_OK;
}

/* The cheapest way that begins with the first `leaves` steps of `root` and goes on by
 * none of the edges that are shut. */
static enum sh_err search(struct several *self, const struct candidate *root,
                          size_t leaves, size_t shut_count)
{
    struct trail start = {.before = TRAIL_NONE, .length = (uint32_t)leaves};
    struct trails trails = {.walk = &self->onwards,
                            .weight = self->ends->weight,
                            .max_length = self->ends->max_depth,
                            .remains = self->wanted > 1 ? &self->remains : NULL,
                            .shut = self->shut,
                            .shut_count = shut_count,
                            .budget = &self->budget};
    struct candidate candidate;
    uint32_t last = TRAIL_NONE;
    enum sh_err err = SH_OK;
    start.place = root ? root->path.nodes[leaves] : self->ends->from;
    for (size_t i = 0; root != NULL && i < leaves && err == SH_OK; i++) {
        double weight;
        err = trails_close(&trails, root->path.nodes[i]);
        if (trails_weigh(self->onwards.reader, self->ends->weight,
                         root->path.steps[i].link.edge, &weight))
            start.cost += weight;
    }
    if (err == SH_OK)
        err = trails_run(&trails, &start, self->ends->to, &last);
    self->unweighted = self->unweighted || trails.unweighted;
    if (err == SH_OK && last != TRAIL_NONE)
        err = lay_out(self, &trails, last, root, &candidate);
    if (err == SH_OK && last != TRAIL_NONE)
        err = keep(self, &candidate);
    trails_free(&trails);
    return err;
}

static bool share(const struct walk_path *left, const struct walk_path *right,
                  size_t steps)
{
    if (left->length <= steps || right->length <= steps)
        return false;
    for (size_t i = 0; i < steps; i++)
        if (left->steps[i].link.edge != right->steps[i].link.edge)
            return false;
    return true;
}

/* All ways that leave the one found last. */
static enum sh_err leave(struct several *self)
{
    const struct candidate *last = &self->found[self->found_count - 1];
    enum sh_err err = SH_OK;
    for (size_t i = last->leaves; i < last->path.length && err == SH_OK; i++) {
        size_t shut = 0;
        for (size_t j = 0; j < self->found_count; j++)
            if (share(&self->found[j].path, &last->path, i))
                self->shut[shut++] = self->found[j].path.steps[i].link.edge;
        err = search(self, last, i, shut);
    }
    return err;
}

static bool is_before(const struct walk_path *left, const struct walk_path *right)
{
    if (left->cost < right->cost || left->cost > right->cost)
        return left->cost < right->cost;
    return left->length < right->length;
}

static void take_best(struct several *self)
{
    size_t best = 0;
    for (size_t i = 1; i < self->open_count; i++)
        if (is_before(&self->open[i].path, &self->open[best].path))
            best = i;
    self->found[self->found_count++] = self->open[best];
    self->open_count--;
    for (size_t i = best; i < self->open_count; i++)
        self->open[i] = self->open[i + 1];
}

/* What it costs from everywhere to the end, as far away as the start is. */
static enum sh_err look_back(struct several *self, bool *joined)
{
    const struct trail end = {.before = TRAIL_NONE, .place = self->ends->to};
    uint32_t last = TRAIL_NONE;
    self->remains = (struct trails){.walk = &self->backwards,
                                    .weight = self->ends->weight,
                                    .max_length = TRAIL_UNLIMITED,
                                    .budget = &self->budget};
    enum sh_err err = trails_run(&self->remains, &end, self->ends->from, &last);
    self->unweighted = self->remains.unweighted;
    *joined = last != TRAIL_NONE;
    return err;
}

static enum sh_err run(struct several *self)
{
    bool joined = true;
    enum sh_err err = self->wanted > 1 ? look_back(self, &joined) : SH_OK;
    if (err == SH_OK && joined)
        err = search(self, NULL, 0, 0);
    while (err == SH_OK && self->open_count > 0) {
        take_best(self);
        if (self->found_count == self->wanted)
            break;
        err = leave(self);
    }
    return err;
}

static enum sh_err hand_over(const struct several *self, struct walk_paths *out)
{
    out->paths =
        sh_arena_array(self->onwards.arena, self->found_count + 1, sizeof(*out->paths));
    if (out->paths == NULL)
        return SH_NOMEM;
    for (size_t i = 0; i < self->found_count; i++)
        out->paths[i] = self->found[i].path;
    out->count = self->found_count;
    out->unweighted = self->unweighted;
    return SH_OK;
}

enum sh_err walk_cheapest(const struct walk *walk, const struct walk_ends *ends,
                          size_t wanted, struct walk_paths *out)
{
    struct several self = {.onwards = *walk,
                           .backwards = *walk,
                           .ends = ends,
                           .budget = walk->budget.nodes,
                           .wanted = wanted};
    *out = (struct walk_paths){.count = 0};
    self.onwards.scope.label = self.backwards.scope.label = WALK_ANY;
    self.backwards.scope.out = walk->scope.in;
    self.backwards.scope.in = walk->scope.out;
    self.found = sh_arena_array(walk->arena, wanted + 1, sizeof(*self.found));
    self.shut = sh_arena_array(walk->arena, wanted + 1, sizeof(*self.shut));
    enum sh_err err = self.found && self.shut ? run(&self) : SH_NOMEM;
    out->truncated = err == SH_TIMEOUT;
    if (err == SH_OK || err == SH_TIMEOUT)
        err = hand_over(&self, out);
    trails_free(&self.remains);
    sh_free(self.open);
    return err;
}
