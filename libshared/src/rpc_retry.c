#include "libshared/src/rpc_retry.h"

enum { READ_RETRIES = 2, WRITE_RETRIES = 1, BUDGET_LEAST = 3, BACKOFF_MS = 25 };

bool rpc_retry_is_refusal(enum sh_err err)
{
    return err == SH_REJECTED || err == SH_DRAINING || err == SH_BUSY;
}

bool rpc_retry_is_failure(enum sh_err err)
{
    return err == SH_IO || err == SH_INTERNAL || err == SH_TIMEOUT;
}

bool rpc_retry_elsewhere(enum sh_err err)
{
    return rpc_retry_is_refusal(err) || err == SH_IO || err == SH_INTERNAL ||
           err == SH_UNAVAILABLE;
}

bool rpc_retry_allowed(const struct rpc_outcome *outcome)
{
    if (!rpc_retry_elsewhere(outcome->err))
        return false;
    if (outcome->kind == SH_RPC_READ)
        return outcome->retries < READ_RETRIES;
    return outcome->retries < WRITE_RETRIES &&
           (rpc_retry_is_refusal(outcome->err) || outcome->key);
}

bool rpc_budget_take(struct rpc_budget *budget)
{
    size_t most = budget->active / 5;
    if (budget->extra >= (most > BUDGET_LEAST ? most : BUDGET_LEAST))
        return false;
    budget->extra++;
    return true;
}

uint64_t rpc_retry_backoff_ms(unsigned nth, struct rpc_random *random)
{
    return rpc_random_below(random, ((uint64_t)BACKOFF_MS << nth) + 1);
}

uint64_t rpc_retry_hedge_ms(uint64_t samples, uint64_t p95_us)
{
    if (samples < RPC_HEDGE_SAMPLES)
        return RPC_NO_HEDGE;
    uint64_t ms = (p95_us + 999) / 1000;
    return ms > RPC_HEDGE_FLOOR_MS ? ms : RPC_HEDGE_FLOOR_MS;
}
