#include "services/graph/cypher/run.h"

#include "services/graph/cypher/check.h"
#include "services/graph/cypher/explain.h"
#include "services/graph/cypher/parse.h"
#include "services/graph/cypher/run_internal.h"

struct run {
    struct cy_env *env;
    const struct cy_query *query;
    struct cy_table table; /* UNION */
    struct cy_value *values;
    cy_row_fn *row;
    void *arg;
    struct cy_result *result;
};

struct last_operator {
    struct cy_operator base;
    struct run *run;
    const struct cy_single *single;
    bool distinct;
};

void *cy_add_operator(struct cy_line *line, size_t size,
                      bool (*take)(struct cy_operator *self),
                      bool (*end)(struct cy_operator *self))
{
    struct cy_operator *added = cy_alloc(line->env, size);
    if (added == NULL)
        return NULL;
    *added = (struct cy_operator){.env = line->env, .take = take, .end = end};
    if (line->last != NULL)
        line->last->next = added;
    else
        line->first = added;
    line->last = added;
    return added;
}

/* --- what is returned ------------------------------------------------------------- */

static bool take_last(struct cy_operator *base)
{
    struct last_operator *self = (struct last_operator *)base;
    struct run *run = self->run;
    const struct cy_single *single = self->single;
    bool added = true;
    uint32_t row;
    for (uint32_t i = 0; i < single->column_count; i++)
        run->values[i] = base->env->row[single->slots[i]];
    if (self->distinct &&
        !cy_table_add(base->env, &run->table, run->values, &row, &added))
        return false;
    if (!added)
        return true;
    if (!cy_step(base->env))
        return false;
    if (run->row(run->arg, run->values, single->column_count)) {
        run->result->row_count++;
        return true;
    }
    run->result->truncated = true;
    return false;
}

static bool add_last(struct run *run, struct cy_line *line,
                     const struct cy_single *single, bool distinct)
{
    struct last_operator *self = cy_add_operator(line, sizeof(*self), take_last, NULL);
    if (self == NULL)
        return false;
    self->run = run;
    self->single = single;
    self->distinct = distinct;
    return true;
}

/* --- one part --------------------------------------------------------------------- */

static bool add_clause(struct cy_line *line, const struct cy_clause *clause)
{
    switch (clause->kind) {
    case CY_MATCH:
        return cy_add_match(line, clause);
    case CY_UNWIND:
        return cy_add_unwind(line, clause);
    case CY_PROCEDURE:
        return cy_add_procedure(line, clause);
    case CY_WITH:
    case CY_RETURN:
        return cy_add_projection(line, clause);
    }
    return false;
}

static bool run_single(struct run *run, const struct cy_single *single, bool distinct)
{
    struct cy_env *env = run->env;
    struct cy_line line = {.env = env, .slot_count = run->query->slot_count};
    for (uint32_t i = 0; i < single->clause_count; i++)
        if (!add_clause(&line, &single->clauses[i]))
            return false;
    if (!add_last(run, &line, single, distinct))
        return false;
    (void)line.first->take(line.first);
    for (struct cy_operator *at = line.first; at != NULL && env->err == SH_OK;
         at = at->next)
        if (at->end != NULL)
            (void)at->end(at);
    return env->err == SH_OK;
}

static bool run_query(struct run *run)
{
    const struct cy_query *query = run->query;
    struct cy_env *env = run->env;
    const struct cy_single *first = &query->singles[0];
    bool distinct = query->single_count > 1 && !query->singles[1].all;
    run->table.width = first->column_count;
    run->values = cy_array(env, (size_t)first->column_count + 1, sizeof(*run->values));
    env->row = cy_array(env, (size_t)query->slot_count + 1, sizeof(*env->row));
    if (run->values == NULL || env->row == NULL)
        return false;
    run->result->columns = first->columns;
    run->result->column_count = first->column_count;
    for (uint32_t i = 0; i < query->single_count && !run->result->truncated; i++)
        if (!run_single(run, &query->singles[i], distinct))
            return false;
    return true;
}

bool cy_run(struct cy_env *env, struct sh_bytes text, cy_row_fn *row, void *arg,
            struct cy_result *out)
{
    struct cy_query *query;
    struct run run = {.env = env, .row = row, .arg = arg, .result = out};
    *out = (struct cy_result){0};
    if (!cy_parse(env, text, &query) || !cy_check(env, query))
        return false;
    run.query = query;
    return query->explain ? cy_explain(env, query, row, arg, out) : run_query(&run);
}
