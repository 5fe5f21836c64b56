#include "cli/cairn/lines.h"

#include <string.h>

enum { LINE_MAX_BYTES = 16 << 20 };

static bool tell(struct lines *self)
{
    bool on =
        self->begun.len == 0 || self->on_line(self->arg, sh_buffer_bytes(&self->begun));
    sh_buffer_clear(&self->begun);
    return on;
}

bool lines_feed(struct lines *self, struct sh_bytes piece)
{
    const char *at = piece.data;
    size_t left = piece.len;
    while (left > 0) {
        const char *end = memchr(at, '\n', left);
        size_t len = end ? (size_t)(end - at) : left;
        if (len > 0)
            sh_buffer_append(&self->begun, at, len);
        if (self->begun.err != SH_OK || self->begun.len > LINE_MAX_BYTES)
            return false;
        if (end && !tell(self))
            return false;
        at += len + (end ? 1 : 0);
        left -= len + (end ? 1 : 0);
    }
    return true;
}

void lines_end(struct lines *self)
{
    (void)tell(self);
    sh_buffer_free(&self->begun);
}
