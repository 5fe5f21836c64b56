#include "services/embedder/lsa/terms.h"

#include <xxhash.h>

#include "shared/mem.h"

struct sh_bytes terms_word(const struct terms *self, uint32_t number)
{
    const struct term *term = &self->list[number];
    return (struct sh_bytes){self->pool.data + term->offset, term->len};
}

/* Where the word is, or where it belongs. There is always a free slot. */
static uint32_t *slot_of(const struct terms *self, struct sh_bytes word)
{
    size_t mask = self->slots_count - 1;
    size_t at = XXH3_64bits(word.data, word.len) & mask;
    while (self->slots[at] != 0 &&
           !sh_bytes_equal(terms_word(self, self->slots[at] - 1), word))
        at = (at + 1) & mask;
    return &self->slots[at];
}

static enum sh_err grow_slots(struct terms *self)
{
    struct terms wider = *self;
    if ((self->count + 1) * 2 <= self->slots_count)
        return SH_OK;
    wider.slots_count = self->slots_count == 0 ? 1024 : self->slots_count * 2;
    wider.slots = sh_alloc_array(wider.slots_count, sizeof(*wider.slots));
    if (!wider.slots)
        return SH_NOMEM;
    for (uint32_t i = 0; i < self->count; i++)
        *slot_of(&wider, terms_word(self, i)) = i + 1;
    sh_free(self->slots);
    self->slots = wider.slots;
    self->slots_count = wider.slots_count;
    return SH_OK;
}

static enum sh_err grow_list(struct terms *self)
{
    if (self->count < self->room)
        return SH_OK;
    size_t room = self->room == 0 ? 1024 : self->room + self->room / 2;
    struct term *list = sh_realloc(self->list, room * sizeof(*list));
    if (!list)
        return SH_NOMEM;
    self->list = list;
    self->room = room;
    return SH_OK;
}

enum sh_err terms_number(struct terms *self, struct sh_bytes word, uint32_t *number)
{
    enum sh_err err = grow_slots(self);
    if (err != SH_OK)
        return err;
    uint32_t *slot = slot_of(self, word);
    if (*slot == 0 && self->count < TERMS_MAX) {
        size_t offset = self->pool.len;
        err = grow_list(self);
        if (err == SH_OK)
            sh_buffer_append(&self->pool, word.data, word.len);
        if (err != SH_OK || self->pool.err != SH_OK)
            return SH_NOMEM;
        self->list[self->count++] = (struct term){offset, (uint32_t)word.len, 0};
        *slot = (uint32_t)self->count;
    }
    *number = *slot == 0 ? TERMS_NONE : *slot - 1;
    return SH_OK;
}

size_t terms_bytes(const struct terms *self)
{
    return self->pool.capacity + self->room * sizeof(*self->list) +
           self->slots_count * sizeof(*self->slots);
}

void terms_free(struct terms *self)
{
    sh_buffer_free(&self->pool);
    sh_free(self->list);
    sh_free(self->slots);
    *self = (struct terms){0};
}
