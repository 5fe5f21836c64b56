/* MATCH, UNWIND, CALL and conditions. */
#include "services/graph/cypher/match.h"
#include "services/graph/cypher/procedures.h"
#include "services/graph/cypher/run_internal.h"

struct clause_operator {
    struct cy_operator base;
    const struct cy_clause *clause;
    const struct cy_expr *where;
    bool found;  /* MATCH: for this row */
    bool wanted; /* by what comes next */
};

static bool add(struct cy_line *line, const struct cy_clause *clause,
                const struct cy_expr *where, bool (*take)(struct cy_operator *self))
{
    struct clause_operator *self = cy_add_operator(line, sizeof(*self), take, NULL);
    if (self == NULL)
        return false;
    self->clause = clause;
    self->where = where;
    return true;
}

/* --- conditions ------------------------------------------------------------------- */

static bool take_filter(struct cy_operator *base)
{
    const struct clause_operator *self = (const struct clause_operator *)base;
    bool holds;
    return cy_holds(base->env, self->where, &holds) && (!holds || cy_give(base));
}

bool cy_add_filter(struct cy_line *line, const struct cy_expr *where)
{
    return add(line, NULL, where, take_filter);
}

/* --- MATCH ------------------------------------------------------------------------ */

static bool on_match(struct cy_env *env, void *arg)
{
    struct clause_operator *self = arg;
    (void)env;
    self->found = true;
    self->wanted = cy_give(&self->base);
    return self->wanted;
}

static void forget(struct cy_env *env, const struct cy_name *name)
{
    if (!name->bound && name->slot != CY_NONE)
        env->row[name->slot] = cyv_null();
}

/* Nothing was found: what the pattern would have bound is null. */
static void bind_nothing(struct cy_env *env, const struct cy_pattern *pattern)
{
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        const struct cy_path *path = &pattern->paths[i];
        forget(env, &path->variable);
        for (uint32_t j = 0; j <= path->relationship_count; j++) {
            forget(env, &path->nodes[j].variable);
            if (j < path->relationship_count)
                forget(env, &path->relationships[j].variable);
        }
    }
}

static bool take_match(struct cy_operator *base)
{
    struct clause_operator *self = (struct clause_operator *)base;
    const struct cy_clause *clause = self->clause;
    self->found = false;
    self->wanted = true;
    (void)cy_match(base->env, clause->pattern, clause->where, on_match, self);
    if (base->env->err != SH_OK || !self->wanted)
        return false;
    if (self->found || !clause->optional)
        return true;
    bind_nothing(base->env, clause->pattern);
    return cy_give(base);
}

bool cy_add_match(struct cy_line *line, const struct cy_clause *clause)
{
    return add(line, clause, NULL, take_match);
}

/* --- UNWIND ----------------------------------------------------------------------- */

static bool take_unwind(struct cy_operator *base)
{
    const struct clause_operator *self = (const struct clause_operator *)base;
    struct cy_value *slot = &base->env->row[self->clause->variable.slot];
    struct cy_value list;
    if (!cy_eval(base->env, self->clause->expr, &list))
        return false;
    if (list.type == CYV_NULL)
        return true;
    if (list.type != CYV_LIST) {
        *slot = list;
        return cy_give(base);
    }
    for (uint32_t i = 0; i < list.count; i++) {
        *slot = list.items[i];
        if (!cy_step(base->env) || !cy_give(base))
            return false;
    }
    return true;
}

bool cy_add_unwind(struct cy_line *line, const struct cy_clause *clause)
{
    return add(line, clause, NULL, take_unwind);
}

/* --- CALL ------------------------------------------------------------------------- */

static bool on_row(void *arg, const struct cy_value *values)
{
    struct clause_operator *self = arg;
    const struct cy_call *call = &self->clause->call;
    struct cy_env *env = self->base.env;
    bool holds = true;
    for (uint32_t i = 0; i < call->field_count; i++)
        for (uint32_t j = 0; j < call->procedure->field_count; j++)
            if (sh_bytes_is(call->fields[i], call->procedure->fields[j]))
                env->row[call->variables[i].slot] = values[j];
    if (self->clause->where != NULL && !cy_holds(env, self->clause->where, &holds))
        return false;
    self->wanted = !holds || cy_give(&self->base);
    return self->wanted;
}

static bool take_procedure(struct cy_operator *base)
{
    struct clause_operator *self = (struct clause_operator *)base;
    self->wanted = true;
    (void)self->clause->call.procedure->run(base->env, on_row, self);
    return base->env->err == SH_OK && self->wanted;
}

bool cy_add_procedure(struct cy_line *line, const struct cy_clause *clause)
{
    return add(line, clause, NULL, take_procedure);
}
