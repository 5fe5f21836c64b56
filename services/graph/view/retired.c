#include "services/graph/view/retired.h"

enum sh_err retired_add(struct retired *retired, void *memory, retired_free_fn *release)
{
    if (retired->count == retired->capacity) {
        size_t capacity = retired->capacity == 0 ? 64 : retired->capacity * 2;
        void *items = sh_realloc(retired->items, capacity * sizeof(*retired->items));
        if (items == NULL)
            return SH_NOMEM;
        retired->items = items;
        retired->capacity = capacity;
    }
    retired->items[retired->count++] = (struct retired_item){memory, release};
    return SH_OK;
}

void retired_release(struct retired *retired)
{
    for (size_t i = 0; i < retired->count; i++)
        retired->items[i].free(retired->items[i].memory);
    retired_forget(retired);
}

void retired_forget(struct retired *retired)
{
    sh_free(retired->items);
    *retired = (struct retired){0};
}
