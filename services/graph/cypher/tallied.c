#include "services/graph/cypher/tallied.h"

static int compare(const struct tally_key *key, enum tally_kind kind,
                   const uint32_t *what, size_t given)
{
    if (key->kind != (uint32_t)kind)
        return key->kind < (uint32_t)kind ? -1 : 1;
    for (size_t i = 0; i < given; i++)
        if (key->what[i] != what[i])
            return key->what[i] < what[i] ? -1 : 1;
    return 0;
}

/* The first that is not below, or, with `behind`, the first that is above. */
static uint32_t bound(const struct tally_list *tally, enum tally_kind kind,
                      const uint32_t *what, size_t given, bool behind)
{
    uint32_t low = 0;
    uint32_t high = tally->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = compare(&tally->items[middle].key, kind, what, given);
        if (order < 0 || (behind && order == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct cy_tallied cy_tallied(const struct cy_env *env, enum tally_kind kind,
                             const uint32_t *what, size_t given)
{
    const struct tally_list *tally = env->reader->version->tally;
    if (tally == NULL)
        return (struct cy_tallied){0, 0};
    return (struct cy_tallied){bound(tally, kind, what, given, false),
                               bound(tally, kind, what, given, true)};
}

bool cy_tally_is_seen(const struct cy_env *env, const struct tally_item *item)
{
    for (size_t i = 0; i < TALLY_CLASSES; i++)
        if (!graph_permits(env->reader, item->key.access[i]))
            return false;
    return item->count > 0;
}

uint64_t cy_tally_sum(const struct cy_env *env, struct cy_tallied range)
{
    const struct tally_list *tally = env->reader->version->tally;
    uint64_t sum = 0;
    for (uint32_t i = range.begin; i < range.end; i++)
        if (cy_tally_is_seen(env, &tally->items[i]))
            sum += (uint64_t)tally->items[i].count;
    return sum;
}

uint64_t cy_seen_nodes(const struct cy_env *env)
{
    return cy_tally_sum(env, cy_tallied(env, TALLY_NODES, NULL, 0));
}

uint64_t cy_seen_of_label(const struct cy_env *env, uint32_t label)
{
    return cy_tally_sum(env, cy_tallied(env, TALLY_LABEL, &label, 1));
}
