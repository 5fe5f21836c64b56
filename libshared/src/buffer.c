#include "shared/buffer.h"

#include <stdarg.h>
#include <stdio.h>

#include "shared/mem.h"

enum { CAPACITY_MIN = 256 };

char *sh_buffer_reserve(struct sh_buffer *buffer, size_t len)
{
    if (buffer->err != SH_OK)
        return NULL;
    if (buffer->data && buffer->capacity - buffer->len >= len)
        return buffer->data + buffer->len;

    size_t capacity = buffer->capacity > CAPACITY_MIN ? buffer->capacity : CAPACITY_MIN;
    while (capacity - buffer->len < len && capacity <= SIZE_MAX / 2)
        capacity *= 2;
    char *data = NULL;
    if (capacity - buffer->len >= len)
        data = sh_realloc(buffer->data, capacity);
    if (!data) {
        buffer->err = SH_NOMEM;
        return NULL;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return data + buffer->len;
}

void sh_buffer_append(struct sh_buffer *buffer, const void *data, size_t len)
{
    if (len == 0)
        return;
    char *room = sh_buffer_reserve(buffer, len);
    if (!room)
        return;
    memcpy(room, data, len);
    buffer->len += len;
}

void sh_buffer_text(struct sh_buffer *buffer, const char *text)
{
    sh_buffer_append(buffer, text, strlen(text));
}

void sh_buffer_printf(struct sh_buffer *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len <= 0)
        return;

    char *room = sh_buffer_reserve(buffer, (size_t)len + 1); /* vsnprintf ends in NUL */
    if (!room)
        return;
    va_start(args, format);
    len = vsnprintf(room, (size_t)len + 1, format, args);
    va_end(args);
    if (len > 0)
        buffer->len += (size_t)len;
}

void sh_buffer_consume(struct sh_buffer *buffer, size_t len)
{
    if (len > buffer->len)
        len = buffer->len;
    if (len == 0)
        return;
    buffer->len -= len;
    memmove(buffer->data, buffer->data + len, buffer->len);
}

void sh_buffer_clear(struct sh_buffer *buffer)
{
    buffer->len = 0;
    buffer->err = SH_OK;
}

void sh_buffer_free(struct sh_buffer *buffer)
{
    sh_free(buffer->data);
    *buffer = (struct sh_buffer){0};
}
