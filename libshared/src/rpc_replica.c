#include "libshared/src/rpc_replica_internal.h"

#include <stdio.h>

#include "libshared/src/rpc_socket.h"
#include "proto/msg.h"
#include "shared/clock.h"
#include "shared/log.h"

enum {
    MISSES_MAX = 3,
    RECONNECT_MS = 100,
    REFUSED_MS = 1000, /* no memory, no descriptor, no key */
    REFUSED_MAX_MS = 2000,
    FORGIVEN_MS = 60000, /* ready for so long: the next ejection counts as the first */
    HANDSHAKE_FAILED = ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                       ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                       ZMQ_EVENT_HANDSHAKE_FAILED_AUTH,
};

void rpc_replica_move_to(struct rpc_replica *replica, enum rpc_replica_state state)
{
    if (replica->state == state)
        return;
    replica->state = state;
    replica->events->changed(replica->events->arg, replica);
}

void rpc_replica_disconnect(struct rpc_replica *replica)
{
    rpc_socket_unwatch(replica->socket, &replica->monitor);
    sh_zmq_socket_close(&replica->socket);
    rpc_state_release(&replica->data);
    replica->epoch = 0;
    replica->pinged = false;
    replica->late = false;
    replica->ping_ms = 0;
    replica->misses = 0;
    replica->good_pings = 0;
    replica->depth = 0;
}

/* A new socket comes at a later tick. */
void rpc_replica_lose(struct rpc_replica *replica)
{
    rpc_replica_disconnect(replica);
    if (replica->state != RPC_EJECTED) {
        replica->reopen_ms = sh_now_ms() + RECONNECT_MS;
        rpc_replica_move_to(replica, replica->leaving ? RPC_DRAINING : RPC_RESOLVED);
    }
    replica->events->lost(replica->events->arg, replica);
}

enum sh_err rpc_replica_send(struct rpc_replica *replica, uint8_t type,
                             struct sh_bytes meta)
{
    /* HELLO_ACK and PONG bring the time back. */
    struct envelope head = {
        .type = type, .epoch = replica->epoch, .sequence = sh_now_ms()};
    /* Who tells what it has heard is waited for: rpc_heard.c. */
    envelope_set_state(&head, replica->data ? rpc_state_changes(replica->data) : 0, 0);
    return rpc_send_small(replica->socket, (struct sh_bytes){0}, &head, meta,
                          (struct sh_bytes){0});
}

/* --- the handshake ---------------------------------------------------------------- */

static void say_hello(struct rpc_replica *replica)
{
    struct hello hello = {
        .service = sh_bytes_of(replica->service),
        .version_min = ENVELOPE_VERSION,
        .version_max = ENVELOPE_VERSION,
    };
    struct sh_buffer meta = {0};
    int events = 0;
    size_t size = sizeof(events);
    /* makes the socket see the connection that its monitor reported */
    zmq_getsockopt(sh_zmq_socket_raw(replica->socket), ZMQ_EVENTS, &events, &size);
    if (msg_encode(hello_desc(), &hello, &meta) == SH_OK)
        (void)rpc_replica_send(replica, TYPE_HELLO,
                               sh_buffer_bytes(&meta)); /* again at each tick */
    sh_buffer_free(&meta);
}

static void learn(struct rpc_replica *replica, const struct envelope *head)
{
    uint64_t changes = 0, state = 0;
    bool asked = head->type == TYPE_HELLO_ACK || head->type == TYPE_PONG;
    if (!replica->data)
        return;
    if (envelope_state(head, &changes, &state))
        rpc_state_learn(replica->data, changes, state);
    if (asked && head->sequence != 0) /* not if it came by itself */
        rpc_state_confirm(replica->data, head->sequence);
}

static bool fits(const struct rpc_replica *replica, const struct hello *hello)
{
    return sh_bytes_is(hello->service, replica->service) &&
           hello->version_min <= ENVELOPE_VERSION &&
           hello->version_max >= ENVELOPE_VERSION;
}

static void welcome(struct rpc_replica *replica, const struct envelope *head,
                    struct sh_bytes meta)
{
    struct hello hello;
    struct sh_arena arena = {0};
    if (replica->state != RPC_HANDSHAKEN)
        return;
    if (msg_decode(hello_desc(), meta, &arena, &hello) != SH_OK ||
        !fits(replica, &hello)) {
        sh_warning(NULL, "%s is no %s that speaks version %d", replica->endpoint,
                   replica->service, ENVELOPE_VERSION);
        return;
    }
    (void)snprintf(replica->instance, sizeof(replica->instance), "%.*s",
                   (int)hello.instance.len, (const char *)hello.instance.data);
    rpc_state_release(&replica->data);
    replica->data = rpc_state_hold(replica->instance); /* NULL: as if it told nothing */
    learn(replica, head);
    replica->credit = head->credit;
    replica->failures_in_row = 0;
    replica->ready_ms = sh_now_ms();
    if (head->status == STATUS_DRAINING)
        rpc_replica_move_to(replica, RPC_DRAINING);
    else if (head->status == STATUS_OK)
        rpc_replica_move_to(replica, replica->probation ? RPC_HALF_OPEN : RPC_READY);
}

/* --- messages --------------------------------------------------------------------- */

static void on_message(void *arg, zmq_msg_t *frames, size_t count)
{
    struct rpc_replica *replica = arg;
    struct envelope head;
    if (count < 2 || count > 3 ||
        envelope_read(rpc_frame_bytes(&frames[0]), &head) != SH_OK) {
        rpc_bad_message(count < 2 || count > 3 ? "frames" : "header");
        return;
    }
    if (head.credit > 0 && head.type != TYPE_CREDIT) { /* there it counts pieces */
        replica->depth = head.queue_depth;
        replica->credit = head.credit;
    }
    learn(replica, &head); /* before whoever waits for the answer hears it */
    switch (head.type) {
    case TYPE_HELLO_ACK:
        welcome(replica, &head, rpc_frame_bytes(&frames[1]));
        break;
    case TYPE_PONG:
        rpc_replica_on_pong(replica, &head);
        break;
    case TYPE_DRAINING:
        if (replica->state == RPC_READY || replica->state == RPC_HALF_OPEN)
            rpc_replica_move_to(replica, RPC_DRAINING);
        break;
    case TYPE_BYE:
        rpc_replica_lose(replica);
        break;
    case TYPE_REPLY:
    case TYPE_ERROR:
    case TYPE_CHUNK:
    case TYPE_CREDIT:
        if (head.epoch != replica->epoch) {
            rpc_bad_message("epoch");
            break;
        }
        replica->misses = 0; /* a PONG may wait behind the pieces of a long payload */
        replica->events->message(replica->events->arg, replica, &head, &frames[1],
                                 count > 2 ? &frames[2] : NULL);
        break;
    default:
        rpc_bad_message("type");
    }
}

static const char *why_refused(uint16_t event)
{
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
        return "it does not take our key";
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL)
        return "one of us has keys and the other has not, or it is no service";
    return "it is busy, or has another key than the one we know";
}

/* libzmq would give up, or try on with the same key. The next socket takes another key of
 * the service, where RPC_KEYS_DIR has more than one or has changed. */
static void turned_away(struct rpc_replica *replica, uint16_t event)
{
    unsigned times = ++replica->refusals;
    unsigned unsaid = event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL ? 1 : 0;
    uint64_t wait_ms = REFUSED_MAX_MS;
    if (times <= 4)
        wait_ms = (uint64_t)RECONNECT_MS << times;
    if ((times & (times - 1)) == 0 && times > unsaid) /* the first, then ever rarer */
        sh_warning(NULL, "%s at %s refuses us: %s", replica->service, replica->endpoint,
                   why_refused(event));
    rpc_replica_disconnect(replica);
    replica->key++;
    replica->reopen_ms = sh_now_ms() + wait_ms;
}

static void on_monitor(void *arg, zmq_msg_t *frames, size_t count)
{
    struct rpc_replica *replica = arg;
    struct rpc_event event;
    (void)count;
    if (!rpc_socket_event(frames, &event) || !replica->socket)
        return;
    if (event.kind == ZMQ_EVENT_HANDSHAKE_SUCCEEDED && replica->state == RPC_RESOLVED) {
        replica->refusals = 0;
        rpc_replica_move_to(replica, RPC_HANDSHAKEN);
        say_hello(replica);
    } else if (event.kind == ZMQ_EVENT_DISCONNECTED && replica->state != RPC_RESOLVED) {
        rpc_replica_lose(replica);
    } else if ((event.kind & HANDSHAKE_FAILED) != 0 && replica->state == RPC_RESOLVED) {
        turned_away(replica, event.kind);
    }
}

/* --- connecting ------------------------------------------------------------------- */

static enum sh_err try_open(struct rpc_replica *replica)
{
    struct sh_zmq_handler handler = {on_message, replica};
    struct sh_zmq_handler watcher = {on_monitor, replica};
    void *dealer = NULL;
    enum sh_err err =
        rpc_socket_dealer(replica->zmq, replica->service, replica->key, &dealer);
    if (err != SH_OK)
        return err;
    err = rpc_socket_monitor(replica->zmq, dealer,
                             ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED |
                                 HANDSHAKE_FAILED,
                             &watcher, &replica->monitor);
    if (err != SH_OK) {
        zmq_close(dealer);
        return err;
    }
    err = sh_zmq_socket_add(replica->zmq, dealer, &handler, &replica->socket);
    if (err != SH_OK)
        return err;
    return zmq_connect(dealer, replica->endpoint) == 0 ? SH_OK : SH_INVALID;
}

static void reconnect(struct rpc_replica *replica, uint64_t now_ms)
{
    enum sh_err err = try_open(replica);
    if (err != SH_OK) {
        sh_error(NULL, "cannot connect to %s at %s: %s", replica->service,
                 replica->endpoint,
                 err == SH_NOTFOUND ? "RPC_KEYS_DIR has no public key of it"
                                    : sh_err_text(err));
        rpc_replica_disconnect(replica);
        replica->reopen_ms = now_ms + REFUSED_MS;
        return;
    }
    replica->epoch = rpc_random_next(replica->random) | 1;
}

struct rpc_replica *rpc_replica_new(struct sh_zmq_loop *zmq, const char *service,
                                    const char *endpoint,
                                    const struct rpc_replica_events *events,
                                    struct rpc_random *random)
{
    struct rpc_replica *replica = sh_alloc(sizeof(*replica));
    if (!replica)
        return NULL;
    replica->endpoint = sh_strdup(endpoint);
    if (!replica->endpoint) {
        sh_free(replica);
        return NULL;
    }
    replica->zmq = zmq;
    replica->service = service;
    replica->events = events;
    replica->random = random;
    reconnect(replica, sh_now_ms());
    return replica;
}

void rpc_replica_free(struct rpc_replica *replica)
{
    if (!replica)
        return;
    rpc_replica_disconnect(replica);
    sh_free(replica->endpoint);
    sh_free(replica);
}

/* --- health ----------------------------------------------------------------------- */

static void reopen(struct rpc_replica *replica, uint64_t now_ms)
{
    if (replica->state == RPC_EJECTED) {
        rpc_replica_lose(replica); /* what a soft ejection left open */
        rpc_replica_move_to(replica, RPC_RESOLVED);
    }
    if (!replica->socket && replica->state == RPC_RESOLVED)
        reconnect(replica, now_ms);
}

bool rpc_replica_tick(struct rpc_replica *replica, uint64_t now_ms)
{
    if (replica->leaving && replica->outstanding == 0) {
        rpc_replica_disconnect(replica);
        rpc_replica_move_to(replica, RPC_GONE);
        return false;
    }
    switch (replica->state) {
    case RPC_RESOLVED:
    case RPC_EJECTED:
        if (now_ms >= replica->reopen_ms)
            reopen(replica, now_ms);
        else if (replica->late && replica->socket)
            rpc_replica_ping(replica, now_ms);
        return false;
    case RPC_HANDSHAKEN:
        say_hello(replica);
        return false;
    case RPC_READY:
    case RPC_HALF_OPEN:
    case RPC_DRAINING:
        if (!replica->socket)
            return false;
        if (replica->ejections > 0 && !replica->probation &&
            now_ms > replica->ready_ms + FORGIVEN_MS)
            replica->ejections = 0;
        rpc_replica_ping(replica, now_ms);
        return replica->misses >= MISSES_MAX;
    case RPC_GONE:
        return false;
    }
    return false;
}

void rpc_replica_eject(struct rpc_replica *replica, uint64_t now_ms, bool lost)
{
    replica->ejections++;
    replica->probation = true;
    replica->late = !lost && replica->ping_ms >= RPC_LATE_PONG_MS;
    replica->good_pings = 0;
    replica->failures_in_row = 0;
    replica->window = (struct rpc_window){0};
    replica->reopen_ms =
        now_ms + rpc_balance_ejection_ms(replica->ejections, lost, replica->random);
    rpc_replica_move_to(replica, RPC_EJECTED);
    if (lost)
        rpc_replica_lose(replica);
}

void rpc_replica_leave(struct rpc_replica *replica)
{
    replica->leaving = true;
    rpc_replica_move_to(replica, RPC_DRAINING);
}

void rpc_replica_renew(struct rpc_replica *replica, uint64_t now_ms)
{
    if (replica->state != RPC_READY && replica->state != RPC_HALF_OPEN)
        return; /* not connected, or on its way out */
    rpc_replica_lose(replica);
    if (replica->state == RPC_RESOLVED && !replica->socket)
        reconnect(replica, now_ms);
}

void rpc_replica_stay(struct rpc_replica *replica)
{
    replica->missing = 0;
    if (!replica->leaving)
        return;
    replica->leaving = false;
    rpc_replica_lose(replica);
}
