/* rpc_balance: which replica gets a request, and which one should get none for a while.
 * Pure: what is known of the replicas comes as arguments. */
#ifndef LIBSHARED_RPC_BALANCE_H
#define LIBSHARED_RPC_BALANCE_H

#include "libshared/src/rpc_wire.h"

struct rpc_load {
    uint32_t outstanding; /* ours */
    uint32_t depth;       /* as the replica says */
    double weight;        /* (0, 1]; less while it starts slowly */
};

/* The index of the less loaded of two taken at random. `count` is not 0. */
size_t rpc_balance_choose(const struct rpc_load *loads, size_t count,
                          struct rpc_random *random);

struct rpc_record {
    uint64_t ok; /* of the last ten seconds */
    uint64_t failed;
    uint64_t p99_us;
    uint64_t tenth_us; /* of the RPC_SLOW_ANSWERS-th slowest */
    unsigned failures_in_row;
};

enum {
    RPC_FAILURES_IN_ROW = 5,
    RPC_JUDGED_REQUESTS = 100,
    RPC_SLOW_FLOOR_US = 20000, /* faster than this nobody is an outlier */
    RPC_SLOW_ANSWERS = 10,     /* of fewer nobody is */
    RPC_OUTLIER_MS = 5000,
    RPC_SILENT_MS = 1000,
    RPC_EJECTED_MAX_MS = 60000,
    RPC_SILENT_MAX_MS = 2000,
};

/* Why the replica stands out among its peers, or NULL: five failures in a row, a success
 * rate below the mean - 1.9 standard deviations, a p99 above three times the median of
 * the others' with ten answers at least as slow. The last two are judged from 100
 * requests on. */
const char *rpc_balance_outlier(const struct rpc_record *records, size_t count,
                                size_t which);
/* At least half of all replicas must still work without it. */
bool rpc_balance_may_eject(size_t replicas, size_t working);
/* For each time 5 s, at most 60 s; 1 s and at most 2 s when it was silent (then it must
 * answer PINGs again anyway before it gets work). Give or take a fifth. */
uint64_t rpc_balance_ejection_ms(unsigned times, bool silent, struct rpc_random *random);
/* From a tenth to all over ten seconds. */
double rpc_balance_slow_start(uint64_t since_ms);

#endif
