/* rpc_window: outcomes and latencies of the last ten seconds, in slices of two. No clock
 * of its own: time is an argument. */
#ifndef LIBSHARED_RPC_WINDOW_H
#define LIBSHARED_RPC_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

enum {
    RPC_WINDOW_SLICES = 5,
    RPC_WINDOW_SLICE_MS = 2000,
    RPC_LATENCY_BINS = 104, /* four for each power of two, up to 67 s */
};

struct rpc_window {
    uint64_t newest; /* number of the newest slice since the clock began */
    struct {
        uint32_t ok;
        uint32_t failed;
        uint32_t latency[RPC_LATENCY_BINS];
    } slices[RPC_WINDOW_SLICES];
};

struct rpc_totals {
    uint64_t ok;
    uint64_t failed;
};

/* The latency counts when it went well. */
void rpc_window_add(struct rpc_window *window, uint64_t now_ms, bool ok, uint64_t us);
struct rpc_totals rpc_window_totals(struct rpc_window *window, uint64_t now_ms);
/* The latency that `share` (0.95) of them did not exceed, in µs, up to a quarter too
 * large; 0 when there were none. */
uint64_t rpc_window_quantile(struct rpc_window *window, uint64_t now_ms, double share);
/* That of the `nth` slowest (1: the slowest), as large; 0 when there were fewer. */
uint64_t rpc_window_slowest(struct rpc_window *window, uint64_t now_ms, uint64_t nth);

#endif
