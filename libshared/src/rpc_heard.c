/* Answers that are held back until all callers have heard of the state they tell of.
 * Callers say in each HELLO and PING how many changes they have heard of, and are asked
 * to say it at once while somebody waits for that. */
#include "libshared/src/rpc_serving.h"
#include "libshared/src/rpc_states.h"
#include "shared/clock.h"

/* Whoever has sent no PING for so long trusts what it knows of our state no more. */
enum { HEARD_MS = RPC_STATE_MS + 100, LOOK_MS = 50 };

static bool heard(const struct rpc_peer *peer, uint64_t changes, uint64_t now_ms)
{
    return !peer->tells || peer->knows >= changes || peer->heard_ms + HEARD_MS <= now_ms;
}

static bool heard_by_all(const struct sh_rpc_server *server, uint64_t changes)
{
    uint64_t now = sh_now_ms();
    for (size_t i = 0; i < SH_COUNT(server->peers.buckets); i++) {
        for (const struct rpc_peer *p = server->peers.buckets[i]; p; p = p->next) {
            if (!heard(p, changes, now))
                return false;
        }
    }
    return true;
}

static void ask(void *arg, const struct rpc_identity *identity)
{
    struct sh_rpc_server *server = arg;
    struct rpc_peer *peer = rpc_peers_find(&server->peers, identity);
    uint64_t changes = server->state_changes;
    if (!peer->tells || peer->knows >= changes || peer->asked >= changes)
        return;
    struct envelope head = rpc_server_about(server, TYPE_PONG);
    head.flags |= ENVELOPE_TELL;
    if (rpc_send_small(server->socket, rpc_identity_bytes(identity), &head,
                       (struct sh_bytes){0}, (struct sh_bytes){0}) == SH_OK)
        peer->asked = changes; /* else its next PING tells */
}

static void release(struct sh_rpc_call *call)
{
    call->phase = RPC_SENDING;
    rpc_answer_push(call);
}

void rpc_heard_hold(struct sh_rpc_call *call)
{
    struct sh_rpc_server *server = call->server;
    if (heard_by_all(server, server->state_changes)) {
        release(call);
        return;
    }
    call->phase = RPC_HOLDING;
    call->changes = server->state_changes;
    call->held_until = sh_now_ms() + HEARD_MS;
    rpc_peers_each(&server->peers, ask, server);
    if (!uv_is_active((uv_handle_t *)&server->heard))
        uv_timer_start(&server->heard, rpc_heard_on_timer, LOOK_MS, 0);
}

void rpc_heard_look(struct sh_rpc_server *server)
{
    struct sh_rpc_call *next = NULL;
    uint64_t now = sh_now_ms();
    for (struct sh_rpc_call *call = server->calls; call; call = next) {
        next = call->next; /* sending ends no other call */
        if (call->phase == RPC_HOLDING &&
            (call->held_until <= now || heard_by_all(server, call->changes)))
            release(call);
    }
}

void rpc_heard_told(struct sh_rpc_server *server, struct rpc_peer *peer,
                    const struct envelope *head)
{
    uint64_t changes = 0, state = 0;
    if (!peer || !envelope_state(head, &changes, &state))
        return;
    bool more = !peer->tells || changes > peer->knows;
    peer->tells = true;
    peer->knows = changes;
    if (more)
        rpc_heard_look(server);
}

void rpc_heard_on_timer(uv_timer_t *timer)
{
    struct sh_rpc_server *server = timer->data;
    rpc_heard_look(server);
    const struct sh_rpc_call *call = server->calls;
    while (call && call->phase != RPC_HOLDING)
        call = call->next;
    if (call)
        uv_timer_start(timer, rpc_heard_on_timer, LOOK_MS, 0);
}
