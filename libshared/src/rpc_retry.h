/* rpc_retry: whether, when and how often a request is tried again. Pure. */
#ifndef LIBSHARED_RPC_RETRY_H
#define LIBSHARED_RPC_RETRY_H

#include "libshared/src/rpc_wire.h"
#include "shared/rpc_client.h"

enum { RPC_HEDGE_FLOOR_MS = 20, RPC_HEDGE_SAMPLES = 20 };
#define RPC_NO_HEDGE UINT64_MAX

/* A try whose connection went away is SH_IO: the outcome is unknown. */
struct rpc_outcome {
    enum sh_rpc_kind kind;
    bool key;         /* bears an idempotency key */
    unsigned retries; /* so far */
    enum sh_err err;
};

/* Reads twice; writes once, and only when surely nothing was done or with a key. */
bool rpc_retry_allowed(const struct rpc_outcome *outcome);
/* The error speaks of the replica, not of the request: another may do better. */
bool rpc_retry_elsewhere(enum sh_err err);
/* The try counts against the replica and the service. */
bool rpc_retry_is_failure(enum sh_err err);
/* The try counts neither way: the replica only said that it would not. */
bool rpc_retry_is_refusal(enum sh_err err);

/* Retries and hedges under way, at most a fifth of the active requests, at least 3. */
struct rpc_budget {
    size_t active;
    size_t extra;
};
bool rpc_budget_take(struct rpc_budget *budget);

/* random(0, 25 ms × 2ⁿ) for the nth retry, from 0. */
uint64_t rpc_retry_backoff_ms(unsigned nth, struct rpc_random *random);
/* How long to wait before a read is sent a second time. */
uint64_t rpc_retry_hedge_ms(uint64_t samples, uint64_t p95_us);

#endif
