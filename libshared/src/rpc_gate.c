/* The gate: libzmq asks with [version][request][domain][address][identity][mechanism]
 * [credentials] and lets the caller in when told 200. A question of our own process, so
 * only what it carries from outside, address and key, is not trusted. CZMQ's zauth would
 * do the same from a thread of its own, but only for CZMQ's context. */
#include <stdio.h>

#include "libshared/src/rpc_curve.h"
#include "shared/log.h"
#include "shared/mem.h"

enum { QUESTION = 7, ANSWER = 6, ADDRESS_MAX = 64 };

struct rpc_gate {
    struct sh_zmq_socket *socket;
};

static bool is_text(zmq_msg_t *frame, const char *text)
{
    struct sh_bytes bytes = {zmq_msg_data(frame), zmq_msg_size(frame)};
    return sh_bytes_is(bytes, text);
}

/* The caller's key when it may come in. */
static bool admits(zmq_msg_t *frames, size_t count, struct rpc_key *key)
{
    char name[RPC_KEY_NAME + 1];
    if (count != QUESTION || !is_text(&frames[0], "1.0") ||
        !is_text(&frames[5], "CURVE") || zmq_msg_size(&frames[6]) != sizeof(*key))
        return false;
    memcpy(key, zmq_msg_data(&frames[6]), sizeof(*key));
    if (!rpc_keys_admit(key, name))
        return false;
    sh_debug(NULL, "%s calls", name);
    return true;
}

static void tell_refused(zmq_msg_t *frames, size_t count)
{
    char from[ADDRESS_MAX + 8] = "";
    if (count > 3)
        (void)snprintf(from, sizeof(from), "from %.*s",
                       (int)(zmq_msg_size(&frames[3]) < ADDRESS_MAX
                                 ? zmq_msg_size(&frames[3])
                                 : ADDRESS_MAX),
                       (const char *)zmq_msg_data(&frames[3]));
    rpc_curve_refused("unknown_key", from);
}

/* The key is the caller's user id: rpc_curve_sender() finds it there. */
static void answer(struct rpc_gate *gate, zmq_msg_t *request, const struct rpc_key *key)
{
    char text[RPC_KEY_TEXT + 1] = "";
    if (key)
        (void)zmq_z85_encode(text, key->bytes, sizeof(key->bytes)); /* 32 are whole */
    const char *const parts[] = {
        "1.0", "", key ? "200" : "400", key ? "OK" : "unknown key", text, ""};
    zmq_msg_t frames[ANSWER];
    bool good = true;
    for (size_t i = 0; i < ANSWER; i++) {
        good = good && zmq_msg_init_size(&frames[i], strlen(parts[i])) == 0;
        if (!good)
            (void)zmq_msg_init(&frames[i]);
        else
            memcpy(zmq_msg_data(&frames[i]), parts[i], strlen(parts[i]));
    }
    zmq_msg_move(&frames[1], request);
    if (!good || sh_zmq_socket_send(gate->socket, frames, ANSWER) != SH_OK)
        sh_error(NULL, "a handshake went without an answer"); /* it ends by its time */
    for (size_t i = 0; i < ANSWER; i++)
        zmq_msg_close(&frames[i]);
}

static void on_question(void *arg, zmq_msg_t *frames, size_t count)
{
    struct rpc_key key;
    bool good = admits(frames, count, &key);
    if (!good)
        tell_refused(frames, count);
    if (count > 1)
        answer(arg, &frames[1], good ? &key : NULL);
}

enum sh_err rpc_gate_open(struct sh_zmq_loop *zmq, struct rpc_gate **out)
{
    struct rpc_gate *gate = sh_alloc(sizeof(*gate));
    void *raw = gate ? sh_zmq_socket_new(zmq, ZMQ_REP) : NULL;
    struct sh_zmq_handler handler = {on_question, gate};
    int linger_ms = 0;
    enum sh_err err = SH_NOMEM;
    if (!raw)
        goto failed;
    if (zmq_setsockopt(raw, ZMQ_LINGER, &linger_ms, sizeof(linger_ms)) != 0 ||
        zmq_bind(raw, "inproc://zeromq.zap.01") != 0) {
        err = zmq_errno() == EADDRINUSE ? SH_CONFLICT : SH_NOMEM;
        zmq_close(raw);
        goto failed;
    }
    err = sh_zmq_socket_add(zmq, raw, &handler, &gate->socket);
    if (err != SH_OK)
        goto failed;
    *out = gate;
    return SH_OK;
failed:
    sh_free(gate);
    return err;
}

void rpc_gate_close(struct rpc_gate **gate_p)
{
    struct rpc_gate *gate = *gate_p;
    if (!gate)
        return;
    *gate_p = NULL;
    sh_zmq_socket_close(&gate->socket);
    sh_free(gate);
}
