#include "services/graph/walk/trails.h"

#include "shared/clock.h"

enum { LOOK_EVERY = 256, ROOM = 64 };
#define NOT_YET UINT32_MAX

static const double heaviest = 1e300; /* a million of these can still be added up */

bool trails_weigh(const struct graph_reader *reader, uint32_t weight, uint32_t edge,
                  double *out)
{
    const struct edge *found = graph_edge(reader, edge);
    struct value value;
    *out = 1;
    if (weight == WALK_ANY)
        return true;
    if (found == NULL || !values_get(found->body->properties, weight, &value))
        return false;
    if (value.type == VALUE_INTEGER)
        *out = (double)value.integer;
    else if (value.type == VALUE_FLOAT)
        *out = value.real;
    else
        return false;
    return *out >= 0 && *out <= heaviest;
}

/* --- what waits: a binary heap (Williams 1964) ------------------------------------ */

static bool comes_first(const struct trails *self, uint32_t left, uint32_t right)
{
    const struct trail *a = &self->items[left];
    const struct trail *b = &self->items[right];
    if (a->rank < b->rank || a->rank > b->rank)
        return a->rank < b->rank;
    if (a->cost < b->cost || a->cost > b->cost)
        return a->cost > b->cost; /* nearer to the goal */
    return a->length != b->length ? a->length < b->length : left < right;
}

static void wait(struct trails *self, uint32_t trail)
{
    size_t at = self->waiting++;
    for (; at > 0 && comes_first(self, trail, self->heap[(at - 1) / 2]);
         at = (at - 1) / 2)
        self->heap[at] = self->heap[(at - 1) / 2];
    self->heap[at] = trail;
}

static uint32_t take_first(struct trails *self)
{
    uint32_t first = self->heap[0];
    uint32_t last = self->heap[--self->waiting];
    size_t at = 0;
    for (size_t next = 1; next < self->waiting; next = 2 * at + 1) {
        if (next + 1 < self->waiting &&
            comes_first(self, self->heap[next + 1], self->heap[next]))
            next++;
        if (!comes_first(self, self->heap[next], last))
            break;
        self->heap[at] = self->heap[next];
        at = next;
    }
    self->heap[at] = last;
    return first;
}

/* --- trails ----------------------------------------------------------------------- */

static enum sh_err make_room(struct trails *self)
{
    if (self->count < self->capacity)
        return SH_OK;
    size_t capacity = self->capacity == 0 ? ROOM : self->capacity * 2;
    void *items = sh_realloc(self->items, capacity * sizeof(*self->items));
    if (items == NULL)
        return SH_NOMEM;
    self->items = items;
    void *heap = sh_realloc(self->heap, capacity * sizeof(*self->heap));
    if (heap == NULL)
        return SH_NOMEM;
    self->heap = heap;
    self->capacity = capacity;
    return SH_OK;
}

/* What it costs at least from there to the goal. */
static double remaining(const struct trails *self, uint32_t place)
{
    const struct trails *remains = self->remains;
    if (remains == NULL)
        return 0;
    size_t index = reach_find(&remains->reach, place);
    if (index == SIZE_MAX || remains->reach.items[index].depth == NOT_YET)
        return remains->bound;
    return remains->items[remains->reach.items[index].from].cost;
}

/* Another trail leads there that costs no more and is no longer. */
static bool is_beaten(const struct trails *self, const struct reached *there,
                      const struct trail *trail)
{
    if (there->from == TRAIL_NONE)
        return true; /* closed */
    const struct trail *best = &self->items[there->from];
    bool limited = self->max_length != TRAIL_UNLIMITED;
    if (there->depth != NOT_YET && (!limited || there->depth <= trail->length))
        return true;
    return best->cost <= trail->cost && (!limited || best->length <= trail->length);
}

static enum sh_err add(struct trails *self, const struct trail *trail)
{
    size_t index = reach_find(&self->reach, trail->place);
    if (index != SIZE_MAX && is_beaten(self, &self->reach.items[index], trail))
        return SH_OK;
    if (*self->budget == 0)
        return SH_TIMEOUT;
    --*self->budget;
    enum sh_err err = make_room(self);
    uint32_t number = (uint32_t)self->count;
    struct reached first = {.place = trail->place, .from = number, .depth = NOT_YET};
    if (err == SH_OK && index == SIZE_MAX)
        err = reach_add(&self->reach, &first);
    if (err != SH_OK)
        return err;
    self->items[self->count++] = *trail;
    self->items[number].rank = trail->cost + remaining(self, trail->place);
    if (index != SIZE_MAX &&
        trail->cost < self->items[self->reach.items[index].from].cost)
        self->reach.items[index].from = number;
    wait(self, number);
    return SH_OK;
}

enum sh_err trails_close(struct trails *self, uint32_t place)
{
    if (reach_find(&self->reach, place) != SIZE_MAX)
        return SH_OK;
    return reach_add(&self->reach,
                     &(struct reached){.place = place, .from = TRAIL_NONE, .depth = 0});
}

/* --- lengthening ------------------------------------------------------------------ */

struct growth {
    struct trails *trails;
    uint32_t number; /* the trail that is lengthened */
};

static bool is_shut(const struct trails *self, uint32_t edge)
{
    for (size_t i = 0; i < self->shut_count; i++)
        if (self->shut[i] == edge)
            return true;
    return false;
}

static enum sh_err lengthen(void *arg, size_t from, const struct walk_step *step)
{
    const struct growth *growth = arg;
    struct trails *self = growth->trails;
    struct trail trail = self->items[growth->number];
    double weight;
    (void)from;
    if (trail.before == TRAIL_NONE && is_shut(self, step->link.edge))
        return SH_OK;
    if (!trails_weigh(self->walk->reader, self->weight, step->link.edge, &weight)) {
        self->unweighted = true;
        return SH_OK;
    }
    trail.cost += weight;
    trail.length++;
    trail.before = growth->number;
    trail.place = step->link.peer;
    trail.step = *step;
    return add(self, &trail);
}

static enum sh_err spent(const struct walk_budget *budget)
{
    if (budget->cancelled != NULL && atomic_load(budget->cancelled))
        return SH_CANCELED;
    return budget->deadline_ms != 0 && sh_now_ms() >= budget->deadline_ms ? SH_TIMEOUT
                                                                          : SH_OK;
}

/* The trail has arrived where it leads: from there it goes on, unless a better one did.
 */
static enum sh_err arrive(struct trails *self, uint32_t number)
{
    const struct trail *trail = &self->items[number];
    size_t index = reach_find(&self->reach, trail->place);
    struct reached *there = &self->reach.items[index];
    bool limited = self->max_length != TRAIL_UNLIMITED;
    if (there->depth != NOT_YET && (!limited || there->depth <= trail->length))
        return SH_OK;
    there->depth = trail->length;
    self->bound = trail->cost;
    if (limited && trail->length >= self->max_length)
        return SH_OK;
    struct growth growth = {self, number};
    return reach_level(self->walk, &self->reach, index, index + 1, lengthen, &growth);
}

enum sh_err trails_run(struct trails *self, const struct trail *start, uint32_t goal,
                       uint32_t *found)
{
    *found = TRAIL_NONE;
    enum sh_err err = add(self, start);
    for (unsigned turn = 0; err == SH_OK && self->waiting > 0; turn++) {
        if (turn % LOOK_EVERY == 0)
            err = spent(&self->walk->budget);
        if (err != SH_OK)
            break;
        uint32_t number = take_first(self);
        bool there = self->items[number].place == goal;
        if (there)
            *found = number;
        err = arrive(self, number);
        if (there)
            break;
    }
    return err;
}

void trails_free(struct trails *self)
{
    reach_free(&self->reach);
    sh_free(self->items);
    sh_free(self->heap);
    self->items = NULL;
    self->heap = NULL;
}
