/* rpc_breaker: stops calling a service of which most requests fail: more than half of at
 * least 20 in ten seconds. Then one request a second goes through, and the first that
 * succeeds closes the circuit again. Pure. */
#ifndef LIBSHARED_RPC_BREAKER_H
#define LIBSHARED_RPC_BREAKER_H

#include "libshared/src/rpc_window.h"

struct rpc_breaker { /* {0} is closed: requests pass */
    struct rpc_window window;
    bool open;
    uint64_t probe_ms; /* when the next request may pass */
};

bool rpc_breaker_allows(struct rpc_breaker *breaker, uint64_t now_ms);
void rpc_breaker_result(struct rpc_breaker *breaker, uint64_t now_ms, bool ok);

#endif
