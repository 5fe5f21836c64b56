/* What goes through a list: comprehensions, quantifiers, reduce. The variable has a slot
 * of its own, so nothing needs to be put back. */
#include "services/graph/cypher/eval_internal.h"
#include "services/graph/cypher/functions.h"

/* *null: there is no list to go through. */
static bool eval_source(struct cy_env *env, const struct cy_expr *expr,
                        struct cy_value *list, bool *null)
{
    if (!cy_eval(env, expr, list))
        return false;
    *null = cyv_is_null(*list);
    return *null || list->type == CYV_LIST || cy_bad_type(env, expr, *list);
}

bool eval_list_comprehension(struct cy_env *env, const struct cy_expr *expr,
                             struct cy_value *out)
{
    struct cy_value list;
    bool null;
    size_t kept = 0;
    *out = cyv_null();
    if (!eval_source(env, expr->a, &list, &null) || null)
        return env->err == SH_OK;
    struct cy_value *items = cy_array(env, list.count, sizeof(*items));
    if (items == NULL)
        return false;
    for (uint32_t i = 0; i < list.count; i++) {
        bool holds;
        env->row[expr->variable.slot] = list.items[i];
        if (!cy_holds(env, expr->b, &holds))
            return false;
        if (!holds)
            continue;
        items[kept] = list.items[i];
        if (expr->c != NULL && !cy_eval(env, expr->c, &items[kept]))
            return false;
        kept++;
    }
    return cyv_list(env, items, kept, out);
}

/* --- all, any, none, single ------------------------------------------------------- */

struct votes {
    uint32_t all;
    uint32_t yes;
    uint32_t unknown;
};

static enum cyv_truth judge(enum cy_op op, const struct votes *votes)
{
    bool unsure = votes->unknown > 0;
    uint32_t no = votes->all - votes->yes - votes->unknown;
    if (op == CY_ALL && no > 0)
        return CYV_FALSE;
    if (op == CY_ANY && votes->yes > 0)
        return CYV_TRUE;
    if (op == CY_NO && votes->yes > 0)
        return CYV_FALSE;
    if (op == CY_SINGLE && votes->yes > 1)
        return CYV_FALSE;
    if (unsure)
        return CYV_UNKNOWN;
    if (op == CY_SINGLE)
        return votes->yes == 1 ? CYV_TRUE : CYV_FALSE;
    return op == CY_ANY ? CYV_FALSE : CYV_TRUE;
}

bool eval_quantifier(struct cy_env *env, const struct cy_expr *expr, struct cy_value *out)
{
    struct cy_value list;
    bool null;
    *out = cyv_null();
    if (!eval_source(env, expr->a, &list, &null) || null)
        return env->err == SH_OK;
    struct votes votes = {.all = list.count};
    for (uint32_t i = 0; i < list.count; i++) {
        enum cyv_truth truth = CYV_TRUE;
        env->row[expr->variable.slot] = list.items[i];
        if (expr->b != NULL && !eval_truth(env, expr->b, &truth))
            return false;
        votes.yes += truth == CYV_TRUE;
        votes.unknown += truth == CYV_UNKNOWN;
    }
    *out = cyv_of_truth(judge(expr->op, &votes));
    return true;
}

/* --- reduce ----------------------------------------------------------------------- */

bool eval_reduce(struct cy_env *env, const struct cy_expr *expr, struct cy_value *out)
{
    struct cy_value list;
    struct cy_value sum;
    bool null;
    *out = cyv_null();
    if (!cy_eval(env, expr->a, &sum) || !eval_source(env, expr->b, &list, &null) || null)
        return env->err == SH_OK;
    for (uint32_t i = 0; i < list.count; i++) {
        env->row[expr->variable.slot] = sum;
        env->row[expr->variable2.slot] = list.items[i];
        if (!cy_eval(env, expr->c, &sum))
            return false;
    }
    *out = sum;
    return true;
}
