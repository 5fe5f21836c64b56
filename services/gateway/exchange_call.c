/* The part of an exchange that asks a service, and turns what it says into HTTP. */
#include <stdio.h>
#include <string.h>

#include "services/gateway/exchange.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/outcome.h"

/* What may be told to a client about an error that carries no sentence for it. */
static const char *plain_sentence(enum sh_err err, enum peer peer, char *out, size_t size)
{
    switch (err) {
    case SH_UNAVAILABLE:
    case SH_DRAINING:
    case SH_CANCELED:
    case SH_REJECTED:
        (void)snprintf(out, size, "%s is not available at the moment", peer_name(peer));
        return out;
    case SH_TIMEOUT:
        (void)snprintf(out, size, "%s did not answer in time", peer_name(peer));
        return out;
    case SH_INTERNAL:
    case SH_IO:
        return "something went wrong inside; the log has it under this request id";
    case SH_OK:
    case SH_NOMEM:
    case SH_INVALID:
    case SH_TYPE:
    case SH_UNREADABLE:
    case SH_MALFORMED:
    case SH_TOOBIG:
    case SH_NOTFOUND:
    case SH_CONFLICT:
    case SH_FORBIDDEN:
    case SH_BUSY:
    case SH_UPSTREAM:
    case SH_ERR_COUNT:
    default:
        return sh_err_text(err);
    }
}

/* Errors whose sentence is written for whoever asked; the others may name the inside. */
static bool is_for_clients(enum sh_err err)
{
    return err == SH_INVALID || err == SH_NOTFOUND || err == SH_CONFLICT ||
           err == SH_FORBIDDEN || err == SH_TOOBIG || err == SH_TYPE ||
           err == SH_UNREADABLE;
}

/* Their own code instead of the error's: they refuse on purpose, and say why. */
static bool is_meant(const struct sh_rpc_response *reply)
{
    bool coded = reply->code != NULL && reply->code[0] != '\0';

    return reply->err == SH_UNAVAILABLE && coded &&
           strcmp(reply->code, sh_err_code(reply->err)) != 0;
}

static const struct sh_problem unsure_problem = {
    .status = 503,
    .code = SH_OUTCOME_UNKNOWN,
    .error = "it is not known whether this was done: with an Idempotency-Key, where the "
             "route takes one, it is safe to ask again"};

void exchange_fail_unsure(struct exchange *x)
{
    exchange_fail(x, &unsure_problem);
}

struct sh_problem exchange_problem(const struct sh_rpc_response *reply, enum peer peer)
{
    static _Thread_local char sentence[96];
    bool theirs = is_for_clients(reply->err) || is_meant(reply);
    bool said = reply->message != NULL && reply->message[0] != '\0';
    bool coded = reply->code != NULL && reply->code[0] != '\0';
    bool unsure = coded && strcmp(reply->code, SH_OUTCOME_UNKNOWN) == 0;
    bool placed = reply->field != NULL && reply->field[0] != '\0';

    if (unsure)
        return unsure_problem;
    return (struct sh_problem){
        .status = sh_err_http_status(reply->err),
        .code = theirs && coded ? reply->code : sh_err_code(reply->err),
        .field = theirs && placed ? reply->field : NULL,
        .error = theirs && said
                     ? reply->message
                     : plain_sentence(reply->err, peer, sentence, sizeof sentence),
        .retry_after_s = (reply->retry_after_ms + 999) / 1000,
    };
}

void exchange_fail_call(struct exchange *x, enum peer peer,
                        const struct sh_rpc_response *reply)
{
    if (reply->err == SH_INTERNAL || reply->err == SH_IO || reply->err == SH_UPSTREAM)
        sh_error(sh_http_trace(x->request), "%s failed %s: %s", peer_name(peer),
                 x->route->operation, reply->message != NULL ? reply->message : "");
    struct sh_problem problem = exchange_problem(reply, peer);
    exchange_fail(x, &problem);
}

void exchange_cancel(struct exchange *x)
{
    if (x->calling)
        sh_rpc_cancel(x->edge->peers[x->peer], x->call);
    x->calling = false;
}

static void on_reply(void *arg, const struct sh_rpc_response *reply)
{
    struct exchange *x = arg;

    x->calling = false;
    if (reply->err == SH_OK)
        x->replied(x, reply);
    else
        exchange_fail_call(x, x->peer, reply);
}

/* Probes are asked by the gateway itself, everything else by somebody. */
const struct caller *exchange_caller(struct exchange *x)
{
    if (x->role == NULL)
        return NULL;
    x->caller.request_id = sh_bytes_of(sh_http_trace(x->request)->request_id);
    return &x->caller;
}

static enum sh_err send_call(struct exchange *x, const struct exchange_call *call)
{
    struct sh_buffer *frame = &x->edge->frame;
    struct sh_bytes payload = call->raw;

    if (call->desc != NULL) {
        sh_buffer_clear(frame);
        enum sh_err err = msg_encode(call->desc, call->msg, frame);
        if (err != SH_OK)
            return err;
        payload = sh_buffer_bytes(frame);
    }
    const struct sh_rpc_request request = {
        .method = call->method,
        .kind = call->kind,
        .caller = exchange_caller(x),
        .payload = payload,
        .deadline_ms = sh_now_ms() + call->timeout_ms,
        .trace = sh_http_trace(x->request),
        .idempotency_key = call->key,
    };
    x->peer = call->peer;
    x->replied = call->done;
    return sh_rpc_send(x->edge->peers[call->peer], &request, on_reply, x, &x->call);
}

enum { KEPT_FRAME = 4 << 20 };

void exchange_call(struct exchange *x, const struct exchange_call *call)
{
    struct edge *edge = x->edge;
    enum sh_err err = send_call(x, call);

    x->calling = err == SH_OK;
    if (edge->frame.capacity > KEPT_FRAME)
        sh_buffer_free(&edge->frame);
    if (err == SH_OK)
        return;
    struct sh_rpc_response failed = {.err = err, .retry_after_ms = 1000};
    struct sh_problem problem = exchange_problem(&failed, call->peer);
    exchange_fail(x, &problem);
}

bool exchange_decode(struct exchange *x, const struct msg_desc *desc,
                     struct sh_bytes bytes, void *msg)
{
    enum sh_err err = msg_decode(desc, bytes, &x->arena, msg);

    if (err == SH_OK)
        return true;
    sh_error(sh_http_trace(x->request), "%s answered %s with what is no %s: %s",
             peer_name(x->peer), x->route->operation, desc->name, sh_err_text(err));
    exchange_fail_err(x, err == SH_NOMEM ? SH_NOMEM : SH_UPSTREAM, NULL);
    return false;
}
