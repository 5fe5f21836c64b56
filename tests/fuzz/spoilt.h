/* spoilt: a file of sections (shared/sections.h) with some bytes changed, its sums set
 * right again, so that what reads it has nothing to go by but its own checks. */
#ifndef FUZZ_SPOILT_H
#define FUZZ_SPOILT_H

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "shared/sections.h"

enum { SPOILT_CHANGES = 16 };

static inline void spoilt_set_right(const struct sh_sections_kind *kind, char *bytes,
                                    size_t len)
{
    char *foot = bytes + (len - kind->foot);

    for (size_t i = 0; i < kind->count; i++) {
        struct sh_section section;
        char *at = foot + kind->sections + i * sizeof(section);
        memcpy(&section, at, sizeof(section));
        if (section.start <= len && section.len <= len - section.start)
            section.sum = XXH3_64bits(bytes + section.start, section.len);
        memcpy(at, &section, sizeof(section));
    }
    sh_sections_seal(kind, foot);
}

/* The first byte of input says how many changes there are, of five bytes each: where, and
 * what; *data is what is left. By free(). */
static inline char *spoilt_copy(const struct sh_sections_kind *kind,
                                struct sh_bytes original, struct sh_bytes *data)
{
    char *bytes = malloc(original.len);
    const uint8_t *first = data->data;
    int changes = data->len > 0 ? *first % (SPOILT_CHANGES + 1) : 0;

    if (bytes == NULL)
        abort();
    memcpy(bytes, original.data, original.len);
    if (data->len > 0)
        *data = (struct sh_bytes){first + 1, data->len - 1};
    for (int i = 0; i < changes && data->len >= 5; i++) {
        const char *input = data->data;
        uint32_t at;
        memcpy(&at, input, sizeof(at));
        bytes[at % original.len] = input[4];
        *data = (struct sh_bytes){input + 5, data->len - 5};
    }
    spoilt_set_right(kind, bytes, original.len);
    return bytes;
}

#endif
