#include "services/search/filter/ordered.h"

#include "shared/mem.h"

enum { BLOCK = 128, FIRST = 2 };

static double last_key(const struct ordered_block *block)
{
    return block->entries[block->count - 1].key;
}

static bool before(double a, double b, bool open)
{
    return open ? a <= b : a < b;
}

struct ordered_at ordered_from(const struct ordered *self, double key, bool open)
{
    struct ordered_at at = {0};
    uint32_t end = self->count;
    while (at.block < end) { /* the first block whose last entry will do */
        uint32_t middle = at.block + (end - at.block) / 2;
        if (before(last_key(&self->blocks[middle]), key, open))
            at.block = middle + 1;
        else
            end = middle;
    }
    if (at.block == self->count)
        return at;
    const struct ordered_block *block = &self->blocks[at.block];
    end = block->count;
    while (at.index < end) {
        uint32_t middle = at.index + (end - at.index) / 2;
        if (before(block->entries[middle].key, key, open))
            at.index = middle + 1;
        else
            end = middle;
    }
    return at;
}

const struct ordered_entry *ordered_next(const struct ordered *self,
                                         struct ordered_at *at)
{
    if (at->block >= self->count)
        return NULL;
    const struct ordered_block *block = &self->blocks[at->block];
    const struct ordered_entry *entry = &block->entries[at->index++];
    if (at->index == block->count)
        *at = (struct ordered_at){at->block + 1, 0};
    return entry;
}

const struct ordered_entry *ordered_last(const struct ordered *self)
{
    if (self->count == 0)
        return NULL;
    const struct ordered_block *block = &self->blocks[self->count - 1];
    return &block->entries[block->count - 1];
}

struct ordered_entry *ordered_find(const struct ordered *self, double key)
{
    struct ordered_at at = ordered_from(self, key, false);
    if (at.block == self->count)
        return NULL;
    struct ordered_entry *entry = &self->blocks[at.block].entries[at.index];
    return entry->key > key ? NULL : entry;
}

static enum sh_err grow_block(struct ordered_block *block, size_t *bytes)
{
    uint32_t capacity = block->capacity ? block->capacity * 2 : FIRST;
    struct ordered_entry *entries =
        sh_realloc(block->entries, capacity * sizeof(*entries));
    if (!entries)
        return SH_NOMEM;
    *bytes += (capacity - block->capacity) * sizeof(*entries);
    block->entries = entries;
    block->capacity = capacity;
    return SH_OK;
}

/* Room for one more block; then insert_block() cannot fail. */
static enum sh_err grow_list(struct ordered *self, size_t *bytes)
{
    if (self->count < self->capacity)
        return SH_OK;
    uint32_t capacity = self->capacity + self->capacity / 2 + 1;
    struct ordered_block *blocks = sh_realloc(self->blocks, capacity * sizeof(*blocks));
    if (!blocks)
        return SH_NOMEM;
    *bytes += (capacity - self->capacity) * sizeof(*blocks);
    self->blocks = blocks;
    self->capacity = capacity;
    return SH_OK;
}

static void insert_block(struct ordered *self, uint32_t index, struct ordered_block block)
{
    memmove(&self->blocks[index + 1], &self->blocks[index],
            (self->count - index) * sizeof(block));
    self->blocks[index] = block;
    self->count++;
}

/* A full block becomes two; one that ends the list, where numbers that only rise come in,
 * stays nearly full. */
static enum sh_err split(struct ordered *self, uint32_t index, size_t *bytes)
{
    struct ordered_block upper = {.capacity = BLOCK};
    enum sh_err err = grow_list(self, bytes);
    if (err != SH_OK)
        return err;
    upper.entries = sh_alloc_array(BLOCK, sizeof(*upper.entries));
    if (!upper.entries)
        return SH_NOMEM;
    struct ordered_block *block = &self->blocks[index];
    uint32_t keep = index + 1 == self->count ? BLOCK - BLOCK / 16 : BLOCK / 2;
    upper.count = block->count - keep;
    memcpy(upper.entries, &block->entries[keep], upper.count * sizeof(*upper.entries));
    block->count = keep;
    insert_block(self, index + 1, upper);
    *bytes += BLOCK * sizeof(*upper.entries);
    return SH_OK;
}

/* Where a key that is not there goes; beyond every block: the end of the last. */
static struct ordered_at place_for(const struct ordered *self, double key)
{
    struct ordered_at at = ordered_from(self, key, false);
    if (at.block == self->count && self->count > 0) {
        at.block--;
        at.index = self->blocks[at.block].count;
    }
    return at;
}

/* Room for one more where `at` is. */
static enum sh_err make_room(struct ordered *self, double key, struct ordered_at *at,
                             size_t *bytes)
{
    enum sh_err err = SH_OK;
    if (self->count == 0) {
        struct ordered_block block = {0};
        err = grow_list(self, bytes);
        if (err == SH_OK)
            err = grow_block(&block, bytes);
        if (err == SH_OK)
            insert_block(self, 0, block);
        return err;
    }
    struct ordered_block *block = &self->blocks[at->block];
    if (block->count < block->capacity)
        return SH_OK;
    if (block->capacity < BLOCK)
        return grow_block(block, bytes);
    err = split(self, at->block, bytes);
    *at = place_for(self, key);
    return err;
}

struct ordered_entry *ordered_add(struct ordered *self, double key, size_t *bytes)
{
    struct ordered_entry *entry = ordered_find(self, key);
    if (entry)
        return entry;
    struct ordered_at at = place_for(self, key);
    if (make_room(self, key, &at, bytes) != SH_OK)
        return NULL;
    struct ordered_block *block = &self->blocks[at.block];
    entry = &block->entries[at.index];
    memmove(entry + 1, entry, (block->count - at.index) * sizeof(*entry));
    block->count++;
    *entry = (struct ordered_entry){.key = key};
    return entry;
}

static void remove_block(struct ordered *self, uint32_t index, size_t *bytes)
{
    *bytes -= self->blocks[index].capacity * sizeof(struct ordered_entry);
    sh_free(self->blocks[index].entries);
    self->count--;
    memmove(&self->blocks[index], &self->blocks[index + 1],
            (self->count - index) * sizeof(self->blocks[0]));
}

/* Two neighbours that fit into half a block become one, so that what is left after many
 * removals stays packed. */
static void join(struct ordered *self, uint32_t index, size_t *bytes)
{
    if (index + 1 >= self->count)
        return;
    struct ordered_block *lower = &self->blocks[index];
    const struct ordered_block *upper = &self->blocks[index + 1];
    uint32_t count = lower->count + upper->count;
    if (count > BLOCK / 2 || count > lower->capacity)
        return;
    memcpy(&lower->entries[lower->count], upper->entries,
           upper->count * sizeof(*upper->entries));
    lower->count = count;
    remove_block(self, index + 1, bytes);
}

void ordered_drop(struct ordered *self, double key, size_t *bytes)
{
    struct ordered_at at = ordered_from(self, key, false);
    struct ordered_block *block = &self->blocks[at.block];
    block->count--;
    memmove(&block->entries[at.index], &block->entries[at.index + 1],
            (block->count - at.index) * sizeof(*block->entries));
    if (block->count == 0)
        remove_block(self, at.block, bytes);
    else
        join(self, at.block, bytes);
    if (at.block > 0)
        join(self, at.block - 1, bytes);
    if (self->count == 0)
        ordered_free(self, bytes);
}

void ordered_free(struct ordered *self, size_t *bytes)
{
    while (self->count > 0)
        remove_block(self, self->count - 1, bytes);
    *bytes -= self->capacity * sizeof(*self->blocks);
    sh_free(self->blocks);
    *self = (struct ordered){0};
}
