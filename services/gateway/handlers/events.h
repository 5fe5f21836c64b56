/* events: something that goes on until it ends, as server-sent events
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html). Loop thread only. */
#ifndef GATEWAY_EVENTS_H
#define GATEWAY_EVENTS_H

#include "services/gateway/exchange.h"

struct events_state {
    uint64_t version; /* from 1; goes up with every change */
    bool ended;
};

struct events_source {
    enum peer peer;
    uint32_t method; /* takes a job_wait */
    /* What an answer of it tells: one line of JSON into `out`, and *state. */
    enum sh_err (*read)(struct sh_bytes payload, struct sh_arena *arena,
                        struct sh_buffer *out, struct events_state *state);
};

/* Answers the request: `param` of its path is the id of what is watched. */
void events_watch(struct exchange *x, const char *param,
                  const struct events_source *source);

#endif
