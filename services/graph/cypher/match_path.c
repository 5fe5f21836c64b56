/* Named paths. */
#include "services/graph/cypher/match_internal.h"

struct way {
    uint32_t *nodes;
    uint32_t *edges;
    uint32_t length;
};

static uint32_t length_of(const struct cy_env *env, const struct cy_path *path)
{
    uint32_t length = 0;
    for (uint32_t i = 0; i < path->relationship_count; i++) {
        const struct cy_value *value = &env->row[path->relationships[i].variable.slot];
        length += value->type == CYV_LIST ? value->count : 1;
    }
    return length;
}

static void append(const struct cy_env *env, struct way *way, uint32_t place)
{
    const struct edge *edge = graph_edge(env->reader, place);
    uint32_t at = way->nodes[way->length];
    way->edges[way->length++] = place;
    way->nodes[way->length] = at;
    if (edge != NULL)
        way->nodes[way->length] =
            edge->body->from == at ? edge->body->to : edge->body->from;
}

bool cy_make_path(struct cy_matcher *matcher, const struct cy_plan_step *step)
{
    struct cy_env *env = matcher->env;
    const struct cy_path *path = step->path;
    uint32_t length = length_of(env, path);
    struct cyv_path *made = cy_alloc(env, sizeof(*made));
    struct way way = {.nodes = cy_array(env, (size_t)length + 1, sizeof(uint32_t)),
                      .edges = cy_array(env, (size_t)length + 1, sizeof(uint32_t))};
    if (made == NULL || way.nodes == NULL || way.edges == NULL)
        return false;
    way.nodes[0] = env->row[path->nodes[0].variable.slot].place;
    for (uint32_t i = 0; i < path->relationship_count; i++) {
        const struct cy_value *value = &env->row[path->relationships[i].variable.slot];
        if (value->type != CYV_LIST)
            append(env, &way, value->place);
        for (uint32_t j = 0; value->type == CYV_LIST && j < value->count; j++)
            append(env, &way, value->items[j].place);
    }
    *made = (struct cyv_path){.length = length, .nodes = way.nodes, .edges = way.edges};
    env->row[path->variable.slot] = cyv_path(made);
    return cy_arrive(matcher, step);
}
