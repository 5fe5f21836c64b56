/* Patterns within expressions. */
#include "services/graph/cypher/eval_internal.h"
#include "services/graph/cypher/match.h"

struct gathering {
    const struct cy_expr *expr;
    struct cy_value *items;
    size_t count;
    size_t room;
};

static bool make_room(struct cy_env *env, struct gathering *gathering)
{
    if (gathering->count < gathering->room)
        return true;
    size_t room = gathering->room ? gathering->room * 2 : 8;
    struct cy_value *items = cy_array(env, room, sizeof(*items));
    if (items == NULL)
        return false;
    if (gathering->count > 0)
        memcpy(items, gathering->items, gathering->count * sizeof(*items));
    gathering->items = items;
    gathering->room = room;
    return true;
}

static bool gather(struct cy_env *env, void *arg)
{
    struct gathering *gathering = arg;
    return make_room(env, gathering) &&
           cy_eval(env, gathering->expr->c, &gathering->items[gathering->count++]);
}

bool eval_pattern_comprehension(struct cy_env *env, const struct cy_expr *expr,
                                struct cy_value *out)
{
    struct gathering gathering = {.expr = expr};
    return cy_match(env, expr->pattern, expr->b, gather, &gathering) &&
           cyv_list(env, gathering.items, gathering.count, out);
}

static bool stop_at_first(struct cy_env *env, void *arg)
{
    bool *found = arg;
    (void)env;
    *found = true;
    return false;
}

bool eval_pattern_exists(struct cy_env *env, const struct cy_expr *expr,
                         struct cy_value *out)
{
    bool found = false;
    if (!cy_match(env, expr->pattern, expr->b, stop_at_first, &found) && !found)
        return false;
    *out = cyv_boolean(found);
    return env->err == SH_OK;
}
