/* buffer: bytes that grow. The first failed allocation sticks: later appends do nothing,
 * and whoever ends the buffer checks `err` once. One thread at a time. */
#ifndef SHARED_BUFFER_H
#define SHARED_BUFFER_H

#include "shared/bytes.h"
#include "shared/err.h"

struct sh_buffer { /* {0} is an empty buffer */
    char *data;
    size_t len;
    size_t capacity;
    enum sh_err err;
};

void sh_buffer_append(struct sh_buffer *buffer, const void *data, size_t len);
void sh_buffer_text(struct sh_buffer *buffer, const char *text);
__attribute__((format(printf, 2, 3))) void sh_buffer_printf(struct sh_buffer *buffer,
                                                            const char *format, ...);
/* Room for `len` more bytes at the end; NULL when out of memory. Add to `len` yourself.
 */
char *sh_buffer_reserve(struct sh_buffer *buffer, size_t len);
/* Remove `len` bytes from the front. */
void sh_buffer_consume(struct sh_buffer *buffer, size_t len);
/* len becomes 0 and err SH_OK; the memory is kept. */
void sh_buffer_clear(struct sh_buffer *buffer);
void sh_buffer_free(struct sh_buffer *buffer);

static inline struct sh_bytes sh_buffer_bytes(const struct sh_buffer *buffer)
{
    return (struct sh_bytes){buffer->data, buffer->len};
}

#endif
