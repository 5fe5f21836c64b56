#include "shared/mem.h"

#include <stdlib.h>

static _Thread_local int countdown = -1;

static bool fault(void)
{
    return countdown >= 0 && countdown-- == 0;
}

void *sh_alloc(size_t size)
{
    return sh_alloc_array(1, size);
}

void *sh_alloc_array(size_t count, size_t size)
{
    if (fault() || (size > 0 && count > PTRDIFF_MAX / size))
        return NULL;
    return count > 0 && size > 0 ? calloc(count, size) : calloc(1, 1);
}

void *sh_realloc(void *ptr, size_t size)
{
    if (fault() || size > PTRDIFF_MAX)
        return NULL;
    return realloc(ptr, size > 0 ? size : 1);
}

char *sh_strdup(const char *text)
{
    return sh_strndup(text, strlen(text));
}

char *sh_strndup(const void *data, size_t len)
{
    char *copy = len < SIZE_MAX ? sh_alloc(len + 1) : NULL;
    if (copy && len > 0)
        memcpy(copy, data, len);
    return copy;
}

void sh_free(void *ptr)
{
    free(ptr);
}

void sh_mem_fail_after(int n)
{
    countdown = n;
}
