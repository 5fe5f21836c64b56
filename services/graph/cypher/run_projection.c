/* WITH and RETURN: expressions, DISTINCT, SKIP and LIMIT. */
#include "services/graph/cypher/run_internal.h"

struct projection_operator {
    struct cy_operator base;
    const struct cy_projection *projection;
    struct cy_table table; /* DISTINCT */
    struct cy_value *values;
    uint64_t skip; /* still */
    uint64_t left; /* of LIMIT */
};

/* --- expressions ------------------------------------------------------------------ */

static bool take_items(struct cy_operator *base)
{
    const struct projection_operator *self = (const struct projection_operator *)base;
    const struct cy_projection *projection = self->projection;
    for (uint32_t i = 0; i < projection->item_count; i++) {
        const struct cy_item *item = &projection->items[i];
        struct cy_value value;
        if (!cy_eval(base->env, item->expr, &value))
            return false;
        base->env->row[item->variable.slot] = value;
    }
    return cy_step(base->env) && cy_give(base);
}

/* --- DISTINCT --------------------------------------------------------------------- */

static bool take_distinct(struct cy_operator *base)
{
    struct projection_operator *self = (struct projection_operator *)base;
    uint32_t row;
    bool added;
    for (uint32_t i = 0; i < self->table.width; i++)
        self->values[i] = base->env->row[self->projection->items[i].variable.slot];
    return cy_table_add(base->env, &self->table, self->values, &row, &added) &&
           (!added || cy_give(base));
}

static bool add_distinct(struct cy_line *line, const struct cy_projection *projection)
{
    struct projection_operator *self =
        cy_add_operator(line, sizeof(*self), take_distinct, NULL);
    if (self == NULL)
        return false;
    self->projection = projection;
    self->table.width = projection->item_count;
    self->values =
        cy_array(line->env, (size_t)projection->item_count + 1, sizeof(*self->values));
    return self->values != NULL;
}

/* --- SKIP and LIMIT --------------------------------------------------------------- */

static bool take_slice(struct cy_operator *base)
{
    struct projection_operator *self = (struct projection_operator *)base;
    if (self->left == 0)
        return false;
    if (self->skip > 0) {
        self->skip--;
        return true;
    }
    self->left--;
    return cy_give(base) && self->left > 0;
}

static bool read_count(struct cy_env *env, const struct cy_expr *expr, uint64_t *out)
{
    struct cy_value value;
    if (expr == NULL)
        return true;
    if (!cy_eval(env, expr, &value))
        return false;
    if (value.type != CYV_INTEGER)
        return cy_fail(env, CY_ARGUMENTS, "InvalidArgumentType", expr->at,
                       "SKIP and LIMIT need a whole number");
    if (value.integer < 0)
        return cy_fail(env, CY_ARGUMENTS, "NegativeIntegerArgument", expr->at,
                       "SKIP and LIMIT need a number that is not below 0");
    *out = (uint64_t)value.integer;
    return true;
}

static bool add_slice(struct cy_line *line, uint64_t skip, uint64_t limit)
{
    struct projection_operator *self =
        cy_add_operator(line, sizeof(*self), take_slice, NULL);
    if (self == NULL)
        return false;
    self->skip = skip;
    self->left = limit;
    return true;
}

/* --- all -------------------------------------------------------------------------- */

static bool add_items(struct cy_line *line, const struct cy_projection *projection)
{
    if (projection->aggregate_count > 0)
        return cy_add_group(line, projection);
    struct projection_operator *self =
        cy_add_operator(line, sizeof(*self), take_items, NULL);
    if (self == NULL)
        return false;
    self->projection = projection;
    return true;
}

bool cy_add_projection(struct cy_line *line, const struct cy_clause *clause)
{
    const struct cy_projection *projection = &clause->projection;
    uint64_t skip = 0;
    uint64_t limit = UINT64_MAX;
    if (!read_count(line->env, projection->skip, &skip) ||
        !read_count(line->env, projection->limit, &limit) ||
        !add_items(line, projection) ||
        (projection->distinct && !add_distinct(line, projection)))
        return false;
    uint64_t most = limit > UINT64_MAX - skip ? UINT64_MAX : skip + limit;
    if (projection->sort_count > 0 && !cy_add_sort(line, clause, most))
        return false;
    if ((projection->skip || projection->limit) && !add_slice(line, skip, limit))
        return false;
    return clause->where == NULL || cy_add_filter(line, clause->where);
}
