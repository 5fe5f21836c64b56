/* POST /api/graph/import?job=true: a stream of nodes and relationships that becomes a
 * job.
 *
 * Happy path: pieces of the body go to a reader; what it reads is collected in portions,
 * which graph keeps, one after the other; when all of it is there, graph makes a job of
 * it, and the answer names that. Back-pressure: while a portion waits behind the one on
 * its way the socket is not read. Failure modes: a record that is none is counted, and
 * the job tells the first of them; graph is busy or away: the portion is sent again with
 * growing pauses (it is kept once), at last the answer says so, and no job was made; the
 * format is broken: the job stores what was read so far, and then fails with the reason.
 * The client leaves: there is no job, and what was kept goes by its age. */
#include <stdio.h>

#include "services/gateway/graphs/portion_queue.h"
#include "services/gateway/graphs/reader.h"
#include "services/gateway/handlers/graph_import_job.h"
#include "services/gateway/handlers/graph_import_line.h"
#include "services/gateway/handlers/graph_job.h"
#include "services/gateway/json_out.h"
#include "shared/clock.h"
#include "shared/trace.h"

enum {
    PAUSE_MS = 50,
    PAUSE_MAX_MS = 3000,
    PATIENCE_MS = 60000,
    FAULTS_MAX = 100,
    ID_BYTES = 16,
};

struct uploading {
    struct exchange *x;
    struct graph_reader *reader;
    uv_timer_t timer; /* to send again */
    struct portion *portion;
    struct portion_queue queue;
    char id[2 * ID_BYTES + 1];
    uint64_t number; /* of the first in the queue */
    uint64_t records;
    uint64_t failed;
    struct sh_buffer faults; /* the first of them, as JSON without its brackets */
    uint64_t call;
    bool asked;
    unsigned failures;
    uint64_t patience_ms;
    enum sh_err err; /* why reading ended */
    bool complete;   /* the body has been read to its end */
    bool lost;       /* the body never came to its end */
    bool paused;
    bool pumping;
};

static void pump(struct uploading *self);

/* --- the end ---------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct uploading *self = handle->data;

    sh_free(self->portion);
    sh_free(self);
}

static struct exchange *upload_close(struct uploading *self)
{
    struct exchange *x = self->x;

    if (self->asked)
        sh_rpc_cancel(x->edge->peers[PEER_GRAPH], self->call);
    x->abandoned = NULL;
    x->state = NULL;
    portion_queue_clear(&self->queue);
    graph_reader_close(&self->reader);
    portion_clear(self->portion);
    sh_buffer_free(&self->faults);
    uv_close((uv_handle_t *)&self->timer, on_closed);
    return x;
}

static void on_abandoned(struct exchange *x)
{
    (void)upload_close(x->state);
}

static void give_up(struct uploading *self, const struct sh_rpc_response *reply)
{
    exchange_fail_call(upload_close(self), PEER_GRAPH, reply);
}

/* What the message says is encoded before exchange_call() returns. */
static void begin_job(struct uploading *self)
{
    struct exchange *x = self->x;
    struct sh_buffer faults = {0};
    const char *why = graph_reader_why(self->reader);
    struct graph_import_run run = {.import = sh_bytes_of(self->id),
                                   .parts = self->number,
                                   .records = self->records,
                                   .failed = self->failed};

    if (self->err != SH_OK && *why == '\0')
        why = sh_err_text(self->err);
    run.broken = sh_bytes_of(why);
    sh_buffer_text(&faults, "[");
    if (self->faults.len > 0)
        sh_buffer_append(&faults, self->faults.data, self->faults.len);
    sh_buffer_text(&faults, "]");
    run.faults = sh_buffer_bytes(&faults);
    x->abandoned = NULL;
    x->state = NULL;
    if (faults.err == SH_OK && self->faults.err == SH_OK)
        exchange_call(x, &(struct exchange_call){.peer = PEER_GRAPH,
                                                 .method = METHOD_GRAPH_IMPORT_RUN,
                                                 .kind = SH_RPC_WRITE,
                                                 .desc = graph_import_run_desc(),
                                                 .msg = &run,
                                                 .timeout_ms = PATIENCE_MS,
                                                 .done = graph_job_begun});
    else
        exchange_fail_err(x, SH_NOMEM, NULL);
    sh_buffer_free(&faults);
}

/* --- records ---------------------------------------------------------------------- */

static void on_fault(void *arg, uint64_t line, const struct schema_fault *fault)
{
    struct uploading *self = arg;
    char item[32];

    if (self->failed++ >= FAULTS_MAX)
        return;
    (void)snprintf(item, sizeof item, "line %llu", (unsigned long long)line);
    sh_buffer_text(&self->faults, self->faults.len > 0 ? ",{" : "{");
    json_member_text(&self->faults, "item", sh_bytes_of(item));
    json_member_text(&self->faults, "code", sh_bytes_of(sh_err_code(SH_INVALID)));
    json_member_text(&self->faults, "error", sh_bytes_of(fault->error));
    if (fault->field[0] != '\0')
        json_member_text(&self->faults, "field", sh_bytes_of(fault->field));
    sh_buffer_text(&self->faults, "}");
}

static void flush(struct uploading *self)
{
    enum sh_err err = portion_queue_add(&self->queue, self->portion);

    if (self->err == SH_OK)
        self->err = err;
}

static void on_node(void *arg, const struct graph_node_put *node)
{
    struct uploading *self = arg;

    self->records++;
    if (portion_add_node(self->portion, node))
        return;
    flush(self);
    if (!portion_add_node(self->portion, node))
        self->err = SH_NOMEM; /* an empty one has room */
}

static void on_edge(void *arg, const struct graph_edge_put *edge)
{
    struct uploading *self = arg;

    self->records++;
    if (portion_add_edge(self->portion, edge))
        return;
    flush(self);
    if (!portion_add_edge(self->portion, edge))
        self->err = SH_NOMEM;
}

/* --- portions --------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    pump(timer->data);
}

/* False: it has been tried for long enough. */
static bool again(struct uploading *self, const struct sh_rpc_response *reply)
{
    unsigned shift = self->failures < 6 ? self->failures : 6;
    uint64_t pause = (uint64_t)PAUSE_MS << shift;

    if (!import_passes(reply->err) ||
        (self->failures > 0 && sh_left_ms(self->patience_ms) == 0))
        return false;
    if (self->failures++ == 0)
        self->patience_ms = sh_now_ms() + PATIENCE_MS;
    if (pause < reply->retry_after_ms)
        pause = reply->retry_after_ms;
    /* cannot fail: the callback is set */
    (void)uv_timer_start(&self->timer, on_timer,
                         pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS, 0);
    return true;
}

static void on_reply(void *arg, const struct sh_rpc_response *reply)
{
    struct uploading *self = arg;

    self->asked = false;
    if (reply->err != SH_OK) {
        if (!again(self, reply))
            give_up(self, reply);
        return;
    }
    self->failures = 0;
    self->number++;
    portion_queue_drop(&self->queue);
    pump(self);
}

static enum sh_err send_frame(struct uploading *self, struct sh_bytes frame)
{
    struct exchange *x = self->x;
    const struct sh_rpc_request request = {
        .method = METHOD_GRAPH_IMPORT_PART,
        .kind = SH_RPC_WRITE,
        .caller = exchange_caller(x),
        .payload = frame,
        .deadline_ms = sh_now_ms() + PATIENCE_MS,
        .trace = sh_http_trace(x->request),
    };

    return sh_rpc_send(x->edge->peers[PEER_GRAPH], &request, on_reply, self, &self->call);
}

/* False: it was given up. */
static bool send_portion(struct uploading *self)
{
    const struct graph_import_part part = {
        .import = sh_bytes_of(self->id),
        .number = self->number,
        .put = sh_buffer_bytes(&self->queue.first->frame)};
    struct sh_buffer frame = {0};
    enum sh_err err = msg_encode(graph_import_part_desc(), &part, &frame);

    if (err == SH_OK)
        err = send_frame(self, sh_buffer_bytes(&frame));
    sh_buffer_free(&frame);
    self->asked = err == SH_OK;
    const struct sh_rpc_response refused = {.err = err};
    if (err == SH_OK || again(self, &refused))
        return true;
    give_up(self, &refused);
    return false;
}

/* --- the stream ------------------------------------------------------------------- */

static void control_reading(struct uploading *self)
{
    bool full = self->queue.first != NULL && self->queue.first->next != NULL;

    if (self->complete || full == self->paused)
        return;
    self->paused = full;
    if (full)
        sh_http_pause(self->x->request);
    else
        sh_http_resume(self->x->request);
}

static void finish(struct uploading *self)
{
    if (self->lost) {
        exchange_fail_err(upload_close(self), self->err, NULL);
        return;
    }
    begin_job(self);
    /* x is not ours any more, and may be gone */
    portion_queue_clear(&self->queue);
    graph_reader_close(&self->reader);
    portion_clear(self->portion);
    sh_buffer_free(&self->faults);
    uv_close((uv_handle_t *)&self->timer, on_closed);
}

/* Everything that can go on now. Resuming may deliver a piece at once, which comes back
 * here: the inner call leaves the work to the outer one. */
static void pump(struct uploading *self)
{
    if (self->pumping)
        return;
    self->pumping = true;
    if (self->queue.first != NULL && !self->asked &&
        !uv_is_active((uv_handle_t *)&self->timer) && !send_portion(self))
        return;
    control_reading(self);
    self->pumping = false;
    if (self->complete && self->queue.first == NULL)
        finish(self);
}

static void read_end(struct uploading *self)
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
    struct uploading *self = arg;

    (void)request;
    if (self->complete)
        return;
    self->lost = err != SH_OK;
    if (self->err == SH_OK)
        self->err = err;
    if (err == SH_OK && piece.len > 0) {
        err = graph_reader_feed(self->reader, piece);
        if (self->err == SH_OK)
            self->err = err;
    }
    if (self->err != SH_OK || piece.len == 0)
        read_end(self);
    pump(self);
}

/* --- the start -------------------------------------------------------------------- */

static void make_id(char out[static 2 * ID_BYTES + 1])
{
    unsigned char bytes[ID_BYTES];

    sh_random(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

bool graph_import_wants_job(struct exchange *x, bool *out)
{
    return exchange_query_flag(x, "job", out);
}

static struct uploading *upload_open(struct exchange *x, enum graph_format format)
{
    struct uploading *self = sh_alloc(sizeof *self);

    if (self == NULL)
        return NULL;
    const struct graph_sink sink = {on_node, on_edge, on_fault, self};
    *self = (struct uploading){.x = x, .portion = sh_alloc(sizeof *self->portion)};
    self->timer.data = self;
    make_id(self->id);
    if (self->portion != NULL && uv_timer_init(x->edge->loop, &self->timer) == 0 &&
        graph_reader_open(format, &sink, &self->reader) == SH_OK)
        return self;
    sh_free(self->portion);
    sh_free(self);
    return NULL;
}

void graph_import_as_job(struct exchange *x, enum graph_format format)
{
    struct uploading *self = upload_open(x, format);

    if (self == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    x->state = self;
    x->abandoned = on_abandoned;
    sh_http_read_stream(x->request, UINT64_MAX, on_piece, self);
}
