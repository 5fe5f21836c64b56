/* Which condition an index of a property helps with. The condition stays one: what the
 * index leads to is looked at again. */
#include "services/graph/cypher/plan_internal.h"
#include "services/graph/find/value_finder.h"

static bool is_property_of(const struct cy_expr *expr, uint32_t slot)
{
    return expr->kind == CY_PROPERTY && expr->a->kind == CY_VARIABLE &&
           expr->a->slot == slot && expr->symbol != CY_NONE;
}

static bool is_constant(enum cy_kind kind)
{
    return kind == CY_NULL || kind == CY_BOOLEAN || kind == CY_INTEGER ||
           kind == CY_FLOAT || kind == CY_STRING || kind == CY_PARAMETER;
}

/* What can be had before any node is looked at, and never fails where a scan that finds
 * nothing would not (match_values.c sees to properties and parameters). */
static bool is_plain(const struct cy_planner *planner, const struct cy_expr *expr)
{
    if (expr->kind == CY_VARIABLE || expr->kind == CY_PROPERTY)
        return (expr->kind == CY_VARIABLE || expr->a->kind == CY_VARIABLE) &&
               cy_is_ready(planner, expr);
    for (uint32_t i = 0; expr->kind == CY_LIST && i < expr->item_count; i++)
        if (!is_plain(planner, expr->items[i]))
            return false;
    return is_constant(expr->kind) || expr->kind == CY_LIST;
}

/* a op b as b op a; CY_OP_NONE: there is no such. */
static enum cy_op turned(enum cy_op op)
{
    static const enum cy_op others[][2] = {{CY_EQUAL, CY_EQUAL},
                                           {CY_LESS, CY_GREATER},
                                           {CY_LESS_EQUAL, CY_GREATER_EQUAL},
                                           {CY_GREATER, CY_LESS},
                                           {CY_GREATER_EQUAL, CY_LESS_EQUAL}};
    for (size_t i = 0; i < SH_COUNT(others); i++)
        if (others[i][0] == op)
            return others[i][1];
    return CY_OP_NONE;
}

static bool is_of_index(enum cy_op op)
{
    return turned(op) != CY_OP_NONE || op == CY_IN || op == CY_STARTS_WITH;
}

/* Out of so many nodes; nobody has counted. */
static uint64_t guess(enum cy_op op, uint64_t size)
{
    if (op == CY_EQUAL)
        return 1 + size / 256;
    return 1 + size / (op == CY_IN ? 64 : op == CY_STARTS_WITH ? 32 : 4);
}

static void consider(struct cy_plan_step *best, uint64_t *least, uint64_t size,
                     const struct cy_plan_step *found)
{
    uint64_t cost = guess(found->op, size);
    if (cost >= *least)
        return;
    *least = cost;
    best->symbol = found->symbol;
    best->op = found->op;
    best->key = found->key;
}

uint64_t cy_find_value(const struct cy_planner *planner, uint32_t slot, uint64_t size,
                       struct cy_plan_step *step)
{
    uint64_t least = size;
    if (planner->env->values == NULL || size < VALUE_FINDER_LEAST)
        return size;
    for (uint32_t i = 0; i < planner->condition_count; i++) {
        const struct cy_expr *expr = planner->conditions[i].expr;
        if (expr->kind != CY_BINARY || !is_of_index(expr->op))
            continue;
        struct cy_plan_step found = {.op = expr->op};
        if (is_property_of(expr->a, slot) && is_plain(planner, expr->b)) {
            found.symbol = expr->a->symbol;
            found.key = expr->b;
            consider(step, &least, size, &found);
        } else if (turned(expr->op) != CY_OP_NONE && is_property_of(expr->b, slot) &&
                   is_plain(planner, expr->a)) {
            found.op = turned(expr->op);
            found.symbol = expr->b->symbol;
            found.key = expr->a;
            consider(step, &least, size, &found);
        }
    }
    return least;
}
