#include "services/graph/cypher/value.h"

#include <stdlib.h>

#include "services/graph/cypher/env.h"

static const struct cy_at nowhere = {0, 0};

/* --- making ----------------------------------------------------------------------- */

static bool check_depth(struct cy_env *env, uint8_t deepest)
{
    if (deepest < CYV_DEPTH_MAX)
        return true;
    return cy_fail(env, CY_OVER_BUDGET, NULL, nowhere,
                   "lists and maps lie more than %d deep", CYV_DEPTH_MAX);
}

static bool check_count(struct cy_env *env, size_t count)
{
    if (count <= CYV_ITEMS_MAX)
        return true;
    return cy_fail(env, CY_OVER_BUDGET, NULL, nowhere,
                   "a list or map has more than %d items", CYV_ITEMS_MAX);
}

bool cyv_list(struct cy_env *env, const struct cy_value *items, size_t count,
              struct cy_value *out)
{
    uint8_t deepest = 0;
    if (!check_count(env, count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (items[i].depth > deepest)
            deepest = items[i].depth;
    *out = (struct cy_value){.type = CYV_LIST,
                             .depth = (uint8_t)(deepest + 1),
                             .count = (uint32_t)count,
                             .items = items};
    return check_depth(env, deepest);
}

static int compare_keys(struct sh_bytes a, struct sh_bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_entries(const void *left, const void *right)
{
    const struct cyv_entry *a = left;
    const struct cyv_entry *b = right;
    return compare_keys(a->key, b->key);
}

bool cyv_map(struct cy_env *env, struct cyv_entry *entries, size_t count,
             struct cy_value *out)
{
    uint8_t deepest = 0;
    size_t kept = 0;
    if (!check_count(env, count))
        return false;
    if (count > 1)
        qsort(entries, count, sizeof(*entries), compare_entries);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && sh_bytes_equal(entries[kept - 1].key, entries[i].key))
            kept--;
        entries[kept++] = entries[i];
        if (entries[i].value.depth > deepest)
            deepest = entries[i].value.depth;
    }
    *out = (struct cy_value){.type = CYV_MAP,
                             .depth = (uint8_t)(deepest + 1),
                             .count = (uint32_t)kept,
                             .entries = entries};
    return check_depth(env, deepest);
}

bool cyv_copy(struct cy_env *env, struct sh_bytes text, struct cy_value *out)
{
    if (text.len > CYV_TEXT_MAX)
        return cy_fail(env, CY_OVER_BUDGET, NULL, nowhere, "a string is over %d MB long",
                       CYV_TEXT_MAX >> 20);
    char *copy = cy_alloc(env, text.len + 1);
    if (copy == NULL)
        return false;
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    *out = cyv_string((struct sh_bytes){copy, text.len});
    return true;
}

/* --- looking ---------------------------------------------------------------------- */

const struct cy_value *cyv_get(struct cy_value map, struct sh_bytes key)
{
    uint32_t low = 0;
    uint32_t high = map.type == CYV_MAP ? map.count : 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = compare_keys(map.entries[middle].key, key);
        if (order == 0)
            return &map.entries[middle].value;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const char *cyv_type_name(enum cyv_type type)
{
    static const char *const names[] = {
        "Null", "Boolean",       "Integer",      "Float",   "String", "List",
        "Map",  "Node",          "Relationship", "Path",    "Date",   "LocalTime",
        "Time", "LocalDateTime", "DateTime",     "Duration"};
    return names[type];
}
