/* Aggregates: rows fall into groups by what is projected beside them. */
#include "services/graph/cypher/functions.h"
#include "services/graph/cypher/run_internal.h"

struct group {
    struct cy_value *row; /* of the first that fell into it */
    struct cy_aggregate **aggregates;
};

struct group_operator {
    struct cy_operator base;
    const struct cy_projection *projection;
    struct cy_table table;
    struct cy_value *keys;
    struct group *groups;
    uint32_t group_room;
    uint32_t slot_count;
};

static bool make_room(struct group_operator *self)
{
    uint32_t room = self->group_room ? self->group_room * 2 : 16;
    struct group *groups = cy_array(self->base.env, room, sizeof(*groups));
    if (groups == NULL)
        return false;
    if (self->group_room > 0)
        memcpy(groups, self->groups, self->group_room * sizeof(*groups));
    self->groups = groups;
    self->group_room = room;
    return true;
}

static bool begin_group(struct group_operator *self, uint32_t index)
{
    struct cy_env *env = self->base.env;
    const struct cy_projection *projection = self->projection;
    if (index >= self->group_room && !make_room(self))
        return false;
    struct group *group = &self->groups[index];
    group->row = cy_array(env, (size_t)self->slot_count + 1, sizeof(*group->row));
    group->aggregates = cy_array(env, (size_t)projection->aggregate_count + 1,
                                 sizeof(struct cy_aggregate *));
    if (group->row == NULL || group->aggregates == NULL)
        return false;
    memcpy(group->row, env->row, self->slot_count * sizeof(*group->row));
    for (uint32_t i = 0; i < projection->aggregate_count; i++) {
        group->aggregates[i] = cy_aggregate_begin(env, projection->aggregates[i]);
        if (group->aggregates[i] == NULL)
            return false;
    }
    return true;
}

/* What the row is grouped by, into its slots. */
static bool read_keys(struct group_operator *self)
{
    struct cy_env *env = self->base.env;
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->projection->item_count; i++) {
        const struct cy_item *item = &self->projection->items[i];
        if (item->aggregates)
            continue;
        if (!cy_eval(env, item->expr, &self->keys[count]))
            return false;
        env->row[item->variable.slot] = self->keys[count++];
    }
    return true;
}

static bool take_group(struct cy_operator *base)
{
    struct group_operator *self = (struct group_operator *)base;
    uint32_t index;
    bool added;
    if (!cy_step(base->env) || !read_keys(self) ||
        !cy_table_add(base->env, &self->table, self->keys, &index, &added) ||
        (added && !begin_group(self, index)))
        return false;
    struct group *group = &self->groups[index];
    for (uint32_t i = 0; i < self->projection->aggregate_count; i++)
        if (!cy_aggregate_add(base->env, group->aggregates[i]))
            return false;
    return true;
}

static bool give_group(struct group_operator *self, const struct group *group)
{
    struct cy_env *env = self->base.env;
    const struct cy_projection *projection = self->projection;
    memcpy(env->row, group->row, self->slot_count * sizeof(*env->row));
    for (uint32_t i = 0; i < projection->aggregate_count; i++) {
        struct cy_value value;
        if (!cy_aggregate_end(env, group->aggregates[i], &value))
            return false;
        env->row[projection->aggregates[i]->slot] = value;
    }
    for (uint32_t i = 0; i < projection->item_count; i++) {
        const struct cy_item *item = &projection->items[i];
        struct cy_value value;
        if (!item->aggregates)
            continue;
        if (!cy_eval(env, item->expr, &value))
            return false;
        env->row[item->variable.slot] = value;
    }
    return cy_give(&self->base);
}

/* Without anything to group by there is one group, even of no rows. */
static bool end_group(struct cy_operator *base)
{
    struct group_operator *self = (struct group_operator *)base;
    uint32_t count = self->table.count;
    if (count == 0 && self->table.width == 0) {
        memset(base->env->row, 0, self->slot_count * sizeof(*base->env->row));
        if (!begin_group(self, 0))
            return false;
        count = 1;
    }
    for (uint32_t i = 0; i < count; i++)
        if (!give_group(self, &self->groups[i]))
            return false;
    return true;
}

bool cy_add_group(struct cy_line *line, const struct cy_projection *projection)
{
    struct group_operator *self =
        cy_add_operator(line, sizeof(*self), take_group, end_group);
    if (self == NULL)
        return false;
    self->projection = projection;
    self->slot_count = line->slot_count;
    for (uint32_t i = 0; i < projection->item_count; i++)
        self->table.width += !projection->items[i].aggregates;
    self->keys = cy_array(line->env, (size_t)self->table.width + 1, sizeof(*self->keys));
    return self->keys != NULL;
}
