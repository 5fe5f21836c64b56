/* A connection's life: bytes to messages, messages to those who answer them, in the order
 * in which they came. */
#include "services/gateway/bolt/conn.h"

#include <stdio.h>

#include "services/gateway/bolt/turn.h"
#include "shared/log.h"

/* --- the beginning and the end ---------------------------------------------------- */

void *conn_open(void *arg, struct sh_stream *stream)
{
    struct bolt *bolt = arg;
    struct bolt_conn *conn = sh_alloc(sizeof *conn);

    if (conn == NULL)
        return NULL;
    conn->bolt = bolt;
    conn->stream = stream;
    conn->number = ++bolt->opened;
    conn->chunks.most = bolt->edge->gateway->bolt_config.message_bytes;
    return conn;
}

/* Everything that is under way, without an answer. */
static void cancel(struct bolt_conn *conn)
{
    turn_cancel(conn);
    logon_cancel(conn);
    query_cancel(conn);
    conn->pull = (struct pull){0};
    conn->busy = false;
}

void conn_closed(void *state)
{
    struct bolt_conn *conn = state;

    cancel(conn);
    results_drop_all(conn);
    logon_forget(conn);
    chunks_free(&conn->chunks);
    sh_free(conn);
}

/* --- the handshake ---------------------------------------------------------------- */

static size_t negotiate(struct bolt_conn *conn, struct sh_bytes bytes)
{
    uint8_t answer[HANDSHAKE_ANSWER];

    if (bytes.len < HANDSHAKE_BYTES)
        return 0;
    if (!handshake_choose(bytes.data, &conn->version)) {
        conn->ending = true;
        sh_stream_end(conn->stream);
        return bytes.len;
    }
    handshake_answer(conn->version, answer);
    sh_stream_send(conn->stream, (struct sh_bytes){answer, sizeof answer});
    conn->state = BOLT_CONNECTED;
    if (conn->version.major == 0) {
        conn->ending = true;
        sh_stream_end(conn->stream);
    }
    return HANDSHAKE_BYTES;
}

/* --- messages --------------------------------------------------------------------- */

/* Back to the beginning of what somebody known may do; nobody known stays nobody. */
static void reset(struct bolt_conn *conn)
{
    results_drop_all(conn);
    conn->in_tx = false;
    conn->state = conn->who.role != NULL ? BOLT_READY : BOLT_AUTHENTICATION;
    reply_success(conn);
}

static void handle(struct bolt_conn *conn, const struct bolt_request *request)
{
    switch (request->tag) {
    case BOLT_HELLO:
        logon_hello(conn, request);
        break;
    case BOLT_LOGON:
        logon_logon(conn, request);
        break;
    case BOLT_LOGOFF:
        logon_logoff(conn);
        break;
    case BOLT_RUN:
        query_run(conn, request);
        break;
    case BOLT_BEGIN:
        query_begin(conn, request);
        break;
    case BOLT_COMMIT:
    case BOLT_ROLLBACK:
        query_end(conn, request->tag);
        break;
    case BOLT_PULL:
    case BOLT_DISCARD:
        pull_start(conn, request);
        break;
    case BOLT_ROUTE:
        route_answer(conn, request);
        break;
    case BOLT_RESET:
        reset(conn);
        break;
    case BOLT_TELEMETRY:
        reply_success(conn);
        break;
    case BOLT_GOODBYE:
    case BOLT_SUCCESS:
    case BOLT_RECORD:
    case BOLT_IGNORED:
    case BOLT_FAILURE:
    default:
        conn->ending = true;
        break;
    }
}

static bool is_ignored(const struct bolt_conn *conn, enum bolt_tag tag)
{
    return (conn->state == BOLT_FAILED || conn->state == BOLT_INTERRUPTED) &&
           tag != BOLT_RESET && tag != BOLT_GOODBYE;
}

static void take_message(struct bolt_conn *conn)
{
    struct bolt_request request;
    enum sh_err err = bolt_request_read(sh_buffer_bytes(&conn->chunks.message),
                                        conn->version, &request);

    if (err != SH_OK) {
        reply_fatal(conn, BOLT_REQUEST_FORMAT,
                    err == SH_TOOBIG ? "the message is nested too deeply"
                                     : "this is no message of Bolt %u.%u",
                    conn->version.major, conn->version.minor);
    } else if (is_ignored(conn, request.tag)) {
        reply_ignored(conn);
    } else if (request.tag != BOLT_GOODBYE &&
               bolt_after(conn->state, request.tag, conn->version) == BOLT_DEFUNCT) {
        reply_fatal(conn, BOLT_REQUEST_INVALID, "%s must not come here",
                    bolt_tag_name(request.tag));
    } else {
        conn->asked = request.tag;
        handle(conn, &request);
    }
    chunks_clear(&conn->chunks);
}

/* False: nothing more can be taken now. */
static bool take_some(struct bolt_conn *conn, struct sh_bytes *bytes)
{
    size_t taken = 0;
    enum chunks_result result = chunks_take(&conn->chunks, *bytes, &taken);

    *bytes = (struct sh_bytes){(const char *)bytes->data + taken, bytes->len - taken};
    if (result == CHUNKS_MESSAGE) {
        take_message(conn);
    } else if (result == CHUNKS_TOO_BIG) {
        reply_fatal(conn, BOLT_REQUEST_INVALID,
                    "a message may have %zu bytes at most (BOLT_MAX_MESSAGE_BYTES)",
                    conn->chunks.most);
    } else if (result == CHUNKS_NO_MEMORY) {
        reply_fatal(conn, BOLT_OUT_OF_MEMORY, "out of memory");
    }
    return result == CHUNKS_MESSAGE;
}

/* --- the turns -------------------------------------------------------------------- */

static bool is_waiting(const struct bolt_conn *conn)
{
    return conn->busy || conn->pull.under_way;
}

/* Only for who is known: a login is not cut short. */
static void interrupt(struct bolt_conn *conn)
{
    if (conn->who.role == NULL || conn->state == BOLT_AUTHENTICATION)
        return;
    cancel(conn);
    results_drop_all(conn);
    conn->in_tx = false;
    conn->state = BOLT_INTERRUPTED;
    reply_ignored(conn);
}

static enum sh_stream_phase phase_of(const struct bolt_conn *conn)
{
    if (is_waiting(conn))
        return SH_STREAM_BUSY;
    if (conn->who.role == NULL)
        return SH_STREAM_GREETING;
    return chunks_is_partial(&conn->chunks) ? SH_STREAM_PARTIAL : SH_STREAM_IDLE;
}

/* A driver tries elsewhere, or here again, when a connection ends between two questions.
 */
static void leave_if_draining(struct bolt_conn *conn)
{
    if (sh_stream_draining(conn->stream) && conn->state == BOLT_READY &&
        !is_waiting(conn))
        conn->ending = true;
}

size_t conn_work(void *state, struct sh_bytes bytes)
{
    struct bolt_conn *conn = state;
    struct sh_bytes left = bytes;

    if (conn->ending)
        return bytes.len;
    if (conn->state == BOLT_NEGOTIATION)
        return negotiate(conn, bytes);
    if (is_waiting(conn) && chunks_hold(left, BOLT_RESET))
        interrupt(conn);
    if (conn->pull.under_way)
        pull_go_on(conn);
    while (!is_waiting(conn) && !conn->ending && sh_stream_has_room(conn->stream) &&
           conn->bolt->out.len < BOLT_SLICE && take_some(conn, &left))
        ;
    leave_if_draining(conn);
    sh_stream_phase(conn->stream, phase_of(conn));
    reply_flush(conn);
    return bytes.len - left.len;
}
