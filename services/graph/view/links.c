#include "services/graph/view/links.h"

#include "shared/mem.h"

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_places(uint32_t type, const struct link *link, uint32_t other_type,
                          const struct link *other)
{
    int order = ORDER(type, other_type);
    if (order == 0)
        order = ORDER(link->peer, other->peer);
    return order != 0 ? order : ORDER(link->edge, other->edge);
}

int links_compare(const void *left, const void *right)
{
    const struct link_change *a = left;
    const struct link_change *b = right;
    int order = ORDER(a->node, b->node);
    if (order == 0)
        order = ORDER(a->outgoing, b->outgoing);
    if (order == 0)
        order = compare_places(a->type, &a->link, b->type, &b->link);
    return order != 0 ? order : ORDER(a->added, b->added); /* what goes, goes first */
}

struct merge {
    const struct links *old;
    uint32_t at;    /* of the old */
    uint32_t group; /* it is in */
    struct link_group *groups;
    struct link *links;
    uint32_t group_count;
    uint32_t count;
};

static void emit(struct merge *merge, uint32_t type, const struct link *link)
{
    if (merge->group_count == 0 || merge->groups[merge->group_count - 1].type != type)
        merge->groups[merge->group_count++] = (struct link_group){type, merge->count};
    merge->links[merge->count++] = *link;
}

/* The type of the next old link; false when there is none. */
static bool old_type(struct merge *merge, uint32_t *type)
{
    if (merge->old == NULL || merge->at == merge->old->count)
        return false;
    while (merge->old->groups[merge->group + 1].first <= merge->at)
        merge->group++;
    *type = merge->old->groups[merge->group].type;
    return true;
}

static void apply(struct merge *merge, const struct link_change *change)
{
    uint32_t type;
    while (old_type(merge, &type)) {
        const struct link *link = &merge->old->links[merge->at];
        int order = compare_places(type, link, change->type, &change->link);
        if (order > 0)
            break;
        merge->at++;
        if (order < 0 || change->added)
            emit(merge, type, link);
        else
            return; /* this is the one that goes */
    }
    if (change->added)
        emit(merge, change->type, &change->link);
}

static struct links *finish(const struct merge *merge)
{
    size_t groups = (size_t)(merge->group_count + 1) * sizeof(struct link_group);
    size_t links = (size_t)merge->count * sizeof(struct link);
    struct links *block = sh_alloc(sizeof(*block) + groups + links);
    if (block == NULL)
        return NULL;
    struct link_group *group = (void *)(block + 1);
    struct link *link = (void *)(group + merge->group_count + 1);
    memcpy(group, merge->groups, groups - sizeof(*group));
    group[merge->group_count] = (struct link_group){0, merge->count};
    memcpy(link, merge->links, links);
    *block = (struct links){merge->count, merge->group_count, group, link};
    return block;
}

bool links_change(const struct links *old, const struct link_change *changes,
                  size_t count, struct links **out)
{
    size_t most = (old ? old->count : 0) + count;
    struct merge merge = {.old = old,
                          .groups = sh_alloc_array(most + 1, sizeof(*merge.groups)),
                          .links = sh_alloc_array(most + 1, sizeof(*merge.links))};
    bool good = merge.groups != NULL && merge.links != NULL;
    uint32_t type;

    *out = NULL;
    for (size_t i = 0; i < count && good; i++)
        apply(&merge, &changes[i]);
    while (good && old_type(&merge, &type))
        emit(&merge, type, &merge.old->links[merge.at++]);
    if (good && merge.count > 0) {
        *out = finish(&merge);
        good = *out != NULL;
    }
    sh_free(merge.groups);
    sh_free(merge.links);
    return good;
}

struct links *links_make(const uint32_t *types, const struct link *links, uint32_t count)
{
    uint32_t groups = 1;
    for (uint32_t i = 1; i < count; i++)
        groups += types[i] != types[i - 1];
    size_t group_bytes = ((size_t)groups + 1) * sizeof(struct link_group);
    struct links *block =
        sh_alloc(sizeof(*block) + group_bytes + count * sizeof(struct link));
    if (block == NULL)
        return NULL;
    struct link_group *group = (void *)(block + 1);
    struct link *placed = (void *)(group + groups + 1);
    *block = (struct links){count, groups, group, placed};
    memcpy(placed, links, count * sizeof(*placed));
    for (uint32_t i = 0; i < count; i++)
        if (i == 0 || types[i] != types[i - 1])
            *group++ = (struct link_group){types[i], i};
    *group = (struct link_group){0, count};
    return block;
}

const struct link *links_of_type(const struct links *links, uint32_t type,
                                 uint32_t *count)
{
    uint32_t low = 0;
    uint32_t high = links ? links->group_count : 0;
    *count = 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (links->groups[middle].type < type)
            low = middle + 1;
        else
            high = middle;
    }
    if (links == NULL || low == links->group_count || links->groups[low].type != type)
        return NULL;
    *count = links->groups[low + 1].first - links->groups[low].first;
    return links->links + links->groups[low].first;
}
