/* How a pattern would be looked for: the steps of its plan, by the names that Neo4j has
 * for them. How many nodes there are is told nowhere. */
#include "services/graph/cypher/explain_internal.h"
#include "services/graph/cypher/plan.h"

/* --- parts of a pattern ----------------------------------------------------------- */

static void put(struct cy_explainer *self, struct sh_bytes text)
{
    sh_buffer_append(&self->words, text.data, text.len);
}

static void put_symbols(struct cy_explainer *self, const struct cy_symbols *symbols,
                        const char *between)
{
    for (uint32_t i = 0; i < symbols->count; i++) {
        sh_buffer_text(&self->words, i == 0 ? ":" : between);
        put(self, symbols->texts[i]);
    }
}

static const struct cy_node *node_of(const struct cy_plan *plan, uint32_t slot)
{
    for (uint32_t i = 0; i < plan->node_count; i++)
        if (plan->nodes[i]->variable.slot == slot)
            return plan->nodes[i];
    return NULL;
}

/* `label`: the one that is scanned, of those that the pattern asks for. */
static void put_node(struct cy_explainer *self, const struct cy_plan *plan, uint32_t slot,
                     uint32_t label)
{
    const struct cy_node *node = node_of(plan, slot);
    sh_buffer_text(&self->words, "(");
    if (node != NULL)
        put(self, node->variable.text);
    for (uint32_t i = 0; node != NULL && i < node->labels.count; i++)
        if (node->labels.numbers[i] == label) {
            sh_buffer_text(&self->words, ":");
            put(self, node->labels.texts[i]);
            break;
        }
    sh_buffer_text(&self->words, ")");
}

static void put_length(struct cy_explainer *self, const struct cy_relationship *one)
{
    if (!one->varies)
        return;
    sh_buffer_printf(&self->words, "*%u..", one->min);
    if (one->max != UINT32_MAX)
        sh_buffer_printf(&self->words, "%u", one->max);
}

static void put_hop(struct cy_explainer *self, const struct cy_plan *plan,
                    const struct cy_plan_step *step)
{
    const struct cy_relationship *one = step->relationship;
    bool right = one->to_right != one->to_left && one->to_right != step->backwards;
    bool left = one->to_right != one->to_left && one->to_left != step->backwards;
    put_node(self, plan, step->from, CY_NONE);
    sh_buffer_text(&self->words, left ? "<-[" : "-[");
    put(self, one->variable.text);
    put_symbols(self, &one->types, "|");
    put_length(self, one);
    sh_buffer_text(&self->words, right ? "]->" : "]-");
    put_node(self, plan, step->to, CY_NONE);
}

/* --- steps ------------------------------------------------------------------------ */

static const char *op_text(enum cy_op op)
{
    switch ((unsigned)op) {
    case CY_EQUAL:
        return "=";
    case CY_LESS:
        return "<";
    case CY_LESS_EQUAL:
        return "<=";
    case CY_GREATER:
        return ">";
    case CY_GREATER_EQUAL:
        return ">=";
    case CY_IN:
        return "IN";
    default:
        return "STARTS WITH";
    }
}

static const char *seek_name(enum cy_op op)
{
    return op == CY_EQUAL || op == CY_IN ? "NodeIndexSeek" : "NodeIndexSeekByRange";
}

static bool explain_begin(struct cy_explainer *self, const struct cy_plan *plan,
                          const struct cy_plan_step *step, const char *operator)
{
    put_node(self, plan, step->to, step->label);
    if (step->kind == CY_SEEK_VALUE) {
        sh_buffer_text(&self->words, " ");
        put(self, symbols_text(graph_keys(self->env->reader->graph), step->symbol));
        sh_buffer_printf(&self->words, " %s", op_text(step->op));
    }
    return cy_explain_row(self, operator);
}

static bool explain_hop(struct cy_explainer *self, const struct cy_plan *plan,
                        const struct cy_plan_step *step, const char *operator)
{
    put_hop(self, plan, step);
    return cy_explain_row(self, operator);
}

static bool explain_step(struct cy_explainer *self, const struct cy_plan *plan,
                         const struct cy_plan_step *step)
{
    switch (step->kind) {
    case CY_CHECK_NODE:
        return explain_begin(self, plan, step, "Argument");
    case CY_SCAN_ALL:
        return explain_begin(self, plan, step, "AllNodesScan");
    case CY_SCAN_LABEL:
        return explain_begin(self, plan, step, "NodeByLabelScan");
    case CY_SEEK_NUMBER:
        return explain_begin(self, plan, step, "NodeByIdSeek");
    case CY_SEEK_ID:
        return explain_begin(self, plan, step, "NodeByElementIdSeek");
    case CY_SEEK_VALUE:
        return explain_begin(self, plan, step, seek_name(step->op));
    case CY_FROM_BOUND:
    case CY_FROM_LIST:
        return explain_hop(self, plan, step, "ProjectEndpoints");
    case CY_EXPAND:
        return explain_hop(self, plan, step,
                           step->to_known ? "Expand(Into)" : "Expand(All)");
    case CY_EXPAND_MANY:
        return explain_hop(self, plan, step,
                           step->to_known ? "VarLengthExpand(Into)"
                                          : "VarLengthExpand(All)");
    case CY_EXPAND_SHORT:
        return explain_hop(self, plan, step, "ShortestPath");
    case CY_MAKE_PATH:
        put(self, step->path->variable.text);
        return cy_explain_row(self, "Path");
    }
    return false;
}

bool cy_explain_match(struct cy_explainer *self, const struct cy_clause *clause)
{
    const struct cy_plan *plan =
        cy_plan_pattern(self->env, clause->pattern, clause->where);
    if (plan == NULL || !cy_explain_filter(self, plan->before_count))
        return false;
    for (uint32_t i = 0; i < plan->step_count; i++)
        if (!explain_step(self, plan, &plan->steps[i]) ||
            !cy_explain_filter(self, plan->steps[i].filter_count))
            return false;
    return true;
}
