/* Relationships of a number that varies: all ways that use none twice. */
#include "services/graph/cypher/entity.h"
#include "services/graph/cypher/match_internal.h"

struct walk_many {
    const struct cy_plan_step *step;
    uint32_t start; /* of the trail */
    uint32_t depth;
};

bool cy_properties_fit(struct cy_matcher *matcher,
                       const struct cy_relationship *relationship, uint32_t edge,
                       bool *fits)
{
    struct cy_env *env = matcher->env;
    const struct cy_expr *map = relationship->properties;
    *fits = true;
    for (uint32_t i = 0; map != NULL && i < map->item_count && *fits; i++) {
        struct cy_value wanted;
        struct cy_value value;
        if (!cy_eval(env, map->items[i], &wanted) ||
            !cy_entity_named(env, cyv_relationship(edge), map->names[i], &value))
            return false;
        *fits = cyv_equals(value, wanted) == CYV_TRUE;
    }
    return true;
}

bool cy_relationship_list(struct cy_env *env, const uint32_t *edges, uint32_t count,
                          bool backwards, struct cy_value *out)
{
    struct cy_value *items = cy_array(env, count + 1, sizeof(*items));
    if (items == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++)
        items[i] = cyv_relationship(edges[backwards ? count - 1 - i : i]);
    return cyv_list(env, items, count, out);
}

/* Far enough: this may be the end. */
static bool end_here(struct cy_matcher *matcher, const struct walk_many *walk,
                     uint32_t place)
{
    const struct cy_plan_step *step = walk->step;
    const struct cy_name *name = &step->relationship->variable;
    if (!cy_node_fits(matcher, step->to, place, step->to_known))
        return true;
    if (step->keeps &&
        !cy_relationship_list(matcher->env, matcher->trail + walk->start,
                              matcher->trail_count - walk->start, step->backwards,
                              &matcher->env->row[name->slot]))
        return false;
    return cy_arrive(matcher, step);
}

static bool go_on(struct cy_matcher *matcher, const struct walk_many *walk,
                  uint32_t place);

static bool take_link(struct cy_matcher *matcher, const struct link *link, void *arg)
{
    struct walk_many walk = *(const struct walk_many *)arg;
    bool fits;
    if (!cy_properties_fit(matcher, walk.step->relationship, link->edge, &fits))
        return false;
    if (!fits)
        return true;
    if (!cy_push(matcher, link->edge))
        return false;
    walk.depth++;
    bool more = cy_enter_frame(matcher->env) && go_on(matcher, &walk, link->peer);
    matcher->env->frames--;
    matcher->trail_count--;
    return more;
}

static bool go_on(struct cy_matcher *matcher, const struct walk_many *walk,
                  uint32_t place)
{
    const struct cy_relationship *relationship = walk->step->relationship;
    struct walk_many copy = *walk;
    if (walk->depth >= relationship->min && walk->depth <= relationship->max &&
        !end_here(matcher, walk, place))
        return false;
    return walk->depth >= relationship->max ||
           cy_each_link(matcher, walk->step,
                        (struct cy_around){place, walk->step->backwards, CY_NONE},
                        take_link, &copy);
}

bool cy_expand_many(struct cy_matcher *matcher, const struct cy_plan_step *step)
{
    struct walk_many walk = {step, matcher->trail_count, 0};
    return go_on(matcher, &walk, matcher->env->row[step->from].place);
}
