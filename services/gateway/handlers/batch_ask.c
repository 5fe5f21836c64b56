/* The lines of a batch, one by one, to search. */
#include "services/gateway/handlers/batch_internal.h"
#include "shared/clock.h"

enum {
    ATTEMPTS = 8, /* with the pauses below: about ten seconds */
    PAUSE_MS = 50,
    PAUSE_MAX_MS = 3000,
};

static void on_timer(uv_timer_t *timer);

static void arm(struct batch *batch)
{
    uint64_t earliest = UINT64_MAX;

    for (size_t i = 0; i < batch->used; i++) {
        const struct batch_item *item = batch_item_at(batch, i);
        if (item->state == ITEM_PAUSED && item->again_ms < earliest)
            earliest = item->again_ms;
    }
    if (earliest == UINT64_MAX)
        uv_timer_stop(&batch->timer);
    else /* cannot fail: the callback is set */
        (void)uv_timer_start(&batch->timer, on_timer, sh_left_ms(earliest), 0);
}

static bool may_repeat(const struct batch_item *item, enum sh_err err)
{
    if (item->attempts >= ATTEMPTS)
        return false;
    return err == SH_BUSY || err == SH_REJECTED || err == SH_DRAINING ||
           err == SH_UNAVAILABLE || (err == SH_INTERNAL && item->key != 0);
}

/* Not stored this time: another try after a pause, or the line's error. */
static void on_refused(struct batch_item *item, const struct sh_rpc_response *reply)
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

static void end_stored(struct batch_item *item)
{
    batch_line_end(&item->refresh, &item->result);
    item->state = ITEM_DONE;
}

static void on_everywhere(void *arg, struct everywhere_answer answer)
{
    struct batch_item *item = arg;

    item->refresh.waiting = NULL;
    item->refresh.all = answer;
    end_stored(item);
    batch_pump(item->batch);
}

static void on_stored(struct batch_item *item, struct sh_bytes payload)
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
    struct batch_item *item = arg;

    if (reply->err != SH_OK)
        on_refused(item, reply);
    else
        on_stored(item, reply->payload);
    batch_pump(item->batch);
}

void batch_ask(struct batch_item *item)
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
        struct batch_item *item = batch_item_at(batch, i);
        if (item->state == ITEM_PAUSED && item->again_ms <= now)
            batch_ask(item);
    }
    arm(batch);
    batch_pump(batch);
}
