#include "services/graph/exchange/exports.h"

#include <stdio.h>

#include "services/graph/exchange/export.h"
#include "shared/clock.h"
#include "shared/trace.h"

enum {
    EXPORTS_MAX = 16,
    IDLE_MS = 60000,
    TICK_MS = 5000,
    PIECE = 256 << 10,
    SESSION_TEXT = 33,
    USER_MAX = 257,
};

struct session {
    struct exports *exports;
    struct session *next;
    char id[SESSION_TEXT];
    char user[USER_MAX];
    struct held_graph *held;
    struct graph_reader reader;
    bool entered;
    struct export export;
    enum export_format format;
    char *label; /* empty: all */
    struct sh_buffer piece;
    bool more;
    /* while a piece is written */
    struct sh_rpc_call *call; /* NULL: nobody waits for one */
    struct sh_work work;
    enum sh_err err;
    uint64_t used_ms;
};

struct exports {
    struct feed *feed;
    struct sh_workers *workers;
    struct session *sessions;
    size_t count;
    uv_timer_t timer;
};

static void session_close(struct session *session)
{
    struct exports *exports = session->exports;
    struct session **link = &exports->sessions;

    while (*link != session)
        link = &(*link)->next;
    *link = session->next;
    exports->count--;
    if (exports->count == 0)
        uv_timer_stop(&exports->timer);
    export_close(&session->export);
    if (session->entered)
        graph_leave(&session->reader);
    held_release(session->held);
    sh_buffer_free(&session->piece);
    sh_free(session->label);
    sh_free(session);
}

static void on_tick(uv_timer_t *timer)
{
    struct exports *exports = timer->data;
    struct session *next;

    for (struct session *session = exports->sessions; session != NULL; session = next) {
        next = session->next;
        if (session->call == NULL && sh_left_ms(session->used_ms + IDLE_MS) == 0)
            session_close(session);
    }
}

/* --- a piece ---------------------------------------------------------------------- */

static enum sh_err enter(struct session *session)
{
    struct sh_bytes name = sh_bytes_of(session->label);
    uint32_t label = EXPORT_ALL;
    enum sh_err err = graph_enter(session->held->graph, sh_rpc_call_caller(session->call),
                                  &session->reader);

    if (err != SH_OK)
        return err;
    session->entered = true;
    if (name.len > 0 && !symbols_find(graph_labels(session->held->graph), name, &label))
        label = EXPORT_NONE;
    export_open(&session->export, &session->reader, session->format, label);
    return SH_OK;
}

static void run(struct sh_work *work)
{
    struct session *session = SH_CONTAINER_OF(work, struct session, work);

    sh_buffer_clear(&session->piece);
    session->err = session->entered ? SH_OK : enter(session);
    if (session->err == SH_OK)
        session->err =
            export_fill(&session->export, PIECE, &session->piece, &session->more);
}

static void on_done(struct sh_work *work, enum sh_err err)
{
    struct session *session = SH_CONTAINER_OF(work, struct session, work);
    struct sh_rpc_call *call = session->call;
    bool unwanted = sh_rpc_call_canceled(call);

    if (err == SH_OK)
        err = session->err;
    session->call = NULL;
    session->used_ms = sh_now_ms();
    if (err == SH_OK) {
        const struct graph_export_piece piece = {.session = sh_bytes_of(session->id),
                                                 .piece =
                                                     sh_buffer_bytes(&session->piece),
                                                 .more = session->more,
                                                 .nodes = session->export.nodes,
                                                 .edges = session->export.edges};
        sh_rpc_reply(call, graph_export_piece_desc(), &piece);
    } else {
        sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
    }
    if (err != SH_OK || !session->more || unwanted)
        session_close(session);
}

static void write_piece(struct session *session, struct sh_rpc_call *call)
{
    session->call = call;
    session->work = (struct sh_work){.run = run, .done = on_done};
    enum sh_err err = sh_workers_submit(session->exports->workers, &session->work);
    if (err == SH_OK)
        return;
    session->call = NULL;
    sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
    if (!session->entered)
        session_close(session);
}

/* --- opened ----------------------------------------------------------------------- */

static void give_id(struct session *session)
{
    unsigned char bytes[(SESSION_TEXT - 1) / 2];

    sh_random(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        (void)snprintf(session->id + 2 * i, 3, "%02x", bytes[i]);
}

static enum sh_err open_session(struct exports *exports, const struct caller *caller,
                                const struct graph_export_query *query,
                                struct session **out)
{
    if (exports->count >= EXPORTS_MAX || caller->user_id.len >= USER_MAX)
        return SH_BUSY;
    struct held_graph *held = feed_hold(exports->feed);
    if (held == NULL)
        return SH_UNAVAILABLE;
    struct session *session = sh_alloc(sizeof(*session));
    char *label =
        sh_strndup(query->label.len > 0 ? query->label.data : "", query->label.len);
    if (session == NULL || label == NULL) {
        held_release(held);
        sh_free(session);
        sh_free(label);
        return SH_NOMEM;
    }
    *session = (struct session){.exports = exports,
                                .next = exports->sessions,
                                .held = held,
                                .format = (enum export_format)query->format,
                                .label = label};
    if (caller->user_id.len > 0)
        memcpy(session->user, caller->user_id.data, caller->user_id.len);
    give_id(session);
    exports->sessions = session;
    if (exports->count++ == 0) /* cannot fail: the callback is set */
        (void)uv_timer_start(&exports->timer, on_tick, TICK_MS, TICK_MS);
    *out = session;
    return SH_OK;
}

static struct session *find_session(struct exports *exports, const struct caller *caller,
                                    struct sh_bytes id)
{
    for (struct session *session = exports->sessions; session != NULL;
         session = session->next)
        if (sh_bytes_is(id, session->id) && sh_bytes_is(caller->user_id, session->user))
            return session;
    return NULL;
}

static void handle_known(struct session *session, struct sh_rpc_call *call, bool close)
{
    static const struct graph_export_piece nothing;

    if (session == NULL || session->call != NULL) {
        sh_rpc_fail(call, session == NULL ? SH_NOTFOUND : SH_CONFLICT, NULL, NULL,
                    "there is no such export, or it is being read already");
    } else if (close) {
        session_close(session);
        sh_rpc_reply(call, graph_export_piece_desc(), &nothing);
    } else {
        write_piece(session, call);
    }
}

static void handle(void *arg, struct sh_rpc_call *call)
{
    struct exports *exports = arg;
    const struct caller *caller = sh_rpc_call_caller(call);
    struct graph_export_query query;
    struct session *session;

    if (sh_rpc_call_decode(call, graph_export_query_desc(), &query) != SH_OK)
        return;
    if (query.session.len > 0) {
        handle_known(find_session(exports, caller, query.session), call, query.close);
        return;
    }
    enum sh_err err = open_session(exports, caller, &query, &session);
    if (err == SH_OK)
        write_piece(session, call);
    else
        sh_rpc_fail(call, err, NULL, NULL, "%s",
                    err == SH_BUSY ? "too many exports are being read"
                                   : sh_err_text(err));
}

/* --- life ------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

enum sh_err exports_create(uv_loop_t *loop, struct feed *feed, struct sh_workers *workers,
                           struct sh_rpc_server *rpc, struct exports **out)
{
    struct exports *exports = sh_alloc(sizeof(*exports));

    if (exports == NULL)
        return SH_NOMEM;
    exports->feed = feed;
    exports->workers = workers;
    exports->timer.data = exports;
    (void)uv_timer_init(loop, &exports->timer); /* cannot fail */
    *out = exports;
    return sh_rpc_server_add(rpc, METHOD_GRAPH_EXPORT, "graph.export", 0, handle,
                             exports);
}

void exports_close(struct exports **exports_in)
{
    struct exports *exports = *exports_in;

    *exports_in = NULL;
    if (exports == NULL)
        return;
    while (exports->sessions != NULL)
        session_close(exports->sessions);
    uv_close((uv_handle_t *)&exports->timer, on_closed);
}
