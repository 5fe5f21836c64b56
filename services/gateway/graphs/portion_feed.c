#include "services/gateway/graphs/portion_feed.h"

#include "shared/clock.h"

enum { PAUSE_MS = 50, PAUSE_MAX_MS = 3000 };

struct portion_feed {
    const struct portion_feed_ops *ops;
    void *arg;
    struct exchange *x;
    struct graph_reader *reader;
    uv_timer_t timer; /* to send again */
    struct portion *portion;
    struct portion_queue queue;
    uint64_t records;
    uint64_t call;
    bool asked;
    unsigned failures;
    uint64_t patience_ms;
    enum sh_err err;  /* why reading ended */
    enum sh_err lost; /* why the body did */
    bool complete;    /* no more is read of the body */
    bool paused;
    bool going;
    bool over;
};

/* --- records ---------------------------------------------------------------------- */

static void note(struct portion_feed *self, enum sh_err err)
{
    if (self->err == SH_OK)
        self->err = err;
}

static void flush(struct portion_feed *self)
{
    note(self, portion_queue_add(&self->queue, self->portion));
}

static void on_node(void *arg, const struct graph_node_put *node)
{
    struct portion_feed *self = arg;

    self->records++;
    if (portion_add_node(self->portion, node))
        return;
    flush(self);
    if (!portion_add_node(self->portion, node))
        note(self, SH_NOMEM); /* an empty one has room */
}

static void on_edge(void *arg, const struct graph_edge_put *edge)
{
    struct portion_feed *self = arg;

    self->records++;
    if (portion_add_edge(self->portion, edge))
        return;
    flush(self);
    if (!portion_add_edge(self->portion, edge))
        note(self, SH_NOMEM);
}

static void on_fault(void *arg, uint64_t line, const struct schema_fault *fault)
{
    struct portion_feed *self = arg;

    self->ops->fault(self->arg, line, fault);
}

/* --- portions --------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    portion_feed_go(timer->data);
}

static bool passes(enum sh_err err)
{
    return err == SH_BUSY || err == SH_REJECTED || err == SH_DRAINING ||
           err == SH_UNAVAILABLE || err == SH_INTERNAL || err == SH_TIMEOUT;
}

/* False: the trouble does not pass, or it was tried for long enough. */
static bool again(struct portion_feed *self, const struct sh_rpc_response *reply)
{
    unsigned shift = self->failures < 6 ? self->failures : 6;
    uint64_t pause = (uint64_t)PAUSE_MS << shift;

    if (!passes(reply->err) || (self->failures > 0 && sh_left_ms(self->patience_ms) == 0))
        return false;
    if (self->failures++ == 0)
        self->patience_ms = sh_now_ms() + PORTION_PATIENCE_MS;
    if (pause < reply->retry_after_ms)
        pause = reply->retry_after_ms;
    /* cannot fail: the callback is set */
    (void)uv_timer_start(&self->timer, on_timer,
                         pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS, 0);
    return true;
}

/* False: the feed is gone. */
static bool answered(struct portion_feed *self, const struct sh_rpc_response *reply)
{
    self->asked = false;
    if (reply->err != SH_OK && again(self, reply))
        return true;
    self->failures = 0;
    if (!self->ops->answered(self->arg, self->queue.first, reply))
        return false;
    portion_queue_drop(&self->queue);
    return true;
}

static void on_reply(void *arg, const struct sh_rpc_response *reply)
{
    if (answered(arg, reply))
        portion_feed_go(arg);
}

static enum sh_err send_payload(struct portion_feed *self, struct sh_bytes payload)
{
    struct exchange *x = self->x;
    const struct sh_rpc_request request = {
        .method = self->ops->method,
        .kind = SH_RPC_WRITE,
        .caller = exchange_caller(x),
        .payload = payload,
        .deadline_ms = sh_now_ms() + PORTION_PATIENCE_MS,
        .trace = sh_http_trace(x->request),
    };

    return sh_rpc_send(x->edge->peers[PEER_GRAPH], &request, on_reply, self, &self->call);
}

/* False: the feed is gone. */
static bool send_portion(struct portion_feed *self)
{
    struct sh_bytes put = sh_buffer_bytes(&self->queue.first->frame);
    struct sh_buffer wrapped = {0};
    enum sh_err err = SH_OK;

    if (self->ops->wrap != NULL) {
        err = self->ops->wrap(self->arg, put, &wrapped);
        put = sh_buffer_bytes(&wrapped);
    }
    if (err == SH_OK)
        err = send_payload(self, put);
    sh_buffer_free(&wrapped);
    self->asked = err == SH_OK;
    return self->asked || answered(self, &(struct sh_rpc_response){.err = err});
}

/* --- the stream ------------------------------------------------------------------- */

static void control_reading(struct portion_feed *self, bool held)
{
    bool full = held || (self->queue.first != NULL && self->queue.first->next != NULL);

    if (self->complete || full == self->paused)
        return;
    self->paused = full;
    if (full)
        sh_http_pause(self->x->request);
    else
        sh_http_resume(self->x->request);
}

static bool may_send(const struct portion_feed *self)
{
    return self->queue.first != NULL && !self->asked &&
           !uv_is_active((const uv_handle_t *)&self->timer);
}

/* Everything that can go on now. Resuming may deliver a piece at once, which comes back
 * here: the inner call leaves the work to the outer one. */
void portion_feed_go(struct portion_feed *self)
{
    bool held = false;

    if (self->going)
        return;
    self->going = true;
    for (;;) {
        held = self->ops->held != NULL && self->ops->held(self->arg);
        control_reading(self, held);
        if (held || !may_send(self))
            break;
        if (!send_portion(self))
            return;
    }
    self->going = false;
    if (!self->complete || self->queue.first != NULL || held || self->over)
        return;
    self->over = true;
    self->ops->over(self->arg);
}

static void read_end(struct portion_feed *self)
{
    note(self, graph_reader_end(self->reader));
    flush(self);
    self->complete = true;
}

static void on_piece(void *arg, struct sh_http_request *request, enum sh_err err,
                     struct sh_bytes piece)
{
    struct portion_feed *self = arg;

    (void)request;
    if (self->complete)
        return;
    self->lost = err;
    note(self, err);
    if (err == SH_OK && piece.len > 0)
        note(self, graph_reader_feed(self->reader, piece));
    if (self->err != SH_OK || piece.len == 0)
        read_end(self);
    portion_feed_go(self);
}

/* --- its life --------------------------------------------------------------------- */

enum sh_err portion_feed_open(struct exchange *x, enum graph_format format,
                              const struct portion_feed_ops *ops, void *arg,
                              struct portion_feed **out)
{
    struct portion_feed *self = sh_alloc(sizeof *self);

    if (self == NULL)
        return SH_NOMEM;
    const struct graph_sink sink = {on_node, on_edge, on_fault, self};
    *self = (struct portion_feed){
        .ops = ops, .arg = arg, .x = x, .portion = sh_alloc(sizeof *self->portion)};
    self->timer.data = self;
    if (self->portion == NULL || graph_reader_open(format, &sink, &self->reader) != SH_OK)
        goto fail;
    if (uv_timer_init(x->edge->loop, &self->timer) != 0)
        goto fail_reader;
    *out = self;
    return SH_OK;
fail_reader:
    graph_reader_close(&self->reader);
fail:
    sh_free(self->portion);
    sh_free(self);
    return SH_NOMEM;
}

void portion_feed_start(struct portion_feed *self)
{
    sh_http_read_stream(self->x->request, UINT64_MAX, on_piece, self);
}

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

void portion_feed_close(struct portion_feed **feed)
{
    struct portion_feed *self = *feed;

    *feed = NULL;
    if (self->asked)
        sh_rpc_cancel(self->x->edge->peers[PEER_GRAPH], self->call);
    portion_queue_clear(&self->queue);
    graph_reader_close(&self->reader);
    portion_clear(self->portion);
    sh_free(self->portion);
    uv_close((uv_handle_t *)&self->timer, on_closed);
}

uint64_t portion_feed_records(const struct portion_feed *self)
{
    return self->records;
}

const char *portion_feed_why(const struct portion_feed *self)
{
    const char *why = graph_reader_why(self->reader);

    return self->err != SH_OK && *why == '\0' ? sh_err_text(self->err) : why;
}

enum sh_err portion_feed_lost(const struct portion_feed *self)
{
    return self->lost;
}
