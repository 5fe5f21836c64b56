#include "shared/rpc_server.h"

#include "libshared/src/rpc_curve.h"
#include "libshared/src/rpc_serving.h"
#include "libshared/src/rpc_socket.h"
#include "shared/clock.h"
#include "shared/log.h"

enum { TICK_MS = 250, QUIET_MS = 250, IN_FLIGHT_DEFAULT = 1024 };

struct rpc_method *rpc_server_method(struct sh_rpc_server *server, uint32_t id)
{
    struct rpc_method *method = server->methods;
    while (method && method->id != id)
        method = method->next;
    return method;
}

/* How many calls should be under way. */
static size_t room(const struct sh_rpc_server *server)
{
    size_t waiting = server->pace ? sh_workers_room(server->pace) : UINT32_MAX;
    if (waiting == UINT32_MAX)
        return server->max_in_flight;
    size_t queued = sh_workers_queued(server->pace);
    size_t beside = server->in_flight > queued ? server->in_flight - queued : 0;
    return beside + waiting < server->max_in_flight ? beside + waiting
                                                    : server->max_in_flight;
}

/* The callers share what the server takes; more than that is refused, not queued. */
uint16_t rpc_server_credit(const struct sh_rpc_server *server)
{
    size_t peers = server->peers.count ? server->peers.count : 1;
    size_t credit = room(server) / peers;
    return credit == 0 ? 1 : (uint16_t)credit;
}

void sh_rpc_server_pace(struct sh_rpc_server *server, const struct sh_workers *workers)
{
    if (server)
        server->pace = workers;
}

void rpc_server_tell_state(const struct sh_rpc_server *server, struct envelope *head)
{
    if (server->state_changes > 0)
        envelope_set_state(head, server->state_changes, server->state);
    if (server->behind && server->behind(server->behind_arg))
        head->queue_depth = RPC_DEPTH_BEHIND;
}

void sh_rpc_server_on_behind(struct sh_rpc_server *server, bool (*behind)(void *arg),
                             void *arg)
{
    server->behind = behind;
    server->behind_arg = arg;
}

void rpc_server_peer_gone(struct sh_rpc_server *server,
                          const struct rpc_identity *identity)
{
    struct rpc_identity gone = *identity; /* may live in the table */
    rpc_peers_remove(&server->peers, &gone);
    for (bool found = true; found;) { /* anew each time: a handler may end others */
        struct sh_rpc_call *call = server->calls;
        while (call && (call->canceled || memcmp(&call->peer, &gone, sizeof(gone)) != 0))
            call = call->next;
        found = call != NULL;
        if (found)
            rpc_call_cancel(call);
    }
    rpc_heard_look(server);
}

/* --- time ------------------------------------------------------------------------- */

static struct sh_rpc_call *overdue(const struct sh_rpc_server *server, uint64_t now)
{
    struct sh_rpc_call *call = server->calls;
    while (call && (call->phase == RPC_WORKING || call->deadline_ms > now))
        call = call->next;
    return call;
}

/* A handler's work is its own to end; halves of requests and answers are ours. */
static void on_tick(uv_timer_t *timer)
{
    struct sh_rpc_server *server = timer->data;
    uint64_t now = sh_now_ms();
    const struct rpc_peer *silent = NULL;
    for (struct sh_rpc_call *call; (call = overdue(server, now)) != NULL;)
        rpc_call_end(call);
    while ((silent = rpc_peers_silent(&server->peers, now)) != NULL)
        rpc_server_peer_gone(server, &silent->identity);
    if (server->keys != rpc_keys_generation())
        rpc_server_revoke(server);
}

static void on_look(uv_timer_t *timer)
{
    struct sh_rpc_server *server = timer->data;
    rpc_unfinished_check(&server->unfinished, &server->peers);
}

/* --- life ------------------------------------------------------------------------- */

static void release(struct sh_rpc_server *server)
{
    if (server->handles > 0 || server->in_flight > 0)
        return;
    while (server->spare) {
        struct sh_rpc_call *call = server->spare;
        server->spare = call->next;
        sh_free(call);
    }
    rpc_peers_free(&server->peers);
    rpc_unfinished_free(&server->unfinished);
    sh_buffer_free(&server->scratch);
    while (server->methods) {
        struct rpc_method *method = server->methods;
        server->methods = method->next;
        sh_free(method);
    }
    sh_free(server->service);
    sh_free(server->instance);
    sh_free(server);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct sh_rpc_server *server = handle->data;
    server->handles--;
    release(server);
}

static void close_socket(struct sh_rpc_server *server)
{
    rpc_socket_unwatch(server->socket, &server->watch);
    sh_zmq_socket_close(&server->socket);
}

static void on_event(void *arg, zmq_msg_t *frames, size_t count)
{
    struct sh_rpc_server *server = arg;
    struct rpc_event event;
    (void)count;
    if (!rpc_socket_event(frames, &event))
        return;
    if (event.kind != ZMQ_EVENT_ACCEPTED)
        rpc_curve_failed(&event, server->endpoint);
    else if (rpc_unfinished_accepted(&server->unfinished, (int)event.value) != SH_OK)
        sh_warning(NULL, "no memory to watch a connection of the bus");
}

static enum sh_err bind_socket(struct sh_rpc_server *server, const char *endpoint)
{
    struct sh_zmq_handler handler = {rpc_server_on_message, server};
    struct sh_zmq_handler watcher = {on_event, server};
    void *raw = NULL;
    size_t size = sizeof(server->endpoint);
    enum sh_err err = rpc_socket_router(server->zmq, &raw);
    if (err == SH_OK)
        err = sh_zmq_socket_add(server->zmq, raw, &handler, &server->socket);
    if (err == SH_OK)
        err =
            rpc_socket_monitor(server->zmq, raw, RPC_CURVE_FAILURES | ZMQ_EVENT_ACCEPTED,
                               &watcher, &server->watch);
    if (err == SH_OK && zmq_bind(raw, endpoint) != 0) {
        int error = zmq_errno();
        sh_error(NULL, "cannot bind %s: %s", endpoint, zmq_strerror(error));
        err = error == EINVAL || error == EPROTONOSUPPORT ? SH_INVALID : SH_IO;
    }
    if (err != SH_OK) {
        close_socket(server);
        return err;
    }
    zmq_getsockopt(raw, ZMQ_LAST_ENDPOINT, server->endpoint, &size);
    rpc_unfinished_start(&server->unfinished, server->endpoint);
    return SH_OK;
}

static void start_timers(struct sh_rpc_server *server)
{
    uv_timer_t *timers[] = {&server->tick, &server->look, &server->flush, &server->heard,
                            &server->quiet};
    for (size_t i = 0; i < SH_COUNT(timers); i++) {
        uv_timer_init(sh_zmq_loop_uv(server->zmq), timers[i]);
        timers[i]->data = server;
        server->handles++;
    }
    uv_timer_start(&server->tick, on_tick, TICK_MS, TICK_MS);
    if (server->unfinished.port != 0)
        uv_timer_start(&server->look, on_look, RPC_UNFINISHED_CHECK_MS,
                       RPC_UNFINISHED_CHECK_MS);
}

enum sh_err sh_rpc_server_create(struct sh_zmq_loop *zmq,
                                 const struct sh_rpc_server_options *options,
                                 struct sh_rpc_server **out)
{
    uint32_t max = options->max_in_flight ? options->max_in_flight : IN_FLIGHT_DEFAULT;
    if (!options->service || !options->bind || max > UINT16_MAX)
        return SH_INVALID;
    struct sh_rpc_server *server = sh_alloc(sizeof(*server));
    if (!server)
        return SH_NOMEM;
    server->zmq = zmq;
    server->service = sh_strdup(options->service);
    server->instance = sh_strdup(options->instance ? options->instance : "");
    server->started = options->started;
    server->max_in_flight = max;
    server->unknown.name = "unknown";
    server->keys = rpc_keys_generation();
    enum sh_err err = server->service && server->instance
                          ? bind_socket(server, options->bind)
                          : SH_NOMEM;
    if (err != SH_OK) {
        release(server);
        return err;
    }
    start_timers(server);
    *out = server;
    return SH_OK;
}

const char *sh_rpc_server_endpoint(const struct sh_rpc_server *server)
{
    return server->endpoint;
}

enum sh_err sh_rpc_server_add(struct sh_rpc_server *server, uint32_t id, const char *name,
                              size_t max_payload, sh_rpc_handler_fn *handler, void *arg)
{
    if (rpc_server_method(server, id))
        return SH_CONFLICT;
    struct rpc_method *method = sh_alloc(sizeof(*method));
    if (!method)
        return SH_NOMEM;
    *method = (struct rpc_method){
        .id = id,
        .name = name,
        .max_payload = max_payload ? max_payload : ENVELOPE_PAYLOAD_MAX,
        .handler = handler,
        .arg = arg,
        .next = server->methods,
    };
    server->methods = method;
    return SH_OK;
}

static void say(struct sh_rpc_server *server, const struct rpc_identity *peer,
                uint8_t type)
{
    struct envelope head = rpc_server_about(server, type);
    if (rpc_send_small(server->socket, rpc_identity_bytes(peer), &head,
                       (struct sh_bytes){0}, (struct sh_bytes){0}) != SH_OK)
        rpc_bad_message("farewell_lost"); /* the peer is gone, or will see us go */
}

static void say_draining(void *arg, const struct rpc_identity *peer)
{
    say(arg, peer, TYPE_DRAINING);
}

static void say_bye(void *arg, const struct rpc_identity *peer)
{
    say(arg, peer, TYPE_BYE);
}

static void say_state(void *arg, const struct rpc_identity *peer)
{
    say(arg, peer, TYPE_PONG); /* where it is lost, the next one brings it */
}

void sh_rpc_server_set_state(struct sh_rpc_server *server, uint64_t state)
{
    if (server->state == state)
        return;
    server->state = state;
    server->state_changes++;
    rpc_peers_each(&server->peers, say_state, server);
}

static void on_quiet(uv_timer_t *timer)
{
    struct sh_rpc_server *server = timer->data;
    if (server->drained || server->in_flight > 0)
        return;
    int linger_ms = 2000;
    server->drained = true;
    rpc_peers_each(&server->peers, say_bye, server);
    zmq_setsockopt(sh_zmq_socket_raw(server->socket), ZMQ_LINGER, &linger_ms,
                   sizeof(linger_ms));
    sh_zmq_socket_dirty(server->socket);
    if (server->drain_done)
        server->drain_done(server->drain_arg);
}

void rpc_server_not_quiet(struct sh_rpc_server *server)
{
    if (server->draining && server->in_flight == 0 && !server->drained)
        uv_timer_start(&server->quiet, on_quiet, QUIET_MS, 0);
}

/* The last answer is out, but requests may be on their way that were sent before the
 * peers heard of it: one PING interval without any, and they have heard. */
void rpc_server_call_ended(struct sh_rpc_server *server)
{
    if (server->closing)
        release(server);
    else
        rpc_server_not_quiet(server);
}

void sh_rpc_server_drain(struct sh_rpc_server *server, void (*done)(void *arg), void *arg)
{
    server->draining = true;
    server->drain_done = done;
    server->drain_arg = arg;
    rpc_peers_each(&server->peers, say_draining, server);
    if (server->in_flight == 0)
        uv_timer_start(&server->quiet, on_quiet, QUIET_MS, 0);
}

/* Calls that handlers still have stay until they are answered; nobody hears it. */
void sh_rpc_server_close(struct sh_rpc_server **server_p)
{
    struct sh_rpc_server *server = *server_p;
    if (!server)
        return;
    *server_p = NULL;
    server->closing = true;
    close_socket(server);
    uv_timer_stop(&server->flush);
    uv_close((uv_handle_t *)&server->heard, on_handle_closed);
    uv_close((uv_handle_t *)&server->tick, on_handle_closed);
    uv_close((uv_handle_t *)&server->look, on_handle_closed);
    uv_close((uv_handle_t *)&server->flush, on_handle_closed);
    uv_close((uv_handle_t *)&server->quiet, on_handle_closed);
    for (struct sh_rpc_call *call = server->calls; call;) {
        if (call->canceled) {
            call = call->next;
            continue;
        }
        rpc_call_cancel(call);
        call = server->calls; /* a handler may have ended others */
    }
}
