#include "libshared/src/rpc_window.h"

#include <stddef.h>
#include <string.h>

static size_t bin_of(uint64_t us)
{
    if (us < 4)
        return us;
    size_t power = 63u - (size_t)__builtin_clzll(us);
    size_t bin = 4 * (power - 1) + ((us >> (power - 2)) & 3);
    return bin < RPC_LATENCY_BINS ? bin : RPC_LATENCY_BINS - 1;
}

static uint64_t most_in(size_t bin)
{
    if (bin < 4)
        return bin;
    return ((uint64_t)(bin % 4 + 5) << (bin / 4 - 1)) - 1;
}

/* Slices that have become too old are emptied. */
static void advance(struct rpc_window *window, uint64_t now_ms)
{
    uint64_t number = now_ms / RPC_WINDOW_SLICE_MS;
    if (number <= window->newest)
        return;
    uint64_t steps = number - window->newest;
    for (uint64_t i = 1; i <= steps && i <= RPC_WINDOW_SLICES; i++) {
        size_t at = (window->newest + i) % RPC_WINDOW_SLICES;
        memset(&window->slices[at], 0, sizeof(window->slices[at]));
    }
    window->newest = number;
}

void rpc_window_add(struct rpc_window *window, uint64_t now_ms, bool ok, uint64_t us)
{
    advance(window, now_ms);
    size_t at = window->newest % RPC_WINDOW_SLICES;
    if (ok) {
        window->slices[at].ok++;
        window->slices[at].latency[bin_of(us)]++;
    } else {
        window->slices[at].failed++;
    }
}

struct rpc_totals rpc_window_totals(struct rpc_window *window, uint64_t now_ms)
{
    struct rpc_totals totals = {0};
    advance(window, now_ms);
    for (size_t i = 0; i < RPC_WINDOW_SLICES; i++) {
        totals.ok += window->slices[i].ok;
        totals.failed += window->slices[i].failed;
    }
    return totals;
}

/* What so many of them did not exceed. */
static uint64_t least_of(const struct rpc_window *window, double wanted)
{
    uint64_t seen = 0;
    for (size_t bin = 0; bin < RPC_LATENCY_BINS; bin++) {
        for (size_t i = 0; i < RPC_WINDOW_SLICES; i++)
            seen += window->slices[i].latency[bin];
        if ((double)seen >= wanted && seen > 0)
            return most_in(bin);
    }
    return 0;
}

uint64_t rpc_window_quantile(struct rpc_window *window, uint64_t now_ms, double share)
{
    return least_of(window, share * (double)rpc_window_totals(window, now_ms).ok);
}

uint64_t rpc_window_slowest(struct rpc_window *window, uint64_t now_ms, uint64_t nth)
{
    uint64_t total = rpc_window_totals(window, now_ms).ok;
    return total < nth ? 0 : least_of(window, (double)(total - nth + 1));
}
