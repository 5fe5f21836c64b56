#include "services/gateway/bolt/chunks.h"

enum { PIECE_MAX = UINT16_MAX, HEAD = 2, KEPT_BYTES = 65536 };

static uint16_t length_at(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static bool take_piece(struct chunks *self, struct sh_bytes bytes, size_t *at)
{
    size_t len = bytes.len - *at < self->missing ? bytes.len - *at : self->missing;

    if (len > self->most - self->message.len)
        return false;
    sh_buffer_append(&self->message, (const char *)bytes.data + *at, len);
    self->missing = (uint16_t)(self->missing - len);
    *at += len;
    return true;
}

/* A length that is cut in two stays where it is until the rest of it has come. */
enum chunks_result chunks_take(struct chunks *self, struct sh_bytes bytes, size_t *taken)
{
    size_t at = 0;
    enum chunks_result result = CHUNKS_MORE;

    while (result == CHUNKS_MORE && bytes.len > at) {
        if (self->missing > 0 && !take_piece(self, bytes, &at))
            result = CHUNKS_TOO_BIG;
        if (result != CHUNKS_MORE || self->missing > 0 || bytes.len - at < HEAD)
            break;
        self->missing = length_at((const uint8_t *)bytes.data + at);
        at += HEAD;
        if (self->missing == 0 && self->message.len > 0)
            result = CHUNKS_MESSAGE;
    }
    *taken = at;
    return self->message.err == SH_OK ? result : CHUNKS_NO_MEMORY;
}

bool chunks_is_partial(const struct chunks *self)
{
    return self->missing > 0 || self->message.len > 0;
}

void chunks_clear(struct chunks *self)
{
    if (self->message.capacity > KEPT_BYTES)
        sh_buffer_free(&self->message);
    else
        sh_buffer_clear(&self->message);
}

void chunks_free(struct chunks *self)
{
    sh_buffer_free(&self->message);
}

bool chunks_hold(struct sh_bytes bytes, uint8_t tag)
{
    const uint8_t *data = bytes.data;
    size_t at = 0, len = 0; /* of the message so far */
    bool alike = false;

    while (bytes.len - at >= HEAD) {
        uint16_t piece = length_at(data + at);
        at += HEAD;
        if (piece == 0 && len > 0 && alike)
            return true;
        if (piece > bytes.len - at)
            return false;
        alike = len == 0 && piece == 2 && data[at] == 0xb0 && data[at + 1] == tag;
        len = piece == 0 ? 0 : len + piece;
        at += piece;
    }
    return false;
}

/* --- out -------------------------------------------------------------------------- */

size_t chunks_begin(struct sh_buffer *out)
{
    size_t begin = out->len;

    sh_buffer_append(out, "\0\0", HEAD);
    return begin;
}

static void put_length(char *at, size_t len)
{
    at[0] = (char)(len >> 8);
    at[1] = (char)len;
}

/* From the back to the front each piece moves to its place, two bytes further for each
 * piece before it. */
static void cut(struct sh_buffer *out, size_t begin, size_t len)
{
    size_t pieces = (len + PIECE_MAX - 1) / PIECE_MAX;

    if (sh_buffer_reserve(out, (pieces - 1) * HEAD) == NULL)
        return; /* the buffer knows */
    char *first = out->data + begin + HEAD;
    for (size_t i = pieces; i-- > 0;) {
        size_t from = i * PIECE_MAX;
        size_t size = len - from < PIECE_MAX ? len - from : PIECE_MAX;
        memmove(first + from + i * HEAD, first + from, size);
        put_length(first + from + i * HEAD - HEAD, size);
    }
    out->len += (pieces - 1) * HEAD;
}

void chunks_end(struct sh_buffer *out, size_t begin)
{
    if (out->err != SH_OK)
        return;
    size_t len = out->len - begin - HEAD;
    if (len <= PIECE_MAX)
        put_length(out->data + begin, len);
    else
        cut(out, begin, len);
    sh_buffer_append(out, "\0\0", HEAD);
}
