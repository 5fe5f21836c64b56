#include "services/search/extract/pipe.h"

enum {
    LENGTH_BYTES = 4,
    FRAME_MAX = 2 << 20, /* a section is a megabyte, its heading 2 KiB */
    SECTIONS_MAX = 65536,
};

static uint32_t length_of(const struct sh_buffer *frame)
{
    const uint8_t *at = (const uint8_t *)frame->data;

    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

/* A place for one more; the old list stays in the arena, which costs as much again. */
static struct section *next_section(struct extract_pipe *pipe)
{
    size_t room = pipe->room == 0 ? 16 : pipe->room * 2;
    struct section *more;

    if (pipe->count < pipe->room)
        return &pipe->sections[pipe->count++];
    more = sh_arena_array(pipe->arena, room, sizeof(*more));
    if (more == NULL)
        return NULL;
    if (pipe->count > 0)
        memcpy(more, pipe->sections, pipe->count * sizeof(*more));
    pipe->sections = more;
    pipe->room = room;
    return &pipe->sections[pipe->count++];
}

static enum sh_err take_section(struct extract_pipe *pipe, struct sh_bytes body)
{
    struct section *section;

    if (pipe->count == SECTIONS_MAX)
        return SH_TOOBIG;
    section = next_section(pipe);
    if (section == NULL)
        return SH_NOMEM;
    return msg_decode(section_desc(), body, pipe->arena, section);
}

static enum sh_err take_end(struct extract_pipe *pipe, struct sh_bytes body)
{
    pipe->ended = true;
    return msg_decode(extract_end_desc(), body, pipe->arena, &pipe->end);
}

/* A message is an array whose first item is its number, one byte for both of these. */
static enum sh_err take_frame(struct extract_pipe *pipe)
{
    struct sh_bytes body =
        sh_arena_copy(pipe->arena, (struct sh_bytes){pipe->frame.data + LENGTH_BYTES,
                                                     pipe->frame.len - LENGTH_BYTES});
    const uint8_t *at = body.data;

    if (at == NULL)
        return SH_NOMEM;
    if (body.len < 2 || pipe->ended)
        return SH_MALFORMED;
    return at[1] == section_desc()->id ? take_section(pipe, body) : take_end(pipe, body);
}

/* As much of `bytes` as the frame still wants, up to `whole` bytes of it. */
static size_t fill(struct extract_pipe *pipe, struct sh_bytes bytes, size_t whole)
{
    size_t wanted = whole - pipe->frame.len;
    size_t len = bytes.len < wanted ? bytes.len : wanted;

    sh_buffer_append(&pipe->frame, bytes.data, len);
    return len;
}

static enum sh_err step(struct extract_pipe *pipe, struct sh_bytes bytes, size_t *used)
{
    enum sh_err err = SH_OK;
    uint32_t length;

    *used = 0;
    if (pipe->frame.len < LENGTH_BYTES)
        *used = fill(pipe, bytes, LENGTH_BYTES);
    if (pipe->frame.len < LENGTH_BYTES)
        return pipe->frame.err;
    length = length_of(&pipe->frame);
    if (length == 0)
        return SH_MALFORMED;
    if (length > FRAME_MAX)
        return SH_TOOBIG;
    bytes = (struct sh_bytes){(const char *)bytes.data + *used, bytes.len - *used};
    *used += fill(pipe, bytes, (size_t)length + LENGTH_BYTES);
    if (pipe->frame.err != SH_OK)
        return pipe->frame.err;
    if (pipe->frame.len == (size_t)length + LENGTH_BYTES) {
        err = take_frame(pipe);
        sh_buffer_clear(&pipe->frame);
    }
    return err;
}

enum sh_err extract_pipe_feed(struct extract_pipe *pipe, struct sh_bytes bytes)
{
    while (pipe->err == SH_OK && bytes.len > 0) {
        size_t used;
        pipe->err = step(pipe, bytes, &used);
        bytes = (struct sh_bytes){(const char *)bytes.data + used, bytes.len - used};
        pipe->bytes += used;
        if (pipe->err == SH_OK && pipe->bytes > pipe->bytes_max)
            pipe->err = SH_TOOBIG;
    }
    return pipe->err;
}

enum sh_err extract_pipe_close(struct extract_pipe *pipe)
{
    if (pipe->err == SH_OK && (!pipe->ended || pipe->frame.len > 0))
        pipe->err = SH_MALFORMED;
    return pipe->err;
}

void extract_pipe_free(struct extract_pipe *pipe)
{
    sh_buffer_free(&pipe->frame);
}
