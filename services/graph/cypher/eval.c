#include "services/graph/cypher/eval.h"

#include "services/graph/cypher/entity.h"
#include "services/graph/cypher/eval_internal.h"
#include "services/graph/cypher/functions.h"

enum { EVAL_DEPTH_MAX = 1000, ARGUMENTS_MAX = 16 };

/* --- literals --------------------------------------------------------------------- */

static bool eval_parameter(struct cy_env *env, const struct cy_expr *expr,
                           struct cy_value *out)
{
    const struct cy_value *found =
        env->parameters ? cyv_get(*env->parameters, expr->text) : NULL;
    if (found == NULL)
        return cy_fail(env, CY_ARGUMENTS, "MissingParameter", expr->at,
                       "there is no parameter $%.*s",
                       (int)(expr->text.len < 80 ? expr->text.len : 80),
                       (const char *)expr->text.data);
    *out = *found;
    return true;
}

static bool eval_list(struct cy_env *env, const struct cy_expr *expr,
                      struct cy_value *out)
{
    struct cy_value *items = cy_array(env, expr->item_count, sizeof(*items));
    if (items == NULL)
        return false;
    for (uint32_t i = 0; i < expr->item_count; i++)
        if (!cy_eval(env, expr->items[i], &items[i]))
            return false;
    return cyv_list(env, items, expr->item_count, out);
}

static bool eval_map(struct cy_env *env, const struct cy_expr *expr, struct cy_value *out)
{
    struct cyv_entry *entries = cy_array(env, expr->item_count, sizeof(*entries));
    if (entries == NULL)
        return false;
    for (uint32_t i = 0; i < expr->item_count; i++) {
        entries[i].key = expr->names[i];
        if (!cy_eval(env, expr->items[i], &entries[i].value))
            return false;
    }
    return cyv_map(env, entries, expr->item_count, out);
}

/* --- CASE ------------------------------------------------------------------------- */

static bool case_fits(struct cy_env *env, const struct cy_expr *expr, uint32_t i,
                      const struct cy_value *subject, bool *fits)
{
    struct cy_value when;
    if (subject == NULL)
        return cy_holds(env, expr->items[i], fits);
    if (!cy_eval(env, expr->items[i], &when))
        return false;
    *fits = cyv_equals(*subject, when) == CYV_TRUE;
    return true;
}

static bool eval_case(struct cy_env *env, const struct cy_expr *expr,
                      struct cy_value *out)
{
    struct cy_value subject;
    if (expr->a != NULL && !cy_eval(env, expr->a, &subject))
        return false;
    for (uint32_t i = 0; i + 1 < expr->item_count; i += 2) {
        bool fits;
        if (!case_fits(env, expr, i, expr->a ? &subject : NULL, &fits))
            return false;
        if (fits)
            return cy_eval(env, expr->items[i + 1], out);
    }
    *out = cyv_null();
    return expr->b == NULL || cy_eval(env, expr->b, out);
}

/* --- operators -------------------------------------------------------------------- */

static bool eval_unary(struct cy_env *env, const struct cy_expr *expr,
                       struct cy_value *out)
{
    struct cy_value value;
    if (!cy_eval(env, expr->a, &value))
        return false;
    if (expr->op == CY_NOT)
        return eval_not(env, expr, value, out);
    if (expr->op == CY_IS_NULL || expr->op == CY_IS_NOT_NULL) {
        *out = cyv_boolean(cyv_is_null(value) == (expr->op == CY_IS_NULL));
        return true;
    }
    return eval_negative(env, expr, value, out);
}

static bool is_logic(enum cy_op op)
{
    return op == CY_AND || op == CY_OR || op == CY_XOR;
}

static bool eval_operands(struct cy_env *env, const struct cy_expr *expr,
                          struct cy_value left, struct cy_value right,
                          struct cy_value *out)
{
    if (expr->op >= CY_EQUAL && expr->op <= CY_GREATER_EQUAL) {
        *out = eval_comparison(expr->op, left, right);
        return true;
    }
    if (expr->op == CY_IN)
        return eval_in(env, expr, left, right, out);
    if (expr->op == CY_MATCHES)
        return eval_regex(env, expr, left, right, out);
    if (expr->op >= CY_STARTS_WITH && expr->op <= CY_CONTAINS) {
        *out = eval_text_test(expr->op, left, right);
        return true;
    }
    return eval_arithmetic(env, expr, left, right, out);
}

static bool eval_binary(struct cy_env *env, const struct cy_expr *expr,
                        struct cy_value *out)
{
    struct cy_value left;
    struct cy_value right;
    if (is_logic(expr->op))
        return eval_logic(env, expr, out);
    return cy_eval(env, expr->a, &left) && cy_eval(env, expr->b, &right) &&
           eval_operands(env, expr, left, right, out);
}

static bool eval_labels(struct cy_env *env, const struct cy_expr *expr,
                        struct cy_value *out)
{
    struct cy_value entity;
    *out = cyv_null();
    if (!cy_eval(env, expr->a, &entity))
        return false;
    if (cyv_is_null(entity))
        return true;
    if (entity.type != CYV_NODE && entity.type != CYV_RELATIONSHIP)
        return cy_bad_type(env, expr, entity);
    *out = cyv_boolean(cy_entity_has(env, entity, &expr->symbols));
    return true;
}

/* --- calls ------------------------------------------------------------------------ */

static bool eval_call(struct cy_env *env, const struct cy_expr *expr,
                      struct cy_value *out)
{
    struct cy_value few[ARGUMENTS_MAX];
    struct cy_value *arguments = few;
    bool null = false;
    if (expr->item_count > ARGUMENTS_MAX)
        arguments = cy_array(env, expr->item_count, sizeof(*arguments));
    if (arguments == NULL)
        return false;
    for (uint32_t i = 0; i < expr->item_count; i++) {
        if (!cy_eval(env, expr->items[i], &arguments[i]))
            return false;
        null = null || cyv_is_null(arguments[i]);
    }
    *out = cyv_null();
    if (null && !expr->function->nulls)
        return true;
    return expr->function->call(env, expr, arguments, out);
}

/* --- all of them ------------------------------------------------------------------ */

static bool eval_kind(struct cy_env *env, const struct cy_expr *expr,
                      struct cy_value *out)
{
    switch (expr->kind) {
    case CY_NULL:
        *out = cyv_null();
        return true;
    case CY_BOOLEAN:
        *out = cyv_boolean(expr->flag);
        return true;
    case CY_INTEGER:
        *out = cyv_integer(expr->integer);
        return true;
    case CY_FLOAT:
        *out = cyv_float(expr->real);
        return true;
    case CY_STRING:
        *out = cyv_string(expr->text);
        return true;
    case CY_PARAMETER:
        return eval_parameter(env, expr, out);
    case CY_VARIABLE:
    case CY_AGGREGATE:
        *out = env->row[expr->slot];
        return true;
    case CY_PROPERTY:
        return eval_property(env, expr, out);
    case CY_SUBSCRIPT:
        return eval_subscript(env, expr, out);
    case CY_SLICE:
        return eval_slice(env, expr, out);
    case CY_LIST:
        return eval_list(env, expr, out);
    case CY_MAP:
        return eval_map(env, expr, out);
    case CY_LIST_COMPREHENSION:
        return eval_list_comprehension(env, expr, out);
    case CY_PATTERN_COMPREHENSION:
        return eval_pattern_comprehension(env, expr, out);
    case CY_PATTERN_PREDICATE:
    case CY_EXISTS:
        return eval_pattern_exists(env, expr, out);
    case CY_QUANTIFIER:
        return eval_quantifier(env, expr, out);
    case CY_REDUCE:
        return eval_reduce(env, expr, out);
    case CY_CASE:
        return eval_case(env, expr, out);
    case CY_UNARY:
        return eval_unary(env, expr, out);
    case CY_BINARY:
        return eval_binary(env, expr, out);
    case CY_LABELS:
        return eval_labels(env, expr, out);
    case CY_CALL:
        return eval_call(env, expr, out);
    }
    return cy_fail_err(env, SH_INTERNAL);
}

bool cy_eval(struct cy_env *env, const struct cy_expr *expr, struct cy_value *out)
{
    *out = cyv_null();
    if (!cy_step(env))
        return false;
    if (env->depth >= EVAL_DEPTH_MAX)
        return cy_fail(env, CY_OVER_BUDGET, NULL, expr->at,
                       "expressions lie more than %d deep", EVAL_DEPTH_MAX);
    env->depth++;
    bool done = eval_kind(env, expr, out);
    env->depth--;
    return done;
}

bool cy_holds(struct cy_env *env, const struct cy_expr *expr, bool *holds)
{
    enum cyv_truth truth = CYV_TRUE;
    if (expr != NULL && !eval_truth(env, expr, &truth))
        return false;
    *holds = truth == CYV_TRUE;
    return true;
}
