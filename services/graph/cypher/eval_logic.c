/* Logic of three truths, comparisons, and what tests texts and lists. */
#include "services/graph/cypher/eval_internal.h"
#include "services/graph/cypher/functions.h"

/* --- AND, OR, XOR, NOT ------------------------------------------------------------ */

static bool truth_of(struct cy_env *env, const struct cy_expr *expr,
                     struct cy_value value, enum cyv_truth *out)
{
    *out = CYV_UNKNOWN;
    if (cyv_is_null(value))
        return true;
    if (value.type != CYV_BOOLEAN)
        return cy_bad_type(env, expr, value);
    *out = value.flag ? CYV_TRUE : CYV_FALSE;
    return true;
}

bool eval_truth(struct cy_env *env, const struct cy_expr *expr, enum cyv_truth *out)
{
    struct cy_value value;
    return cy_eval(env, expr, &value) && truth_of(env, expr, value, out);
}

bool eval_not(struct cy_env *env, const struct cy_expr *expr, struct cy_value value,
              struct cy_value *out)
{
    enum cyv_truth truth;
    if (!truth_of(env, expr, value, &truth))
        return false;
    *out = truth == CYV_UNKNOWN ? cyv_null() : cyv_boolean(truth == CYV_FALSE);
    return true;
}

static enum cyv_truth join(enum cy_op op, enum cyv_truth left, enum cyv_truth right)
{
    enum cyv_truth decides = op == CY_AND ? CYV_FALSE : CYV_TRUE;
    if (op != CY_XOR && (left == decides || right == decides))
        return decides;
    if (left == CYV_UNKNOWN || right == CYV_UNKNOWN)
        return CYV_UNKNOWN;
    if (op == CY_XOR)
        return left != right ? CYV_TRUE : CYV_FALSE;
    return decides == CYV_TRUE ? CYV_FALSE : CYV_TRUE;
}

/* The right side is not looked at where the left one decides. */
bool eval_logic(struct cy_env *env, const struct cy_expr *expr, struct cy_value *out)
{
    enum cyv_truth left;
    enum cyv_truth right = CYV_UNKNOWN;
    if (!eval_truth(env, expr->a, &left))
        return false;
    bool decided = (expr->op == CY_AND && left == CYV_FALSE) ||
                   (expr->op == CY_OR && left == CYV_TRUE);
    if (!decided && !eval_truth(env, expr->b, &right))
        return false;
    *out = cyv_of_truth(join(expr->op, left, right));
    return true;
}

/* --- comparisons ------------------------------------------------------------------ */

static struct cy_value compare_equal(enum cy_op op, struct cy_value left,
                                     struct cy_value right)
{
    enum cyv_truth truth = cyv_equals(left, right);
    if (truth == CYV_UNKNOWN)
        return cyv_null();
    return cyv_boolean((truth == CYV_TRUE) == (op == CY_EQUAL));
}

struct cy_value eval_comparison(enum cy_op op, struct cy_value left,
                                struct cy_value right)
{
    if (op == CY_EQUAL || op == CY_UNEQUAL)
        return compare_equal(op, left, right);
    enum cyv_order order = cyv_compare(left, right);
    if (order == CYV_OTHER)
        return cyv_null();
    if (order == CYV_NEITHER)
        return cyv_boolean(false);
    if (order == CYV_SAME)
        return cyv_boolean(op == CY_LESS_EQUAL || op == CY_GREATER_EQUAL);
    bool below = op == CY_LESS || op == CY_LESS_EQUAL;
    return cyv_boolean((order == CYV_BELOW) == below);
}

bool eval_in(struct cy_env *env, const struct cy_expr *expr, struct cy_value item,
             struct cy_value list, struct cy_value *out)
{
    enum cyv_truth found = CYV_FALSE;
    *out = cyv_null();
    if (cyv_is_null(list))
        return true;
    if (list.type != CYV_LIST)
        return cy_bad_type(env, expr, list);
    for (uint32_t i = 0; i < list.count && found != CYV_TRUE; i++) {
        if (!cy_step(env))
            return false;
        enum cyv_truth truth = cyv_equals(item, list.items[i]);
        if (truth != CYV_FALSE)
            found = truth;
    }
    *out = cyv_of_truth(found);
    return true;
}

/* --- texts ------------------------------------------------------------------------ */

struct cy_value eval_text_test(enum cy_op op, struct cy_value text, struct cy_value part)
{
    if (text.type != CYV_STRING || part.type != CYV_STRING)
        return cyv_null();
    if (part.count > text.count)
        return cyv_boolean(false);
    if (part.count == 0)
        return cyv_boolean(true);
    if (op == CY_STARTS_WITH)
        return cyv_boolean(memcmp(text.text, part.text, part.count) == 0);
    if (op == CY_ENDS_WITH)
        return cyv_boolean(
            memcmp(text.text + text.count - part.count, part.text, part.count) == 0);
    return cyv_boolean(memmem(text.text, text.count, part.text, part.count) != NULL);
}
