/* What Redis holds in the place of an answer: whatever passes the check has its parts
 * within its bytes. Version and sum are made right, or nothing would pass. */
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "services/gateway/cache/kept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { VERSION_AT = 36, VERSION_END = 40 };

static void make_right(char *bytes, size_t size)
{
    struct sh_buffer sample = {0};

    kept_begin(&sample, (struct sh_bytes){0});
    kept_end(&sample, kept_middle(&sample), 0, 0, 0);
    if (sample.err == SH_OK && size >= VERSION_END)
        memcpy(bytes + VERSION_AT, sample.data + VERSION_AT, VERSION_END - VERSION_AT);
    sh_buffer_free(&sample);
    if (size < sizeof(uint64_t))
        return;
    uint64_t sum = XXH3_64bits(bytes + sizeof(uint64_t), size - sizeof(uint64_t));
    memcpy(bytes, &sum, sizeof sum);
}

static bool inside(struct sh_bytes part, const char *bytes, size_t size)
{
    const char *at = part.data;

    return at >= bytes && at + part.len <= bytes + size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = malloc(size + 1); /* exact, so that a byte too far is seen */

    if (bytes == NULL)
        return 0;
    if (size > 0)
        memcpy(bytes, data, size);
    make_right(bytes, size);
    if (kept_check((struct sh_bytes){bytes, size})) {
        struct kept kept = kept_parts((struct sh_bytes){bytes, size});
        if (!inside(kept.key, bytes, size) || !inside(kept.head, bytes, size) ||
            !inside(kept.tail, bytes, size))
            abort();
    }
    free(bytes);
    return 0;
}
