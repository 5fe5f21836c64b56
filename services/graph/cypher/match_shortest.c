/* shortestPath() and allShortestPaths(): breadth first from one end until the other is
 * reached, then back along falling distances. */
#include "services/graph/cypher/match_internal.h"

struct shortest {
    const struct cy_plan_step *step;
    uint32_t *distances; /* + 1, by place; 0: not reached */
    uint32_t *queue;
    uint32_t head;
    uint32_t tail;
    uint32_t from;
    uint32_t to;
    uint32_t start; /* of the trail */
    uint32_t at;    /* that is gone back from */
    bool found;
};

static bool reach(struct cy_matcher *matcher, const struct link *link, void *arg)
{
    struct shortest *search = arg;
    const struct cy_relationship *relationship = search->step->relationship;
    bool fits;
    if (search->distances[link->peer] != 0)
        return true;
    if (!cy_properties_fit(matcher, relationship, link->edge, &fits))
        return false;
    if (!fits)
        return true;
    search->distances[link->peer] = search->distances[search->at] + 1;
    search->queue[search->tail++] = link->peer;
    return true;
}

/* Distances of all that is nearer than `to`, and of `to` itself. */
static bool spread(struct cy_matcher *matcher, struct shortest *search)
{
    const struct cy_relationship *relationship = search->step->relationship;
    search->distances[search->from] = 1;
    search->queue[search->tail++] = search->from;
    while (search->head < search->tail && search->distances[search->to] == 0) {
        search->at = search->queue[search->head++];
        if (search->distances[search->at] - 1 >= relationship->max)
            return true;
        struct cy_around around = {search->at, search->step->backwards, CY_NONE};
        if (!cy_each_link(matcher, search->step, around, reach, search))
            return false;
    }
    return true;
}

static bool go_back(struct cy_matcher *matcher, struct shortest *search);

static bool take_back(struct cy_matcher *matcher, const struct link *link, void *arg)
{
    struct shortest *search = arg;
    uint32_t at = search->at;
    bool fits;
    if (search->distances[link->peer] + 1 != search->distances[at] ||
        search->distances[link->peer] == 0)
        return true;
    if (!cy_properties_fit(matcher, search->step->relationship, link->edge, &fits))
        return false;
    if (!fits)
        return true;
    if (!cy_push(matcher, link->edge))
        return false;
    search->at = link->peer;
    bool more = cy_enter_frame(matcher->env) && go_back(matcher, search);
    matcher->env->frames--;
    matcher->trail_count--;
    search->at = at;
    return more;
}

static bool arrive(struct cy_matcher *matcher, struct shortest *search)
{
    const struct cy_plan_step *step = search->step;
    uint32_t count = matcher->trail_count - search->start;
    search->found = true;
    if (step->keeps &&
        !cy_relationship_list(matcher->env, matcher->trail + search->start, count,
                              !step->backwards,
                              &matcher->env->row[step->relationship->variable.slot]))
        return false;
    return cy_arrive(matcher, step);
}

static bool go_back(struct cy_matcher *matcher, struct shortest *search)
{
    if (search->found && search->step->path->shortest == CY_SHORTEST)
        return true;
    if (search->at == search->from)
        return arrive(matcher, search);
    struct cy_around around = {search->at, !search->step->backwards, CY_NONE};
    return cy_each_link(matcher, search->step, around, take_back, search);
}

static bool find(struct cy_matcher *matcher, struct shortest *search)
{
    const struct cy_relationship *relationship = search->step->relationship;
    if (!spread(matcher, search))
        return false;
    uint32_t distance = search->distances[search->to];
    search->at = search->to;
    return distance == 0 || distance - 1 < relationship->min ||
           distance - 1 > relationship->max || go_back(matcher, search);
}

bool cy_expand_short(struct cy_matcher *matcher, const struct cy_plan_step *step)
{
    uint32_t end = matcher->env->reader->version->node_end;
    struct shortest search = {.step = step,
                              .distances = sh_alloc_array(end, sizeof(uint32_t)),
                              .queue = sh_alloc_array(end, sizeof(uint32_t)),
                              .from = matcher->env->row[step->from].place,
                              .to = matcher->env->row[step->to].place,
                              .start = matcher->trail_count};
    bool more = search.distances != NULL && search.queue != NULL
                    ? find(matcher, &search)
                    : cy_fail_err(matcher->env, SH_NOMEM);
    sh_free(search.distances);
    sh_free(search.queue);
    return more;
}
