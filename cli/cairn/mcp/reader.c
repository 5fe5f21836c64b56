#include "cli/cairn/mcp/reader.h"

#include <string.h>

#include "cli/cairn/mcp/mcp.h"

bool mcp_reader_feed(struct mcp_reader *self, struct sh_bytes piece)
{
    if (self->at > 0) {
        sh_buffer_consume(&self->input, self->at);
        self->seen -= self->at;
        self->at = 0;
    }
    sh_buffer_append(&self->input, piece.data, piece.len);
    return self->input.err == SH_OK;
}

/* The line from `at` to `end`, which is gone with the `more` bytes after it. */
static enum mcp_line cut(struct mcp_reader *self, size_t end, size_t more,
                         struct sh_bytes *line)
{
    size_t from = self->at;
    bool skipped = self->skipping;
    *line = (struct sh_bytes){self->input.data + from, end - from};
    if (line->len > 0 && ((const char *)line->data)[line->len - 1] == '\r')
        line->len--;
    self->at = self->seen = end + more;
    self->skipping = false;
    return skipped || line->len > MCP_LINE_MAX ? MCP_LINE_LONG : MCP_LINE_READ;
}

enum mcp_line mcp_reader_next(struct mcp_reader *self, bool ended, struct sh_bytes *line)
{
    const char *data = self->input.data;
    size_t len = self->input.len;
    const char *end =
        len > self->seen ? memchr(data + self->seen, '\n', len - self->seen) : NULL;
    *line = (struct sh_bytes){0};
    if (end)
        return cut(self, (size_t)(end - data), 1, line);
    self->seen = len;
    if (ended && (len > self->at || self->skipping))
        return cut(self, len, 0, line);
    if (len - self->at > MCP_LINE_MAX + 1 || self->skipping) { /* + 1: \r */
        self->skipping = true;
        self->at = len;
    }
    return MCP_LINE_NONE;
}

void mcp_reader_free(struct mcp_reader *self)
{
    sh_buffer_free(&self->input);
}
