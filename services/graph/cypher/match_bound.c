/* Relationships that were bound before the pattern. */
#include "services/graph/cypher/match_internal.h"

static bool not_one(struct cy_matcher *matcher, const struct cy_plan_step *step)
{
    return cy_fail(matcher->env, CY_TYPE, "InvalidArgumentType", step->relationship->at,
                   "a variable of the pattern is not a relationship, but something else");
}

/* With the first node here and the last one there. */
static bool between(struct cy_matcher *matcher, const struct cy_plan_step *step,
                    uint32_t first, uint32_t last)
{
    return !cy_node_fits(matcher, step->from, first, step->from_known) ||
           !cy_node_fits(matcher, step->to, last, step->to_known) ||
           cy_arrive(matcher, step);
}

static bool goes_right(const struct cy_relationship *relationship)
{
    return relationship->to_right || !relationship->to_left;
}

static bool goes_left(const struct cy_relationship *relationship)
{
    return relationship->to_left || !relationship->to_right;
}

bool cy_from_bound(struct cy_matcher *matcher, const struct cy_plan_step *step)
{
    const struct cy_relationship *relationship = step->relationship;
    const struct cy_value *value = &matcher->env->row[relationship->variable.slot];
    if (value->type == CYV_NULL)
        return true;
    if (value->type != CYV_RELATIONSHIP)
        return not_one(matcher, step);
    const struct edge *edge = graph_edge(matcher->env->reader, value->place);
    if (edge == NULL || !cy_type_fits(relationship, edge->body->type) ||
        cy_used(matcher, value->place))
        return true;
    uint32_t from = edge->body->from;
    uint32_t to = edge->body->to;
    if (!cy_push(matcher, value->place))
        return false;
    bool more = !goes_right(relationship) || between(matcher, step, from, to);
    if (more && goes_left(relationship) && (from != to || !goes_right(relationship)))
        more = between(matcher, step, to, from);
    matcher->trail_count--;
    return more;
}

/* --- lists ------------------------------------------------------------------------ */

/* From `at` along all of the list; false: there is no such way, or it failed. */
static bool follow(struct cy_matcher *matcher, const struct cy_plan_step *step,
                   const struct cy_value *list, uint32_t *at)
{
    const struct cy_relationship *relationship = step->relationship;
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].type != CYV_RELATIONSHIP)
            return not_one(matcher, step);
        uint32_t place = list->items[i].place;
        const struct edge *edge = graph_edge(matcher->env->reader, place);
        if (edge == NULL || !cy_type_fits(relationship, edge->body->type) ||
            cy_used(matcher, place) || !cy_push(matcher, place))
            return false;
        if (goes_right(relationship) && edge->body->from == *at)
            *at = edge->body->to;
        else if (goes_left(relationship) && edge->body->to == *at)
            *at = edge->body->from;
        else
            return false;
    }
    return true;
}

static bool from_here(struct cy_matcher *matcher, const struct cy_plan_step *step,
                      const struct cy_value *list, uint32_t first)
{
    uint32_t trail = matcher->trail_count;
    uint32_t last = first;
    bool fits = follow(matcher, step, list, &last);
    bool more = fits ? between(matcher, step, first, last) : matcher->env->err == SH_OK;
    matcher->trail_count = trail;
    return more;
}

bool cy_from_list(struct cy_matcher *matcher, const struct cy_plan_step *step)
{
    const struct cy_relationship *relationship = step->relationship;
    const struct cy_value list = matcher->env->row[relationship->variable.slot];
    if (list.type == CYV_NULL)
        return true;
    if (list.type != CYV_LIST)
        return not_one(matcher, step);
    if (list.count < relationship->min || list.count > relationship->max)
        return true;
    if (step->from_known)
        return from_here(matcher, step, &list, matcher->env->row[step->from].place);
    if (list.count == 0)
        return !step->to_known ||
               from_here(matcher, step, &list, matcher->env->row[step->to].place);
    if (list.items[0].type != CYV_RELATIONSHIP)
        return not_one(matcher, step);
    const struct edge *edge = graph_edge(matcher->env->reader, list.items[0].place);
    if (edge == NULL)
        return true;
    if (goes_right(relationship) && !from_here(matcher, step, &list, edge->body->from))
        return false;
    return !goes_left(relationship) ||
           (goes_right(relationship) && edge->body->from == edge->body->to) ||
           from_here(matcher, step, &list, edge->body->to);
}
