/* From the frames of a REQUEST and its CHUNKs to a call in its handler's hands. */
#include "libshared/src/rpc_serving.h"
#include "shared/clock.h"

struct sh_rpc_call *rpc_intake_find(const struct sh_rpc_server *server,
                                    const struct rpc_identity *peer,
                                    const struct envelope *about)
{
    for (struct sh_rpc_call *call = server->calls; call; call = call->next) {
        if (call->request.sequence == about->sequence &&
            call->request.epoch == about->epoch &&
            call->request.attempt == about->attempt &&
            memcmp(&call->peer, peer, sizeof(*peer)) == 0)
            return call;
    }
    return NULL;
}

/* Why the request cannot become a call; `code` stays NULL for the error's own. */
static enum sh_err refusal(struct sh_rpc_server *server, const struct rpc_method *method,
                           const struct rpc_identity *peer,
                           const struct envelope *request, const char **code)
{
    bool pieces = (request->flags & ENVELOPE_MORE) != 0;
    if (!rpc_peers_find(&server->peers, peer)) {
        *code = "hello_first";
        return SH_REJECTED;
    }
    if (server->draining)
        return SH_DRAINING;
    if (!method) {
        *code = "unknown_method";
        return SH_NOTFOUND;
    }
    if (request->flags & ENVELOPE_RAW)
        return SH_INVALID;
    if (request->payload_bytes > method->max_payload)
        return SH_TOOBIG;
    if (request->budget_ms == 0)
        return SH_TIMEOUT;
    if (server->in_flight >= server->max_in_flight ||
        (pieces &&
         server->assembling_bytes + request->payload_bytes > RPC_ASSEMBLY_BYTES_MAX))
        return SH_BUSY;
    return SH_OK;
}

static enum sh_err adopt_caller(struct sh_rpc_call *call)
{
    struct sh_bytes meta = rpc_frame_bytes(&call->meta);
    if (meta.len == 0)
        return SH_OK;
    enum sh_err err = msg_decode(caller_desc(), meta, &call->arena, &call->caller);
    if (err == SH_OK && call->caller.request_id.len > 0)
        (void)sh_trace_set_request_id(&call->trace, call->caller.request_id);
    return err; /* an id that is not sane is not logged; the call goes on */
}

static void fill(struct sh_rpc_call *call, const struct rpc_identity *peer,
                 const struct envelope *request, zmq_msg_t *meta, zmq_msg_t *payload)
{
    call->peer = *peer;
    call->request = *request;
    call->deadline_ms = sh_now_ms() + request->budget_ms;
    memcpy(call->trace.trace_id, request->trace_id, sizeof(request->trace_id));
    memcpy(call->trace.span_id, request->span_id, sizeof(request->span_id));
    call->trace.flags = request->trace_flags;
    call->trace = sh_trace_child(&call->trace);
    zmq_msg_move(&call->meta, meta);
    if (payload)
        zmq_msg_move(&call->payload, payload);
}

static void run(struct sh_rpc_call *call)
{
    call->phase = RPC_WORKING;
    if (call->assembly.data)
        call->body = (struct sh_bytes){call->assembly.data, call->assembly.len};
    else
        call->body = rpc_frame_bytes(&call->payload);
    call->method->handler(call->method->arg, call);
}

static void grant(struct sh_rpc_call *call, uint16_t pieces)
{
    struct envelope head = {
        .type = TYPE_CREDIT,
        .epoch = call->request.epoch,
        .sequence = call->request.sequence,
        .attempt = call->request.attempt,
        .credit = pieces,
    };
    if (rpc_send_small(call->server->socket, rpc_identity_bytes(&call->peer), &head,
                       (struct sh_bytes){0}, (struct sh_bytes){0}) != SH_OK)
        rpc_bad_message("credit_lost"); /* the assembly ends at its deadline */
}

static enum sh_err assemble(struct sh_rpc_call *call)
{
    size_t total = call->request.payload_bytes;
    enum sh_err err = rpc_assembly_start(&call->assembly, total);
    if (err != SH_OK)
        return err;
    call->server->assembling_bytes += total;
    err = rpc_assembly_add(&call->assembly, rpc_frame_bytes(&call->payload));
    if (err == SH_OK)
        grant(call, RPC_CHUNK_CREDIT);
    return err;
}

static bool sizes_agree(const struct envelope *request, const zmq_msg_t *payload)
{
    size_t here = payload ? zmq_msg_size(payload) : 0;
    if (request->flags & ENVELOPE_MORE)
        return here > 0 && here <= ENVELOPE_CHUNK_BYTES && here < request->payload_bytes;
    return here <= ENVELOPE_PAYLOAD_MAX && here == request->payload_bytes;
}

void rpc_intake_request(struct sh_rpc_server *server, const struct rpc_identity *peer,
                        const struct envelope *request, zmq_msg_t *meta,
                        zmq_msg_t *payload)
{
    const char *code = NULL;
    struct rpc_method *method = rpc_server_method(server, request->method);
    enum sh_err err = refusal(server, method, peer, request, &code);
    if (err == SH_OK &&
        (!sizes_agree(request, payload) || zmq_msg_size(meta) > ENVELOPE_META_MAX)) {
        rpc_bad_message("size");
        err = SH_MALFORMED;
    }
    struct sh_rpc_call *call = err == SH_OK ? rpc_call_new(server) : NULL;
    if (!call) {
        rpc_answer_refuse(server, peer, request, err == SH_OK ? SH_NOMEM : err, code);
        return;
    }
    call->method = method;
    fill(call, peer, request, meta, payload);
    bool pieces = (request->flags & ENVELOPE_MORE) != 0;
    err = adopt_caller(call);
    if (err == SH_OK && pieces)
        err = assemble(call);
    if (err != SH_OK)
        sh_rpc_fail(call, err == SH_NOMEM ? SH_NOMEM : SH_INVALID, "malformed", NULL,
                    "the request cannot be read");
    else if (!pieces)
        run(call);
}

void rpc_intake_chunk(struct sh_rpc_server *server, const struct rpc_identity *peer,
                      const struct envelope *chunk, zmq_msg_t *payload)
{
    struct sh_rpc_call *call = rpc_intake_find(server, peer, chunk);
    if (!call || call->phase != RPC_ASSEMBLING)
        return; /* cancelled or overdue meanwhile */
    struct sh_bytes piece = {0};
    if (payload)
        piece = rpc_frame_bytes(payload);
    bool more = (chunk->flags & ENVELOPE_MORE) != 0;
    if (piece.len == 0 || piece.len > ENVELOPE_CHUNK_BYTES ||
        rpc_assembly_add(&call->assembly, piece) != SH_OK ||
        more == rpc_assembly_full(&call->assembly)) {
        rpc_bad_message("chunk");
        sh_rpc_fail(call, SH_INVALID, "malformed", NULL,
                    "the pieces do not fit together");
        return;
    }
    if (more)
        grant(call, 1);
    else
        run(call);
}
