/* Calls from their making to the last byte of their answer. */
#include <stdarg.h>
#include <stdio.h>

#include "libshared/src/rpc_serving.h"
#include "shared/clock.h"
#include "shared/outcome.h"
#include "shared/spans.h"

enum { RETRY_AFTER_MS = 1000, FLUSH_MS = 5 };

static struct sh_family requests = {
    .kind = SH_COUNTER,
    .name = "cairn_rpc_server_requests_total",
    .help = "Requests of other services, by method and status of the answer.",
    .labels = {"method", "status"},
};
static struct sh_family durations = {
    .kind = SH_HISTOGRAM,
    .name = "cairn_rpc_server_duration_seconds",
    .help = "Time from a request's arrival to its answer.",
    .labels = {"method"},
};
static struct sh_family in_flight = {
    .kind = SH_GAUGE,
    .name = "cairn_rpc_server_in_flight",
    .help = "Requests that have been accepted and not answered.",
};

static void count(struct rpc_method *method, uint16_t status)
{
    struct sh_series **series = &method->requests[status];
    if (!*series)
        *series = sh_series(&requests,
                            (const char *[]){method->name, envelope_status_name(status)});
    sh_series_add(*series, 1);
}

static void count_in_flight(const struct sh_rpc_server *server)
{
    static _Thread_local struct sh_series *series;
    if (!series)
        series = sh_series(&in_flight, NULL);
    sh_series_set(series, (double)server->in_flight);
}

struct sh_rpc_call *rpc_call_new(struct sh_rpc_server *server)
{
    struct sh_rpc_call *call = server->spare;
    if (call) {
        server->spare = call->next;
        server->spare_count--;
        *call = (struct sh_rpc_call){0};
    } else if (!(call = sh_alloc(sizeof(*call)))) {
        return NULL;
    }
    call->server = server;
    call->started_us = sh_now_us();
    zmq_msg_init(&call->meta);
    zmq_msg_init(&call->payload);
    zmq_msg_init(&call->answer_meta);
    zmq_msg_init(&call->answer_payload);
    call->prev = server->last;
    *(server->last ? &server->last->next : &server->calls) = call;
    server->last = call;
    server->in_flight++;
    count_in_flight(server);
    return call;
}

static void unlist(struct sh_rpc_call *call)
{
    struct sh_rpc_server *server = call->server;
    *(call->prev ? &call->prev->next : &server->calls) = call->next;
    *(call->next ? &call->next->prev : &server->last) = call->prev;
    server->in_flight--;
    server->assembling_bytes -= call->assembly.total;
    count_in_flight(server);
}

void rpc_call_end(struct sh_rpc_call *call)
{
    struct sh_rpc_server *server = call->server;
    unlist(call);
    zmq_msg_close(&call->meta);
    zmq_msg_close(&call->payload);
    zmq_msg_close(&call->answer_meta);
    zmq_msg_close(&call->answer_payload);
    rpc_assembly_free(&call->assembly);
    sh_arena_free(&call->arena);
    if (server->spare_count < RPC_CALLS_KEPT) {
        call->next = server->spare;
        server->spare = call;
        server->spare_count++;
    } else {
        sh_free(call);
    }
    rpc_server_call_ended(server);
}

void rpc_call_cancel(struct sh_rpc_call *call)
{
    void (*canceled)(void *arg) = call->on_cancel;
    if (call->phase != RPC_WORKING) {
        rpc_call_end(call);
        return;
    }
    call->canceled = true;
    call->on_cancel = NULL;
    if (canceled)
        canceled(call->cancel_arg); /* may answer, which ends the call */
}

static void on_flush(uv_timer_t *timer)
{
    struct sh_rpc_server *server = timer->data;
    struct sh_rpc_call *next = NULL;
    for (struct sh_rpc_call *call = server->calls; call; call = next) {
        next = call->next; /* pushing ends no other call */
        if (call->phase == RPC_SENDING)
            rpc_answer_push(call);
    }
}

/* The next message of the answer. */
static enum sh_err send_piece(struct sh_rpc_call *call, size_t len, bool whole)
{
    const char *data = rpc_frame_bytes(&call->answer_payload).data;
    size_t total = rpc_frame_bytes(&call->answer_payload).len;
    struct envelope head = call->answer;
    struct rpc_frames frames;
    head.type = call->begun ? TYPE_CHUNK : head.type;
    head.flags |= call->sent + len < total ? ENVELOPE_MORE : 0;
    struct sh_bytes meta = {0};
    if (!call->begun)
        meta = rpc_frame_bytes(&call->answer_meta);
    enum sh_err err =
        rpc_frames_start(&frames, rpc_identity_bytes(&call->peer), &head, meta);
    if (err == SH_OK && whole && len > 0)
        err = rpc_frames_share(&frames, &call->answer_payload);
    else if (err == SH_OK && len > 0)
        err = rpc_frames_copy(&frames, (struct sh_bytes){data + call->sent, len});
    if (err == SH_OK)
        err = sh_zmq_socket_send(call->server->socket, frames.frame, frames.count);
    rpc_frames_free(&frames);
    return err;
}

/* SH_OK: all is sent, or waits for credit. */
static enum sh_err push(struct sh_rpc_call *call, bool *all)
{
    size_t total = zmq_msg_size(&call->answer_payload);
    bool whole = total <= ENVELOPE_PAYLOAD_MAX;
    for (;;) {
        *all = call->begun && call->sent == total;
        if (*all || (call->begun && call->credit == 0))
            return SH_OK;
        size_t left = total - call->sent;
        size_t len = whole || left < ENVELOPE_CHUNK_BYTES ? left : ENVELOPE_CHUNK_BYTES;
        enum sh_err err = send_piece(call, len, whole);
        if (err != SH_OK)
            return err;
        call->credit -= call->begun ? 1 : 0;
        call->begun = true;
        call->sent += len;
    }
}

void rpc_answer_push(struct sh_rpc_call *call)
{
    struct sh_rpc_server *server = call->server;
    bool all = false;
    enum sh_err err = push(call, &all);
    if (all || err == SH_NOTFOUND) { /* the peer went: nobody wants it */
        rpc_call_end(call);
        return;
    }
    if (err != SH_OK) /* the pipe is full: the reader is slow, or its machine */
        uv_timer_start(&server->flush, on_flush, FLUSH_MS, 0);
}

/* What every answer bears. */
static struct envelope answer_to(const struct sh_rpc_server *server,
                                 const struct envelope *request, enum sh_err err)
{
    enum envelope_status status = envelope_status_of(err);
    size_t depth = server->in_flight;
    struct envelope head = {
        .type = err == SH_OK ? TYPE_REPLY : TYPE_ERROR,
        .epoch = request->epoch,
        .sequence = request->sequence,
        .attempt = request->attempt,
        .method = request->method,
        .status = (uint16_t)status,
        .queue_depth = depth > UINT16_MAX ? UINT16_MAX : (uint16_t)depth,
        .credit = rpc_server_credit(server),
        .retry_after_ms = status == STATUS_OVERLOADED ? RETRY_AFTER_MS : 0,
    };
    rpc_server_tell_state(server, &head);
    return head;
}

static enum sh_err copy_into(zmq_msg_t *out, struct sh_bytes bytes)
{
    zmq_msg_t copy;
    if (zmq_msg_init_size(&copy, bytes.len) != 0)
        return SH_NOMEM;
    if (bytes.len > 0)
        memcpy(zmq_msg_data(&copy), bytes.data, bytes.len);
    return zmq_msg_move(out, &copy) == 0 ? SH_OK : SH_NOMEM;
}

/* One large answer must not hold its memory for ever. */
static void trim(struct sh_buffer *scratch)
{
    if (scratch->capacity > ENVELOPE_PAYLOAD_MAX)
        sh_buffer_free(scratch);
}

static void answer(struct sh_rpc_call *call, enum sh_err result, uint8_t flags,
                   struct sh_bytes meta, struct sh_bytes payload)
{
    struct sh_rpc_server *server = call->server;
    call->answer = answer_to(server, &call->request, result);
    call->answer.flags |= flags;
    call->answer.payload_bytes = (uint32_t)payload.len;
    call->phase = RPC_SENDING;
    count(call->method, call->answer.status);
    if (!call->method->duration)
        call->method->duration = sh_series(&durations, &call->method->name);
    uint64_t took_us = sh_now_us() - call->started_us;
    sh_series_observe(call->method->duration, (double)took_us / 1e6);
    sh_span_ended(&call->trace,
                  &(struct sh_span){.kind = SH_SPAN_SERVER,
                                    .name = call->method->name,
                                    .took_us = took_us,
                                    .failed = result != SH_OK,
                                    .notes = {{"rpc.system.name", "cairn", 0},
                                              {"cairn.status", sh_err_code(result), 0}}});
    if (call->canceled || !server->socket) {
        rpc_call_end(call);
        return;
    }
    if (copy_into(&call->answer_meta, meta) != SH_OK ||
        copy_into(&call->answer_payload, payload) != SH_OK) {
        rpc_answer_refuse(server, &call->peer, &call->request, SH_NOMEM, NULL);
        rpc_call_end(call);
        return;
    }
    trim(&server->scratch);
    if (call->when_heard)
        rpc_heard_hold(call);
    else
        rpc_answer_push(call);
}

/* What does not fit is cut between two characters. */
__attribute__((format(printf, 3, 0))) static size_t
write_sentence(char *out, size_t size, const char *format, va_list args)
{
    int wanted = vsnprintf(out, size, format, args);
    size_t len = wanted < 0 ? 0 : (size_t)wanted;
    if (len < size)
        return len;
    len = size - 1;
    while (len > 0 && ((unsigned char)out[len - 1] & 0xc0) == 0x80)
        len--;
    return len > 0 && (unsigned char)out[len - 1] >= 0xc0 ? len - 1 : len;
}

static enum sh_err encode_error(struct sh_buffer *out, const char *code,
                                const char *field, struct sh_bytes sentence)
{
    struct rpc_error error = {
        .code = sh_bytes_of(code),
        .message = sentence,
        .field = sh_bytes_of(field),
    };
    sh_buffer_clear(out);
    return msg_encode(rpc_error_desc(), &error, out);
}

void rpc_answer_refuse(struct sh_rpc_server *server, const struct rpc_identity *peer,
                       const struct envelope *request, enum sh_err err, const char *code)
{
    struct envelope head = answer_to(server, request, err);
    struct rpc_method *method = rpc_server_method(server, request->method);
    count(method ? method : &server->unknown, head.status);
    if (encode_error(&server->scratch, code ? code : sh_err_code(err), NULL,
                     sh_bytes_of(sh_err_text(err))) != SH_OK)
        sh_buffer_clear(&server->scratch); /* the status says enough */
    head.payload_bytes = (uint32_t)server->scratch.len;
    if (server->socket &&
        rpc_send_small(server->socket, rpc_identity_bytes(peer), &head,
                       (struct sh_bytes){0}, sh_buffer_bytes(&server->scratch)) != SH_OK)
        rpc_bad_message("refusal_lost"); /* the caller's deadline covers it */
}

static void fail_encoding(struct sh_rpc_call *call, enum sh_err err)
{
    sh_rpc_fail(call, err == SH_NOMEM ? SH_NOMEM : SH_INTERNAL, NULL, NULL,
                "the answer cannot be encoded: %s", sh_err_text(err));
}

void sh_rpc_reply(struct sh_rpc_call *call, const struct msg_desc *desc, const void *msg)
{
    struct sh_buffer *scratch = &call->server->scratch;
    sh_buffer_clear(scratch);
    enum sh_err err = msg_encode(desc, msg, scratch);
    if (err == SH_OK && scratch->len > RPC_ASSEMBLY_BYTES_MAX)
        err = SH_TOOBIG;
    if (err != SH_OK)
        fail_encoding(call, err);
    else
        answer(call, SH_OK, 0, (struct sh_bytes){0}, sh_buffer_bytes(scratch));
}

void sh_rpc_reply_when_heard(struct sh_rpc_call *call, const struct msg_desc *desc,
                             const void *msg)
{
    call->when_heard = true;
    sh_rpc_reply(call, desc, msg);
}

void sh_rpc_reply_raw(struct sh_rpc_call *call, const struct msg_desc *desc,
                      const void *msg, struct sh_bytes raw)
{
    struct sh_buffer *scratch = &call->server->scratch;
    sh_buffer_clear(scratch);
    enum sh_err err = desc ? msg_encode(desc, msg, scratch) : SH_OK;
    if (scratch->len > ENVELOPE_RAW_META_MAX || raw.len > RPC_ASSEMBLY_BYTES_MAX)
        err = SH_TOOBIG;
    if (err != SH_OK)
        fail_encoding(call, err);
    else
        answer(call, SH_OK, ENVELOPE_RAW, sh_buffer_bytes(scratch), raw);
}

void sh_rpc_fail(struct sh_rpc_call *call, enum sh_err err, const char *code,
                 const char *field, const char *format, ...)
{
    struct sh_buffer *scratch = &call->server->scratch;
    char sentence[1024];
    va_list args;
    va_start(args, format);
    size_t len = write_sentence(sentence, sizeof(sentence), format, args);
    va_end(args);
    err = err == SH_OK ? SH_INTERNAL : err; /* a failure is none of success */
    if (encode_error(scratch, code ? code : sh_err_code(err), field,
                     (struct sh_bytes){sentence, len}) != SH_OK &&
        encode_error(scratch, sh_err_code(err), NULL, sh_bytes_of(sh_err_text(err))) !=
            SH_OK)
        sh_buffer_clear(scratch); /* the status says enough */
    answer(call, err, 0, (struct sh_bytes){0}, sh_buffer_bytes(scratch));
}

void sh_rpc_fail_write(struct sh_rpc_call *call, enum sh_err err, bool maybe_done)
{
    if (maybe_done)
        sh_rpc_fail(call, SH_INTERNAL, SH_OUTCOME_UNKNOWN, NULL,
                    "it is not known whether that was done");
    else
        sh_rpc_fail(call, err == SH_CANCELED ? SH_UNAVAILABLE : err, NULL, NULL, "%s",
                    sh_err_text(err == SH_CANCELED ? SH_UNAVAILABLE : err));
}

void sh_rpc_fail_key_reused(struct sh_rpc_call *call)
{
    sh_rpc_fail(call, SH_CONFLICT, "idempotency_key_reused", NULL,
                "this Idempotency-Key was used for something else");
}
