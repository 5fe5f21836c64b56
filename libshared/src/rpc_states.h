/* rpc_states: what the instances of services last said of their data, once for the whole
 * process: a client on one loop knows at once what one on another loop has heard. Any
 * thread. */
#ifndef LIBSHARED_RPC_STATES_H
#define LIBSHARED_RPC_STATES_H

#include <stdint.h>

/* Less than an instance waits for those who do not hear it (rpc_heard.c). */
enum { RPC_STATE_MS = 900 };

struct rpc_state;

/* The record of this instance, the same for everybody; "": one of one's own. NULL when
 * out of memory. */
struct rpc_state *rpc_state_hold(const char *instance);
/* *state becomes NULL. NULL is fine. */
void rpc_state_release(struct rpc_state **state);
/* What is older than what is known (by `changes`, which counts up) is passed over. */
void rpc_state_learn(struct rpc_state *record, uint64_t changes, uint64_t state);
/* What is known of it holds for RPC_STATE_MS from this time of ours on (sh_now_ms()): the
 * instance answered what was asked then, and so it had told all that was before. */
void rpc_state_confirm(struct rpc_state *record, uint64_t asked_ms);
/* How many changes are known of. */
uint64_t rpc_state_changes(const struct rpc_state *record);
/* 0: nothing is known, or not confirmed for too long. */
uint64_t rpc_state_read(const struct rpc_state *record);

#endif
