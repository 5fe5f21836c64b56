#include "libshared/src/rpc_pace.h"

static uint32_t room_of(uint32_t sent)
{
    uint32_t room = sent / RPC_PACE_PART;
    return room < RPC_PACE_LEAST ? RPC_PACE_LEAST : room;
}

void rpc_pace_note(struct rpc_pace *pace, uint64_t now_ms, uint32_t sent, uint32_t queued)
{
    if (now_ms >= pace->ends_ms) {
        bool recent = now_ms < pace->ends_ms + RPC_PACE_SPAN_MS;
        bool known = recent && (pace->stood || pace->refused);
        pace->room = known ? room_of(pace->sent) : 0;
        pace->ends_ms = now_ms + RPC_PACE_SPAN_MS;
        pace->sent = 0;
        pace->refused = false;
        pace->stood = true;
    }
    pace->sent += sent;
    pace->stood = pace->stood && queued > 0;
}

bool rpc_pace_refuses(struct rpc_pace *pace, uint64_t now_ms, uint32_t queued)
{
    rpc_pace_note(pace, now_ms, 0, queued); /* also while nothing is sent */
    bool full = queued >= rpc_pace_room(pace, now_ms);
    pace->refused = pace->refused || full;
    return full;
}

uint32_t rpc_pace_room(const struct rpc_pace *pace, uint64_t now_ms)
{
    bool known = pace->room > 0 && now_ms < pace->ends_ms + RPC_PACE_SPAN_MS;
    return known ? pace->room : UINT32_MAX;
}
