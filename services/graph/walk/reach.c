#include "services/graph/walk/reach.h"

#include "services/graph/walk/scope.h"
#include "shared/clock.h"

enum { FIRST = 64, LOOK_EVERY = 1024 };

/* Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4). */
static size_t cell_of(const struct reach *reach, uint32_t place)
{
    return (size_t)(place * UINT32_C(2654435769)) & (reach->capacity * 2 - 1);
}

size_t reach_find(const struct reach *reach, uint32_t place)
{
    size_t mask = reach->capacity * 2 - 1;
    if (reach->capacity == 0)
        return SIZE_MAX;
    for (size_t cell = cell_of(reach, place);; cell = (cell + 1) & mask) {
        uint32_t index = reach->cells[cell];
        if (index == 0)
            return SIZE_MAX;
        if (reach->items[index - 1].place == place)
            return index - 1;
    }
}

static void file(struct reach *reach, size_t index)
{
    size_t mask = reach->capacity * 2 - 1;
    size_t cell = cell_of(reach, reach->items[index].place);
    while (reach->cells[cell] != 0)
        cell = (cell + 1) & mask;
    reach->cells[cell] = (uint32_t)index + 1;
}

static enum sh_err grow(struct reach *reach)
{
    size_t capacity = reach->capacity == 0 ? FIRST : reach->capacity * 2;
    void *items = sh_realloc(reach->items, capacity * sizeof(*reach->items));
    if (items == NULL)
        return SH_NOMEM;
    reach->items = items;
    uint32_t *cells = sh_alloc_array(capacity * 2, sizeof(*cells));
    if (cells == NULL)
        return SH_NOMEM;
    sh_free(reach->cells);
    reach->cells = cells;
    reach->capacity = capacity;
    for (size_t i = 0; i < reach->count; i++)
        file(reach, i);
    return SH_OK;
}

enum sh_err reach_add(struct reach *reach, const struct reached *item)
{
    if (reach->count == reach->capacity && grow(reach) != SH_OK)
        return SH_NOMEM;
    reach->items[reach->count] = *item;
    file(reach, reach->count++);
    return SH_OK;
}

void reach_free(struct reach *reach)
{
    sh_free(reach->items);
    sh_free(reach->cells);
    *reach = (struct reach){0};
}

/* --- levels ----------------------------------------------------------------------- */

struct level {
    const struct walk *walk;
    reach_arrive_fn *arrive;
    void *arg;
    size_t from;
    uint32_t looked; /* links since the clock was looked at */
};

static enum sh_err spent(struct level *level)
{
    const struct walk_budget *budget = &level->walk->budget;
    if (++level->looked % LOOK_EVERY != 0)
        return SH_OK;
    if (budget->cancelled != NULL && atomic_load(budget->cancelled))
        return SH_CANCELED;
    return budget->deadline_ms != 0 && sh_now_ms() >= budget->deadline_ms ? SH_TIMEOUT
                                                                          : SH_OK;
}

static enum sh_err follow_group(struct level *level, const struct links *links,
                                uint32_t group, bool outgoing)
{
    uint32_t end = links->groups[group + 1].first;
    enum sh_err err = SH_OK;
    for (uint32_t i = links->groups[group].first; i < end && err == SH_OK; i++) {
        struct walk_step step = {outgoing, links->groups[group].type, links->links[i]};
        err = spent(level);
        if (err == SH_OK &&
            scope_follows(level->walk->reader, &level->walk->scope, &step.link))
            err = level->arrive(level->arg, level->from, &step);
    }
    return err;
}

static enum sh_err follow(struct level *level, const struct links *links, bool outgoing)
{
    enum sh_err err = SH_OK;
    uint32_t type = level->walk->scope.type;
    for (uint32_t i = 0; links != NULL && i < links->group_count && err == SH_OK; i++)
        if (type == WALK_ANY || type == links->groups[i].type)
            err = follow_group(level, links, i, outgoing);
    return err;
}

enum sh_err reach_level(const struct walk *walk, const struct reach *reach, size_t first,
                        size_t end, reach_arrive_fn *arrive, void *arg)
{
    struct level level = {walk, arrive, arg, 0, 0};
    enum sh_err err = SH_OK;
    for (size_t i = first; i < end && err == SH_OK; i++) {
        const struct node *node = graph_node(walk->reader, reach->items[i].place);
        level.from = i;
        if (node != NULL && walk->scope.out)
            err = follow(&level, node->out, true);
        if (node != NULL && walk->scope.in && err == SH_OK)
            err = follow(&level, node->in, false);
    }
    return err;
}
