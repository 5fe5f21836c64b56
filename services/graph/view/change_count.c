#include "services/graph/view/change.h"

#include <stdlib.h>

/* --- counting --------------------------------------------------------------------- */

static enum sh_err count_kind(struct change *change, enum tally_kind kind,
                              const uint32_t what[TALLY_WHAT],
                              const uint32_t access[TALLY_CLASSES], int by)
{
    struct tally_key key = {.kind = (uint32_t)kind};
    memcpy(key.what, what, sizeof(key.what));
    memcpy(key.access, access, sizeof(key.access));
    return tally_add(&change->tally, &key, by);
}

static enum sh_err count_properties(struct change *change, const struct node *node,
                                    uint32_t label, const uint32_t access[TALLY_CLASSES],
                                    int by)
{
    enum sh_err err = SH_OK;
    uint32_t count = values_count(node->body->properties);
    for (uint32_t i = 0; i < count && err == SH_OK; i++) {
        uint32_t key;
        struct value value;
        values_at(node->body->properties, i, &key, &value);
        uint32_t what[TALLY_WHAT] = {label, key, (uint32_t)value.type};
        err = count_kind(change, TALLY_PROPERTY, what, access, by);
    }
    return err;
}

enum sh_err change_count_node(struct change *change, const struct node *node, int by)
{
    uint32_t access[TALLY_CLASSES] = {node->access, node->access, node->access};
    uint32_t what[TALLY_WHAT] = {0};
    enum sh_err err = count_kind(change, TALLY_NODES, what, access, by);
    for (uint32_t i = 0; i < node->body->label_count && err == SH_OK; i++) {
        what[0] = node->body->labels[i];
        err = count_kind(change, TALLY_LABEL, what, access, by);
        if (err == SH_OK)
            err = count_properties(change, node, what[0], access, by);
    }
    return err;
}

static enum sh_err count_joins(struct change *change, uint32_t type,
                               const struct node *from, const struct node *to,
                               const uint32_t access[TALLY_CLASSES], int by)
{
    enum sh_err err = SH_OK;
    for (uint32_t i = 0; i < from->body->label_count; i++)
        for (uint32_t j = 0; j < to->body->label_count && err == SH_OK; j++) {
            uint32_t what[TALLY_WHAT] = {type, from->body->labels[i],
                                         to->body->labels[j]};
            err = count_kind(change, TALLY_JOIN, what, access, by);
        }
    return err;
}

static enum sh_err count_edge(struct change *change, const struct edge *edge, int by)
{
    const struct node *from = change_node(change, edge->body->from);
    const struct node *to = change_node(change, edge->body->to);
    uint32_t access[TALLY_CLASSES] = {edge->access, from->access, to->access};
    uint32_t what[TALLY_WHAT] = {edge->body->type};
    enum sh_err err = count_kind(change, TALLY_EDGES, what, access, by);
    if (err == SH_OK)
        err = count_joins(change, edge->body->type, from, to, access, by);
    return err;
}

/* --- the edges whose counts may change -------------------------------------------- */

enum sh_err change_touch(struct change *change, uint32_t place)
{
    return change_push(&change->edges, &place, sizeof(place));
}

static enum sh_err touch_links(struct change *change, const struct links *links)
{
    enum sh_err err = SH_OK;
    for (uint32_t i = 0; links != NULL && i < links->count && err == SH_OK; i++)
        err = change_touch(change, links->links[i].edge);
    return err;
}

static enum sh_err touch_edges_of(struct change *change, struct sh_bytes id)
{
    uint32_t place;
    if (!graph_version_node(change->next, id, &place))
        return SH_OK;
    enum sh_err err = touch_links(change, change_node(change, place)->out);
    return err == SH_OK ? touch_links(change, change_node(change, place)->in) : err;
}

static enum sh_err touch_edge_of(struct change *change, struct sh_bytes id)
{
    uint32_t place;
    return graph_version_edge(change->next, id, &place) ? change_touch(change, place)
                                                        : SH_OK;
}

static void sort_touched(struct list *edges)
{
    uint32_t *places = edges->items;
    size_t kept = 0;
    if (edges->count > 0)
        qsort(places, edges->count, sizeof(*places), change_compare_numbers);
    for (size_t i = 0; i < edges->count; i++)
        if (kept == 0 || places[kept - 1] != places[i])
            places[kept++] = places[i];
    edges->count = kept;
}

enum sh_err change_count_touched(struct change *change, int by)
{
    enum sh_err err = SH_OK;
    const uint32_t *places = change->edges.items;
    sort_touched(&change->edges);
    for (size_t i = 0; i < change->edges.count && err == SH_OK; i++) {
        const struct edge *edge = change_edge(change, places[i]);
        if (edge->body != NULL)
            err = count_edge(change, edge, by);
    }
    return err;
}

enum sh_err change_count_out(struct change *change, const struct graph_changes *changes)
{
    enum sh_err err = SH_OK;
    for (size_t i = 0; i < changes->gone_edge_count && err == SH_OK; i++)
        err = touch_edge_of(change, changes->gone_edges[i]);
    for (size_t i = 0; i < changes->gone_node_count && err == SH_OK; i++)
        err = touch_edges_of(change, changes->gone_nodes[i]);
    for (size_t i = 0; i < changes->node_count && err == SH_OK; i++)
        err = touch_edges_of(change, changes->nodes[i].id);
    for (size_t i = 0; i < changes->edge_count && err == SH_OK; i++)
        err = touch_edge_of(change, changes->edges[i].id);
    return err == SH_OK ? change_count_touched(change, -1) : err;
}
