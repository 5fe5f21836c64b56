#include "cli/api/events.h"

#include <stdio.h>
#include <string.h>

/* A field's value, without one space before it. */
static struct sh_bytes value_of(struct sh_bytes line, size_t colon)
{
    const char *data = line.data;
    size_t at = colon < line.len ? colon + 1 : colon;
    if (at < line.len && data[at] == ' ')
        at++;
    return (struct sh_bytes){data + at, line.len - at};
}

static void take_field(struct events *self, struct sh_bytes line)
{
    const char *data = line.data;
    const char *found = memchr(data, ':', line.len);
    size_t colon = found ? (size_t)(found - data) : line.len;
    struct sh_bytes name = {data, colon};
    struct sh_bytes value = value_of(line, colon);
    if (sh_bytes_is(name, "data")) {
        sh_buffer_append(&self->data, value.data, value.len);
        sh_buffer_text(&self->data, "\n");
    } else if (sh_bytes_is(name, "event")) {
        (void)snprintf(self->name, sizeof(self->name), "%.*s", (int)value.len,
                       (const char *)value.data);
    }
}

static bool dispatch(struct events *self)
{
    bool more = true;
    if (self->data.len > 0)
        more = self->on_event(self->arg, self->name[0] ? self->name : "message",
                              (struct sh_bytes){self->data.data, self->data.len - 1});
    sh_buffer_clear(&self->data);
    self->name[0] = '\0';
    return more;
}

static bool end_line(struct events *self)
{
    bool more = true;
    if (self->line.len == 0)
        more = dispatch(self);
    else
        take_field(self, sh_buffer_bytes(&self->line));
    sh_buffer_clear(&self->line);
    return more;
}

bool events_feed(struct events *self, struct sh_bytes bytes)
{
    const char *data = bytes.data;
    for (size_t at = 0; at < bytes.len;) {
        size_t end = at;
        while (end < bytes.len && data[end] != '\n' && data[end] != '\r')
            end++;
        if (end > at) {
            sh_buffer_append(&self->line, data + at, end - at);
            self->after_cr = false;
        }
        if (self->line.len + self->data.len > EVENTS_BYTES_MAX ||
            self->line.err != SH_OK || self->data.err != SH_OK)
            return false;
        if (end == bytes.len)
            return true;
        bool second_half = data[end] == '\n' && self->after_cr;
        self->after_cr = data[end] == '\r';
        if (!second_half && !end_line(self))
            return false;
        at = end + 1;
    }
    return true;
}

void events_free(struct events *self)
{
    sh_buffer_free(&self->line);
    sh_buffer_free(&self->data);
}
