#include "libshared/src/rpc_balance.h"

#include <math.h>
#include <stdlib.h>

enum { JUDGED_REPLICAS_MAX = 64 };

static double cost(const struct rpc_load *load)
{
    return ((double)load->outstanding + (double)load->depth + 1) / load->weight;
}

size_t rpc_balance_choose(const struct rpc_load *loads, size_t count,
                          struct rpc_random *random)
{
    if (count == 1)
        return 0;
    size_t a = (size_t)rpc_random_below(random, count);
    size_t b = (a + 1 + (size_t)rpc_random_below(random, count - 1)) % count;
    return cost(&loads[b]) < cost(&loads[a]) ? b : a;
}

static bool judged(const struct rpc_record *record)
{
    return record->ok + record->failed >= RPC_JUDGED_REQUESTS;
}

static double success(const struct rpc_record *record)
{
    return (double)record->ok / (double)(record->ok + record->failed);
}

static bool fails_more(const struct rpc_record *records, size_t count, size_t which)
{
    double sum = 0;
    double squares = 0;
    double n = 0;
    for (size_t i = 0; i < count; i++) {
        if (!judged(&records[i]))
            continue;
        sum += success(&records[i]);
        squares += success(&records[i]) * success(&records[i]);
        n++;
    }
    double mean = sum / n;
    double variance = squares / n - mean * mean;
    double deviation = variance > 1e-12 ? sqrt(variance) : 0;
    return success(&records[which]) < mean - 1.9 * deviation - 1e-9;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* One peer has no median: of two replicas either may have had a bad moment, and without
 * the slower one nobody is left when the other drains. */
enum { PEERS_LEAST = 2 };

/* The p99 of a hundred answers is one answer, which may have met with a stall of the
 * machine or of what lies behind every replica: several must have been as slow. */
static bool is_slower(const struct rpc_record *records, size_t count, size_t which)
{
    const struct rpc_record *own = &records[which];
    uint64_t slow_us = own->tenth_us < own->p99_us ? own->tenth_us : own->p99_us;
    uint64_t peers[JUDGED_REPLICAS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < count && n < JUDGED_REPLICAS_MAX; i++) {
        if (i != which && judged(&records[i]))
            peers[n++] = records[i].p99_us;
    }
    if (n < PEERS_LEAST || slow_us <= RPC_SLOW_FLOOR_US)
        return false;
    qsort(peers, n, sizeof(peers[0]), compare);
    uint64_t twice_median = peers[n / 2] + peers[(n - 1) / 2];
    return 2 * slow_us > 3 * twice_median;
}

const char *rpc_balance_outlier(const struct rpc_record *records, size_t count,
                                size_t which)
{
    if (records[which].failures_in_row >= RPC_FAILURES_IN_ROW)
        return "failures in a row";
    if (!judged(&records[which]))
        return NULL;
    if (fails_more(records, count, which))
        return "success rate";
    return is_slower(records, count, which) ? "latency" : NULL;
}

bool rpc_balance_may_eject(size_t replicas, size_t working)
{
    return working > 0 && replicas > 1 && 2 * (working - 1) >= replicas;
}

uint64_t rpc_balance_ejection_ms(unsigned times, bool silent, struct rpc_random *random)
{
    uint64_t step = silent ? RPC_SILENT_MS : RPC_OUTLIER_MS;
    uint64_t most = silent ? RPC_SILENT_MAX_MS : RPC_EJECTED_MAX_MS;
    uint64_t ms = times < most / step ? step * times : most;
    return ms * 4 / 5 + rpc_random_below(random, ms / 5 * 2 + 1);
}

double rpc_balance_slow_start(uint64_t since_ms)
{
    double share = (double)since_ms / 10000;
    return share > 1 ? 1 : share < 0.1 ? 0.1 : share;
}
