/* PINGs of a replica, and what their answers say of it. */
#include "libshared/src/rpc_replica_internal.h"

#include "shared/clock.h"

enum {
    LATE_MS = 500, /* two pings' time */
    GOOD_PINGS = 2,
    CURED_PINGS = 4,
};

/* Where this loop itself was late, the answer may be waiting to be read: no miss. */
void rpc_replica_ping(struct rpc_replica *replica, uint64_t now_ms)
{
    if (!replica->pinged)
        replica->misses = 0;
    else if (now_ms < replica->pinged_ms + LATE_MS)
        replica->misses++;
    replica->pinged_ms = now_ms;
    if (rpc_replica_send(replica, TYPE_PING, (struct sh_bytes){0}) != SH_OK &&
        !replica->pinged)
        replica->misses = 1;
    replica->pinged = true;
}

/* The PING had its time in it. What made a replica slow that answered PINGs late is gone
 * when it answers them in time; it need not wait for its time to be over. */
static void note_pong(struct rpc_replica *replica, uint64_t pinged_ms)
{
    uint64_t now_ms = sh_now_ms();
    if (pinged_ms == 0 || pinged_ms > now_ms)
        return;
    replica->ping_ms = now_ms - pinged_ms;
    if (replica->state != RPC_EJECTED || !replica->late)
        return;
    replica->good_pings =
        replica->ping_ms < RPC_LATE_PONG_MS ? replica->good_pings + 1 : 0;
    if (replica->good_pings >= CURED_PINGS)
        replica->reopen_ms = now_ms;
}

void rpc_replica_on_pong(struct rpc_replica *replica, const struct envelope *head)
{
    bool asked = replica->pinged;
    replica->pinged = false;
    replica->misses = 0;
    if (head->status == STATUS_REJECTED_NOT_EXECUTED) {
        /* It does not know us: the connection was renewed underneath. */
        if (replica->state != RPC_HANDSHAKEN)
            rpc_replica_lose(replica);
        return;
    }
    if (head->flags & ENVELOPE_TELL)
        (void)rpc_replica_send(replica, TYPE_PING,
                               (struct sh_bytes){0}); /* or the next tick */
    if (head->status == STATUS_DRAINING && replica->state == RPC_READY)
        rpc_replica_move_to(replica, RPC_DRAINING);
    note_pong(replica, head->sequence);
    if (replica->state == RPC_HALF_OPEN && asked && ++replica->good_pings >= GOOD_PINGS)
        rpc_replica_move_to(replica, RPC_READY);
}
