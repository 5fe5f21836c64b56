/* What the peers of a server say: greetings, PINGs, and the parts of calls. */
#include "libshared/src/rpc_curve.h"
#include "libshared/src/rpc_serving.h"
#include "shared/clock.h"

struct envelope rpc_server_about(const struct sh_rpc_server *server, uint8_t type)
{
    size_t depth = server->in_flight;
    struct envelope head = {
        .type = type,
        .status = server->draining ? STATUS_DRAINING : STATUS_OK,
        .queue_depth = depth > UINT16_MAX ? UINT16_MAX : (uint16_t)depth,
        .credit = rpc_server_credit(server),
    };
    rpc_server_tell_state(server, &head);
    return head;
}

static void tell(struct sh_rpc_server *server, const struct rpc_identity *peer,
                 const struct envelope *head, struct sh_bytes meta)
{
    if (rpc_send_small(server->socket, rpc_identity_bytes(peer), head, meta,
                       (struct sh_bytes){0}) == SH_NOTFOUND)
        rpc_server_peer_gone(server, peer); /* else the next PING finds out */
}

/* One who came in before the ring changed. */
static void throw_out(struct sh_rpc_server *server, const struct rpc_identity *peer)
{
    rpc_curve_refused("revoked_key", "");
    rpc_server_peer_gone(server, peer);
}

void rpc_server_revoke(struct sh_rpc_server *server)
{
    server->keys = rpc_keys_generation(); /* first: it may change again meanwhile */
    for (const struct rpc_peer *peer;
         (peer = rpc_peers_unlike(&server->peers, rpc_curve_admits)) != NULL;)
        throw_out(server, &peer->identity);
}

static void on_hello(struct sh_rpc_server *server, const struct rpc_identity *peer,
                     const struct envelope *request, zmq_msg_t *meta)
{
    const struct rpc_key key = rpc_curve_sender(meta);
    if (!rpc_curve_admits(&key)) {
        throw_out(server, peer);
        return;
    }
    struct hello hello = {
        .service = sh_bytes_of(server->service),
        .instance = sh_bytes_of(server->instance),
        .version_min = ENVELOPE_VERSION,
        .version_max = ENVELOPE_VERSION,
        .started = server->started,
        .max_in_flight = server->max_in_flight,
    };
    enum sh_err err = rpc_peers_add(&server->peers, peer, &key, sh_now_ms());
    rpc_heard_told(server, rpc_peers_find(&server->peers, peer), request);
    rpc_unfinished_hello(&server->unfinished, zmq_msg_get(meta, ZMQ_SRCFD), peer);
    struct envelope head = rpc_server_about(server, TYPE_HELLO_ACK);
    head.epoch = request->epoch;
    head.sequence = request->sequence;
    if (err != SH_OK)
        head.status = STATUS_OVERLOADED;
    sh_buffer_clear(&server->scratch);
    if (msg_encode(hello_desc(), &hello, &server->scratch) == SH_OK)
        tell(server, peer, &head, sh_buffer_bytes(&server->scratch));
}

/* A caller whose connection broke is a stranger under its new identity: it must learn
 * that, since whatever it asked over the old one is lost. */
static void on_ping(struct sh_rpc_server *server, const struct rpc_identity *peer,
                    const struct envelope *ping)
{
    struct rpc_peer *known = rpc_peers_find(&server->peers, peer);
    struct envelope head = rpc_server_about(server, TYPE_PONG);
    head.epoch = ping->epoch;
    head.sequence = ping->sequence;
    if (server->calls)
        head.retry_after_ms =
            (uint32_t)((sh_now_us() - server->calls->started_us) / 1000);
    if (known)
        known->heard_ms = sh_now_ms();
    else
        head.status = STATUS_REJECTED_NOT_EXECUTED;
    rpc_heard_told(server, known, ping);
    tell(server, peer, &head, (struct sh_bytes){0}); /* whose peer may be gone, then */
}

static void on_cancel(struct sh_rpc_server *server, const struct rpc_identity *peer,
                      const struct envelope *cancel)
{
    struct sh_rpc_call *call = rpc_intake_find(server, peer, cancel);
    if (call && !call->canceled)
        rpc_call_cancel(call);
}

static void on_credit(struct sh_rpc_server *server, const struct rpc_identity *peer,
                      const struct envelope *credit)
{
    struct sh_rpc_call *call = rpc_intake_find(server, peer, credit);
    if (!call || call->phase != RPC_SENDING)
        return;
    uint32_t granted = call->credit + credit->credit;
    call->credit = granted > RPC_CHUNK_CREDIT ? RPC_CHUNK_CREDIT : granted;
    rpc_answer_push(call);
}

static void count_message(const struct sh_rpc_server *server,
                          const struct rpc_identity *peer)
{
    struct rpc_peer *known = rpc_peers_find(&server->peers, peer);
    if (known)
        known->messages++;
}

static void dispatch(struct sh_rpc_server *server, const struct rpc_identity *peer,
                     const struct envelope *head, zmq_msg_t *meta, zmq_msg_t *payload)
{
    switch (head->type) {
    case TYPE_HELLO:
        on_hello(server, peer, head, meta);
        break;
    case TYPE_REQUEST:
        rpc_server_not_quiet(server);
        rpc_intake_request(server, peer, head, meta, payload);
        break;
    case TYPE_CHUNK:
        rpc_intake_chunk(server, peer, head, payload);
        break;
    case TYPE_CANCEL:
        on_cancel(server, peer, head);
        break;
    case TYPE_CREDIT:
        on_credit(server, peer, head);
        break;
    case TYPE_PING:
        on_ping(server, peer, head);
        break;
    case TYPE_BYE:
        rpc_server_peer_gone(server, peer);
        break;
    default:
        rpc_bad_message("type");
    }
}

/* [identity][header][meta] or [identity][header][meta][payload] */
void rpc_server_on_message(void *arg, zmq_msg_t *frames, size_t count)
{
    struct sh_rpc_server *server = arg;
    struct envelope head;
    struct rpc_identity peer;
    if (count < 3 || count > 4) {
        rpc_bad_message("frames");
    } else if (zmq_msg_size(&frames[0]) != sizeof(peer.bytes)) {
        rpc_bad_message("identity");
    } else if (envelope_read(rpc_frame_bytes(&frames[1]), &head) != SH_OK) {
        rpc_bad_message("header");
    } else if (head.version != ENVELOPE_VERSION && head.type != TYPE_HELLO) {
        rpc_bad_message("version");
    } else {
        memcpy(peer.bytes, zmq_msg_data(&frames[0]), sizeof(peer.bytes));
        count_message(server, &peer);
        dispatch(server, &peer, &head, &frames[2], count > 3 ? &frames[3] : NULL);
    }
}
