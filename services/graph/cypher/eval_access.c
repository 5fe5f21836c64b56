/* Parts of values: a.b, a[b], a[b..c]. */
#include "services/graph/cypher/drawn.h"
#include "services/graph/cypher/entity.h"
#include "services/graph/cypher/eval_internal.h"
#include "services/graph/cypher/functions.h"
#include "services/graph/cypher/temporal.h"

static bool is_entity(struct cy_value value)
{
    return value.type == CYV_NODE || value.type == CYV_RELATIONSHIP;
}

static void get(struct cy_value map, struct sh_bytes key, struct cy_value *out)
{
    const struct cy_value *found = cyv_get(map, key);
    *out = found ? *found : cyv_null();
}

bool eval_property(struct cy_env *env, const struct cy_expr *expr, struct cy_value *out)
{
    struct cy_value owner;
    *out = cyv_null();
    if (!cy_eval(env, expr->a, &owner))
        return false;
    if (cyv_is_null(owner))
        return true;
    if (is_entity(owner) && owner.place >= CY_DRAWN_PLACES)
        return cy_entity_named(env, owner, expr->text, out);
    if (is_entity(owner))
        return cy_entity_property(env, owner, expr->symbol, out);
    if (cyv_is_temporal(owner))
        return temporal_field(env, owner, expr->text, out);
    if (owner.type != CYV_MAP)
        return cy_bad_type(env, expr, owner);
    get(owner, expr->text, out);
    return true;
}

/* --- a[b] ------------------------------------------------------------------------- */

static bool item_of(struct cy_env *env, const struct cy_expr *expr, struct cy_value list,
                    struct cy_value index, struct cy_value *out)
{
    if (index.type != CYV_INTEGER)
        return cy_fail(env, CY_TYPE, "ListElementAccessByNonInteger", expr->at,
                       "an item of a list is named by an Integer, not by a %s",
                       cyv_type_name(index.type));
    int64_t at = index.integer < 0 ? index.integer + list.count : index.integer;
    *out = at >= 0 && at < list.count ? list.items[at] : cyv_null();
    return true;
}

static bool entry_of(struct cy_env *env, const struct cy_expr *expr,
                     struct cy_value owner, struct cy_value key, struct cy_value *out)
{
    if (key.type != CYV_STRING)
        return cy_fail(env, CY_TYPE, "MapElementAccessByNonString", expr->at,
                       "a property is named by a String, not by a %s",
                       cyv_type_name(key.type));
    if (is_entity(owner))
        return cy_entity_named(env, owner, cyv_text(key), out);
    get(owner, cyv_text(key), out);
    return true;
}

bool eval_subscript(struct cy_env *env, const struct cy_expr *expr, struct cy_value *out)
{
    struct cy_value owner;
    struct cy_value key;
    if (!cy_eval(env, expr->a, &owner) || !cy_eval(env, expr->b, &key))
        return false;
    *out = cyv_null();
    if (cyv_is_null(owner) || cyv_is_null(key))
        return true;
    if (owner.type == CYV_LIST)
        return item_of(env, expr, owner, key, out);
    if (owner.type == CYV_MAP || is_entity(owner))
        return entry_of(env, expr, owner, key, out);
    return cy_bad_type(env, expr, owner);
}

/* --- a[b..c] ---------------------------------------------------------------------- */

/* NULL: no bound was written. *null: it is null, and so is the slice. */
static bool bound_of(struct cy_env *env, const struct cy_expr *expr, int64_t count,
                     int64_t *bound, bool *null)
{
    struct cy_value value;
    if (expr == NULL)
        return true;
    if (!cy_eval(env, expr, &value))
        return false;
    *null = *null || cyv_is_null(value);
    if (*null)
        return true;
    if (value.type != CYV_INTEGER)
        return cy_bad_type(env, expr, value);
    *bound = value.integer < 0 ? value.integer + count : value.integer;
    *bound = *bound < 0 ? 0 : *bound;
    *bound = *bound > count ? count : *bound;
    return true;
}

bool eval_slice(struct cy_env *env, const struct cy_expr *expr, struct cy_value *out)
{
    struct cy_value list;
    if (!cy_eval(env, expr->a, &list))
        return false;
    bool null = cyv_is_null(list);
    int64_t from = 0;
    int64_t to = list.type == CYV_LIST ? list.count : 0;
    if (!null && list.type != CYV_LIST)
        return cy_bad_type(env, expr, list);
    if (!bound_of(env, expr->b, to, &from, &null) ||
        !bound_of(env, expr->c, to, &to, &null))
        return false;
    *out = cyv_null();
    if (null)
        return true;
    return cyv_list(env, list.items + from, to > from ? (size_t)(to - from) : 0, out);
}
