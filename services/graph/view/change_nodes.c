#include "services/graph/view/change.h"

#include <stdlib.h>

/* --- nodes ------------------------------------------------------------------------ */

static enum sh_err change_labels(struct change *change, const struct node_body *body,
                                 uint32_t place, bool added)
{
    enum sh_err err = SH_OK;
    for (uint32_t i = 0; i < body->label_count && err == SH_OK; i++) {
        struct label_change label = {body->labels[i], place, added};
        err = change_push(&change->labels, &label, sizeof(label));
    }
    return err;
}

static enum sh_err drop_node(struct change *change, uint32_t place)
{
    struct node *node = change_edit_node(change, place);
    if (node == NULL)
        return SH_NOMEM;
    enum sh_err err = change_drop_links(change, node->out);
    if (err == SH_OK)
        err = change_drop_links(change, node->in);
    if (err == SH_OK)
        err = change_count_node(change, node, -1);
    if (err == SH_OK)
        err = change_labels(change, node->body, place, false);
    if (err == SH_OK)
        err = change_replace(change, node->body);
    if (err == SH_OK)
        err = change_push(&change->freed_nodes, &place, sizeof(place));
    node->body = NULL; /* its links go when they are laid out */
    node->access = 0;
    change->next->node_count--;
    return err;
}

enum sh_err change_drop_nodes(struct change *change, const struct graph_changes *changes)
{
    enum sh_err err = SH_OK;
    uint32_t place;
    for (size_t i = 0; i < changes->gone_node_count && err == SH_OK; i++)
        if (graph_version_node(change->next, changes->gone_nodes[i], &place))
            err = drop_node(change, place);
    return err;
}

static enum sh_err number_labels(struct change *change, const struct graph_node_row *row,
                                 struct node_body *body)
{
    enum sh_err err = SH_OK;
    for (size_t i = 0; i < row->label_count && err == SH_OK; i++)
        err = symbols_add(change->graph->labels, row->labels[i], &body->labels[i]);
    if (err == SH_OK && row->label_count > 1)
        qsort(body->labels, row->label_count, sizeof(body->labels[0]),
              change_compare_numbers);
    for (size_t i = 0; i < row->label_count; i++)
        if (i == 0 || body->labels[i] != body->labels[i - 1])
            body->labels[body->label_count++] = body->labels[i];
    return err;
}

static enum sh_err make_node(struct change *change, const struct graph_node_row *row,
                             struct node_body **out)
{
    enum sh_err err = change_pack(change, row->id, row->properties);
    if (err != SH_OK)
        return err;
    size_t labels = row->label_count * sizeof((*out)->labels[0]);
    struct sh_bytes packed = sh_buffer_bytes(&change->packed);
    *out = change_make(change, sizeof(**out) + labels + packed.len + row->id.len);
    if (*out == NULL)
        return SH_NOMEM;
    char *end = (char *)(*out + 1) + labels;
    (*out)->properties = change_place_text(&end, packed);
    (*out)->id = change_place_text(&end, row->id);
    (*out)->number = row->number;
    return number_labels(change, row, *out);
}

/* The node's place, which is empty when it is new. */
static enum sh_err place_node(struct change *change, struct sh_bytes id, uint32_t *place)
{
    if (graph_version_node(change->next, id, place))
        return SH_OK;
    *place = change_take_place(&change->graph->free_nodes, &change->free_nodes,
                               &change->next->node_end);
    change->next->node_count++;
    return change_file_id(change, id, *place, true);
}

static enum sh_err put_node(struct change *change, const struct graph_node_row *row)
{
    struct node_body *body = NULL;
    uint32_t access = 0;
    uint32_t place = 0;
    enum sh_err err = make_node(change, row, &body);
    if (err == SH_OK)
        err = change_class(change, row->clearance, row->department, &access);
    if (err == SH_OK)
        err = place_node(change, row->id, &place);
    struct node *node = err == SH_OK ? change_edit_node(change, place) : NULL;
    if (node == NULL)
        return err == SH_OK ? SH_NOMEM : err;
    if (node->body == NULL || node->body->number != row->number)
        err = change_file_number(change, row->number, place, true);
    if (err == SH_OK && node->body != NULL) {
        err = change_count_node(change, node, -1);
        if (err == SH_OK)
            err = change_labels(change, node->body, place, false);
        if (err == SH_OK)
            err = change_replace(change, node->body);
    }
    node->body = body;
    node->access = access;
    if (err == SH_OK)
        err = change_count_node(change, node, 1);
    return err == SH_OK ? change_labels(change, body, place, true) : err;
}

enum sh_err change_put_nodes(struct change *change, const struct graph_changes *changes)
{
    enum sh_err err = SH_OK;
    for (size_t i = 0; i < changes->node_count && err == SH_OK; i++)
        err = put_node(change, &changes->nodes[i]);
    return err;
}
