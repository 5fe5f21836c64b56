#include "shared/lines.h"

void sh_lines_open(struct sh_lines *lines, size_t max)
{
    *lines = (struct sh_lines){.max = max};
}

void sh_lines_close(struct sh_lines *lines)
{
    sh_buffer_free(&lines->buffer);
}

/* Forget what has been taken, so that the buffer does not grow with the stream. */
static void compact(struct sh_lines *lines)
{
    sh_buffer_consume(&lines->buffer, lines->start);
    lines->scanned -= lines->start;
    lines->start = 0;
}

enum sh_err sh_lines_feed(struct sh_lines *lines, struct sh_bytes piece)
{
    compact(lines);
    sh_buffer_append(&lines->buffer, piece.data, piece.len);
    return lines->buffer.err;
}

void sh_lines_end(struct sh_lines *lines)
{
    lines->ended = true;
}

static size_t available(const struct sh_lines *lines)
{
    return lines->buffer.len - lines->start;
}

/* Where the line that begins at `start` ends; false: not yet. */
static bool find_end(struct sh_lines *lines, size_t *end)
{
    const char *data = lines->buffer.data;
    const char *found = NULL;

    if (lines->buffer.len > lines->scanned)
        found = memchr(data + lines->scanned, '\n', lines->buffer.len - lines->scanned);
    lines->scanned = found != NULL ? (size_t)(found - data) : lines->buffer.len;
    *end = lines->scanned;
    return found != NULL || (lines->ended && available(lines) > 0);
}

/* Drop the beginning of a line that is too long already. */
static void drop_excess(struct sh_lines *lines)
{
    if (!lines->skipping && available(lines) <= lines->max)
        return;
    lines->skipping = true;
    lines->start = lines->buffer.len;
    compact(lines);
}

bool sh_lines_waiting(struct sh_lines *lines)
{
    size_t end;
    if (find_end(lines, &end))
        return true;
    drop_excess(lines);
    return lines->ended && lines->skipping;
}

bool sh_lines_next(struct sh_lines *lines, struct sh_line *out)
{
    if (!sh_lines_waiting(lines))
        return false;

    size_t len = lines->scanned - lines->start;
    bool too_long = lines->skipping || len > lines->max;
    const char *data = lines->buffer.data;
    *out = (struct sh_line){.number = ++lines->number, .too_long = too_long};
    if (!too_long && len > 0) {
        bool returns = data[lines->scanned - 1] == '\r';
        out->text = (struct sh_bytes){data + lines->start, len - returns};
    }
    lines->skipping = false;
    if (lines->scanned < lines->buffer.len)
        lines->scanned++; /* past the line end */
    lines->start = lines->scanned;
    return true;
}
