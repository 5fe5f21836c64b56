/* POST /api/documents/batch?wait=true: a stream of documents, one JSON object a line, in
 * bounded memory.
 *
 * Happy path: pieces of the body go to `lines`; up to INGEST_WINDOW lines are with search
 * at a time, in a ring; the results leave in the order of the lines as soon as the oldest
 * is known. Lines with the same id are stored one after the other. Back-pressure: while
 * the ring is full, or the client does not read its results, the socket is not read.
 * Failure modes: a bad line gets an error line and nothing else happens; a service that
 * is busy or away is asked again with growing pauses before the line fails. The client
 * leaves: what is in flight is cancelled, what was stored stays stored. */
#include <stdio.h>

#include "services/gateway/handlers/batch.h"
#include "services/gateway/handlers/handlers.h"
#include "shared/clock.h"

enum {
    WINDOW_BYTES = 32 << 20, /* of documents in flight; a single larger one may pass */
    ATTEMPTS = 8,            /* with the pauses below: about ten seconds */
    PAUSE_MS = 50,
    PAUSE_MAX_MS = 3000,
};

enum item_state { ITEM_HELD, ITEM_ASKED, ITEM_PAUSED, ITEM_STORED, ITEM_DONE };

struct batch;

struct item {
    struct batch *batch;
    enum item_state state;
    uint64_t number;   /* of the line */
    uint64_t call;     /* ITEM_ASKED */
    uint64_t again_ms; /* ITEM_PAUSED: when to ask again */
    unsigned attempts;
    uint64_t key; /* of the document's id; 0: none, so it may be stored but once */
    struct refresh refresh;
    struct sh_buffer frame;  /* kept to ask again */
    struct sh_buffer result; /* ITEM_DONE */
};

struct batch {
    struct exchange *x;
    struct lines lines;
    uv_timer_t timer; /* for the first of those that wait to ask again */
    struct item *items;
    enum refresh_mode refresh;
    size_t window;
    size_t first;
    size_t used;
    size_t bytes;  /* of the frames in the ring */
    bool begun;    /* the answer's headers are out */
    bool complete; /* the body has been read to its end */
    bool slow;     /* the client does not read its results */
    bool paused;   /* the socket is not read */
    bool pumping;
};

static void pump(struct batch *batch);
static void on_timer(uv_timer_t *timer);

/* --- the end ------------------------------------------------------------------------ */

static void on_timer_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

static void clear_item(struct batch *batch, struct item *item)
{
    batch->bytes -= item->frame.len;
    everywhere_cancel(&item->refresh.waiting);
    sh_buffer_free(&item->frame);
    sh_buffer_free(&item->result);
}

static struct item *item_at(struct batch *batch, size_t place)
{
    return &batch->items[(batch->first + place) % batch->window];
}

/* Memory goes when the timer has closed. */
static void batch_close(struct batch *batch)
{
    for (size_t i = 0; i < batch->used; i++) {
        struct item *item = item_at(batch, i);
        if (item->state == ITEM_ASKED)
            sh_rpc_cancel(batch->x->edge->peers[PEER_SEARCH], item->call);
        clear_item(batch, item);
    }
    lines_close(&batch->lines);
    sh_free(batch->items);
    batch->items = NULL;
    uv_close((uv_handle_t *)&batch->timer, on_timer_closed);
}

static void on_abandoned(struct exchange *x)
{
    batch_close(x->state);
}

static void finish(struct batch *batch)
{
    struct exchange *x = batch->x;

    if (!batch->begun)
        sh_http_begin(x->request, 200, "application/x-ndjson");
    sh_http_end(x->request);
    batch_close(batch);
    exchange_done(x);
}

/* --- asking search ------------------------------------------------------------------ */

static void arm(struct batch *batch)
{
    uint64_t earliest = UINT64_MAX;

    for (size_t i = 0; i < batch->used; i++) {
        const struct item *item = item_at(batch, i);
        if (item->state == ITEM_PAUSED && item->again_ms < earliest)
            earliest = item->again_ms;
    }
    if (earliest == UINT64_MAX)
        uv_timer_stop(&batch->timer);
    else /* cannot fail: the callback is set */
        (void)uv_timer_start(&batch->timer, on_timer, sh_left_ms(earliest), 0);
}

static bool may_repeat(const struct item *item, enum sh_err err)
{
    if (item->attempts >= ATTEMPTS)
        return false;
    return err == SH_BUSY || err == SH_REJECTED || err == SH_DRAINING ||
           err == SH_UNAVAILABLE || (err == SH_INTERNAL && item->key != 0);
}

/* Not stored this time: another try after a pause, or the line's error. */
static void on_refused(struct item *item, const struct sh_rpc_response *reply)
{
    uint64_t pause = (uint64_t)PAUSE_MS << (item->attempts - 1);

    if (may_repeat(item, reply->err)) {
        if (pause < reply->retry_after_ms)
            pause = reply->retry_after_ms;
        item->state = ITEM_PAUSED;
        item->again_ms = sh_now_ms() + (pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS);
        arm(item->batch);
        return;
    }
    struct sh_problem problem = exchange_problem(reply, PEER_SEARCH);
    batch_line_failed(item->number, &problem, &item->result);
    item->state = ITEM_DONE;
}

static void end_stored(struct item *item)
{
    batch_line_end(&item->refresh, &item->result);
    item->state = ITEM_DONE;
}

static void on_everywhere(void *arg, struct everywhere_answer answer)
{
    struct item *item = arg;

    item->refresh.waiting = NULL;
    item->refresh.all = answer;
    end_stored(item);
    pump(item->batch);
}

static void on_stored(struct item *item, struct sh_bytes payload)
{
    struct exchange *x = item->batch->x;
    struct refresh *refresh = &item->refresh;
    uint64_t xid = 0;

    refresh->mode = item->batch->refresh;
    item->state = ITEM_DONE;
    if (!batch_line_stored(item->number, payload, &item->result, &xid, &refresh->visible))
        return;
    const struct everywhere_order order = refresh_order(x, xid);
    if (refresh->mode == REFRESH_ALL &&
        everywhere_ask(x->edge, &order, on_everywhere, item, &refresh->waiting) == SH_OK)
        item->state = ITEM_STORED;
    else
        end_stored(item);
}

static void on_reply(void *arg, const struct sh_rpc_response *reply)
{
    struct item *item = arg;

    if (reply->err != SH_OK)
        on_refused(item, reply);
    else
        on_stored(item, reply->payload);
    pump(item->batch);
}

static void ask(struct item *item)
{
    struct exchange *x = item->batch->x;
    const struct sh_rpc_request request = {
        .method = METHOD_DOCUMENT_PUT,
        .kind = SH_RPC_WRITE,
        .caller = &x->caller,
        .payload = sh_buffer_bytes(&item->frame),
        .deadline_ms = sh_now_ms() + x->edge->gateway->config.write_timeout_ms,
        .trace = sh_http_trace(x->request),
    };

    item->attempts++;
    item->state = ITEM_ASKED;
    enum sh_err err =
        sh_rpc_send(x->edge->peers[PEER_SEARCH], &request, on_reply, item, &item->call);
    if (err != SH_OK)
        on_refused(item, &(struct sh_rpc_response){.err = err});
}

static void on_timer(uv_timer_t *timer)
{
    struct batch *batch = timer->data;
    uint64_t now = sh_now_ms();

    for (size_t i = 0; i < batch->used; i++) {
        struct item *item = item_at(batch, i);
        if (item->state == ITEM_PAUSED && item->again_ms <= now)
            ask(item);
    }
    arm(batch);
    pump(batch);
}

/* --- the stream --------------------------------------------------------------------- */

static bool is_blank(const struct line *line)
{
    return !line->too_long && search_trim(line->text).len == 0;
}

static void start_line(struct batch *batch, const struct line *line)
{
    struct item *item = item_at(batch, batch->used);

    *item = (struct item){.batch = batch, .number = line->number};
    batch->used++;
    bool no_wait = batch->refresh != REFRESH_OWN;
    if (batch_line_encode(line, no_wait, &item->frame, &item->key, &item->result)) {
        batch->bytes += item->frame.len; /* ask_held() goes on */
    } else {
        sh_buffer_free(&item->frame);
        item->state = ITEM_DONE;
    }
}

/* An earlier line with the same id is not stored yet: the later one must win. */
static bool must_wait(struct batch *batch, size_t place)
{
    uint64_t key = item_at(batch, place)->key;

    for (size_t i = 0; key != 0 && i < place; i++)
        if (item_at(batch, i)->key == key && item_at(batch, i)->state != ITEM_DONE)
            return true;
    return false;
}

static void ask_held(struct batch *batch)
{
    for (size_t i = 0; i < batch->used; i++)
        if (item_at(batch, i)->state == ITEM_HELD && !must_wait(batch, i))
            ask(item_at(batch, i));
}

static bool has_room(const struct batch *batch)
{
    return !batch->slow && batch->used < batch->window &&
           (batch->used == 0 || batch->bytes < WINDOW_BYTES);
}

static void start_lines(struct batch *batch)
{
    struct line line;

    while (has_room(batch) && lines_next(&batch->lines, &line))
        if (!is_blank(&line))
            start_line(batch, &line);
}

/* Send the results that are known, oldest first. True: at least one left the ring. */
static bool send_results(struct batch *batch)
{
    bool sent = false;

    while (batch->used > 0 && item_at(batch, 0)->state == ITEM_DONE && !batch->slow) {
        struct item *item = item_at(batch, 0);
        if (!batch->begun)
            sh_http_begin(batch->x->request, 200, "application/x-ndjson");
        batch->begun = true;
        batch->slow = !sh_http_send(batch->x->request, sh_buffer_bytes(&item->result));
        clear_item(batch, item);
        batch->first = (batch->first + 1) % batch->window;
        batch->used--;
        sent = true;
    }
    return sent;
}

static void control_reading(struct batch *batch)
{
    bool pause = batch->slow || lines_waiting(&batch->lines);

    if (batch->complete || pause == batch->paused)
        return;
    batch->paused = pause;
    if (pause)
        sh_http_pause(batch->x->request);
    else
        sh_http_resume(batch->x->request);
}

/* Everything that can go on now. Resuming may deliver a piece at once, which comes back
 * here: the inner call leaves the work to the outer one's next turn. */
static void pump(struct batch *batch)
{
    if (batch->pumping)
        return;
    batch->pumping = true;
    do {
        do {
            start_lines(batch);
            ask_held(batch);
        } while (send_results(batch));
        control_reading(batch);
    } while (has_room(batch) && lines_waiting(&batch->lines));
    batch->pumping = false;
    if (batch->complete && batch->used == 0 && !lines_waiting(&batch->lines))
        finish(batch);
}

static void on_drained(void *arg)
{
    struct batch *batch = arg;

    batch->slow = false;
    pump(batch);
}

static void on_piece(void *arg, struct sh_http_request *request, enum sh_err err,
                     struct sh_bytes piece)
{
    struct batch *batch = arg;

    (void)request;
    if (err == SH_OK && piece.len > 0)
        err = lines_feed(&batch->lines, piece);
    if (err != SH_OK || piece.len == 0) {
        batch->complete = true;
        lines_end(&batch->lines);
    }
    pump(batch);
}

/* --- the start ---------------------------------------------------------------------- */

static struct batch *batch_open(struct exchange *x, enum refresh_mode refresh)
{
    const struct gateway_config *config = &x->edge->gateway->config;
    struct batch *batch = sh_alloc(sizeof *batch);

    if (batch == NULL)
        return NULL;
    batch->x = x;
    batch->refresh = refresh;
    batch->window = config->ingest_window;
    batch->items = sh_alloc_array(batch->window, sizeof *batch->items);
    if (batch->items == NULL || uv_timer_init(x->edge->loop, &batch->timer) != 0) {
        sh_free(batch->items);
        sh_free(batch);
        return NULL;
    }
    batch->timer.data = batch;
    lines_open(&batch->lines, config->max_document_bytes);
    return batch;
}

void batch_post(struct exchange *x, void *unused)
{
    enum refresh_mode refresh;

    bool wait;

    (void)unused;
    if (!batch_request_ok(x, &wait) || !refresh_read(x, &refresh))
        return;
    if (!wait) {
        job_fill_post(x);
        return;
    }
    struct batch *batch = batch_open(x, refresh);
    if (batch == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    x->caller.request_id = sh_bytes_of(sh_http_trace(x->request)->request_id);
    x->state = batch;
    x->abandoned = on_abandoned;
    sh_http_on_drained(x->request, on_drained, batch);
    sh_http_read_stream(x->request, UINT64_MAX, on_piece, batch);
}
