/* rpc_pace: how many requests may wait for a replica with room, so that those that do are
 * sent while they still want to be. As many as left the queue in a span may wait in it
 * (Little's law); more would only be refused later. A queue that was empty at any moment
 * of the span says nothing of what the replicas can do: it was a burst, or there is none.
 * No clock of its own: time is an argument. */
#ifndef LIBSHARED_RPC_PACE_H
#define LIBSHARED_RPC_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    RPC_PACE_SPAN_MS = 50, /* what a request waits at most */
    RPC_PACE_LEAST = 4,    /* may wait however slow the replicas are */
};

struct rpc_pace {
    uint64_t ends_ms; /* the span */
    uint32_t sent;    /* in it */
    bool stood;       /* the queue, all through it so far */
    uint32_t room;    /* by the span before; 0: not known */
};

/* A request was given to a replica, or came to wait; `queued` wait now. */
void rpc_pace_note(struct rpc_pace *pace, uint64_t now_ms, uint32_t sent,
                   uint32_t queued);
/* How many may wait; UINT32_MAX while the queue does not stand. */
uint32_t rpc_pace_room(const struct rpc_pace *pace, uint64_t now_ms);

#endif
