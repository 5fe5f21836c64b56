/* Any bytes as what cairn-extract wrote, cut anywhere: the same outcome however they are
 * cut, and never more than was agreed. */
#include <stdlib.h>

#include "services/search/extract/pipe.h"

enum { BYTES_MAX = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    enum sh_err err;
    size_t sections;
    size_t bytes;
};

static struct outcome run(struct sh_bytes bytes, size_t step)
{
    struct sh_arena arena = {0};
    struct extract_pipe pipe = {.arena = &arena, .bytes_max = BYTES_MAX};
    struct outcome outcome = {0};
    const char *at = bytes.data;

    for (size_t left = bytes.len; left > 0;) {
        size_t len = left < step ? left : step;
        if (extract_pipe_feed(&pipe, (struct sh_bytes){at, len}) != SH_OK)
            break;
        at += len;
        left -= len;
    }
    outcome.err = extract_pipe_close(&pipe);
    outcome.sections = pipe.count;
    for (size_t i = 0; outcome.err == SH_OK && i < pipe.count; i++)
        outcome.bytes += pipe.sections[i].text.len + pipe.sections[i].title.len;
    if (outcome.err == SH_OK && outcome.bytes > BYTES_MAX)
        abort();
    extract_pipe_free(&pipe);
    sh_arena_free(&arena);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct sh_bytes bytes = {data + 1, size - 1};
    struct outcome one = run(bytes, (size_t)data[0] + 1);
    struct outcome other = run(bytes, 1 << 20);
    if ((one.err == SH_OK) != (other.err == SH_OK) ||
        (one.err == SH_OK &&
         (one.sections != other.sections || one.bytes != other.bytes)))
        abort();
    return 0;
}
