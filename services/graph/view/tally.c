#include "services/graph/view/tally.h"

#include <stdlib.h>

#include "shared/mem.h"

static struct sh_bytes bytes_of(const struct tally_key *key)
{
    return (struct sh_bytes){key, sizeof(*key)};
}

static bool grow(struct tally *tally)
{
    uint32_t capacity = tally->capacity == 0 ? 64 : tally->capacity * 2;
    void *items = sh_realloc(tally->items, capacity * sizeof(*tally->items));
    if (items == NULL)
        return false;
    tally->items = items;
    tally->capacity = capacity;
    struct lookup *lookup = lookup_create(capacity);
    if (lookup == NULL)
        return false;
    for (uint32_t i = 0; i < tally->count; i++)
        lookup_add(lookup, lookup_hash(bytes_of(&tally->items[i].key)), i);
    sh_free(tally->lookup);
    tally->lookup = lookup;
    return true;
}

enum sh_err tally_add(struct tally *tally, const struct tally_key *key, int64_t by)
{
    struct lookup_probe probe = {lookup_hash(bytes_of(key)), 0};
    uint32_t number;
    while (tally->lookup != NULL && lookup_next(tally->lookup, &probe, &number))
        if (memcmp(&tally->items[number].key, key, sizeof(*key)) == 0) {
            tally->items[number].count += by;
            return SH_OK;
        }
    if ((tally->count == tally->capacity || tally->lookup == NULL ||
         lookup_is_full(tally->lookup)) &&
        !grow(tally))
        return SH_NOMEM;
    tally->items[tally->count] = (struct tally_item){*key, by};
    lookup_add(tally->lookup, probe.hash, tally->count++);
    return SH_OK;
}

void tally_clear(struct tally *tally)
{
    sh_free(tally->lookup);
    sh_free(tally->items);
    *tally = (struct tally){0};
}

static int compare_keys(const struct tally_key *a, const struct tally_key *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    for (size_t i = 0; i < TALLY_WHAT; i++)
        if (a->what[i] != b->what[i])
            return a->what[i] < b->what[i] ? -1 : 1;
    for (size_t i = 0; i < TALLY_CLASSES; i++)
        if (a->access[i] != b->access[i])
            return a->access[i] < b->access[i] ? -1 : 1;
    return 0;
}

static int compare_items(const void *left, const void *right)
{
    const struct tally_item *a = left;
    const struct tally_item *b = right;
    return compare_keys(&a->key, &b->key);
}

struct tally_list *tally_list(const struct tally_list *old, struct tally *changes)
{
    uint32_t olds = old ? old->count : 0;
    uint32_t news = changes->count;
    struct tally_list *list =
        sh_alloc(sizeof(*list) + ((size_t)olds + news) * sizeof(list->items[0]));
    if (list == NULL)
        return NULL;
    if (news > 0)
        qsort(changes->items, news, sizeof(*changes->items), compare_items);
    for (uint32_t i = 0, j = 0; i < olds || j < news;) {
        int order = i == olds   ? 1
                    : j == news ? -1
                                : compare_items(&old->items[i], &changes->items[j]);
        struct tally_item item = order <= 0 ? old->items[i] : changes->items[j];
        if (order == 0)
            item.count += changes->items[j].count;
        i += order <= 0;
        j += order >= 0;
        if (item.count > 0)
            list->items[list->count++] = item;
    }
    return list;
}
