#include "services/graph/analysis/analysis.h"

#include <stdlib.h>

enum { MEMBERS = 5 /* of a group that are named */ };

static bool is_grouped(const struct analysis *self)
{
    return self->order.kind == ANALYSIS_COMPONENTS ||
           self->order.kind == ANALYSIS_COMMUNITIES;
}

enum sh_err analysis_take(struct analysis *self, const struct graph_reader *reader)
{
    uint32_t label = WALK_ANY;
    uint32_t type = WALK_ANY;
    const struct graph *graph = reader->graph;
    const struct analysis_order *order = &self->order;
    bool known = true;
    if (order->label[0] != '\0')
        known = symbols_find(graph_labels(graph), sh_bytes_of(order->label), &label);
    if (order->type[0] != '\0' &&
        !symbols_find(graph_types(graph), sh_bytes_of(order->type), &type))
        type = WALK_NOTHING; /* no edge has it */
    if (!known)
        label = WALK_NOTHING;
    return dense_take(reader, label, type, &self->watch, &self->graph);
}

enum sh_err analysis_compute(struct analysis *self)
{
    const struct rank_options rank = {self->order.damping, self->order.tolerance,
                                      self->order.iterations};
    size_t room = (size_t)self->graph.count + 1;
    if (is_grouped(self))
        self->groups = sh_alloc_array(room, sizeof(*self->groups));
    else
        self->scores = sh_alloc_array(room, sizeof(*self->scores));
    if (self->groups == NULL && self->scores == NULL)
        return SH_NOMEM;
    switch ((enum analysis_kind)self->order.kind) {
    case ANALYSIS_DEGREE:
        measure_degree(&self->graph, self->order.direction, self->scores);
        return SH_OK;
    case ANALYSIS_RANK:
        return measure_rank(&self->graph, &rank, &self->watch, self->scores, &self->rank);
    case ANALYSIS_COMPONENTS:
        return measure_components(&self->graph, &self->watch, self->groups,
                                  &self->group_count);
    case ANALYSIS_COMMUNITIES:
        return measure_communities(&self->graph, self->order.resolution, &self->watch,
                                   self->groups, &self->group_count, &self->modularity);
    case ANALYSIS_KINDS:
        break;
    }
    return SH_INVALID;
}

double analysis_value(const struct analysis *self, uint32_t node)
{
    return self->scores ? self->scores[node] : self->groups[node];
}

void analysis_free(struct analysis *self)
{
    dense_free(&self->graph);
    sh_free(self->scores);
    sh_free(self->groups);
    self->scores = NULL;
    self->groups = NULL;
}

/* --- what is told ----------------------------------------------------------------- */

static json_t *number(const struct analysis *self, double value)
{
    return self->order.kind == ANALYSIS_RANK ? json_real(value)
                                             : json_integer((json_int_t)value);
}

static json_t *id_of(const struct analysis *self, uint32_t node)
{
    struct sh_bytes id = self->graph.ids[node];
    return json_stringn(id.data, id.len);
}

/* Puts a node where it belongs among the best; equal ones stay in their order. */
static void place(const struct analysis *self, uint32_t *best, uint32_t *count,
                  uint32_t node)
{
    uint32_t at = *count;
    if (at == self->order.top &&
        !(at > 0 && self->scores[node] > self->scores[best[at - 1]]))
        return;
    if (at == self->order.top)
        at--;
    else
        ++*count;
    for (; at > 0 && self->scores[best[at - 1]] < self->scores[node]; at--)
        best[at] = best[at - 1];
    best[at] = node;
}

static json_t *tell_top(const struct analysis *self)
{
    uint32_t *best = sh_alloc_array((size_t)self->order.top + 1, sizeof(*best));
    json_t *list = json_array();
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->graph.count && best != NULL; i++)
        place(self, best, &count, i);
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(list,
                              json_pack("{s:o, s:o}", "id", id_of(self, best[i]), "value",
                                        number(self, self->scores[best[i]])));
    sh_free(best);
    return list;
}

/* They are in order of size already. */
static json_t *tell_groups(const struct analysis *self)
{
    uint32_t shown =
        self->group_count < self->order.top ? self->group_count : self->order.top;
    uint64_t *sizes = sh_alloc_array((size_t)shown + 1, sizeof(*sizes));
    json_t *list = json_array();
    for (uint32_t i = 0; i < shown; i++)
        json_array_append_new(
            list, json_pack("{s:I, s:[]}", "number", (json_int_t)i, "members"));
    for (uint32_t i = 0; i < self->graph.count && sizes != NULL; i++) {
        uint32_t group = self->groups[i];
        if (group < shown && sizes[group]++ < MEMBERS)
            json_array_append_new(json_object_get(json_array_get(list, group), "members"),
                                  id_of(self, i));
    }
    for (uint32_t i = 0; i < shown && sizes != NULL; i++)
        json_object_set_new(json_array_get(list, i), "size",
                            json_integer((json_int_t)sizes[i]));
    sh_free(sizes);
    return list;
}

static void tell_kind(const struct analysis *self, json_t *json)
{
    if (self->order.kind == ANALYSIS_RANK) {
        json_object_set_new(json, "iterations", json_integer(self->rank.iterations));
        json_object_set_new(json, "change", json_real(self->rank.change));
        json_object_set_new(json, "converged", json_boolean(self->rank.converged));
    }
    if (self->order.kind == ANALYSIS_COMMUNITIES)
        json_object_set_new(json, "modularity", json_real(self->modularity));
    if (is_grouped(self)) {
        json_object_set_new(json, "group_count", json_integer(self->group_count));
        json_object_set_new(json, "groups", tell_groups(self));
    } else {
        json_object_set_new(json, "top", tell_top(self));
    }
}

char *analysis_tell(const struct analysis *self, uint64_t written)
{
    json_t *json = json_pack("{s:s, s:I, s:I}", "kind", order_kind_name(self->order.kind),
                             "nodes", (json_int_t)self->graph.count, "edges",
                             (json_int_t)self->graph.edge_count);
    if (json == NULL)
        return NULL;
    tell_kind(self, json);
    if (self->order.property[0] != '\0') {
        json_object_set_new(json, "property", json_string(self->order.property));
        json_object_set_new(json, "written", json_integer((json_int_t)written));
    }
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return text;
}
