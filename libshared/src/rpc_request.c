/* What becomes of a request: a try ends with a reply, an error, a lost connection or the
 * deadline; then there may be another. A read that takes long is sent to a second replica
 * as well. */
#include "libshared/src/rpc_calling.h"
#include "shared/clock.h"
#include "shared/outcome.h"
#include "shared/spans.h"

static struct sh_family results = {
    .kind = SH_COUNTER,
    .name = "cairn_rpc_client_requests_total",
    .help = "Requests to other services, by how they ended.",
    .labels = {"service", "status"},
};
static struct sh_family durations = {
    .kind = SH_HISTOGRAM,
    .name = "cairn_rpc_client_duration_seconds",
    .help = "Time from a request to its end, retries included.",
    .labels = {"service"},
};
static struct sh_family retried = {
    .kind = SH_COUNTER,
    .name = "cairn_rpc_client_retries_total",
    .help = "Requests that were sent again.",
    .labels = {"service"},
};
static struct sh_family hedges = {
    .kind = SH_COUNTER,
    .name = "cairn_rpc_client_hedges_total",
    .help = "Reads that were sent to a second replica because the first took long.",
    .labels = {"service"},
};
static struct sh_family breaker_open = {
    .kind = SH_GAUGE,
    .name = "cairn_rpc_client_breaker_open",
    .help = "1 while most requests fail and are refused at once.",
    .labels = {"service"},
};

static struct sh_series *series_of(struct sh_rpc_client *client, struct sh_series **kept,
                                   struct sh_family *family)
{
    const char *const labels[] = {client->service};
    if (!*kept)
        *kept = sh_series(family, labels);
    return *kept;
}

/* --- the end ---------------------------------------------------------------------- */

void rpc_try_end(struct sh_rpc_client *client, struct rpc_try *try)
{
    try->replica->outstanding--;
    try->replica = NULL;
    if (!try->reply.data)
        return;
    client->assembling_bytes -= try->reply.total;
    zmq_msg_close(&try->reply_meta);
    rpc_assembly_free(&try->reply);
}

void rpc_request_call_off(struct sh_rpc_client *client, struct rpc_request *request)
{
    for (size_t i = 0; i < RPC_TRIES; i++) {
        struct rpc_try *try = &request->tries[i];
        if (!try->replica)
            continue;
        struct envelope head = {
            .type = TYPE_CANCEL,
            .epoch = try->replica->epoch,
            .sequence = rpc_request_id(request),
            .attempt = try->number,
        };
        if (try->replica->socket &&
            rpc_send_small(try->replica->socket, (struct sh_bytes){0}, &head,
                           (struct sh_bytes){0}, (struct sh_bytes){0}) != SH_OK)
            rpc_bad_message("cancel_lost"); /* best effort */
        rpc_try_end(client, try);
    }
}

void rpc_request_count(struct sh_rpc_client *client, enum sh_err err)
{
    const char *const labels[] = {client->service, sh_err_code(err)};
    if (!client->results[err])
        client->results[err] = sh_series(&results, labels);
    sh_series_add(client->results[err], 1);
}

static void record(struct sh_rpc_client *client, const struct rpc_request *request,
                   enum sh_err err)
{
    uint64_t now_ms = sh_now_ms();
    uint64_t us = sh_now_us() - request->started_us;
    rpc_request_count(client, err);
    if (!request->waits)
        sh_series_observe(series_of(client, &client->duration, &durations),
                          (double)us / 1e6);
    sh_span_ended(&request->trace,
                  &(struct sh_span){.kind = SH_SPAN_CLIENT,
                                    .name = client->service,
                                    .took_us = us,
                                    .failed = err != SH_OK,
                                    .notes = {{"rpc.system.name", "cairn", 0},
                                              {"cairn.rpc.method", NULL, request->method},
                                              {"error.type", sh_err_code(err), 0}}});
    if (err == SH_OK && !request->waits &&
        !rpc_members_slept(client, request->started_us))
        rpc_window_add(&client->window, now_ms, true, us);
    if (rpc_retry_is_refusal(err) || err == SH_UNAVAILABLE || err == SH_CANCELED ||
        (rpc_retry_is_failure(err) && rpc_members_slept(client, request->started_us)))
        return; /* says nothing about whether calls succeed */
    bool was_open = client->breaker.open;
    rpc_breaker_result(&client->breaker, now_ms, !rpc_retry_is_failure(err));
    if (was_open != client->breaker.open)
        sh_series_set(series_of(client, &client->breaker_open, &breaker_open),
                      client->breaker.open);
}

/* A lost connection, in the words of the interface. */
static enum sh_err public_error(const struct rpc_request *request, enum sh_err err)
{
    if (err != SH_IO)
        return err;
    return request->kind == SH_RPC_WRITE ? SH_INTERNAL : SH_UNAVAILABLE;
}

/* What the response borrows must not be the request's: its slot is free when `done`
 * runs. */
static void finish(struct sh_rpc_client *client, struct rpc_request *request,
                   const struct sh_rpc_response *response)
{
    sh_rpc_done_fn *done = request->done;
    void *arg = request->arg;
    rpc_client_forget(client, request);
    done(arg, response);
}

void rpc_request_fail(struct sh_rpc_client *client, struct rpc_request *request,
                      enum sh_err err)
{
    enum sh_err shown = public_error(request, err);
    record(client, request, err);
    rpc_request_call_off(client, request);
    finish(client, request,
           &(struct sh_rpc_response){
               .err = shown,
               .code = shown == SH_INTERNAL && err == SH_IO ? SH_OUTCOME_UNKNOWN
                                                            : sh_err_code(shown),
               .field = "",
               .message = sh_err_text(shown),
           });
}

/* --- trying again ----------------------------------------------------------------- */

static bool in_flight(const struct rpc_request *request)
{
    for (size_t i = 0; i < RPC_TRIES; i++) {
        if (request->tries[i].replica)
            return true;
    }
    return false;
}

/* A drain moves each request at most once and the replica takes no more: no storm can
 * come of that, so it needs no budget. */
static bool may_spend(struct sh_rpc_client *client, struct rpc_request *request,
                      enum sh_err err)
{
    if (request->extra || err == SH_DRAINING)
        return true;
    request->extra = rpc_budget_take(&client->budget);
    return request->extra;
}

static bool may_go_elsewhere(const struct sh_rpc_client *client,
                             const struct rpc_request *request)
{
    return rpc_request_has_another(client, request) || rpc_client_starting(client);
}

/* True: the request goes on without this try. */
static bool goes_on(struct sh_rpc_client *client, struct rpc_request *request,
                    enum sh_err err)
{
    struct rpc_outcome outcome = {request->kind, request->has_key, request->retries, err};
    request->failure = err;
    if (in_flight(request))
        return rpc_retry_elsewhere(err); /* the other try may do better */
    if (!rpc_retry_allowed(&outcome) || !may_go_elsewhere(client, request) ||
        !may_spend(client, request, err))
        return false;
    uint64_t delay =
        err == SH_DRAINING ? 0 : rpc_retry_backoff_ms(request->retries, &client->random);
    uint64_t wake_ms = sh_now_ms() + delay;
    request->retries++;
    request->phase = RPC_BACKING_OFF;
    sh_series_add(series_of(client, &client->retried, &retried), 1);
    rpc_client_wake_at(client, request,
                       wake_ms < request->deadline_ms ? wake_ms : request->deadline_ms);
    return true;
}

static void send_again(struct sh_rpc_client *client, struct rpc_request *request)
{
    if (rpc_request_dispatch(client, request))
        return;
    if (may_go_elsewhere(client, request) && !rpc_client_full(client))
        rpc_request_enqueue(client, request);
    else
        rpc_request_fail(client, request, request->failure);
}

static void hedge(struct sh_rpc_client *client, struct rpc_request *request)
{
    rpc_client_wake_at(client, request, request->deadline_ms);
    request->hedged = true;
    if (rpc_members_any_ejected(client) || !rpc_request_has_another(client, request) ||
        !may_spend(client, request, SH_OK))
        return;
    if (rpc_request_dispatch(client, request))
        sh_series_add(series_of(client, &client->hedges, &hedges), 1);
}

static void time_out(struct sh_rpc_client *client, struct rpc_request *request,
                     uint64_t now_ms)
{
    for (size_t i = 0; i < RPC_TRIES; i++) {
        struct rpc_try *try = &request->tries[i];
        if (try->replica && !rpc_members_slept(client, try->sent_us))
            rpc_replica_result(try->replica, now_ms, false, 0);
    }
    rpc_request_fail(client, request, SH_TIMEOUT);
}

void rpc_request_wake(struct sh_rpc_client *client, struct rpc_request *request,
                      uint64_t now_ms)
{
    enum rpc_request_phase phase = request->phase;
    if (phase == RPC_WAITING)
        rpc_request_dequeue(client, request);
    if (now_ms >= request->deadline_ms)
        time_out(client, request, now_ms);
    else if (phase == RPC_WAITING)
        rpc_request_fail(client, request, client->ready > 0 ? SH_BUSY : SH_UNAVAILABLE);
    else if (phase == RPC_BACKING_OFF)
        send_again(client, request);
    else
        hedge(client, request);
}

/* --- answers ---------------------------------------------------------------------- */

static void copy_text(char *out, size_t size, struct sh_bytes text)
{
    size_t len = text.len < size ? text.len : size - 1;
    if (len > 0)
        memcpy(out, text.data, len);
    out[len] = 0;
}

static void finish_with_error(struct sh_rpc_client *client, struct rpc_request *request,
                              const struct envelope *head, struct sh_bytes payload)
{
    char code[65] = "";
    char field[257] = "";
    char message[1025] = "";
    struct rpc_error error;
    struct sh_arena arena = {0}; /* stays empty: the message has no lists */
    enum sh_err err = envelope_status_err(head->status);
    if (err == SH_OK)
        err = SH_UPSTREAM; /* an ERROR that says OK */
    if (msg_decode(rpc_error_desc(), payload, &arena, &error) == SH_OK) {
        copy_text(code, sizeof(code), error.code);
        copy_text(field, sizeof(field), error.field);
        copy_text(message, sizeof(message), error.message);
    }
    record(client, request, err);
    rpc_request_call_off(client, request);
    finish(client, request,
           &(struct sh_rpc_response){
               .err = err,
               .code = code[0] ? code : sh_err_code(err),
               .field = field,
               .message = message[0] ? message : sh_err_text(err),
               .retry_after_ms = head->retry_after_ms,
           });
}

static void finish_well(struct sh_rpc_client *client, struct rpc_request *request,
                        struct sh_bytes meta, struct sh_bytes payload)
{
    record(client, request, SH_OK);
    rpc_request_call_off(client, request); /* a hedge that lost */
    finish(client, request,
           &(struct sh_rpc_response){
               .err = SH_OK,
               .meta = meta,
               .payload = payload,
               .code = "",
               .field = "",
               .message = "",
           });
}

static void judge(struct sh_rpc_client *client, struct rpc_replica *replica,
                  const struct rpc_request *request, const struct rpc_try *try,
                  enum sh_err err)
{
    bool slept = rpc_members_slept(client, try->sent_us);
    bool failed = rpc_retry_is_failure(err);
    if (slept && failed)
        return;
    if (!rpc_retry_is_refusal(err) && !(request->waits && err == SH_OK))
        rpc_replica_result(replica, sh_now_ms(), !failed,
                           slept ? 0 : sh_now_us() - try->sent_us);
}

void rpc_request_answered(struct sh_rpc_client *client, struct rpc_request *request,
                          struct rpc_try *try, const struct envelope *head,
                          zmq_msg_t *meta, struct sh_bytes payload)
{
    struct rpc_replica *replica = try->replica;
    struct envelope kept = *head; /* it may be the try's own */
    struct rpc_assembly reply = try->reply;
    zmq_msg_t reply_meta;
    zmq_msg_init(&reply_meta);
    zmq_msg_move(&reply_meta, meta);
    if (reply.data) { /* outlives the try */
        client->assembling_bytes -= reply.total;
        zmq_msg_close(&try->reply_meta);
        try->reply = (struct rpc_assembly){0};
    }
    enum sh_err err = kept.type == TYPE_REPLY ? SH_OK : envelope_status_err(kept.status);
    rpc_try_end(client, try);
    judge(client, replica, request, try, err);
    if (err == SH_OK && kept.type == TYPE_REPLY)
        finish_well(client, request, rpc_frame_bytes(&reply_meta), payload);
    else if (!goes_on(client, request, err))
        finish_with_error(client, request, &kept, payload);
    zmq_msg_close(&reply_meta);
    rpc_assembly_free(&reply);
    if (!client->closing)
        rpc_request_pump(client);
}

static struct rpc_try *try_of(struct rpc_request *request,
                              const struct rpc_replica *replica, uint8_t number)
{
    for (size_t i = 0; i < RPC_TRIES; i++) {
        if (request->tries[i].replica == replica && request->tries[i].number == number)
            return &request->tries[i];
    }
    return NULL;
}

void rpc_request_on_message(void *arg, struct rpc_replica *replica,
                            const struct envelope *head, zmq_msg_t *meta,
                            zmq_msg_t *payload)
{
    struct sh_rpc_client *client = arg;
    struct rpc_request *request = rpc_client_find(client, head->sequence);
    struct rpc_try *try = request ? try_of(request, replica, head->attempt) : NULL;
    if (try)
        rpc_pieces_on_message(client, request, try, head, meta, payload);
    /* else too late: timed out, cancelled, or a hedge that lost */
}

void rpc_request_on_lost(void *arg, struct rpc_replica *replica)
{
    struct sh_rpc_client *client = arg;
    for (size_t i = 0; i < client->slot_count && replica->outstanding > 0; i++) {
        struct rpc_request *request = client->slots[i];
        for (size_t k = 0; k < RPC_TRIES; k++) {
            if (request->tries[k].replica != replica)
                continue;
            rpc_try_end(client, &request->tries[k]);
            if (!goes_on(client, request, SH_IO))
                rpc_request_fail(client, request, SH_IO);
            break;
        }
    }
    if (!client->closing)
        rpc_request_pump(client);
}
