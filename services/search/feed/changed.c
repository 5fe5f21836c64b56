#include "services/search/feed/changed.h"

#include <stdlib.h>

#include "shared/pg_array.h"

static int compare_ids(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort(struct changed_ids *changed)
{
    size_t kept = 0;

    if (changed->count == 0)
        return;
    qsort(changed->ids, changed->count, sizeof(*changed->ids), compare_ids);
    for (size_t i = 0; i < changed->count; i++)
        if (kept == 0 || strcmp(changed->ids[i], changed->ids[kept - 1]) != 0)
            changed->ids[kept++] = changed->ids[i];
    changed->count = kept;
}

enum sh_err changed_collect(const struct sh_change *changes, size_t count,
                            struct sh_arena *arena, struct changed_ids *out)
{
    *out = (struct changed_ids){
        .ids = sh_arena_array(arena, count + 1, sizeof(*out->ids)),
        .found = sh_arena_array(arena, count + 1, sizeof(*out->found)),
    };
    if (out->ids == NULL || out->found == NULL)
        return SH_NOMEM;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(changes[i].entity, "document") != 0)
            continue;
        char *id = sh_arena_strndup(arena, changes[i].id, strlen(changes[i].id));
        if (id == NULL)
            return SH_NOMEM;
        out->ids[out->count++] = id;
    }
    sort(out);
    return SH_OK;
}

enum sh_err changed_slice(const struct changed_ids *changed, size_t from, size_t most,
                          struct changed_ids *out, struct sh_buffer *array)
{
    size_t left = changed->count - from;

    *out = (struct changed_ids){changed->ids + from, changed->found + from,
                                left < most ? left : most};
    sh_buffer_clear(array);
    sh_pg_array_begin(array, SH_PG_ARRAY_TEXT, out->count);
    for (size_t i = 0; i < out->count; i++)
        sh_pg_array_bytes(array, sh_bytes_of(out->ids[i]));
    return array->err;
}

void changed_mark(struct changed_ids *changed, const char *id)
{
    const char **found =
        bsearch(&id, changed->ids, changed->count, sizeof(*changed->ids), compare_ids);
    if (found != NULL)
        changed->found[found - changed->ids] = true;
}
