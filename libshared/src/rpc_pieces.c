/* Payloads over a frame's limit, both ways: the first piece goes with the REQUEST or
 * REPLY, the receiver gives credit for the others. */
#include "libshared/src/rpc_calling.h"
#include "shared/clock.h"

static struct envelope head_of(const struct rpc_request *request,
                               const struct rpc_try *try)
{
    struct envelope head = {
        .type = try->offset == 0 ? TYPE_REQUEST : TYPE_CHUNK,
        .flags = request->has_key ? ENVELOPE_KEY : 0,
        .epoch = try->replica->epoch,
        .sequence = rpc_request_id(request),
        .attempt = try->number,
        .method = request->method,
        .trace_flags = request->trace.flags,
        .payload_bytes = (uint32_t)zmq_msg_size(&request->payload),
    };
    uint64_t left = sh_left_ms(request->deadline_ms);
    head.budget_ms = left > UINT32_MAX ? UINT32_MAX : (uint32_t)left;
    memcpy(head.trace_id, request->trace.trace_id, sizeof(head.trace_id));
    memcpy(head.span_id, request->trace.span_id, sizeof(head.span_id));
    memcpy(head.idempotency_key, request->key, sizeof(head.idempotency_key));
    return head;
}

static enum sh_err send_piece(struct rpc_request *request, struct rpc_try *try,
                              size_t len)
{
    struct sh_bytes payload = rpc_frame_bytes(&request->payload);
    struct envelope head = head_of(request, try);
    struct rpc_frames frames;
    struct sh_bytes meta = {0};
    if (try->offset == 0)
        meta = rpc_frame_bytes(&request->meta);
    head.flags |= try->offset + len < payload.len ? ENVELOPE_MORE : 0;
    enum sh_err err = rpc_frames_start(&frames, (struct sh_bytes){0}, &head, meta);
    if (err == SH_OK && len > 0 && len == payload.len)
        err = rpc_frames_share(&frames, &request->payload);
    else if (err == SH_OK && len > 0)
        err = rpc_frames_copy(
            &frames, (struct sh_bytes){(const char *)payload.data + try->offset, len});
    if (err == SH_OK)
        err = sh_zmq_socket_send(try->replica->socket, frames.frame, frames.count);
    rpc_frames_free(&frames);
    return err;
}

enum sh_err rpc_pieces_send(struct rpc_request *request, struct rpc_try *try)
{
    size_t total = zmq_msg_size(&request->payload);
    if (total <= ENVELOPE_PAYLOAD_MAX) {
        enum sh_err err = send_piece(request, try, total);
        try->offset = total;
        return err;
    }
    while (try->offset < total && (try->offset == 0 || try->credit > 0)) {
        size_t left = total - try->offset;
        size_t len = left < ENVELOPE_CHUNK_BYTES ? left : ENVELOPE_CHUNK_BYTES;
        enum sh_err err = send_piece(request, try, len);
        if (err != SH_OK)
            return err;
        try->credit -= try->offset > 0 ? 1 : 0;
        try->offset += len;
    }
    return SH_OK;
}

static void grant(const struct rpc_request *request, const struct rpc_try *try,
                  uint16_t pieces)
{
    struct envelope head = {
        .type = TYPE_CREDIT,
        .epoch = try->replica->epoch,
        .sequence = rpc_request_id(request),
        .attempt = try->number,
        .credit = pieces,
    };
    if (rpc_send_small(try->replica->socket, (struct sh_bytes){0}, &head,
                       (struct sh_bytes){0}, (struct sh_bytes){0}) != SH_OK)
        rpc_bad_message("credit_lost"); /* the deadline covers it */
}

static void begin(struct sh_rpc_client *client, struct rpc_request *request,
                  struct rpc_try *try, const struct envelope *head, zmq_msg_t *meta,
                  struct sh_bytes piece)
{
    if (try->reply.data || piece.len == 0 || piece.len >= head->payload_bytes) {
        rpc_bad_message("chunk");
        rpc_request_fail(client, request, SH_UPSTREAM);
        return;
    }
    if (client->assembling_bytes + head->payload_bytes > RPC_ASSEMBLY_BYTES_MAX ||
        rpc_assembly_start(&try->reply, head->payload_bytes) != SH_OK) {
        rpc_request_fail(client, request, SH_TOOBIG);
        return;
    }
    client->assembling_bytes += head->payload_bytes;
    try->head = *head;
    zmq_msg_init(&try->reply_meta);
    zmq_msg_move(&try->reply_meta, meta);
    if (rpc_assembly_add(&try->reply, piece) == SH_OK) /* it is shorter: checked above */
        grant(request, try, RPC_CHUNK_CREDIT);
}

static void add(struct sh_rpc_client *client, struct rpc_request *request,
                struct rpc_try *try, const struct envelope *head, struct sh_bytes piece)
{
    bool more = (head->flags & ENVELOPE_MORE) != 0;
    if (!try->reply.data || piece.len == 0 ||
        rpc_assembly_add(&try->reply, piece) != SH_OK ||
        more == rpc_assembly_full(&try->reply)) {
        rpc_bad_message("chunk");
        rpc_request_fail(client, request, SH_UPSTREAM);
    } else if (more) {
        grant(request, try, 1);
    } else {
        struct sh_bytes whole = {try->reply.data, try->reply.len};
        rpc_request_answered(client, request, try, &try->head, &try->reply_meta, whole);
    }
}

static void credit(struct sh_rpc_client *client, struct rpc_request *request,
                   struct rpc_try *try, const struct envelope *head)
{
    uint32_t granted = try->credit + head->credit;
    try->credit = granted > RPC_CHUNK_CREDIT ? RPC_CHUNK_CREDIT : granted;
    if (rpc_pieces_send(request, try) != SH_OK) /* the half that arrived is dropped */
        rpc_request_fail(client, request, SH_UNAVAILABLE);
}

void rpc_pieces_on_message(struct sh_rpc_client *client, struct rpc_request *request,
                           struct rpc_try *try, const struct envelope *head,
                           zmq_msg_t *meta, zmq_msg_t *payload)
{
    struct sh_bytes piece = {0};
    if (payload)
        piece = rpc_frame_bytes(payload);
    if (head->type == TYPE_CREDIT)
        credit(client, request, try, head);
    else if (head->type == TYPE_CHUNK)
        add(client, request, try, head, piece);
    else if (head->flags & ENVELOPE_MORE)
        begin(client, request, try, head, meta, piece);
    else
        rpc_request_answered(client, request, try, head, meta, piece);
}
