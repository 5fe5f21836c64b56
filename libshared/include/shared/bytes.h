/* bytes: a borrowed view; whoever made it says how long it stays valid. */
#ifndef SHARED_BYTES_H
#define SHARED_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SH_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The struct that holds what `pointer` points to as its member. */
#define SH_CONTAINER_OF(pointer, type, member)                                           \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

struct sh_bytes {
    const void *data;
    size_t len;
};

/* NULL gives an empty view. */
static inline struct sh_bytes sh_bytes_of(const char *text)
{
    return (struct sh_bytes){text, text ? strlen(text) : 0};
}

static inline bool sh_bytes_equal(struct sh_bytes a, struct sh_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* True when the view holds exactly the text. */
static inline bool sh_bytes_is(struct sh_bytes a, const char *text)
{
    return sh_bytes_equal(a, sh_bytes_of(text));
}

#endif
