#include "services/graph/view/change.h"

#include <roaring/roaring.h>
#include <stdlib.h>

/* --- laying out ------------------------------------------------------------------- */

static enum sh_err lay_links_of(struct change *change, const struct link_change *changes,
                                size_t count)
{
    struct node *node = change_edit_node(change, changes->node);
    if (node == NULL)
        return SH_NOMEM;
    struct links **place = changes->outgoing ? &node->out : &node->in;
    struct links *links;
    if (!links_change(*place, changes, count, &links))
        return SH_NOMEM;
    if (links != NULL && retired_add(&change->memory.made, links, sh_free) != SH_OK) {
        sh_free(links);
        return SH_NOMEM;
    }
    enum sh_err err = change_replace(change, *place);
    *place = links;
    return err;
}

/* Sorted, and without what came and went in the same batch. */
static size_t sort_links(struct link_change *all, size_t count)
{
    size_t kept = 0;
    if (count > 0)
        qsort(all, count, sizeof(*all), links_compare);
    for (size_t i = 0; i < count; i++) {
        struct link_change twin = all[i];
        twin.added = true;
        if (!all[i].added && i + 1 < count && links_compare(&twin, &all[i + 1]) == 0)
            i++;
        else
            all[kept++] = all[i];
    }
    return kept;
}

enum sh_err change_lay_links(struct change *change)
{
    struct link_change *all = change->links.items;
    size_t count = sort_links(all, change->links.count);
    enum sh_err err = SH_OK;
    for (size_t i = 0, n; i < count && err == SH_OK; i += n) {
        for (n = 1; i + n < count && all[i + n].node == all[i].node &&
                    all[i + n].outgoing == all[i].outgoing;)
            n++;
        err = lay_links_of(change, &all[i], n);
    }
    return err;
}

static void release_bitmap(void *bitmap)
{
    roaring_bitmap_free(bitmap);
}

static roaring_bitmap_t *own_places(struct change *change, uint32_t label)
{
    roaring_bitmap_t **slot = pages_edit(&change->next->labels, label, &change->memory);
    if (slot == NULL)
        return NULL;
    roaring_bitmap_t *copy = *slot ? roaring_bitmap_copy(*slot) : roaring_bitmap_create();
    if (copy == NULL)
        return NULL;
    if (retired_add(&change->memory.made, copy, release_bitmap) != SH_OK) {
        roaring_bitmap_free(copy);
        return NULL;
    }
    if (*slot && retired_add(&change->memory.replaced, *slot, release_bitmap) != SH_OK)
        return NULL;
    *slot = copy;
    return copy;
}

static int compare_labels(const void *left, const void *right)
{
    const struct label_change *a = left;
    const struct label_change *b = right;
    if (a->label != b->label)
        return a->label < b->label ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

/* What a node has in the end says which of its changes stands. */
static bool has_label(const struct change *change, const struct label_change *label)
{
    const struct node_body *body = change_node(change, label->place)->body;
    for (uint32_t i = 0; body != NULL && i < body->label_count; i++)
        if (body->labels[i] == label->label)
            return true;
    return false;
}

enum sh_err change_lay_labels(struct change *change)
{
    struct label_change *all = change->labels.items;
    size_t count = change->labels.count;
    roaring_bitmap_t *places = NULL;
    if (count > 0)
        qsort(all, count, sizeof(*all), compare_labels);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || all[i].label != all[i - 1].label)
            places = own_places(change, all[i].label);
        if (places == NULL)
            return SH_NOMEM;
        if (has_label(change, &all[i]))
            roaring_bitmap_add(places, all[i].place);
        else
            roaring_bitmap_remove(places, all[i].place);
    }
    return SH_OK;
}

enum sh_err change_lay_tally(struct change *change)
{
    struct tally_list *list = tally_list(change->before->tally, &change->tally);
    if (list == NULL)
        return SH_NOMEM;
    if (retired_add(&change->memory.made, list, sh_free) != SH_OK) {
        sh_free(list);
        return SH_NOMEM;
    }
    change->next->tally = list;
    return change_replace(change, change->before->tally);
}
