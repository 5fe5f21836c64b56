/* rpc_pace: how many requests may wait for a replica with room, so that those that do are
 * sent while they still want to be. As many as left the queue in a span would wait a span
 * (Little's law); a half of them may, since what is sent in one span is not what is sent
 * in the next, and who waited in vain was refused late. The replicas have work for longer
 * than that. A span in which the queue was empty at any moment and nobody was refused
 * says nothing of what the replicas can do: it was a burst, or there is none. But while
 * there are more than can be answered, a queue that empties for a moment (a replica gives
 * more credit) must not let in all who come in the next spans. No clock of its own: time
 * is an argument. */
#ifndef LIBSHARED_RPC_PACE_H
#define LIBSHARED_RPC_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    RPC_PACE_SPAN_MS = 50, /* what a request waits at most */
    RPC_PACE_PART = 2,     /* of what is sent in one, may wait */
    RPC_PACE_LEAST = 4,    /* may wait however slow the replicas are */
};

struct rpc_pace {
    uint64_t ends_ms; /* the span */
    uint32_t sent;    /* in it */
    bool stood;       /* the queue, all through it so far */
    bool refused;     /* somebody was */
    uint32_t room;    /* by the span before; 0: not known */
};

/* A request was given to a replica, or came to wait; `queued` wait now. */
void rpc_pace_note(struct rpc_pace *pace, uint64_t now_ms, uint32_t sent,
                   uint32_t queued);
/* Whether one more than the `queued` may not wait. */
bool rpc_pace_refuses(struct rpc_pace *pace, uint64_t now_ms, uint32_t queued);
/* How many may wait; UINT32_MAX while it is not known. */
uint32_t rpc_pace_room(const struct rpc_pace *pace, uint64_t now_ms);

#endif
