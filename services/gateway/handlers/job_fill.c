/* POST /api/documents/batch: a stream of documents, one JSON object a line, becomes a
 * job, in bounded memory.
 *
 * Happy path: a job is made; lines are collected, as many as a portion has, while the
 * portion before is on its way to search, which answers when the database has it. The
 * last portion seals the job: 202. Back-pressure: while one portion is on its way and the
 * next is full, the socket is not read; search takes none while too much waits in the
 * queue. Failure modes: a bad line becomes an item that has failed, with its number;
 * search is busy or away: the same portion again with growing pauses, which adds it once;
 * for too long, or the job was ended by somebody: the answer is an error. Then, and when
 * the client leaves in the middle, the job is cancelled (and by itself, after two
 * minutes, if the gateway goes too): what was stored stays stored. */
#include <stdio.h>

#include "services/gateway/handlers/handlers.h"
#include "services/gateway/handlers/job_portion.h"
#include "services/gateway/json_out.h"
#include "services/gateway/uploads/sent_name.h"
#include "shared/clock.h"

enum {
    PAUSE_MS = 50,
    PAUSE_MAX_MS = 3000,
    FULL_MS = 250,
    PATIENCE_MS = 60000, /* for a search that is away */
    CREATE_MS = 15000,
};

struct fill {
    struct exchange *x;
    struct sh_lines lines;
    uv_timer_t timer;              /* to ask again */
    char id[64];                   /* "": not made yet */
    char file_name[FILE_NAME_MAX]; /* "": nobody said */
    struct job_portion portion;    /* that is being collected */
    /* The portion on its way. */
    struct sh_buffer frame; /* empty: none */
    size_t sent;
    bool last;
    uint64_t first; /* items that are in the queue */
    uint64_t call;
    bool asked;
    unsigned failures;
    uint64_t patience_ms; /* until when failures are borne */
    bool complete;        /* the body has been read to its end */
    bool paused;
    bool pumping;
};

static void pump(struct fill *self);
static void ask(struct fill *self);

/* --- the end ---------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

static void fill_close(struct fill *self)
{
    if (self->asked)
        sh_rpc_cancel(self->x->edge->peers[PEER_SEARCH], self->call);
    job_portion_clear(&self->portion);
    sh_buffer_free(&self->frame);
    sh_lines_close(&self->lines);
    uv_close((uv_handle_t *)&self->timer, on_closed);
}

static void on_nobody_asks(void *arg, const struct sh_rpc_response *reply)
{
    (void)arg;
    (void)reply; /* the job ends by itself if this got lost */
}

static void cancel_job(struct fill *self)
{
    struct exchange *x = self->x;
    const struct job_ref ref = {.id = sh_bytes_of(self->id)};
    struct sh_buffer frame = {0};
    uint64_t call;
    struct sh_rpc_request request = {.method = METHOD_JOB_CANCEL,
                                     .kind = SH_RPC_WRITE,
                                     .caller = &x->caller,
                                     .deadline_ms = sh_now_ms() + CREATE_MS};

    if (self->id[0] != '\0' && msg_encode(job_ref_desc(), &ref, &frame) == SH_OK) {
        request.payload = sh_buffer_bytes(&frame);
        enum sh_err err = sh_rpc_send(x->edge->peers[PEER_SEARCH], &request,
                                      on_nobody_asks, NULL, &call);
        (void)err; /* as above */
    }
    sh_buffer_free(&frame);
}

static void on_abandoned(struct exchange *x)
{
    struct fill *self = x->state;

    cancel_job(self);
    fill_close(self);
}

static void refuse(struct fill *self, const struct sh_rpc_response *reply)
{
    struct exchange *x = self->x;

    cancel_job(self);
    fill_close(self);
    exchange_fail_call(x, PEER_SEARCH, reply);
}

static void answer(struct fill *self, const struct job_appended *appended)
{
    struct exchange *x = self->x;
    struct sh_buffer *out = exchange_out(x);
    char place[96];

    (void)snprintf(place, sizeof place, "/api/jobs/%s", self->id);
    sh_http_add_header(x->request, "Location", place);
    sh_buffer_text(out, "{");
    json_member_text(out, "job_id", sh_bytes_of(self->id));
    json_member_text(out, "state", appended->state);
    json_member(out, "total");
    json_u64(out, appended->total);
    sh_buffer_text(out, "}");
    x->audit.target = sh_arena_copy(&x->arena, sh_bytes_of(self->id));
    fill_close(self);
    exchange_answer(x, 202);
}

/* --- asking search ---------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    ask(timer->data);
}

static void ask_after(struct fill *self, uint64_t pause_ms)
{
    (void)uv_timer_start(&self->timer, on_timer, pause_ms, 0); /* cannot fail */
}

static bool passes(enum sh_err err)
{
    return err == SH_BUSY || err == SH_REJECTED || err == SH_DRAINING ||
           err == SH_UNAVAILABLE || err == SH_TIMEOUT || err == SH_INTERNAL ||
           err == SH_CANCELED;
}

static void on_failed(struct fill *self, const struct sh_rpc_response *reply)
{
    uint64_t pause = (uint64_t)PAUSE_MS << (self->failures < 6 ? self->failures : 6);

    if (self->failures++ == 0)
        self->patience_ms = sh_now_ms() + PATIENCE_MS;
    /* Making the job again could make two: one of them would be cleared away. */
    if (!passes(reply->err) || sh_left_ms(self->patience_ms) == 0) {
        refuse(self, reply);
        return;
    }
    pause = pause < reply->retry_after_ms ? reply->retry_after_ms : pause;
    ask_after(self, pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS);
}

/* False: it was answered, or will be asked again. */
static bool decoded(struct fill *self, const struct sh_rpc_response *reply,
                    const struct msg_desc *desc, struct sh_arena *arena, void *msg)
{
    struct sh_rpc_response nonsense = {.err = SH_UPSTREAM};

    self->asked = false;
    if (reply->err != SH_OK)
        on_failed(self, reply);
    else if (msg_decode(desc, reply->payload, arena, msg) != SH_OK)
        refuse(self, &nonsense);
    else
        return true;
    return false;
}

static void on_created(void *arg, const struct sh_rpc_response *reply)
{
    struct fill *self = arg;
    struct sh_arena arena = {0};
    struct job job;

    if (decoded(self, reply, job_desc(), &arena, &job)) {
        (void)snprintf(self->id, sizeof self->id, "%.*s", (int)job.id.len,
                       (const char *)job.id.data);
        self->failures = 0;
        pump(self);
    }
    sh_arena_free(&arena);
}

static void on_appended(void *arg, const struct sh_rpc_response *reply)
{
    struct fill *self = arg;
    struct sh_arena arena = {0};
    struct job_appended appended;

    if (decoded(self, reply, job_appended_desc(), &arena, &appended)) {
        self->failures = 0;
        if (appended.full) {
            ask_after(self, FULL_MS);
        } else if (self->last) {
            answer(self, &appended);
        } else {
            self->first += self->sent;
            sh_buffer_free(&self->frame);
            pump(self);
        }
    }
    sh_arena_free(&arena);
}

static void ask(struct fill *self)
{
    struct exchange *x = self->x;
    bool made = self->id[0] != '\0';
    const struct job_new order = {.kind = sh_bytes_of("ingest"),
                                  .file_name = sh_bytes_of(self->file_name)};
    struct sh_buffer creation = {0};
    enum sh_err err = made ? SH_OK : msg_encode(job_new_desc(), &order, &creation);
    uint64_t most = made ? x->edge->gateway->config.write_timeout_ms : CREATE_MS;
    const struct sh_rpc_request request = {
        .method = made ? METHOD_JOB_APPEND : METHOD_JOB_CREATE,
        .kind = SH_RPC_WRITE,
        .caller = &x->caller,
        .payload = sh_buffer_bytes(made ? &self->frame : &creation),
        .deadline_ms = sh_now_ms() + most,
        .trace = sh_http_trace(x->request),
    };

    if (err == SH_OK)
        err = sh_rpc_send(x->edge->peers[PEER_SEARCH], &request,
                          made ? on_appended : on_created, self, &self->call);
    sh_buffer_free(&creation);
    self->asked = err == SH_OK;
    if (err != SH_OK)
        on_failed(self, &(struct sh_rpc_response){.err = err});
}

/* --- a portion -------------------------------------------------------------------- */

static bool is_blank(const struct sh_line *line)
{
    return !line->too_long && search_trim(line->text).len == 0;
}

static enum sh_err encode(struct fill *self)
{
    struct job_append append = {
        .id = sh_bytes_of(self->id), .first = self->first, .last = self->last};

    self->sent = self->portion.count;
    return job_portion_encode(&self->portion, &append, &self->frame);
}

static void send_portion(struct fill *self)
{
    enum sh_err err;

    self->last = self->complete && !sh_lines_waiting(&self->lines);
    err = encode(self);
    job_portion_clear(&self->portion);
    if (err == SH_OK)
        ask(self);
    else
        refuse(self, &(struct sh_rpc_response){.err = err});
}

static void control_reading(struct fill *self)
{
    bool pause = job_portion_is_full(&self->portion) || sh_lines_waiting(&self->lines);

    if (self->complete || pause == self->paused)
        return;
    self->paused = pause;
    if (pause)
        sh_http_pause(self->x->request);
    else
        sh_http_resume(self->x->request);
}

/* Everything that can go on now. Resuming may deliver a piece at once, which comes back
 * here: the inner call leaves the work to the outer one. */
static void pump(struct fill *self)
{
    struct sh_line line;
    bool idle;

    if (self->pumping)
        return;
    self->pumping = true;
    do {
        while (!job_portion_is_full(&self->portion) && sh_lines_next(&self->lines, &line))
            if (!is_blank(&line))
                job_portion_add(&self->portion, &line);
        control_reading(self);
    } while (!job_portion_is_full(&self->portion) && sh_lines_waiting(&self->lines));
    self->pumping = false;
    idle = self->id[0] != '\0' && self->frame.len == 0;
    if (idle && (self->portion.count > 0 || self->complete))
        send_portion(self);
}

static void on_piece(void *arg, struct sh_http_request *request, enum sh_err err,
                     struct sh_bytes piece)
{
    struct fill *self = arg;

    (void)request;
    if (err == SH_OK && piece.len > 0)
        err = sh_lines_feed(&self->lines, piece);
    if (err != SH_OK) {
        refuse(self, &(struct sh_rpc_response){.err = err});
        return;
    }
    if (piece.len == 0) {
        self->complete = true;
        sh_lines_end(&self->lines);
    }
    pump(self);
}

void job_fill_post(struct exchange *x)
{
    struct fill *self = sh_alloc(sizeof *self);

    if (self == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    if (!sent_name_read(x, self->file_name)) {
        sh_free(self);
        return;
    }
    self->x = x;
    (void)uv_timer_init(x->edge->loop, &self->timer); /* cannot fail */
    self->timer.data = self;
    sh_lines_open(&self->lines, x->edge->gateway->config.max_document_bytes);
    x->caller.request_id = sh_bytes_of(sh_http_trace(x->request)->request_id);
    x->state = self;
    x->abandoned = on_abandoned;
    sh_http_read_stream(x->request, UINT64_MAX, on_piece, self);
    ask(self);
}
