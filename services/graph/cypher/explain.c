#include "services/graph/cypher/explain_internal.h"

#include "services/graph/cypher/procedures.h"
#include "services/graph/cypher/value.h"

/* --- rows ------------------------------------------------------------------------- */

bool cy_explain_row(struct cy_explainer *self, const char *operator)
{
    struct cy_value values[3] = {cyv_integer((int64_t)self->result->row_count + 1),
                                 cyv_string(sh_bytes_of(operator))};
    if (self->words.err != SH_OK)
        return cy_fail_err(self->env, self->words.err);
    if (!cyv_copy(self->env, sh_buffer_bytes(&self->words), &values[2]))
        return false;
    self->words.len = 0;
    if (!self->row(self->arg, values, SH_COUNT(values))) {
        self->result->truncated = self->env->err == SH_OK;
        return false;
    }
    self->result->row_count++;
    return cy_step(self->env);
}

bool cy_explain_filter(struct cy_explainer *self, uint32_t count)
{
    if (count == 0)
        return true;
    sh_buffer_printf(&self->words, "%u condition%s", count, count > 1 ? "s" : "");
    return cy_explain_row(self, "Filter");
}

static void name(struct cy_explainer *self, struct sh_bytes text, bool first)
{
    if (!first)
        sh_buffer_text(&self->words, ", ");
    sh_buffer_append(&self->words, text.data, text.len);
}

/* --- WITH and RETURN -------------------------------------------------------------- */

static bool explain_sort(struct cy_explainer *self,
                         const struct cy_projection *projection)
{
    if (projection->sort_count == 0)
        return true;
    sh_buffer_printf(&self->words, "%u key%s", projection->sort_count,
                     projection->sort_count > 1 ? "s" : "");
    return cy_explain_row(self, projection->limit ? "Top" : "Sort");
}

static bool explain_projection(struct cy_explainer *self, const struct cy_clause *clause)
{
    const struct cy_projection *projection = &clause->projection;
    for (uint32_t i = 0; i < projection->item_count; i++)
        name(self, projection->items[i].variable.text, i == 0);
    return cy_explain_row(self, projection->aggregate_count > 0 ? "EagerAggregation"
                                                                : "Projection") &&
           (!projection->distinct || cy_explain_row(self, "Distinct")) &&
           explain_sort(self, projection) &&
           (projection->skip == NULL || cy_explain_row(self, "Skip")) &&
           (projection->limit == NULL || cy_explain_row(self, "Limit")) &&
           cy_explain_filter(self, clause->where != NULL);
}

/* --- clauses ---------------------------------------------------------------------- */

static bool explain_clause(struct cy_explainer *self, const struct cy_clause *clause)
{
    switch (clause->kind) {
    case CY_MATCH:
        return cy_explain_match(self, clause) &&
               (!clause->optional || cy_explain_row(self, "Optional"));
    case CY_UNWIND:
        name(self, clause->variable.text, true);
        return cy_explain_row(self, "Unwind");
    case CY_PROCEDURE:
        name(self, sh_bytes_of(clause->call.procedure->name), true);
        return cy_explain_row(self, "ProcedureCall") &&
               cy_explain_filter(self, clause->where != NULL);
    case CY_WITH:
    case CY_RETURN:
        return explain_projection(self, clause);
    }
    return false;
}

static bool explain_single(struct cy_explainer *self, const struct cy_single *single)
{
    for (uint32_t i = 0; i < single->clause_count; i++)
        if (!explain_clause(self, &single->clauses[i]))
            return false;
    return true;
}

static bool explain_all(struct cy_explainer *self, const struct cy_query *query)
{
    const struct cy_single *first = &query->singles[0];
    bool distinct = query->single_count > 1 && !query->singles[1].all;
    for (uint32_t i = 0; i < query->single_count; i++)
        if (!explain_single(self, &query->singles[i]) ||
            (i > 0 && !cy_explain_row(self, "Union")))
            return false;
    if (distinct && !cy_explain_row(self, "Distinct"))
        return false;
    for (uint32_t i = 0; i < first->column_count; i++)
        name(self, first->columns[i], i == 0);
    return cy_explain_row(self, "ProduceResults");
}

bool cy_explain(struct cy_env *env, const struct cy_query *query, cy_row_fn *row,
                void *arg, struct cy_result *out)
{
    static const struct sh_bytes columns[] = {
        {"step", 4}, {"operator", 8}, {"details", 7}};
    struct cy_explainer self = {.env = env, .row = row, .arg = arg, .result = out};
    out->columns = columns;
    out->column_count = SH_COUNT(columns);
    (void)explain_all(&self, query); /* what failed is in the env */
    sh_buffer_free(&self.words);
    return env->err == SH_OK;
}
