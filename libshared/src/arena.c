#include "shared/mem.h"

#include <stdalign.h>

enum { BLOCK_MIN = 4096, BLOCK_MAX = 256 << 10 };

struct sh_arena_block {
    struct sh_arena_block *next;
    size_t size; /* of data */
    size_t used;
    alignas(max_align_t) char data[];
};

/* Blocks grow with the arena, so that a large one needs few of them. */
static size_t block_size(const struct sh_arena *arena, size_t need)
{
    size_t size = BLOCK_MIN - sizeof(struct sh_arena_block);
    if (arena->total > size)
        size = arena->total < BLOCK_MAX ? arena->total : BLOCK_MAX;
    return size > need ? size : need;
}

static struct sh_arena_block *add_block(struct sh_arena *arena, size_t need)
{
    size_t size = block_size(arena, need);
    if (size > SIZE_MAX - sizeof(struct sh_arena_block))
        return NULL;
    struct sh_arena_block *block = sh_alloc(sizeof(*block) + size);
    if (!block)
        return NULL;
    block->size = size;
    block->next = arena->first;
    arena->first = block;
    arena->total += sizeof(*block) + size;
    return block;
}

void *sh_arena_alloc(struct sh_arena *arena, size_t size)
{
    size_t align = alignof(max_align_t);
    if (size > SIZE_MAX - align)
        return NULL;
    size = size > 0 ? (size + align - 1) / align * align : align;

    struct sh_arena_block *block = arena->first;
    if (!block || block->size - block->used < size)
        block = add_block(arena, size);
    if (!block)
        return NULL;
    void *out = block->data + block->used;
    block->used += size;
    return out;
}

void *sh_arena_array(struct sh_arena *arena, size_t count, size_t size)
{
    if (size > 0 && count > SIZE_MAX / size)
        return NULL;
    return sh_arena_alloc(arena, count * size);
}

char *sh_arena_strndup(struct sh_arena *arena, const void *data, size_t len)
{
    char *copy = len < SIZE_MAX ? sh_arena_alloc(arena, len + 1) : NULL;
    if (copy && len > 0)
        memcpy(copy, data, len);
    return copy;
}

struct sh_bytes sh_arena_copy(struct sh_arena *arena, struct sh_bytes bytes)
{
    char *copy = sh_arena_strndup(arena, bytes.data, bytes.len);
    return (struct sh_bytes){copy, copy ? bytes.len : 0};
}

void sh_arena_free(struct sh_arena *arena)
{
    struct sh_arena_block *block = arena->first;
    while (block) {
        struct sh_arena_block *next = block->next;
        sh_free(block);
        block = next;
    }
    *arena = (struct sh_arena){0};
}
