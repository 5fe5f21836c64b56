/* events: server-sent events (text/event-stream), taken apart as they arrive. */
#ifndef CLI_EVENTS_H
#define CLI_EVENTS_H

#include "shared/buffer.h"

enum { EVENTS_NAME_MAX = 32, EVENTS_BYTES_MAX = 4 << 20 };

struct events { /* {.on_event = …, .arg = …} before the first; events_free() at the end */
    /* `name` is "message" when the event has none. False: no more of them. */
    bool (*on_event)(void *arg, const char *name, struct sh_bytes data);
    void *arg;
    struct sh_buffer line;
    struct sh_buffer data;
    char name[EVENTS_NAME_MAX];
    bool after_cr; /* of CR LF the second half may come later */
};

/* False: on_event wants no more, or an event is larger than EVENTS_BYTES_MAX. */
bool events_feed(struct events *self, struct sh_bytes bytes);
void events_free(struct events *self);

#endif
