/* Steps of a plan one after the other, going back for the next possibility: depth first,
 * in memory that does not grow with what is found. */
#include "services/graph/cypher/match.h"

#include <roaring/roaring.h>

#include "services/graph/cypher/match_internal.h"

static bool advance(struct cy_matcher *matcher, const struct cy_plan_step *step);

bool cy_enter_frame(struct cy_env *env)
{
    if (env->frames++ < CY_FRAMES_MAX)
        return cy_step(env);
    return cy_fail(env, CY_OVER_BUDGET, NULL, (struct cy_at){0, 0},
                   "a path of over %d relationships was followed", CY_FRAMES_MAX / 2);
}

/* --- the trail -------------------------------------------------------------------- */

bool cy_used(const struct cy_matcher *matcher, uint32_t edge)
{
    for (uint32_t i = 0; i < matcher->trail_count; i++)
        if (matcher->trail[i] == edge)
            return true;
    return false;
}

bool cy_push(struct cy_matcher *matcher, uint32_t edge)
{
    if (matcher->trail_count == matcher->trail_room) {
        uint32_t *more =
            cy_array(matcher->env, (size_t)matcher->trail_room * 2, sizeof(*more));
        if (more == NULL)
            return false;
        memcpy(more, matcher->trail, matcher->trail_count * sizeof(*more));
        matcher->trail = more;
        matcher->trail_room *= 2;
    }
    matcher->trail[matcher->trail_count++] = edge;
    return true;
}

/* --- nodes ------------------------------------------------------------------------ */

static bool has_label(const struct node_body *body, uint32_t label)
{
    for (uint32_t i = 0; i < body->label_count; i++)
        if (body->labels[i] == label)
            return true;
    return false;
}

static bool has_labels(const struct node_body *body, const struct cy_symbols *labels)
{
    for (uint32_t i = 0; i < labels->count; i++)
        if (!has_label(body, labels->numbers[i]))
            return false;
    return true;
}

/* It has the labels of every part of the pattern with this slot. */
static bool labels_fit(const struct cy_matcher *matcher, uint32_t slot, uint32_t place)
{
    const struct node *node = graph_node(matcher->env->reader, place);
    if (node == NULL)
        return false;
    for (uint32_t i = 0; i < matcher->plan->node_count; i++) {
        const struct cy_node *part = matcher->plan->nodes[i];
        if (part->variable.slot == slot && !has_labels(node->body, &part->labels))
            return false;
    }
    return true;
}

bool cy_node_fits(struct cy_matcher *matcher, uint32_t slot, uint32_t place, bool known)
{
    struct cy_value *value = &matcher->env->row[slot];
    if (known)
        return value->type == CYV_NODE && value->place == place;
    if (!labels_fit(matcher, slot, place))
        return false;
    *value = cyv_node(place);
    return true;
}

static bool check_node(struct cy_matcher *matcher, const struct cy_plan_step *step)
{
    const struct cy_value *value = &matcher->env->row[step->to];
    if (value->type == CYV_NULL)
        return true;
    if (value->type != CYV_NODE)
        return cy_fail(matcher->env, CY_TYPE, "InvalidArgumentType",
                       matcher->plan->nodes[0]->at,
                       "a variable of the pattern is not a node, but something else");
    return !labels_fit(matcher, step->to, value->place) || cy_arrive(matcher, step);
}

/* --- where it begins -------------------------------------------------------------- */

bool cy_begin_with(struct cy_matcher *matcher, const struct cy_plan_step *step,
                   uint32_t place)
{
    return cy_touch(matcher->env) &&
           (!cy_node_fits(matcher, step->to, place, false) || cy_arrive(matcher, step));
}

bool cy_scan_all(struct cy_matcher *matcher, const struct cy_plan_step *step)
{
    uint32_t end = matcher->env->reader->version->node_end;
    for (uint32_t place = 0; place < end; place++)
        if (!cy_begin_with(matcher, step, place))
            return false;
    return true;
}

bool cy_scan_label(struct cy_matcher *matcher, const struct cy_plan_step *step)
{
    const roaring_bitmap_t *const *places =
        step->label == CY_NONE
            ? NULL
            : pages_at(&matcher->env->reader->version->labels, step->label);
    roaring_uint32_iterator_t at;
    if (places == NULL || *places == NULL)
        return true;
    roaring_init_iterator(*places, &at);
    for (; at.has_value; (void)roaring_advance_uint32_iterator(&at))
        if (!cy_begin_with(matcher, step, at.current_value))
            return false;
    return true;
}

static bool seek(struct cy_matcher *matcher, const struct cy_plan_step *step)
{
    const struct graph_reader *reader = matcher->env->reader;
    struct cy_value key;
    uint32_t place;
    if (!cy_eval(matcher->env, step->key, &key))
        return false;
    bool number = step->kind == CY_SEEK_NUMBER;
    if (number && key.type == CYV_FLOAT && key.real >= 0 && key.real < 9e15)
        key =
            cyv_integer((int64_t)key.real); /* the condition itself is looked at again */
    bool found =
        number ? key.type == CYV_INTEGER && key.integer >= 0 &&
                     graph_find_node_number(reader, (uint64_t)key.integer, &place)
               : key.type == CYV_STRING && graph_find_node(reader, cyv_text(key), &place);
    return !found || cy_begin_with(matcher, step, place);
}

/* --- along a relationship --------------------------------------------------------- */

bool cy_type_fits(const struct cy_relationship *relationship, uint32_t type)
{
    for (uint32_t i = 0; i < relationship->types.count; i++)
        if (relationship->types.numbers[i] == type)
            return true;
    return relationship->types.count == 0;
}

/* The first link of a group that leads to this peer or beyond. */
static uint32_t find_peer(const struct link *links, uint32_t low, uint32_t high,
                          uint32_t peer)
{
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (links[middle].peer < peer)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct linking {
    const struct cy_relationship *relationship;
    uint32_t peer;
    uint32_t not_peer; /* CY_NONE: none */
    cy_link_fn *each;
    void *arg;
};

static bool each_of(struct cy_matcher *matcher, const struct links *links,
                    const struct linking *linking)
{
    for (uint32_t i = 0; links != NULL && i < links->group_count; i++) {
        const struct link_group *group = &links->groups[i];
        if (!cy_type_fits(linking->relationship, group->type))
            continue;
        uint32_t at = group->first;
        uint32_t end = group[1].first;
        if (linking->peer != CY_NONE)
            at = find_peer(links->links, at, end, linking->peer);
        for (; at < end; at++) {
            const struct link *link = &links->links[at];
            if (linking->peer != CY_NONE && link->peer != linking->peer)
                break;
            if (!cy_touch(matcher->env))
                return false;
            if (link->peer != linking->not_peer &&
                graph_follows(matcher->env->reader, link) &&
                !cy_used(matcher, link->edge) &&
                !linking->each(matcher, link, linking->arg))
                return false;
        }
    }
    return true;
}

bool cy_each_link(struct cy_matcher *matcher, const struct cy_plan_step *step,
                  struct cy_around around, cy_link_fn *each, void *arg)
{
    const struct cy_relationship *relationship = step->relationship;
    const struct node *node = graph_node(matcher->env->reader, around.place);
    bool right = around.backwards ? relationship->to_left : relationship->to_right;
    bool left = around.backwards ? relationship->to_right : relationship->to_left;
    bool both = right == left;
    struct linking linking = {.relationship = relationship,
                              .peer = around.peer,
                              .not_peer = CY_NONE,
                              .each = each,
                              .arg = arg};
    if (node == NULL)
        return true;
    if ((both || right) && !each_of(matcher, node->out, &linking))
        return false;
    if (both)
        linking.not_peer = around.place; /* what leads to itself has been seen */
    return (!both && !left) || each_of(matcher, node->in, &linking);
}

struct expansion {
    const struct cy_plan_step *step;
    uint32_t to;
    bool known;
};

static bool take_link(struct cy_matcher *matcher, const struct link *link, void *arg)
{
    const struct expansion *expansion = arg;
    const struct cy_plan_step *step = expansion->step;
    if (!cy_node_fits(matcher, expansion->to, link->peer, expansion->known))
        return true;
    matcher->env->row[step->relationship->variable.slot] = cyv_relationship(link->edge);
    if (!cy_push(matcher, link->edge))
        return false;
    bool more = cy_arrive(matcher, step);
    matcher->trail_count--;
    return more;
}

static uint32_t degree(const struct node *node)
{
    return node == NULL
               ? 0
               : (node->out ? node->out->count : 0) + (node->in ? node->in->count : 0);
}

/* Where both ends are known, from the one with fewer relationships. */
static bool expand(struct cy_matcher *matcher, const struct cy_plan_step *step)
{
    const struct graph_reader *reader = matcher->env->reader;
    uint32_t from = matcher->env->row[step->from].place;
    struct expansion expansion = {step, step->to, step->to_known};
    if (!step->to_known)
        return cy_each_link(matcher, step,
                            (struct cy_around){from, step->backwards, CY_NONE}, take_link,
                            &expansion);
    uint32_t to = matcher->env->row[step->to].place;
    if (degree(graph_node(reader, to)) >= degree(graph_node(reader, from)))
        return cy_each_link(matcher, step, (struct cy_around){from, step->backwards, to},
                            take_link, &expansion);
    expansion.to = step->from;
    return cy_each_link(matcher, step, (struct cy_around){to, !step->backwards, from},
                        take_link, &expansion);
}

/* --- steps ------------------------------------------------------------------------ */

static bool take_step(struct cy_matcher *matcher, const struct cy_plan_step *step)
{
    switch (step->kind) {
    case CY_CHECK_NODE:
        return check_node(matcher, step);
    case CY_SCAN_ALL:
        return cy_scan_all(matcher, step);
    case CY_SCAN_LABEL:
        return cy_scan_label(matcher, step);
    case CY_SEEK_NUMBER:
    case CY_SEEK_ID:
        return seek(matcher, step);
    case CY_SEEK_VALUE:
        return cy_seek_value(matcher, step);
    case CY_FROM_BOUND:
        return cy_from_bound(matcher, step);
    case CY_FROM_LIST:
        return cy_from_list(matcher, step);
    case CY_EXPAND:
        return expand(matcher, step);
    case CY_EXPAND_MANY:
        return cy_expand_many(matcher, step);
    case CY_EXPAND_SHORT:
        return cy_expand_short(matcher, step);
    case CY_MAKE_PATH:
        return cy_make_path(matcher, step);
    }
    return false;
}

static bool advance(struct cy_matcher *matcher, const struct cy_plan_step *step)
{
    if (step == matcher->plan->steps + matcher->plan->step_count)
        return matcher->each(matcher->env, matcher->arg);
    bool more = cy_enter_frame(matcher->env) && take_step(matcher, step);
    matcher->env->frames--;
    return more;
}

static bool hold(struct cy_env *env, const struct cy_expr **filters, uint32_t count,
                 bool *holds)
{
    *holds = true;
    for (uint32_t i = 0; i < count && *holds; i++)
        if (!cy_holds(env, filters[i], holds))
            return false;
    return true;
}

bool cy_arrive(struct cy_matcher *matcher, const struct cy_plan_step *step)
{
    bool holds;
    return hold(matcher->env, step->filters, step->filter_count, &holds) &&
           (!holds || advance(matcher, step + 1));
}

bool cy_match(struct cy_env *env, const struct cy_pattern *pattern,
              const struct cy_expr *where, cy_match_fn *each, void *arg)
{
    struct cy_matcher matcher = {
        .env = env, .plan = pattern->plan, .each = each, .arg = arg};
    bool holds;
    matcher.trail = matcher.first_trail;
    matcher.trail_room = CY_TRAIL_ROOM;
    if (matcher.plan == NULL)
        matcher.plan = cy_plan_pattern(env, pattern, where);
    return matcher.plan != NULL &&
           hold(env, matcher.plan->before, matcher.plan->before_count, &holds) &&
           (!holds || advance(&matcher, matcher.plan->steps));
}
