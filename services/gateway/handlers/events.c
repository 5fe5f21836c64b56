/* Happy path: the service is asked for what is watched when it is of another version than
 * the last one told; each answer is an event `progress`, the last one `end`. Where
 * nothing changes for WAIT_MS there is a comment, so that nobody in between closes the
 * connection. Every event tells the whole state: who comes again (Last-Event-ID) needs
 * nothing of what was before. Failure modes: the service is away: asked again, as long as
 * the client stays. The client leaves: the call in flight is cancelled. It reads slowly:
 * nothing more is asked until it has taken what there is. */
#include "services/gateway/handlers/events.h"

#include <stdio.h>

#include "services/gateway/edge.h"
#include "services/gateway/handlers/event_streams.h"
#include "shared/clock.h"

enum { ID_MAX = 64, WAIT_MS = 10000, SPARE_MS = 5000, AGAIN_MS = 1000 };

struct events {
    struct exchange *x;
    const struct events_source *source;
    uv_timer_t timer; /* to ask again after a failure */
    char id[ID_MAX + 1];
    uint64_t version; /* that was told */
    uint64_t call;
    uint64_t ticket;
    bool asked; /* `call` is under way */
    bool begun;
    bool slow;
};

static void ask(struct events *self);

/* --- the end ---------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

static void events_close(struct events *self)
{
    if (self->asked)
        sh_rpc_cancel(self->x->edge->peers[self->source->peer], self->call);
    self->asked = false;
    event_streams_leave(self->ticket);
    uv_close((uv_handle_t *)&self->timer, on_closed);
}

static void on_abandoned(struct exchange *x)
{
    events_close(x->state);
}

static void finish(struct events *self)
{
    struct exchange *x = self->x;

    sh_http_end(x->request);
    events_close(self);
    exchange_done(x);
}

static void refuse(struct events *self, const struct sh_rpc_response *reply)
{
    struct exchange *x = self->x;
    enum peer peer = self->source->peer;

    events_close(self);
    exchange_fail_call(x, peer, reply);
}

/* --- what is told ----------------------------------------------------------------- */

static void begin(struct events *self)
{
    struct sh_http_request *request = self->x->request;

    self->begun = true;
    sh_http_add_header(request, "Cache-Control", "no-store");
    sh_http_add_header(request, "X-Accel-Buffering", "no"); /* nginx */
    sh_http_begin(request, 200, "text/event-stream");
}

static void send_event(struct events *self, const char *name, struct sh_bytes data)
{
    struct sh_buffer *out = exchange_out(self->x);

    sh_buffer_printf(out, "event: %s\nid: %llu\ndata: ", name,
                     (unsigned long long)self->version);
    sh_buffer_append(out, data.data, data.len);
    sh_buffer_text(out, "\n\n");
    if (out->err == SH_OK)
        self->slow = !sh_http_send(self->x->request, sh_buffer_bytes(out));
}

static void tell(struct events *self, const struct events_state *state,
                 struct sh_bytes data)
{
    bool changed = state->version != self->version;

    if (!self->begun)
        begin(self);
    self->version = state->version;
    if (changed)
        send_event(self, "progress", data);
    if (state->ended)
        send_event(self, "end", data);
    else if (!changed)
        self->slow = !sh_http_send(self->x->request, sh_bytes_of(": still there\n\n"));
}

/* --- asking ----------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    ask(timer->data);
}

static void ask_later(struct events *self)
{
    if (self->begun)
        self->slow = !sh_http_send(self->x->request, sh_bytes_of(": waiting\n\n"));
    (void)uv_timer_start(&self->timer, on_timer, AGAIN_MS, 0);
}

static void on_failed(struct events *self, const struct sh_rpc_response *reply)
{
    if (!self->begun)
        refuse(self, reply);
    else if (reply->err == SH_NOTFOUND) /* it was cleared away */
        finish(self);
    else
        ask_later(self);
}

static void on_reply(void *arg, const struct sh_rpc_response *reply)
{
    struct events *self = arg;
    struct sh_arena arena = {0};
    struct sh_buffer data = {0};
    struct events_state state = {.ended = false};
    enum sh_err err = reply->err;

    self->asked = false;
    if (err == SH_OK)
        err = self->source->read(reply->payload, &arena, &data, &state);
    if (err == SH_OK)
        tell(self, &state, sh_buffer_bytes(&data));
    sh_buffer_free(&data);
    sh_arena_free(&arena);
    if (reply->err != SH_OK)
        on_failed(self, reply);
    else if (err != SH_OK)
        on_failed(self, &(struct sh_rpc_response){.err = SH_UPSTREAM});
    else if (state.ended)
        finish(self);
    else if (!self->slow)
        ask(self);
}

static void ask(struct events *self)
{
    struct exchange *x = self->x;
    const struct job_wait wait = {
        .id = sh_bytes_of(self->id), .version = self->version, .wait_ms = WAIT_MS};
    struct sh_buffer frame = {0};
    enum sh_err err = msg_encode(job_wait_desc(), &wait, &frame);
    const struct sh_rpc_request request = {
        .method = self->source->method,
        .kind = SH_RPC_WRITE, /* nobody else need be asked the same */
        .caller = &x->caller,
        .payload = sh_buffer_bytes(&frame),
        .deadline_ms = sh_now_ms() + WAIT_MS + SPARE_MS,
        .trace = sh_http_trace(x->request),
        .waits = true,
    };

    if (err == SH_OK)
        err = sh_rpc_send(x->edge->peers[self->source->peer], &request, on_reply, self,
                          &self->call);
    sh_buffer_free(&frame);
    self->asked = err == SH_OK;
    if (err != SH_OK)
        on_failed(self, &(struct sh_rpc_response){.err = err});
}

static void on_drained(void *arg)
{
    struct events *self = arg;

    self->slow = false;
    if (!self->asked && !uv_is_active((uv_handle_t *)&self->timer))
        ask(self);
}

/* --- the start -------------------------------------------------------------------- */

/* NULL: answered. */
static struct events *events_open(struct exchange *x, const struct events_source *source)
{
    struct sh_bytes who =
        x->caller.user_id.len > 0 ? x->caller.user_id : sh_bytes_of(x->client);
    struct events *self = sh_alloc(sizeof *self);

    if (self == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return NULL;
    }
    if (!event_streams_enter(who, &self->ticket)) {
        sh_free(self);
        exchange_fail(x, &(struct sh_problem){.status = 429,
                                              .code = "too_many_streams",
                                              .error = "you watch too much at once",
                                              .retry_after_s = 5});
        return NULL;
    }
    self->x = x;
    self->source = source;
    (void)uv_timer_init(x->edge->loop, &self->timer); /* cannot fail */
    self->timer.data = self;
    return self;
}

void events_watch(struct exchange *x, const char *param,
                  const struct events_source *source)
{
    char id[ID_MAX + 1];
    struct events *self;

    if (!exchange_param(x, param, id, sizeof id))
        return;
    self = events_open(x, source);
    if (self == NULL)
        return;
    memcpy(self->id, id, sizeof id);
    x->audit.target = sh_arena_copy(&x->arena, sh_bytes_of(self->id));
    x->caller.request_id = sh_bytes_of(sh_http_trace(x->request)->request_id);
    x->state = self;
    x->abandoned = on_abandoned;
    sh_http_on_drained(x->request, on_drained, self);
    ask(self);
}
