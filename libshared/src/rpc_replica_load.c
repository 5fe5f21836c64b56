/* How much work a replica has, and how it went. */
#include "libshared/src/rpc_replica.h"

bool rpc_replica_has_room(const struct rpc_replica *replica)
{
    uint32_t room = replica->probation ? 1 : replica->credit;
    return replica->state == RPC_READY && replica->outstanding < room;
}

struct rpc_load rpc_replica_load(const struct rpc_replica *replica, uint64_t now_ms)
{
    return (struct rpc_load){
        .outstanding = replica->outstanding,
        .depth = replica->depth,
        .weight = replica->ejections == 0
                      ? 1
                      : rpc_balance_slow_start(now_ms - replica->ready_ms),
    };
}

void rpc_replica_result(struct rpc_replica *replica, uint64_t now_ms, bool ok,
                        uint64_t us)
{
    rpc_window_add(&replica->window, now_ms, ok, us);
    replica->failures_in_row = ok ? 0 : replica->failures_in_row + 1;
    if (replica->state != RPC_READY || !replica->probation)
        return;
    if (!ok) {
        rpc_replica_eject(replica, now_ms, false);
        return;
    }
    replica->probation = false;
    replica->ready_ms = now_ms;
}

const char *rpc_replica_state_name(enum rpc_replica_state state)
{
    static const char *const names[] = {
        [RPC_RESOLVED] = "resolved",   [RPC_HANDSHAKEN] = "handshaken",
        [RPC_HALF_OPEN] = "half_open", [RPC_READY] = "ready",
        [RPC_DRAINING] = "draining",   [RPC_EJECTED] = "ejected",
        [RPC_GONE] = "gone",
    };
    return names[state];
}
