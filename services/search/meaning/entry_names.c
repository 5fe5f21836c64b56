#include "services/search/meaning/entry_feed_internal.h"
#include "shared/pg_array.h"

void entry_names_clear(struct names *self)
{
    for (size_t i = 0; i < self->count; i++)
        sh_free(self->items[i]);
    self->count = 0;
}

void entry_names_free(struct names *self)
{
    entry_names_clear(self);
    sh_free(self->items);
    *self = (struct names){0};
}

bool entry_names_add(struct names *self, struct sh_bytes name)
{
    if (self->count == self->capacity) {
        size_t more = self->capacity > 0 ? 2 * self->capacity : AT_ONCE;
        char **grown = sh_realloc(self->items, more * sizeof(*grown));
        if (grown == NULL)
            return false;
        self->items = grown;
        self->capacity = more;
    }
    self->items[self->count] = sh_strndup(name.data, name.len);
    return self->items[self->count] != NULL && ++self->count > 0;
}

size_t entry_names_some(const struct names *self)
{
    return self->count < AT_ONCE ? self->count : AT_ONCE;
}

void entry_names_drop(struct names *self, size_t some)
{
    while (some-- > 0)
        sh_free(self->items[--self->count]);
}

void entry_names_array(const struct names *self, struct sh_buffer *out)
{
    size_t some = entry_names_some(self);

    sh_pg_array_begin(out, SH_PG_ARRAY_TEXT, some);
    for (size_t i = self->count - some; i < self->count; i++)
        sh_pg_array_bytes(out, sh_bytes_of(self->items[i]));
}
