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
#include "services/gateway/handlers/batch_internal.h"
#include "services/gateway/handlers/handlers.h"

enum {
    WINDOW_BYTES = 32 << 20, /* of documents in flight; a single larger one may pass */
};

/* --- the end ---------------------------------------------------------------------- */

static void on_timer_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

static void clear_item(struct batch *batch, struct batch_item *item)
{
    batch->bytes -= item->frame.len;
    everywhere_cancel(&item->refresh.waiting);
    sh_buffer_free(&item->frame);
    sh_buffer_free(&item->result);
}

/* Memory goes when the timer has closed. */
static void batch_close(struct batch *batch)
{
    for (size_t i = 0; i < batch->used; i++) {
        struct batch_item *item = batch_item_at(batch, i);
        if (item->state == ITEM_ASKED)
            sh_rpc_cancel(batch->x->edge->peers[PEER_SEARCH], item->call);
        clear_item(batch, item);
    }
    sh_lines_close(&batch->lines);
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

/* --- the stream ------------------------------------------------------------------- */

static bool is_blank(const struct sh_line *line)
{
    return !line->too_long && search_trim(line->text).len == 0;
}

static void start_line(struct batch *batch, const struct sh_line *line)
{
    struct batch_item *item = batch_item_at(batch, batch->used);

    *item = (struct batch_item){.batch = batch, .number = line->number};
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
    uint64_t key = batch_item_at(batch, place)->key;

    for (size_t i = 0; key != 0 && i < place; i++)
        if (batch_item_at(batch, i)->key == key &&
            batch_item_at(batch, i)->state != ITEM_DONE)
            return true;
    return false;
}

static void ask_held(struct batch *batch)
{
    for (size_t i = 0; i < batch->used; i++)
        if (batch_item_at(batch, i)->state == ITEM_HELD && !must_wait(batch, i))
            batch_ask(batch_item_at(batch, i));
}

static bool has_room(const struct batch *batch)
{
    return !batch->slow && batch->used < batch->window &&
           (batch->used == 0 || batch->bytes < WINDOW_BYTES);
}

static void start_lines(struct batch *batch)
{
    struct sh_line line;

    while (has_room(batch) && sh_lines_next(&batch->lines, &line))
        if (!is_blank(&line))
            start_line(batch, &line);
}

/* Send the results that are known, oldest first. True: at least one left the ring. */
static bool send_results(struct batch *batch)
{
    bool sent = false;

    while (batch->used > 0 && batch_item_at(batch, 0)->state == ITEM_DONE &&
           !batch->slow) {
        struct batch_item *item = batch_item_at(batch, 0);
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
    bool pause = batch->slow || sh_lines_waiting(&batch->lines);

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
void batch_pump(struct batch *batch)
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
    } while (has_room(batch) && sh_lines_waiting(&batch->lines));
    batch->pumping = false;
    if (batch->complete && batch->used == 0 && !sh_lines_waiting(&batch->lines))
        finish(batch);
}

static void on_drained(void *arg)
{
    struct batch *batch = arg;

    batch->slow = false;
    batch_pump(batch);
}

static void on_piece(void *arg, struct sh_http_request *request, enum sh_err err,
                     struct sh_bytes piece)
{
    struct batch *batch = arg;

    (void)request;
    if (err == SH_OK && piece.len > 0)
        err = sh_lines_feed(&batch->lines, piece);
    if (err != SH_OK || piece.len == 0) {
        batch->complete = true;
        sh_lines_end(&batch->lines);
    }
    batch_pump(batch);
}

/* --- the start -------------------------------------------------------------------- */

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
    sh_lines_open(&batch->lines, config->max_document_bytes);
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
