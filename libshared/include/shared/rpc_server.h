/* rpc_server: a service's side of the bus: one ROUTER, methods by id, each call answered
 * exactly once. docs: design of the frames in proto/envelope.h. Loop thread only. */
#ifndef SHARED_RPC_SERVER_H
#define SHARED_RPC_SERVER_H

#include "proto/msg.h"
#include "shared/bytes.h"
#include "shared/err.h"
#include "shared/mem.h"
#include "shared/trace.h"
#include "shared/workers.h"
#include "shared/zmq_loop.h"

struct sh_rpc_server;
struct sh_rpc_call; /* one request being worked on */

struct sh_rpc_server_options {
    const char *service;  /* "search" */
    const char *bind;     /* tcp://127.0.0.1:5600 (port 0 or *: a free one), ipc://path */
    const char *instance; /* uuid of the process */
    double started;       /* Unix seconds */
    uint32_t max_in_flight; /* credit over all peers; 0: 1,024 */
};

/* Errors: SH_INVALID, SH_IO (cannot bind), SH_NOMEM. */
SH_CHECK enum sh_err sh_rpc_server_create(struct sh_zmq_loop *zmq,
                                          const struct sh_rpc_server_options *options,
                                          struct sh_rpc_server **out);
/* Where it is bound, port resolved. */
const char *sh_rpc_server_endpoint(const struct sh_rpc_server *server);

typedef void sh_rpc_handler_fn(void *arg, struct sh_rpc_call *call);
/* `name` ("search.query") appears in logs, metrics and spans and must be static. Payloads
 * over `max_payload` (0: 1 MiB) are refused before they are assembled.
 * Errors: SH_CONFLICT (there is one with this id), SH_NOMEM. */
SH_CHECK enum sh_err sh_rpc_server_add(struct sh_rpc_server *server, uint32_t id,
                                       const char *name, size_t max_payload,
                                       sh_rpc_handler_fn *handler, void *arg);
/* What the data is like that answers come from: any number, the same on every replica
 * whose data is the same; 0, as at the start: not known. A change is told to all callers
 * at once, and every later answer bears it: who hears of a write knows of its effect. */
void sh_rpc_server_set_state(struct sh_rpc_server *server, uint64_t state);
/* Callers are given credit only for as many calls as these workers should have waiting,
 * beside those under way that do not wait for them: what is too much is refused where it
 * is asked. NULL: no workers any more; no server is fine. */
void sh_rpc_server_pace(struct sh_rpc_server *server, const struct sh_workers *workers);
/* Whether answers may come from data that is older than it should be; asked for each
 * answer and PONG. Callers then ask replicas of which that is not so, if there are any.
 */
void sh_rpc_server_on_behind(struct sh_rpc_server *server, bool (*behind)(void *arg),
                             void *arg);
/* Refuse new requests with DRAINING, tell the peers; `done` when every accepted call has
 * been answered and the answers are on their way. */
void sh_rpc_server_drain(struct sh_rpc_server *server, void (*done)(void *arg),
                         void *arg);
void sh_rpc_server_close(struct sh_rpc_server **server);

/* --- a call; valid until it is answered ------------------------------------------- */

struct sh_bytes sh_rpc_call_payload(const struct sh_rpc_call *call);
/* Who asks, as the gateway established it. All empty for calls between services. */
const struct caller *sh_rpc_call_caller(const struct sh_rpc_call *call);
const struct sh_trace *sh_rpc_call_trace(const struct sh_rpc_call *call);
/* Already lessened by the time it took to get here. */
uint64_t sh_rpc_call_deadline_ms(const struct sh_rpc_call *call);
/* Sixteen bytes, or NULL when the call bears none. */
const uint8_t *sh_rpc_call_idempotency_key(const struct sh_rpc_call *call);
/* Memory that lives as long as the call. */
struct sh_arena *sh_rpc_call_arena(struct sh_rpc_call *call);
/* The payload as this message; on failure the call has been answered INVALID. */
SH_CHECK enum sh_err sh_rpc_call_decode(struct sh_rpc_call *call,
                                        const struct msg_desc *desc, void *msg);
/* The caller cancelled, or its peer is gone: called at most once, before the answer,
 * which is then still owed (it is dropped). Work may be cut short. */
void sh_rpc_call_on_cancel(struct sh_rpc_call *call, void (*canceled)(void *arg),
                           void *arg);
bool sh_rpc_call_canceled(const struct sh_rpc_call *call);

/* --- answers; the call is gone when these return ---------------------------------- */

void sh_rpc_reply(struct sh_rpc_call *call, const struct msg_desc *desc, const void *msg);
/* The same, when every caller of this server has heard of the present state: whoever gets
 * the answer may count on what any of them knows, not only on what it is asked itself.
 * Who has not heard after a second trusts what it knew of it no more. */
void sh_rpc_reply_when_heard(struct sh_rpc_call *call, const struct msg_desc *desc,
                             const void *msg);
/* The message travels in the meta frame, `raw` as the payload: vectors as little-endian
 * float32. `desc` NULL: no message, the payload alone. Both are copied. */
void sh_rpc_reply_raw(struct sh_rpc_call *call, const struct msg_desc *desc,
                      const void *msg, struct sh_bytes raw);
/* `code` NULL takes err's, `field` NULL leaves it out. The sentence may reach a client.
 */
__attribute__((format(printf, 5, 6))) void sh_rpc_fail(struct sh_rpc_call *call,
                                                       enum sh_err err, const char *code,
                                                       const char *field,
                                                       const char *format, ...);
/* A write that the database failed: outcome_unknown (outcome.h) when it may have been
 * done, else `err`, where SH_CANCELED, its pool closing, is SH_UNAVAILABLE. */
void sh_rpc_fail_write(struct sh_rpc_call *call, enum sh_err err, bool maybe_done);
/* The call's Idempotency-Key stands for something else: SH_CONFLICT. */
void sh_rpc_fail_key_reused(struct sh_rpc_call *call);

#endif
