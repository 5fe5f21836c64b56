#include "services/graph/analysis/dense.h"

#include <stdlib.h>

enum { LOOK_EVERY = 4096 };

struct numbered {
    uint64_t number;
    uint32_t place;
};

struct taking {
    const struct graph_reader *reader;
    const struct analysis_watch *watch;
    uint32_t label;
    uint32_t type;
    struct numbered *nodes;
    uint32_t *index; /* by place; DENSE_NONE: not taken */
    struct dense *out;
};

static bool has_label(const struct node *node, uint32_t label)
{
    bool found = label == WALK_ANY;
    for (uint32_t i = 0; i < node->body->label_count && !found; i++)
        found = node->body->labels[i] == label;
    return found;
}

static bool is_cancelled(const struct taking *taking, uint32_t turn)
{
    return turn % LOOK_EVERY == 0 && atomic_load(&taking->watch->cancelled);
}

static int by_number(const void *left, const void *right)
{
    const struct numbered *a = left;
    const struct numbered *b = right;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

static enum sh_err list_nodes(struct taking *taking)
{
    uint32_t end = taking->reader->version->node_end;
    uint32_t count = 0;
    for (uint32_t place = 0; place < end; place++) {
        const struct node *node = graph_node(taking->reader, place);
        taking->index[place] = DENSE_NONE;
        if (is_cancelled(taking, place))
            return SH_CANCELED;
        if (node != NULL && has_label(node, taking->label))
            taking->nodes[count++] = (struct numbered){node->body->number, place};
    }
    qsort(taking->nodes, count, sizeof(*taking->nodes), by_number);
    taking->out->count = count;
    return SH_OK;
}

static enum sh_err name_nodes(struct taking *taking)
{
    struct dense *out = taking->out;
    for (uint32_t i = 0; i < out->count; i++) {
        const struct node *node = graph_node(taking->reader, taking->nodes[i].place);
        taking->index[taking->nodes[i].place] = i;
        if (node != NULL)
            out->ids[i] = sh_arena_copy(&out->arena, node->body->id);
        if (out->ids[i].data == NULL)
            return SH_NOMEM;
    }
    return SH_OK;
}

/* The edges of a group that stay within what is taken; `target` may be NULL. */
static uint32_t take_group(const struct taking *taking, const struct links *links,
                           uint32_t group, uint32_t *target)
{
    uint32_t count = 0;
    for (uint32_t i = links->groups[group].first; i < links->groups[group + 1].first;
         i++) {
        const struct link *link = &links->links[i];
        uint32_t peer = taking->index[link->peer];
        if (peer == DENSE_NONE || !graph_permits(taking->reader, link->access))
            continue;
        if (target != NULL)
            target[count] = peer;
        count++;
    }
    return count;
}

static uint32_t take_edges(const struct taking *taking, uint32_t node, uint32_t *target)
{
    const struct node *from = graph_node(taking->reader, taking->nodes[node].place);
    const struct links *links = from ? from->out : NULL;
    uint32_t count = 0;
    for (uint32_t i = 0; links != NULL && i < links->group_count; i++)
        if (taking->type == WALK_ANY || links->groups[i].type == taking->type)
            count += take_group(taking, links, i, target ? target + count : NULL);
    return count;
}

static enum sh_err list_edges(struct taking *taking)
{
    struct dense *out = taking->out;
    uint32_t count = 0;
    for (uint32_t i = 0; i < out->count; i++) {
        if (is_cancelled(taking, i))
            return SH_CANCELED;
        out->first[i] = count;
        count += take_edges(taking, i, NULL);
    }
    out->first[out->count] = out->edge_count = count;
    out->target = sh_alloc_array((size_t)count + 1, sizeof(*out->target));
    if (out->target == NULL)
        return SH_NOMEM;
    for (uint32_t i = 0; i < out->count; i++) {
        if (is_cancelled(taking, i))
            return SH_CANCELED;
        (void)take_edges(taking, i, out->target + out->first[i]); /* as many as before */
    }
    return SH_OK;
}

static enum sh_err take(struct taking *taking)
{
    struct dense *out = taking->out;
    enum sh_err err = list_nodes(taking);
    if (err != SH_OK)
        return err;
    out->ids = sh_alloc_array((size_t)out->count + 1, sizeof(*out->ids));
    out->first = sh_alloc_array((size_t)out->count + 1, sizeof(*out->first));
    if (out->ids == NULL || out->first == NULL)
        return SH_NOMEM;
    err = name_nodes(taking);
    return err == SH_OK ? list_edges(taking) : err;
}

enum sh_err dense_take(const struct graph_reader *reader, uint32_t label, uint32_t type,
                       const struct analysis_watch *watch, struct dense *out)
{
    struct taking taking = {
        .reader = reader, .watch = watch, .label = label, .type = type, .out = out};
    size_t places = (size_t)reader->version->node_end + 1;
    *out = (struct dense){.count = 0};
    taking.nodes = sh_alloc_array(places, sizeof(*taking.nodes));
    taking.index = sh_alloc_array(places, sizeof(*taking.index));
    enum sh_err err = taking.nodes && taking.index ? take(&taking) : SH_NOMEM;
    sh_free(taking.nodes);
    sh_free(taking.index);
    if (err != SH_OK)
        dense_free(out);
    return err;
}

void dense_free(struct dense *dense)
{
    sh_free(dense->first);
    sh_free(dense->target);
    sh_free(dense->ids);
    sh_arena_free(&dense->arena);
    *dense = (struct dense){.count = 0};
}
