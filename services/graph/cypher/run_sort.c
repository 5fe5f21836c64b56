/* ORDER BY. Where a LIMIT follows, only as many rows are kept as it can need. */
#include <stdlib.h>

#include "services/graph/cypher/run_internal.h"

enum { MORE_ROWS = 1024 }; /* beyond the limit before rows are dropped */

struct sort_operator;

struct sorted {
    struct cy_value *values; /* keys, then what is kept of the row */
    uint64_t arrival;
    const struct sort_operator *sorter;
};

struct sort_operator {
    struct cy_operator base;
    const struct cy_projection *projection;
    uint32_t *slots; /* that are kept */
    uint32_t slot_count;
    uint64_t most; /* rows that are wanted */
    uint64_t arrivals;
    struct sorted *rows;
    size_t count;
    size_t room;
};

static int compare(const void *left, const void *right)
{
    const struct sorted *a = left;
    const struct sorted *b = right;
    const struct cy_projection *projection = a->sorter->projection;
    for (uint32_t i = 0; i < projection->sort_count; i++) {
        int order = cyv_sort(a->values[i], b->values[i]);
        if (order != 0)
            return projection->sorts[i].descending ? -order : order;
    }
    return (a->arrival > b->arrival) - (a->arrival < b->arrival);
}

static bool make_room(struct sort_operator *self)
{
    size_t room = self->room ? self->room * 2 : 64;
    struct sorted *rows = cy_array(self->base.env, room, sizeof(*rows));
    if (rows == NULL)
        return false;
    if (self->room > 0)
        memcpy(rows, self->rows, self->room * sizeof(*rows));
    self->rows = rows;
    self->room = room;
    return true;
}

/* The values of a row that was dropped are used again. */
static struct sorted *next_row(struct sort_operator *self)
{
    if (self->most < SIZE_MAX / 2 - MORE_ROWS &&
        self->count >= self->most * 2 + MORE_ROWS) {
        qsort(self->rows, self->count, sizeof(*self->rows), compare);
        self->count = (size_t)self->most;
    }
    if (self->count == self->room && !make_room(self))
        return NULL;
    struct sorted *row = &self->rows[self->count];
    if (row->values == NULL)
        row->values = cy_array(self->base.env,
                               (size_t)self->projection->sort_count + self->slot_count,
                               sizeof(*row->values));
    return row->values ? row : NULL;
}

static bool take_sort(struct cy_operator *base)
{
    struct sort_operator *self = (struct sort_operator *)base;
    const struct cy_projection *projection = self->projection;
    struct sorted *row = next_row(self);
    if (row == NULL || !cy_step(base->env))
        return false;
    for (uint32_t i = 0; i < projection->sort_count; i++)
        if (!cy_eval(base->env, projection->sorts[i].expr, &row->values[i]))
            return false;
    for (uint32_t i = 0; i < self->slot_count; i++)
        row->values[projection->sort_count + i] = base->env->row[self->slots[i]];
    row->arrival = self->arrivals++;
    row->sorter = self;
    self->count++;
    return true;
}

static bool end_sort(struct cy_operator *base)
{
    struct sort_operator *self = (struct sort_operator *)base;
    if (self->count > 1)
        qsort(self->rows, self->count, sizeof(*self->rows), compare);
    for (size_t i = 0; i < self->count; i++) {
        const struct cy_value *kept = self->rows[i].values + self->projection->sort_count;
        for (uint32_t j = 0; j < self->slot_count; j++)
            base->env->row[self->slots[j]] = kept[j];
        if (!cy_give(base))
            return false;
    }
    return true;
}

/* What is projected; and all of the row where a condition follows that may speak of it.
 */
static bool find_slots(struct sort_operator *self, const struct cy_line *line,
                       const struct cy_clause *clause)
{
    const struct cy_projection *projection = &clause->projection;
    self->slot_count = clause->where ? line->slot_count : projection->item_count;
    self->slots = cy_array(line->env, (size_t)self->slot_count + 1, sizeof(*self->slots));
    for (uint32_t i = 0; self->slots != NULL && i < self->slot_count; i++)
        self->slots[i] = clause->where ? i : projection->items[i].variable.slot;
    return self->slots != NULL;
}

bool cy_add_sort(struct cy_line *line, const struct cy_clause *clause, uint64_t most)
{
    struct sort_operator *self =
        cy_add_operator(line, sizeof(*self), take_sort, end_sort);
    if (self == NULL)
        return false;
    self->projection = &clause->projection;
    self->most = most;
    return find_slots(self, line, clause);
}
