/* POST /api/graph/import: a stream of nodes and relationships, in bounded memory.
 *
 * Happy path: pieces of the body go to a reader; what it reads is collected in portions,
 * each of which graph stores in one transaction, one after the other, so that an edge
 * finds the nodes that came before it. The answer tells each portion and each record that
 * was refused, a JSON object a line, and at the end the sum. Back-pressure: while a
 * portion waits behind the one on its way, or the client does not read its answer, the
 * socket is not read. Failure modes: a record that is none, or that graph refuses, gets a
 * line and nothing else happens; graph is busy or away: the portion is sent again with
 * growing pauses (storing it twice does no harm) before its records count as failed; the
 * format is broken: what was read so far is stored, and the sum says why it ended. The
 * client leaves: what was stored stays. Whoever sends all of it again ends up with the
 * same graph. */
#include "services/gateway/graphs/portion_queue.h"
#include "services/gateway/graphs/reader.h"
#include "services/gateway/handlers/batch.h"
#include "services/gateway/handlers/graph_format.h"
#include "services/gateway/handlers/graph_import_job.h"
#include "services/gateway/handlers/graph_import_line.h"
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/handlers/refresh.h"
#include "shared/clock.h"

enum { PAUSE_MS = 50, PAUSE_MAX_MS = 3000, PATIENCE_MS = 60000 };

struct import {
    struct refresh refresh;
    struct exchange *x;
    struct graph_reader *reader;
    uv_timer_t timer; /* to send again */
    struct portion *portion;
    struct portion_queue queue;
    uint64_t call;
    bool asked;
    unsigned failures;
    uint64_t patience_ms;
    uint64_t xid; /* of the last portion */
    struct import_tally tally;
    struct sh_buffer lines; /* of the answer, to be sent */
    enum sh_err err;        /* why reading ended */
    bool begun;             /* the answer's headers are out */
    bool complete;          /* the body has been read to its end */
    bool slow;              /* the client does not read */
    bool paused;
    bool pumping;
    bool ending; /* only the views are waited for */
};

static void pump(struct import *self);

/* --- the end ---------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct import *self = handle->data;

    sh_free(self->portion);
    sh_free(self);
}

static void import_close(struct import *self)
{
    if (self->asked)
        sh_rpc_cancel(self->x->edge->peers[PEER_GRAPH], self->call);
    portion_queue_clear(&self->queue);
    everywhere_cancel(&self->refresh.waiting);
    graph_reader_close(&self->reader);
    portion_clear(self->portion);
    sh_buffer_free(&self->lines);
    uv_close((uv_handle_t *)&self->timer, on_closed);
}

static void on_abandoned(struct exchange *x)
{
    import_close(x->state);
}

static void answer_end(struct import *self)
{
    struct exchange *x = self->x;

    const char *why = graph_reader_why(self->reader);

    if (self->err != SH_OK && *why == '\0')
        why = sh_err_text(self->err);
    import_line_sum(&self->tally, why, &self->lines);
    refresh_members(&self->lines, &self->refresh);
    sh_buffer_text(&self->lines, "}\n");
    if (!self->begun)
        sh_http_begin(x->request, 200, "application/x-ndjson");
    (void)sh_http_send(x->request, sh_buffer_bytes(&self->lines)); /* the last piece */
    sh_http_end(x->request);
    import_close(self);
    exchange_done(x);
}

static void on_everywhere(void *arg, struct everywhere_answer answer)
{
    struct import *self = arg;

    self->refresh.waiting = NULL;
    self->refresh.all = answer;
    answer_end(self);
}

/* Any replica may have stored the last portion, so it is all of them or none. */
static void wait_for_views(struct import *self)
{
    struct everywhere_order order = refresh_order(self->x, self->xid);

    self->ending = true;
    order.peer = PEER_GRAPH;
    if (self->xid == 0)
        self->refresh.mode = REFRESH_NONE;
    else if (self->refresh.mode == REFRESH_OWN)
        self->refresh.mode = REFRESH_ALL;
    if (self->refresh.mode == REFRESH_NONE ||
        everywhere_ask(self->x->edge, &order, on_everywhere, self,
                       &self->refresh.waiting) != SH_OK)
        answer_end(self);
}

/* --- lines of the answer ---------------------------------------------------------- */

static void on_fault(void *arg, uint64_t line, const struct schema_fault *fault)
{
    struct import *self = arg;

    self->tally.failed++;
    import_line_failed(line, SH_INVALID, sh_err_code(SH_INVALID), fault->field,
                       fault->error, &self->lines);
}

static void write_failed(struct import *self, const struct sh_rpc_response *reply)
{
    struct sh_problem problem = exchange_problem(reply, PEER_GRAPH);

    self->tally.failed += self->queue.first->records;
    batch_line_failed(self->queue.first->first_line, &problem, &self->lines);
}

/* --- portions --------------------------------------------------------------------- */

static void flush(struct import *self)
{
    enum sh_err err = portion_queue_add(&self->queue, self->portion);

    if (self->err == SH_OK)
        self->err = err;
}

static void on_node(void *arg, const struct graph_node_put *node)
{
    struct import *self = arg;

    if (portion_add_node(self->portion, node))
        return;
    flush(self);
    if (!portion_add_node(self->portion, node))
        self->err = SH_NOMEM; /* an empty one has room */
}

static void on_edge(void *arg, const struct graph_edge_put *edge)
{
    struct import *self = arg;

    if (portion_add_edge(self->portion, edge))
        return;
    flush(self);
    if (!portion_add_edge(self->portion, edge))
        self->err = SH_NOMEM;
}

static void take(struct import *self, struct sh_bytes payload)
{
    struct graph_put_reply reply;
    struct sh_arena arena = {0};
    const struct sh_rpc_response nonsense = {.err = SH_UPSTREAM};

    if (msg_decode(graph_put_reply_desc(), payload, &arena, &reply) != SH_OK) {
        write_failed(self, &nonsense);
    } else {
        self->xid = reply.xid;
        import_line_stored(self->queue.first->first_line, self->queue.first->last_line,
                           &reply, &self->tally, &self->lines);
        for (size_t i = 0; i < reply.refused_count; i++)
            import_line_refused(&reply.refused[i], &self->lines);
    }
    sh_arena_free(&arena);
}

static void on_timer(uv_timer_t *timer)
{
    pump(timer->data);
}

static void again(struct import *self, uint32_t retry_after_ms)
{
    unsigned shift = self->failures < 6 ? self->failures : 6;
    uint64_t pause = (uint64_t)PAUSE_MS << shift;

    if (self->failures++ == 0)
        self->patience_ms = sh_now_ms() + PATIENCE_MS;
    if (pause < retry_after_ms)
        pause = retry_after_ms;
    /* cannot fail: the callback is set */
    (void)uv_timer_start(&self->timer, on_timer,
                         pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS, 0);
}

static void on_reply(void *arg, const struct sh_rpc_response *reply)
{
    struct import *self = arg;

    self->asked = false;
    if (import_passes(reply->err) &&
        (self->failures == 0 || sh_left_ms(self->patience_ms) > 0)) {
        again(self, reply->retry_after_ms);
        return;
    }
    self->failures = 0;
    if (reply->err == SH_OK)
        take(self, reply->payload);
    else
        write_failed(self, reply);
    portion_queue_drop(&self->queue);
    pump(self);
}

static void send_portion(struct import *self)
{
    struct exchange *x = self->x;
    const struct sh_rpc_request request = {
        .method = METHOD_GRAPH_PUT,
        .kind = SH_RPC_WRITE,
        .caller = &x->caller,
        .payload = sh_buffer_bytes(&self->queue.first->frame),
        .deadline_ms = sh_now_ms() + PATIENCE_MS,
        .trace = sh_http_trace(x->request),
    };
    enum sh_err err =
        sh_rpc_send(x->edge->peers[PEER_GRAPH], &request, on_reply, self, &self->call);

    self->asked = err == SH_OK;
    if (import_passes(err) &&
        (self->failures == 0 || sh_left_ms(self->patience_ms) > 0)) {
        again(self, 0);
    } else if (err != SH_OK) {
        write_failed(self, &(struct sh_rpc_response){.err = err});
        portion_queue_drop(&self->queue);
    }
}

/* --- the stream ------------------------------------------------------------------- */

static void send_lines(struct import *self)
{
    if (self->lines.len == 0 || self->slow)
        return;
    if (!self->begun)
        sh_http_begin(self->x->request, 200, "application/x-ndjson");
    self->begun = true;
    self->slow = !sh_http_send(self->x->request, sh_buffer_bytes(&self->lines));
    sh_buffer_clear(&self->lines);
}

static void control_reading(struct import *self)
{
    bool full =
        self->slow || (self->queue.first != NULL && self->queue.first->next != NULL);

    if (self->complete || full == self->paused)
        return;
    self->paused = full;
    if (full)
        sh_http_pause(self->x->request);
    else
        sh_http_resume(self->x->request);
}

static bool is_over(const struct import *self)
{
    return self->complete && self->queue.first == NULL && !self->slow && !self->ending;
}

/* Everything that can go on now. Resuming may deliver a piece at once, which comes back
 * here: the inner call leaves the work to the outer one. */
static void pump(struct import *self)
{
    if (self->pumping)
        return;
    self->pumping = true;
    do {
        send_lines(self);
        while (self->queue.first != NULL && !self->asked && !self->slow &&
               !uv_is_active((uv_handle_t *)&self->timer))
            send_portion(self);
        control_reading(self);
    } while (self->lines.len > 0 && !self->slow);
    self->pumping = false;
    if (is_over(self))
        wait_for_views(self);
}

static void on_drained(void *arg)
{
    struct import *self = arg;

    self->slow = false;
    pump(self);
}

static void read_piece(struct import *self, struct sh_bytes piece)
{
    enum sh_err err = graph_reader_feed(self->reader, piece);

    if (self->err == SH_OK)
        self->err = err;
}

static void read_end(struct import *self)
{
    enum sh_err err = graph_reader_end(self->reader);

    if (self->err == SH_OK)
        self->err = err;
    flush(self);
    self->complete = true;
}

static void on_piece(void *arg, struct sh_http_request *request, enum sh_err err,
                     struct sh_bytes piece)
{
    struct import *self = arg;

    (void)request;
    if (self->complete)
        return;
    if (err == SH_OK && piece.len > 0)
        read_piece(self, piece);
    else if (self->err == SH_OK)
        self->err = err;
    if (self->err != SH_OK || piece.len == 0)
        read_end(self);
    pump(self);
}

/* --- the start -------------------------------------------------------------------- */

static struct import *import_open(struct exchange *x, enum graph_format format,
                                  enum refresh_mode refresh)
{
    struct import *self = sh_alloc(sizeof *self);

    if (self == NULL)
        return NULL;
    const struct graph_sink sink = {on_node, on_edge, on_fault, self};
    *self = (struct import){.x = x,
                            .refresh = {.mode = refresh, .peer = PEER_GRAPH},
                            .portion = sh_alloc(sizeof *self->portion)};
    self->timer.data = self;
    if (self->portion != NULL && uv_timer_init(x->edge->loop, &self->timer) == 0 &&
        graph_reader_open(format, &sink, &self->reader) == SH_OK)
        return self;
    sh_free(self->portion);
    sh_free(self);
    return NULL;
}

void graph_import_post(struct exchange *x, void *unused)
{
    enum graph_format format;
    enum refresh_mode refresh;
    bool job;

    (void)unused;
    if (!exchange_body_plain(x) || !graph_format_read(x, &format) ||
        !refresh_read(x, &refresh) || !graph_import_wants_job(x, &job))
        return;
    if (job) {
        graph_import_as_job(x, format);
        return;
    }
    struct import *self = import_open(x, format, refresh);
    if (self == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    x->caller.request_id = sh_bytes_of(sh_http_trace(x->request)->request_id);
    x->state = self;
    x->abandoned = on_abandoned;
    sh_http_on_drained(x->request, on_drained, self);
    sh_http_read_stream(x->request, UINT64_MAX, on_piece, self);
}
