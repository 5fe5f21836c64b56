/* Nodes by the values of a property. They come in the order of their places, as a scan
 * would give them; where the index is of no use, a scan does. */
#include "services/graph/cypher/match_internal.h"
#include "services/graph/cypher/value.h"
#include "services/graph/find/value_finder.h"

enum { SMALL_PART = 2 }; /* of the nodes of a scan: more candidates are no gain */

static bool scan(struct cy_matcher *matcher, const struct cy_plan_step *step)
{
    return step->label == CY_NONE ? cy_scan_all(matcher, step)
                                  : cy_scan_label(matcher, step);
}

/* Computing it cannot fail. */
static bool computable(const struct cy_env *env, const struct cy_expr *expr)
{
    if (expr->kind == CY_PARAMETER)
        return env->parameters != NULL && cyv_get(*env->parameters, expr->text) != NULL;
    if (expr->kind == CY_PROPERTY) {
        enum cyv_type type = env->row[expr->a->slot].type;
        return type == CYV_NULL || type == CYV_MAP || type == CYV_NODE ||
               type == CYV_RELATIONSHIP;
    }
    for (uint32_t i = 0; expr->kind == CY_LIST && i < expr->item_count; i++)
        if (!computable(env, expr->items[i]))
            return false;
    return true;
}

/* --- what is looked for ----------------------------------------------------------- */

/* False: no index has such values. */
static bool as_stored(struct cy_value value, struct value *out)
{
    *out = (struct value){.type = VALUE_NULL};
    if (value.type == CYV_BOOLEAN)
        *out = (struct value){.type = VALUE_BOOLEAN, .flag = value.flag};
    else if (value.type == CYV_INTEGER)
        *out = (struct value){.type = VALUE_INTEGER, .integer = value.integer};
    else if (value.type == CYV_FLOAT)
        *out = (struct value){.type = VALUE_FLOAT, .real = value.real};
    else if (value.type == CYV_STRING)
        *out = (struct value){.type = VALUE_STRING, .text = cyv_text(value)};
    return out->type != VALUE_NULL;
}

static bool range_of(enum cy_op op, struct cy_value key, struct value_range *out)
{
    struct value value;
    if (!as_stored(key, &value) || (op == CY_STARTS_WITH && value.type != VALUE_STRING))
        return false;
    if (op == CY_STARTS_WITH) {
        value_range_prefix(value.text, out);
        return true;
    }
    if (op == CY_LESS || op == CY_LESS_EQUAL)
        return value_range_to(&value, out);
    if (op == CY_GREATER || op == CY_GREATER_EQUAL)
        return value_range_from(&value, out);
    return value_range_equal(&value, out);
}

/* What is null equals nothing, and is left out. False: no index can tell. */
static bool ranges_of(enum cy_op op, struct cy_value key, struct value_range *ranges,
                      size_t *count)
{
    const struct cy_value *items = op == CY_IN ? key.items : &key;
    uint32_t item_count = op == CY_IN ? key.count : 1;
    *count = 0;
    for (uint32_t i = 0; i < item_count; i++)
        if (!cyv_is_null(items[i]) && !range_of(op, items[i], &ranges[(*count)++]))
            return false;
    return true;
}

/* --- looking ---------------------------------------------------------------------- */

/* *places NULL: a scan is better. */
static bool find(struct cy_env *env, const struct cy_plan_step *step, struct cy_value key,
                 roaring_bitmap_t **places)
{
    struct value_question question = {.key = step->symbol,
                                      .most = (size_t)step->size / SMALL_PART};
    bool list = step->op == CY_IN;
    *places = NULL;
    if (list && key.type != CYV_LIST)
        return true;
    struct value_range one = {0};
    struct value_range *ranges =
        list ? cy_array(env, (size_t)key.count + 1, sizeof(*ranges)) : &one;
    if (ranges == NULL)
        return false;
    if (!ranges_of(step->op, key, ranges, &question.count))
        return true;
    question.ranges = ranges;
    enum sh_err err = value_finder_find(env->values, env->reader, &question, places);
    return err == SH_OK || cy_fail_err(env, err);
}

static bool each(struct cy_matcher *matcher, const struct cy_plan_step *step,
                 const roaring_bitmap_t *places)
{
    roaring_uint32_iterator_t at;
    roaring_init_iterator(places, &at);
    for (; at.has_value; (void)roaring_advance_uint32_iterator(&at))
        if (!cy_begin_with(matcher, step, at.current_value))
            return false;
    return true;
}

bool cy_seek_value(struct cy_matcher *matcher, const struct cy_plan_step *step)
{
    struct cy_value key;
    roaring_bitmap_t *places;
    if (!computable(matcher->env, step->key))
        return scan(matcher, step);
    if (!cy_eval(matcher->env, step->key, &key) ||
        !find(matcher->env, step, key, &places))
        return false;
    if (places == NULL)
        return scan(matcher, step);
    bool more = each(matcher, step, places);
    roaring_bitmap_free(places);
    return more;
}
