#include "services/graph/cypher/set.h"

static size_t place_of(const struct cy_set *set, uint64_t hash, struct cy_value value)
{
    size_t at = hash & (set->room - 1);
    while (set->used[at] &&
           (set->hashes[at] != hash || !cyv_equivalent(set->values[at], value)))
        at = (at + 1) & (set->room - 1);
    return at;
}

static void put(struct cy_set *set, size_t at, uint64_t hash, struct cy_value value)
{
    set->used[at] = 1;
    set->hashes[at] = hash;
    set->values[at] = value;
    set->count++;
}

/* At most half of it is used. */
static bool make_room(struct cy_env *env, struct cy_set *set)
{
    if (set->count * 2 < set->room)
        return true;
    struct cy_set larger = {.room = set->room ? set->room * 2 : 16};
    larger.values = cy_array(env, larger.room, sizeof(*larger.values));
    larger.hashes = larger.values ? cy_array(env, larger.room, sizeof(uint64_t)) : NULL;
    larger.used = larger.hashes ? cy_array(env, larger.room, 1) : NULL;
    if (larger.used == NULL)
        return false;
    for (size_t i = 0; i < set->room; i++)
        if (set->used[i])
            put(&larger, place_of(&larger, set->hashes[i], set->values[i]),
                set->hashes[i], set->values[i]);
    *set = larger;
    return true;
}

bool cy_set_add(struct cy_env *env, struct cy_set *set, struct cy_value value,
                bool *added)
{
    uint64_t hash = cyv_hash(value);
    if (!make_room(env, set))
        return false;
    size_t at = place_of(set, hash, value);
    *added = !set->used[at];
    if (*added)
        put(set, at, hash, value);
    return true;
}
