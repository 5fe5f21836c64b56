/* mem: allocation with a test hook, and arenas. Code uses these so that a test can make
 * the nth allocation fail. Any thread. */
#ifndef SHARED_MEM_H
#define SHARED_MEM_H

#include <stddef.h>
#include <string.h>

#include "shared/bytes.h"

/* Zeroed memory, or NULL. Release with sh_free(). */
void *sh_alloc(size_t size);
/* Zeroed room for count items of `size`; NULL also when the product overflows. */
void *sh_alloc_array(size_t count, size_t size);
/* As realloc(): what is new is not zeroed. */
void *sh_realloc(void *ptr, size_t size);
/* A copy ending in NUL, or NULL. */
char *sh_strdup(const char *text);
char *sh_strndup(const void *data, size_t len);
void sh_free(void *ptr);

/* Tests only, calling thread only: let `n` allocations pass, then fail one; n < 0 turns
 * the fault off. */
void sh_mem_fail_after(int n);

/* An arena: many small allocations that end together. One thread at a time. */
struct sh_arena {
    struct sh_arena_block *first; /* {0} is an empty arena */
    size_t total;                 /* bytes held, for limits */
};

/* Zeroed, aligned for any type; valid until sh_arena_free(). NULL when out of memory. */
void *sh_arena_alloc(struct sh_arena *arena, size_t size);
void *sh_arena_array(struct sh_arena *arena, size_t count, size_t size);
/* A copy ending in NUL. */
char *sh_arena_strndup(struct sh_arena *arena, const void *data, size_t len);
struct sh_bytes sh_arena_copy(struct sh_arena *arena, struct sh_bytes bytes);
/* Everything goes; the arena is empty and can be used again. */
void sh_arena_free(struct sh_arena *arena);

/* The same place, for libraries whose types leave out the const of what they only read.
 */
static inline void *sh_unconst(const void *at)
{
    void *same;

    memcpy(&same, &at, sizeof same);
    return same;
}

#endif
