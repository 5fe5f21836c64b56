#include "libshared/src/rpc_pace.h"

void rpc_pace_note(struct rpc_pace *pace, uint64_t now_ms, uint32_t sent, uint32_t queued)
{
    if (now_ms >= pace->ends_ms) {
        bool recent = now_ms < pace->ends_ms + RPC_PACE_SPAN_MS;
        bool known = recent && pace->stood;
        pace->room = !known                        ? 0
                     : pace->sent < RPC_PACE_LEAST ? RPC_PACE_LEAST
                                                   : pace->sent;
        pace->ends_ms = now_ms + RPC_PACE_SPAN_MS;
        pace->sent = 0;
        pace->stood = true;
    }
    pace->sent += sent;
    pace->stood = pace->stood && queued > 0;
}

uint32_t rpc_pace_room(const struct rpc_pace *pace, uint64_t now_ms)
{
    bool known = pace->room > 0 && now_ms < pace->ends_ms + RPC_PACE_SPAN_MS;
    return known ? pace->room : UINT32_MAX;
}
