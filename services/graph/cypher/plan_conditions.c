#include <strings.h>

#include "services/graph/cypher/check_internal.h"
#include "services/graph/cypher/functions.h"
#include "services/graph/cypher/plan_internal.h"

/* --- gathering -------------------------------------------------------------------- */

static bool add(struct cy_planner *planner, const struct cy_expr *expr)
{
    if (planner->condition_count == planner->condition_room) {
        uint32_t room = planner->condition_room ? planner->condition_room * 2 : 8;
        struct cy_condition *more = cy_array(planner->env, room, sizeof(*more));
        if (more == NULL)
            return false;
        if (planner->condition_count > 0)
            memcpy(more, planner->conditions, planner->condition_count * sizeof(*more));
        planner->conditions = more;
        planner->condition_room = room;
    }
    planner->conditions[planner->condition_count++] = (struct cy_condition){expr, false};
    return true;
}

static bool split(struct cy_planner *planner, const struct cy_expr *expr)
{
    if (expr == NULL)
        return true;
    if (expr->kind == CY_BINARY && expr->op == CY_AND)
        return split(planner, expr->a) && split(planner, expr->b);
    return add(planner, expr);
}

static struct cy_expr *make(struct cy_env *env, enum cy_kind kind, struct cy_at at)
{
    struct cy_expr *expr = cy_alloc(env, sizeof(*expr));
    if (expr != NULL) {
        expr->kind = kind;
        expr->at = at;
        expr->slot = CY_NONE;
        expr->symbol = CY_NONE;
    }
    return expr;
}

/* variable.name = value */
static bool add_property(struct cy_planner *planner, const struct cy_name *variable,
                         struct sh_bytes name, struct cy_expr *value)
{
    struct cy_env *env = planner->env;
    struct cy_expr *of = make(env, CY_VARIABLE, value->at);
    struct cy_expr *property = make(env, CY_PROPERTY, value->at);
    struct cy_expr *equal = make(env, CY_BINARY, value->at);
    if (of == NULL || property == NULL || equal == NULL)
        return false;
    of->slot = variable->slot;
    of->text = variable->text;
    property->a = of;
    property->text = name;
    if (!symbols_find(graph_keys(env->reader->graph), name, &property->symbol))
        property->symbol = CY_NONE;
    equal->op = CY_EQUAL;
    equal->a = property;
    equal->b = value;
    return add(planner, equal);
}

static bool add_properties(struct cy_planner *planner, const struct cy_name *variable,
                           const struct cy_expr *map)
{
    for (uint32_t i = 0; map != NULL && i < map->item_count; i++)
        if (!add_property(planner, variable, map->names[i], map->items[i]))
            return false;
    return true;
}

bool cy_gather_conditions(struct cy_planner *planner, const struct cy_expr *where)
{
    for (uint32_t i = 0; i < planner->pattern->path_count; i++) {
        const struct cy_path *path = &planner->pattern->paths[i];
        for (uint32_t j = 0; j <= path->relationship_count; j++) {
            const struct cy_node *node = &path->nodes[j];
            if (!add_properties(planner, &node->variable, node->properties))
                return false;
            if (j == path->relationship_count)
                break;
            const struct cy_relationship *relationship = &path->relationships[j];
            if (!relationship->varies && path->shortest == CY_ALL_PATHS &&
                !add_properties(planner, &relationship->variable,
                                relationship->properties))
                return false;
        }
    }
    return split(planner, where);
}

/* --- readiness -------------------------------------------------------------------- */

static bool name_ready(const struct cy_planner *planner, const struct cy_name *name)
{
    return cy_state(planner, name->slot) != CY_TO_BIND;
}

static bool pattern_ready(const struct cy_planner *planner,
                          const struct cy_pattern *pattern)
{
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        const struct cy_path *path = &pattern->paths[i];
        for (uint32_t j = 0; j <= path->relationship_count; j++) {
            const struct cy_node *node = &path->nodes[j];
            if (!name_ready(planner, &node->variable) ||
                (node->properties && !cy_is_ready(planner, node->properties)))
                return false;
            if (j == path->relationship_count)
                break;
            const struct cy_relationship *relationship = &path->relationships[j];
            if (!name_ready(planner, &relationship->variable) ||
                (relationship->properties &&
                 !cy_is_ready(planner, relationship->properties)))
                return false;
        }
    }
    return true;
}

bool cy_is_ready(const struct cy_planner *planner, const struct cy_expr *expr)
{
    const struct cy_expr *child;
    if (expr->kind == CY_VARIABLE)
        return cy_state(planner, expr->slot) != CY_TO_BIND;
    if (expr->pattern != NULL && !pattern_ready(planner, expr->pattern))
        return false;
    for (uint32_t i = 0; (child = cy_child(expr, i)) != NULL; i++)
        if (!cy_is_ready(planner, child))
            return false;
    return true;
}

bool cy_take_conditions(struct cy_planner *planner, const struct cy_expr ***out,
                        uint32_t *count)
{
    uint32_t ready = 0;
    for (uint32_t i = 0; i < planner->condition_count; i++) {
        struct cy_condition *condition = &planner->conditions[i];
        ready += !condition->used && cy_is_ready(planner, condition->expr);
    }
    *count = 0;
    *out = cy_array(planner->env, ready + 1, sizeof(struct cy_expr *));
    if (*out == NULL)
        return false;
    for (uint32_t i = 0; i < planner->condition_count && *count < ready; i++) {
        struct cy_condition *condition = &planner->conditions[i];
        if (condition->used || !cy_is_ready(planner, condition->expr))
            continue;
        condition->used = true;
        (*out)[(*count)++] = condition->expr;
    }
    return true;
}

/* --- keys ------------------------------------------------------------------------- */

/* id(n), elementId(n) */
static bool is_key_of(const struct cy_expr *expr, uint32_t slot, enum cy_step_kind *kind)
{
    if (expr->kind != CY_CALL || expr->item_count != 1 || expr->function == NULL ||
        expr->items[0]->kind != CY_VARIABLE || expr->items[0]->slot != slot)
        return false;
    bool number = strcasecmp(expr->function->name, "id") == 0;
    *kind = number ? CY_SEEK_NUMBER : CY_SEEK_ID;
    return number || strcasecmp(expr->function->name, "elementId") == 0;
}

const struct cy_expr *cy_find_key(const struct cy_planner *planner, uint32_t slot,
                                  enum cy_step_kind *kind)
{
    for (uint32_t i = 0; i < planner->condition_count; i++) {
        const struct cy_expr *expr = planner->conditions[i].expr;
        if (expr->kind != CY_BINARY || expr->op != CY_EQUAL)
            continue;
        if (is_key_of(expr->a, slot, kind) && cy_is_ready(planner, expr->b))
            return expr->b;
        if (is_key_of(expr->b, slot, kind) && cy_is_ready(planner, expr->a))
            return expr->a;
    }
    return NULL;
}
