/* Arithmetic, and what + makes of strings and lists. */
#include <math.h>

#include "services/graph/cypher/eval_internal.h"
#include "services/graph/cypher/functions.h"
#include "services/graph/cypher/temporal.h"
#include "services/graph/cypher/text.h"

static bool overflow(struct cy_env *env, const struct cy_expr *expr)
{
    return cy_fail(env, CY_ARGUMENTS, "NumberOutOfRange", expr->at,
                   "the result does not fit in 64 bits");
}

/* --- numbers ---------------------------------------------------------------------- */

static bool divide(struct cy_env *env, const struct cy_expr *expr, int64_t left,
                   int64_t right, int64_t *out)
{
    if (right == 0)
        return cy_fail(env, CY_ARGUMENTS, "DivisionByZero", expr->at, "division by zero");
    if (right == -1) { /* the smallest number has no opposite */
        if (expr->op == CY_MODULO)
            *out = 0;
        else if (__builtin_sub_overflow(0, left, out))
            return overflow(env, expr);
        return true;
    }
    *out = expr->op == CY_DIVIDE ? left / right : left % right;
    return true;
}

static bool of_integers(struct cy_env *env, const struct cy_expr *expr, int64_t left,
                        int64_t right, struct cy_value *out)
{
    int64_t result = 0;
    bool over = false;
    if (expr->op == CY_ADD)
        over = __builtin_add_overflow(left, right, &result);
    else if (expr->op == CY_SUBTRACT)
        over = __builtin_sub_overflow(left, right, &result);
    else if (expr->op == CY_MULTIPLY)
        over = __builtin_mul_overflow(left, right, &result);
    else if (!divide(env, expr, left, right, &result))
        return false;
    *out = cyv_integer(result);
    return !over || overflow(env, expr);
}

static double of_reals(enum cy_op op, double left, double right)
{
    if (op == CY_ADD)
        return left + right;
    if (op == CY_SUBTRACT)
        return left - right;
    if (op == CY_MULTIPLY)
        return left * right;
    if (op == CY_DIVIDE)
        return left / right;
    return op == CY_MODULO ? fmod(left, right) : pow(left, right);
}

bool eval_negative(struct cy_env *env, const struct cy_expr *expr, struct cy_value value,
                   struct cy_value *out)
{
    *out = value;
    if (cyv_is_null(value))
        return true;
    if (!cyv_is_number(value))
        return cy_bad_type(env, expr, value);
    if (expr->op == CY_PLUS)
        return true;
    if (value.type == CYV_FLOAT)
        out->real = -value.real;
    else if (__builtin_sub_overflow(0, value.integer, &out->integer))
        return overflow(env, expr);
    return true;
}

/* --- strings, lists --------------------------------------------------------------- */

static bool join_texts(struct cy_env *env, struct sh_bytes left, struct sh_bytes right,
                       struct cy_value *out)
{
    if (left.len + right.len > CYV_TEXT_MAX)
        return cy_fail(env, CY_OVER_BUDGET, NULL, (struct cy_at){0, 0},
                       "a string is over %d MB long", CYV_TEXT_MAX >> 20);
    char *text = cy_alloc(env, left.len + right.len + 1);
    if (text == NULL)
        return false;
    if (left.len > 0)
        memcpy(text, left.data, left.len);
    if (right.len > 0)
        memcpy(text + left.len, right.data, right.len);
    *out = cyv_string((struct sh_bytes){text, left.len + right.len});
    return true;
}

static bool join_strings(struct cy_env *env, struct cy_value left, struct cy_value right,
                         struct cy_value *out)
{
    struct cy_value texts[2];
    return cy_text_of(env, left, &texts[0]) && cy_text_of(env, right, &texts[1]) &&
           join_texts(env, cyv_text(texts[0]), cyv_text(texts[1]), out);
}

static void put(struct cy_value *items, size_t *count, struct cy_value value)
{
    if (value.type != CYV_LIST) {
        items[(*count)++] = value;
        return;
    }
    if (value.count > 0)
        memcpy(items + *count, value.items, value.count * sizeof(*items));
    *count += value.count;
}

static bool join_lists(struct cy_env *env, struct cy_value left, struct cy_value right,
                       struct cy_value *out)
{
    size_t room = (left.type == CYV_LIST ? left.count : 1) +
                  (size_t)(right.type == CYV_LIST ? right.count : 1);
    size_t count = 0;
    struct cy_value *items = cy_array(env, room, sizeof(*items));
    if (items == NULL)
        return false;
    put(items, &count, left);
    put(items, &count, right);
    return cyv_list(env, items, count, out);
}

static bool is_plain(struct cy_value value)
{
    return value.type == CYV_STRING || cyv_is_number(value) || value.type == CYV_BOOLEAN;
}

/* --- all of them ------------------------------------------------------------------ */

bool eval_arithmetic(struct cy_env *env, const struct cy_expr *expr, struct cy_value left,
                     struct cy_value right, struct cy_value *out)
{
    bool known;
    *out = cyv_null();
    if (cyv_is_null(left) || cyv_is_null(right))
        return true;
    if (left.type == CYV_INTEGER && right.type == CYV_INTEGER && expr->op != CY_POWER)
        return of_integers(env, expr, left.integer, right.integer, out);
    if (cyv_is_number(left) && cyv_is_number(right)) {
        *out = cyv_float(of_reals(expr->op, cyv_real(left), cyv_real(right)));
        return true;
    }
    if (expr->op == CY_ADD && (left.type == CYV_LIST || right.type == CYV_LIST))
        return join_lists(env, left, right, out);
    if (expr->op == CY_ADD && is_plain(left) && is_plain(right) &&
        (left.type == CYV_STRING || right.type == CYV_STRING))
        return join_strings(env, left, right, out);
    if (!temporal_arithmetic(env, expr, left, right, &known, out))
        return false;
    return known || cy_bad_type(env, expr, cyv_is_number(left) ? right : left);
}
