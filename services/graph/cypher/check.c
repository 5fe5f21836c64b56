#include "services/graph/cypher/check.h"

#include "services/graph/cypher/check_internal.h"
#include "services/graph/cypher/procedures.h"

/* --- CALL ------------------------------------------------------------------------- */

/* Without YIELD, or with YIELD *, it yields everything. */
static bool yield_all(struct cy_checker *checker, struct cy_call *call, struct cy_at at)
{
    const struct cy_procedure *procedure = call->procedure;
    call->field_count = procedure->field_count;
    call->fields = cy_array(checker->env, CY_FIELDS_MAX, sizeof(*call->fields));
    call->variables = cy_array(checker->env, CY_FIELDS_MAX, sizeof(*call->variables));
    if (call->fields == NULL || call->variables == NULL)
        return false;
    for (uint32_t i = 0; i < call->field_count; i++) {
        call->fields[i] = sh_bytes_of(procedure->fields[i]);
        call->variables[i] =
            (struct cy_name){.text = call->fields[i], .at = at, .slot = CY_NONE};
    }
    return true;
}

static bool has_field(const struct cy_procedure *procedure, struct sh_bytes field)
{
    for (uint32_t i = 0; i < procedure->field_count; i++)
        if (sh_bytes_is(field, procedure->fields[i]))
            return true;
    return false;
}

static bool find_procedure(struct cy_checker *checker, struct cy_call *call,
                           struct cy_at at)
{
    call->procedure = cy_procedure_find(call->name);
    if (call->procedure == NULL)
        return cy_fail(checker->env, CY_UNSUPPORTED, "ProcedureNotFound", at,
                       "there is no procedure '%.*s'",
                       (int)(call->name.len < 80 ? call->name.len : 80),
                       (const char *)call->name.data);
    return call->argument_count == 0 ||
           cy_fail(checker->env, CY_SYNTAX, "InvalidNumberOfArguments", at,
                   "%s() takes no arguments", call->procedure->name);
}

static bool check_procedure(struct cy_checker *checker, struct cy_clause *clause)
{
    struct cy_call *call = &clause->call;
    if (!find_procedure(checker, call, clause->at) ||
        ((!call->yields || call->star) && !yield_all(checker, call, clause->at)))
        return false;
    for (uint32_t i = 0; i < call->field_count; i++) {
        if (!has_field(call->procedure, call->fields[i]))
            return cy_fail(checker->env, CY_SYNTAX, "UndefinedVariable",
                           call->variables[i].at, "%s() yields no '%.*s'",
                           call->procedure->name, (int)call->fields[i].len,
                           (const char *)call->fields[i].data);
        if (!cy_declare_new(checker, &call->variables[i], CY_K_ANY))
            return false;
    }
    return clause->where == NULL || cy_check_condition(checker, clause->where);
}

/* --- clauses ---------------------------------------------------------------------- */

static bool check_clause(struct cy_checker *checker, struct cy_clause *clause)
{
    switch (clause->kind) {
    case CY_MATCH:
        return cy_check_pattern(checker, clause->pattern, false) &&
               (clause->where == NULL || cy_check_condition(checker, clause->where));
    case CY_UNWIND:
        return cy_check_expr(checker, clause->expr) &&
               cy_declare_new(checker, &clause->variable, CY_K_ANY);
    case CY_PROCEDURE:
        return check_procedure(checker, clause);
    case CY_WITH:
    case CY_RETURN:
        return cy_check_projection(checker, clause);
    }
    return false;
}

/* What is in scope behind the last clause is what the query returns. */
static bool note_columns(struct cy_checker *checker, struct cy_single *single)
{
    single->column_count = checker->count;
    single->columns =
        cy_array(checker->env, checker->count + 1, sizeof(*single->columns));
    single->slots = cy_array(checker->env, checker->count + 1, sizeof(*single->slots));
    if (single->columns == NULL || single->slots == NULL)
        return false;
    for (uint32_t i = 0; i < checker->count; i++) {
        single->columns[i] = checker->scope[i].text;
        single->slots[i] = checker->scope[i].slot;
    }
    return true;
}

static bool check_single(struct cy_checker *checker, struct cy_single *single)
{
    checker->count = 0;
    for (uint32_t i = 0; i < single->clause_count; i++)
        if (!check_clause(checker, &single->clauses[i]))
            return false;
    return note_columns(checker, single);
}

/* --- UNION ------------------------------------------------------------------------ */

static bool align(struct cy_checker *checker, const struct cy_single *first,
                  struct cy_single *other)
{
    bool fits = other->column_count == first->column_count;
    uint32_t *slots = cy_array(checker->env, first->column_count + 1, sizeof(*slots));
    if (slots == NULL)
        return false;
    for (uint32_t i = 0; fits && i < first->column_count; i++) {
        uint32_t j = 0;
        while (j < other->column_count &&
               !sh_bytes_equal(other->columns[j], first->columns[i]))
            j++;
        fits = j < other->column_count;
        slots[i] = fits ? other->slots[j] : 0;
    }
    other->columns = first->columns;
    other->slots = slots;
    return fits || cy_fail(checker->env, CY_SYNTAX, "DifferentColumnsInUnion",
                           other->clauses[other->clause_count - 1].at,
                           "all parts of a UNION return columns of the same names");
}

bool cy_check(struct cy_env *env, struct cy_query *query)
{
    struct cy_checker checker = {.env = env, .query = query};
    for (uint32_t i = 0; i < query->single_count; i++) {
        if (!check_single(&checker, &query->singles[i]))
            return false;
        if (i > 0 && !align(&checker, &query->singles[0], &query->singles[i]))
            return false;
    }
    return true;
}
