#include "services/graph/view/change.h"

/* --- edges go --------------------------------------------------------------------- */

static enum sh_err change_link(struct change *change, const struct edge *edge,
                               uint32_t place, bool added)
{
    const struct edge_body *body = edge->body;
    struct link_change there = {.node = body->from,
                                .outgoing = true,
                                .added = added,
                                .type = body->type,
                                .link = {body->to, place, edge->access}};
    struct link_change back = there;
    back.node = body->to;
    back.outgoing = false;
    back.link.peer = body->from;
    enum sh_err err = change_push(&change->links, &there, sizeof(there));
    return err == SH_OK ? change_push(&change->links, &back, sizeof(back)) : err;
}

static enum sh_err drop_edge(struct change *change, uint32_t place)
{
    struct edge *edge = change_edit_edge(change, place);
    if (edge == NULL)
        return SH_NOMEM;
    enum sh_err err = change_link(change, edge, place, false);
    if (err == SH_OK)
        err = change_replace(change, edge->body);
    if (err == SH_OK)
        err = change_push(&change->freed_edges, &place, sizeof(place));
    *edge = (struct edge){0};
    change->next->edge_count--;
    return err;
}

enum sh_err change_drop_edges(struct change *change, const struct graph_changes *changes)
{
    enum sh_err err = SH_OK;
    uint32_t place;
    for (size_t i = 0; i < changes->gone_edge_count && err == SH_OK; i++)
        if (graph_version_edge(change->next, changes->gone_edges[i], &place))
            err = drop_edge(change, place);
    return err;
}

enum sh_err change_drop_links(struct change *change, const struct links *links)
{
    enum sh_err err = SH_OK;
    for (uint32_t i = 0; links != NULL && i < links->count && err == SH_OK; i++)
        if (change_edge(change, links->links[i].edge)->body != NULL)
            err = drop_edge(change, links->links[i].edge);
    return err;
}

/* --- edges come ------------------------------------------------------------------- */

static enum sh_err make_edge(struct change *change, const struct graph_edge_row *row,
                             struct edge_body **out)
{
    enum sh_err err = change_pack(change, row->id, row->properties);
    if (err != SH_OK)
        return err;
    struct sh_bytes packed = sh_buffer_bytes(&change->packed);
    *out = change_make(change, sizeof(**out) + packed.len + row->id.len);
    if (*out == NULL)
        return SH_NOMEM;
    char *end = (char *)(*out + 1);
    (*out)->properties = change_place_text(&end, packed);
    (*out)->id = change_place_text(&end, row->id);
    (*out)->number = row->number;
    return symbols_add(change->graph->types, row->type, &(*out)->type);
}

static enum sh_err place_edge(struct change *change, struct edge_body *body,
                              uint32_t access)
{
    uint32_t place = change_take_place(&change->graph->free_edges, &change->free_edges,
                                       &change->next->edge_end);
    struct edge *edge = change_edit_edge(change, place);
    enum sh_err err = edge ? change_file_id(change, body->id, place, false) : SH_NOMEM;
    if (err == SH_OK)
        err = change_file_number(change, body->number, place, false);
    if (err != SH_OK)
        return err;
    *edge = (struct edge){body, access};
    change->next->edge_count++;
    err = change_link(change, edge, place, true);
    return err == SH_OK ? change_touch(change, place) : err;
}

/* What was there goes; another place is no harm, as nothing outside knows places. */
static enum sh_err put_edge(struct change *change, const struct graph_edge_row *row)
{
    struct edge_body *body = NULL;
    uint32_t access = 0;
    uint32_t old;
    uint32_t from;
    uint32_t to;
    enum sh_err err = SH_OK;
    if (graph_version_edge(change->next, row->id, &old))
        err = drop_edge(change, old);
    if (err != SH_OK || !graph_version_node(change->next, row->from, &from) ||
        !graph_version_node(change->next, row->to, &to))
        return err;
    err = make_edge(change, row, &body);
    if (err == SH_OK)
        err = change_class(change, row->clearance, row->department, &access);
    if (err != SH_OK)
        return err;
    body->from = from;
    body->to = to;
    return place_edge(change, body, access);
}

enum sh_err change_put_edges(struct change *change, const struct graph_changes *changes)
{
    enum sh_err err = SH_OK;
    for (size_t i = 0; i < changes->edge_count && err == SH_OK; i++)
        err = put_edge(change, &changes->edges[i]);
    return err;
}
