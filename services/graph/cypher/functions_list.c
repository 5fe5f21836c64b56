/* Functions of lists. */
#include "services/graph/cypher/functions_internal.h"
#include "services/graph/cypher/text.h"
#include "services/graph/cypher/utf8.h"

static bool call_size(struct cy_env *env, const struct cy_expr *call,
                      const struct cy_value *arguments, struct cy_value *out)
{
    if (arguments->type == CYV_LIST)
        *out = cyv_integer(arguments->count);
    else if (arguments->type == CYV_STRING)
        *out = cyv_integer((int64_t)utf8_length(cyv_text(*arguments)));
    else
        return cy_bad_type(env, call, *arguments);
    return true;
}

static bool call_head(struct cy_env *env, const struct cy_expr *call,
                      const struct cy_value *arguments, struct cy_value *out)
{
    if (arguments->type != CYV_LIST)
        return cy_bad_type(env, call, *arguments);
    if (arguments->count > 0)
        *out = arguments->items[0];
    return true;
}

static bool call_last(struct cy_env *env, const struct cy_expr *call,
                      const struct cy_value *arguments, struct cy_value *out)
{
    if (arguments->type != CYV_LIST)
        return cy_bad_type(env, call, *arguments);
    if (arguments->count > 0)
        *out = arguments->items[arguments->count - 1];
    return true;
}

static bool call_tail(struct cy_env *env, const struct cy_expr *call,
                      const struct cy_value *arguments, struct cy_value *out)
{
    if (arguments->type != CYV_LIST)
        return cy_bad_type(env, call, *arguments);
    if (arguments->count == 0)
        return cyv_list(env, NULL, 0, out);
    return cyv_list(env, arguments->items + 1, arguments->count - 1, out);
}

static bool reverse_text(struct cy_env *env, struct sh_bytes text, struct cy_value *out)
{
    char *copy = cy_alloc(env, text.len + 1);
    if (copy == NULL)
        return false;
    size_t end = text.len;
    for (size_t at = 0; at < text.len;) {
        size_t next = utf8_next(text, at);
        end -= next - at;
        memcpy(copy + end, (const char *)text.data + at, next - at);
        at = next;
    }
    *out = cyv_string((struct sh_bytes){copy, text.len});
    return true;
}

static bool call_reverse(struct cy_env *env, const struct cy_expr *call,
                         const struct cy_value *arguments, struct cy_value *out)
{
    if (arguments->type == CYV_STRING)
        return reverse_text(env, cyv_text(*arguments), out);
    if (arguments->type != CYV_LIST)
        return cy_bad_type(env, call, *arguments);
    struct cy_value *items = cy_array(env, arguments->count, sizeof(*items));
    if (items == NULL)
        return false;
    for (uint32_t i = 0; i < arguments->count; i++)
        items[i] = arguments->items[arguments->count - 1 - i];
    return cyv_list(env, items, arguments->count, out);
}

/* --- range ------------------------------------------------------------------------ */

/* How many numbers there are from `first` to `last`; UINT64_MAX: more than that. */
static uint64_t count_steps(int64_t first, int64_t last, int64_t step)
{
    bool up = step > 0;
    if (step == 0 || (up ? first > last : first < last))
        return 0;
    uint64_t size = up ? (uint64_t)step : 0 - (uint64_t)step;
    uint64_t steps =
        (up ? (uint64_t)last - (uint64_t)first : (uint64_t)first - (uint64_t)last) / size;
    return steps == UINT64_MAX ? steps : steps + 1;
}

static bool call_range(struct cy_env *env, const struct cy_expr *call,
                       const struct cy_value *arguments, struct cy_value *out)
{
    for (uint32_t i = 0; i < call->item_count; i++)
        if (arguments[i].type != CYV_INTEGER)
            return cy_fail(env, CY_ARGUMENTS, "InvalidArgumentType", call->at,
                           "range() takes Integers, not a %s",
                           cyv_type_name(arguments[i].type));
    int64_t step = call->item_count > 2 ? arguments[2].integer : 1;
    if (step == 0)
        return cy_bad_value(env, call, "the step of range() cannot be 0");
    uint64_t count = count_steps(arguments[0].integer, arguments[1].integer, step);
    if (count > CYV_ITEMS_MAX)
        return cy_fail(env, CY_OVER_BUDGET, NULL, call->at,
                       "range() makes no more than %d items", CYV_ITEMS_MAX);
    struct cy_value *items = cy_array(env, count, sizeof(*items));
    if (items == NULL)
        return false;
    for (uint64_t i = 0; i < count; i++)
        items[i] =
            cyv_integer((int64_t)((uint64_t)arguments[0].integer + i * (uint64_t)step));
    return cyv_list(env, items, count, out);
}

static const struct cy_function functions[] = {
    {"size", 1, 1, false, false, call_size},
    {"head", 1, 1, false, false, call_head},
    {"last", 1, 1, false, false, call_last},
    {"tail", 1, 1, false, false, call_tail},
    {"reverse", 1, 1, false, false, call_reverse},
    {"range", 2, 3, false, false, call_range},
};

const struct cy_function_table functions_list = {functions, SH_COUNT(functions)};
