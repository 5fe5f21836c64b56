/* Any bytes as a section: passages are slices in order, none is endless. */
#include <stdlib.h>

#include "services/search/chunk/chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sh_arena arena = {0};
    struct chunk *chunks = NULL;
    size_t count = 0;
    if (size < 2)
        return 0;
    struct chunk_options options = {.tokens = data[0], .overlap_percent = data[1]};
    struct chunk_section section = {{data, size / 4}, {data + 2, size - 2}, 1};
    if (chunk_document(section.title, &section, 1, &options, &arena, &chunks, &count) !=
        SH_OK)
        abort();
    const uint8_t *covered = section.text.data;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *start = chunks[i].text.data;
        const uint8_t *end = start + chunks[i].text.len;
        if (chunks[i].text.len == 0 || end <= covered || start < data ||
            end > data + size)
            abort();
        covered = end;
    }
    sh_arena_free(&arena);
    return 0;
}
