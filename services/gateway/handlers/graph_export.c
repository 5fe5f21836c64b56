/* GET /api/graph/export: the graph of one moment as a stream, in bounded memory.
 *
 * Happy path: one replica of graph is chosen; it opens an export and gives it piece by
 * piece, the next when the client has taken the one before. Failure modes: the replica
 * refuses the first piece: the answer is an error; it is lost later: the connection is
 * cut, so that the client sees that the answer is not whole. The client leaves: the
 * replica is told. */
#include "services/gateway/handlers/graph_format.h"
#include "services/gateway/handlers/handlers.h"
#include "shared/clock.h"

enum { LABEL_MAX = 256, SESSION_MAX = 64, REPLICAS = 64 };

struct exporting {
    uint64_t replica;
    struct sh_bytes session; /* empty: not open yet */
    struct sh_bytes label;
    enum graph_format format;
    uint64_t call;
    bool asked;
    bool begun;
    char id[SESSION_MAX + 1];
};

static void ask(struct exchange *x);

static enum sh_err send_query(struct exchange *x, bool close, sh_rpc_done_fn *done,
                              void *arg)
{
    struct exporting *state = x->state;
    const struct graph_export_query query = {.session = state->session,
                                             .format = state->format,
                                             .label = state->label,
                                             .close = close};
    struct sh_buffer frame = {0};
    struct sh_rpc_request request = {
        .method = METHOD_GRAPH_EXPORT,
        .kind = SH_RPC_WRITE, /* it is not asked twice for the same piece */
        .caller = exchange_caller(x),
        .deadline_ms = sh_now_ms() + x->edge->gateway->config.write_timeout_ms,
        .trace = sh_http_trace(x->request),
        .replica = state->replica};
    enum sh_err err = msg_encode(graph_export_query_desc(), &query, &frame);

    request.payload = sh_buffer_bytes(&frame);
    if (err == SH_OK)
        err = sh_rpc_send(x->edge->peers[PEER_GRAPH], &request, done, arg, &state->call);
    sh_buffer_free(&frame);
    return err;
}

static void on_nobody_asks(void *arg, const struct sh_rpc_response *reply)
{
    (void)arg;
    (void)reply; /* it ends by itself if this got lost */
}

static void on_abandoned(struct exchange *x)
{
    struct exporting *state = x->state;

    if (state->asked) /* it sees that, and ends the export */
        sh_rpc_cancel(x->edge->peers[PEER_GRAPH], state->call);
    else if (state->session.len > 0) {
        enum sh_err err = send_query(x, true, on_nobody_asks, NULL);
        (void)err; /* as above */
    }
}

static void fail(struct exchange *x, const struct sh_rpc_response *reply)
{
    x->abandoned = NULL;
    exchange_fail_call(x, PEER_GRAPH, reply); /* cuts the connection if it has begun */
}

static void begin(struct exchange *x, struct exporting *state)
{
    char name[48];

    (void)snprintf(name, sizeof name, "attachment; filename=\"graph.%s\"",
                   graph_format_name(state->format));
    sh_http_add_header(x->request, "Content-Disposition", name);
    sh_http_begin(x->request, 200, graph_format_type(state->format));
    state->begun = true;
}

/* False: the piece was not one; answered. */
static bool take(struct exchange *x, struct sh_bytes payload, bool *more, bool *slow)
{
    struct exporting *state = x->state;
    struct graph_export_piece piece;
    struct sh_arena arena = {0};
    bool good = msg_decode(graph_export_piece_desc(), payload, &arena, &piece) == SH_OK &&
                piece.session.len > 0 && piece.session.len <= SESSION_MAX;

    if (good) {
        memcpy(state->id, piece.session.data, piece.session.len);
        state->session = (struct sh_bytes){state->id, piece.session.len};
        *more = piece.more;
        if (!state->begun)
            begin(x, state);
        *slow = !sh_http_send(x->request, piece.piece);
    } else {
        fail(x, &(struct sh_rpc_response){.err = SH_UPSTREAM});
    }
    sh_arena_free(&arena);
    return good;
}

static void on_piece(void *arg, const struct sh_rpc_response *reply)
{
    struct exchange *x = arg;
    struct exporting *state = x->state;
    bool more;
    bool slow;

    state->asked = false;
    if (reply->err != SH_OK) {
        fail(x, reply);
        return;
    }
    if (!take(x, reply->payload, &more, &slow))
        return;
    if (!more) {
        x->abandoned = NULL;
        sh_http_end(x->request);
        exchange_done(x);
    } else if (!slow) {
        ask(x);
    }
}

static void ask(struct exchange *x)
{
    struct exporting *state = x->state;
    enum sh_err err = send_query(x, false, on_piece, x);

    state->asked = err == SH_OK;
    if (err != SH_OK)
        fail(x, &(struct sh_rpc_response){.err = err});
}

static void on_drained(void *arg)
{
    struct exchange *x = arg;

    if (!((struct exporting *)x->state)->asked)
        ask(x);
}

void graph_export_get(struct exchange *x, void *unused)
{
    struct exporting *state = exchange_state(x, sizeof *state);
    uint64_t replicas[REPLICAS];
    size_t others;
    size_t count;

    (void)unused;
    if (state == NULL)
        return;
    if (!graph_format_read(x, &state->format) ||
        !exchange_query_text(x, "label", LABEL_MAX, &state->label))
        return;
    x->audit.target = state->label;
    count =
        sh_rpc_client_replicas(x->edge->peers[PEER_GRAPH], replicas, REPLICAS, &others);
    if (count == 0) {
        exchange_fail_call(x, PEER_GRAPH,
                           &(struct sh_rpc_response){.err = SH_UNAVAILABLE});
        return;
    }
    state->replica = replicas[sh_now_us() % count];
    x->abandoned = on_abandoned;
    sh_http_on_drained(x->request, on_drained, x);
    ask(x);
}
