/* exchange: one HTTP request from the router to its answer. It is taken from the edge's
 * spare ones when a request comes and goes back when the request has been answered or its
 * client has left; what it owns (arena, parsed body, call in flight) goes with it. Every
 * exchange is answered exactly once, by one of the calls below, and must not be touched
 * afterwards. Loop thread only. */
#ifndef GATEWAY_EXCHANGE_H
#define GATEWAY_EXCHANGE_H

#include <jansson.h>

#include "proto/msg.h"
#include "services/gateway/audit/note.h"
#include "services/gateway/edge.h"
#include "services/gateway/identity.h"
#include "services/gateway/router.h"
#include "services/gateway/web/pages.h"
#include "shared/http_server.h"
#include "shared/rpc_client.h"

enum { EXCHANGE_CLIENT = 48 }; /* a numeric address */

typedef void exchange_reply_fn(struct exchange *x, const struct sh_rpc_response *reply);

struct exchange {
    struct edge *edge;
    struct sh_http_request *request;
    const struct route *route;
    const char *allow;      /* what the path answers to, where it has no such method */
    struct sh_bytes param;  /* raw, of a path with a parameter */
    struct web_choice page; /* where no route has the path, and a page does */
    unsigned step;          /* of the gate */
    char client[EXCHANGE_CLIENT]; /* behind the proxies that are trusted */
    bool https;                   /* as the nearest of them says */
    bool counted;                 /* among the requests under way */
    struct sh_arena arena;        /* ends with the exchange */
    json_t *json;                 /* the parsed body; owned */
    struct principal *principal;  /* who showed a credential, counted; NULL: nobody did */
    const struct role *role;      /* NULL: a probe, which nobody asks */
    /* What authenticate() found no good; the limits count it before it is told. */
    void (*refusal)(struct exchange *x, int why);
    int refused_for;
    struct caller caller; /* on whose behalf: the principal's, or who is impersonated */
    enum peer peer;       /* of the call in flight */
    uint64_t call;
    bool calling;
    exchange_reply_fn *replied;
    void *state;                           /* the handler's own, in the arena */
    void (*abandoned)(struct exchange *x); /* the client left; NULL: nothing to do */
    struct audit_note audit;               /* for the audit log, by handlers */
    struct meter *meter;
    const char *code; /* of the problem that is answered; NULL: none */
    uint64_t started_us;
    struct exchange *next;
};

/* sh_http_handler_fn of an edge's server, `arg` is the edge: find the route, enter the
 * gate. */
void exchange_begin(void *arg, struct sh_http_request *request);
/* What follows the gate: read and check the body, handle. */
void exchange_dispatch(struct exchange *x);
void exchange_free_spare(struct edge *edge);

/* --- asking a service ------------------------------------------------------------- */

struct exchange_call {
    enum peer peer;
    uint32_t method;
    enum sh_rpc_kind kind;
    const struct msg_desc *desc; /* NULL: `raw` is the payload */
    const void *msg;
    struct sh_bytes raw;
    const uint8_t *key; /* 16 bytes or NULL */
    uint32_t timeout_ms;
    exchange_reply_fn *done; /* only with a good reply; errors are answered here */
};
void exchange_call(struct exchange *x, const struct exchange_call *call);
/* Whoever asks a service by other means: who is it for, NULL for nobody; and the answer
 * to an error that came back. */
const struct caller *exchange_caller(struct exchange *x);
void exchange_fail_call(struct exchange *x, enum peer peer,
                        const struct sh_rpc_response *reply);
/* Nobody wants the answer to the call in flight, if there is one. */
void exchange_cancel(struct exchange *x);
/* No body is unpacked here. False: it is packed, and the answer was 415. */
SH_CHECK bool exchange_body_plain(struct exchange *x);
/* False: the exchange has been answered 502. */
SH_CHECK bool exchange_decode(struct exchange *x, const struct msg_desc *desc,
                              struct sh_bytes bytes, void *msg);

/* --- answering -------------------------------------------------------------------- */

/* An empty buffer to write the answer into, the same for all of an edge. */
struct sh_buffer *exchange_out(struct exchange *x);
/* What was written there, as JSON. */
void exchange_answer(struct exchange *x, int status);
void exchange_answer_as(struct exchange *x, int status, const char *type,
                        struct sh_bytes body);
void exchange_fail(struct exchange *x, const struct sh_problem *problem);
/* 400 invalid_request about a field ("" or NULL: none). */
__attribute__((format(printf, 3, 4))) void
exchange_invalid(struct exchange *x, const char *field, const char *format, ...);
void exchange_fail_err(struct exchange *x, enum sh_err err, const char *error);
/* 503 outcome_unknown: it may have been done. */
void exchange_fail_unsure(struct exchange *x);
/* After a streamed answer that the handler ended itself: give the exchange back. */
void exchange_done(struct exchange *x);

/* What a handler must know again when a reply comes: x->state, all zero, in the arena.
 * NULL: answered. */
void *exchange_state(struct exchange *x, size_t size);

/* The problem that an error reply means, without anything of the inside. */
struct sh_problem exchange_problem(const struct sh_rpc_response *reply, enum peer peer);

/* The path's parameter, decoded. False: answered 400. */
SH_CHECK bool exchange_param(struct exchange *x, const char *name, char *out,
                             size_t size);
/* The same, of `max` bytes at most, in the arena. */
SH_CHECK bool exchange_param_text(struct exchange *x, const char *name, size_t max,
                                  struct sh_bytes *out);
/* A query parameter as a whole number from least to most; `value` stays when absent.
 * False: answered 400. */
SH_CHECK bool exchange_query_u32(struct exchange *x, const char *name, uint32_t least,
                                 uint32_t most, uint32_t *value);
/* A query parameter that is true or false (or 1, or 0); false when absent. False:
 * answered 400. */
SH_CHECK bool exchange_query_flag(struct exchange *x, const char *name, bool *value);
/* A query parameter as text in the arena; empty when absent. False: answered 400. */
SH_CHECK bool exchange_query_text(struct exchange *x, const char *name, size_t max,
                                  struct sh_bytes *value);

#endif
