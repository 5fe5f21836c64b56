#include "libshared/src/rpc_breaker.h"

enum { JUDGED = 20, PROBE_MS = 1000 };

bool rpc_breaker_allows(struct rpc_breaker *breaker, uint64_t now_ms)
{
    if (!breaker->open)
        return true;
    if (now_ms < breaker->probe_ms)
        return false;
    breaker->probe_ms = now_ms + PROBE_MS;
    return true;
}

void rpc_breaker_result(struct rpc_breaker *breaker, uint64_t now_ms, bool ok)
{
    if (breaker->open) {
        if (ok)
            *breaker = (struct rpc_breaker){0};
        return;
    }
    rpc_window_add(&breaker->window, now_ms, ok, 0);
    if (ok)
        return;
    struct rpc_totals totals = rpc_window_totals(&breaker->window, now_ms);
    if (totals.ok + totals.failed >= JUDGED && totals.failed > totals.ok) {
        breaker->open = true;
        breaker->probe_ms = now_ms + PROBE_MS;
    }
}
