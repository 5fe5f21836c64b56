/* A call as its handler sees it. */
#include "libshared/src/rpc_serving.h"

struct sh_bytes sh_rpc_call_payload(const struct sh_rpc_call *call)
{
    return call->body;
}

const struct caller *sh_rpc_call_caller(const struct sh_rpc_call *call)
{
    return &call->caller;
}

const struct sh_trace *sh_rpc_call_trace(const struct sh_rpc_call *call)
{
    return &call->trace;
}

uint64_t sh_rpc_call_deadline_ms(const struct sh_rpc_call *call)
{
    return call->deadline_ms;
}

const uint8_t *sh_rpc_call_idempotency_key(const struct sh_rpc_call *call)
{
    return call->request.flags & ENVELOPE_KEY ? call->request.idempotency_key : NULL;
}

struct sh_arena *sh_rpc_call_arena(struct sh_rpc_call *call)
{
    return &call->arena;
}

enum sh_err sh_rpc_call_decode(struct sh_rpc_call *call, const struct msg_desc *desc,
                               void *msg)
{
    enum sh_err err = msg_decode(desc, sh_rpc_call_payload(call), &call->arena, msg);
    if (err == SH_MALFORMED)
        sh_rpc_fail(call, SH_INVALID, "malformed", NULL, "the payload is no %s",
                    desc->name);
    else if (err == SH_TOOBIG)
        sh_rpc_fail(call, SH_INVALID, "too_large", NULL,
                    "a field of %s is over its limit", desc->name);
    else if (err != SH_OK)
        sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
    return err;
}

void sh_rpc_call_on_cancel(struct sh_rpc_call *call, void (*canceled)(void *arg),
                           void *arg)
{
    call->on_cancel = canceled;
    call->cancel_arg = arg;
}

bool sh_rpc_call_canceled(const struct sh_rpc_call *call)
{
    return call->canceled;
}
