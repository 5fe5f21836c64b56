#include "services/search/ingest/put_internal.h"
#include "shared/clock.h"

enum {
    LONGEST_MS = 600000,     /* when the caller sets no deadline */
    QUIET_BYTES = 512 << 10, /* above that, no more quiet ones than others */
};

static struct put_lane *lane_of(const struct put *put)
{
    return &put->putter->lanes[put->order.quiet ? PUT_QUIET : PUT_AWAITED];
}

static bool has_room(const struct putter *putter, const struct put_lane *lane)
{
    size_t at_once = putter->options.at_once;

    return lane->running < at_once ||
           (lane == &putter->lanes[PUT_QUIET] &&
            lane->running < PUT_QUIET_TIMES * at_once && lane->bytes < QUIET_BYTES);
}

bool putter_is_loading(const struct putter *putter)
{
    return putter->lanes[PUT_QUIET].running > 0;
}

static void start_waiting(struct putter *putter, struct put_lane *lane)
{
    while (lane->first != NULL && has_room(putter, lane)) {
        struct put *put = lane->first;
        lane->first = put->next;
        if (lane->first == NULL)
            lane->end = &lane->first;
        lane->running++;
        lane->bytes += put->order.payload.len;
        putter->running++;
        put_begin(put);
    }
}

void put_hold(struct putter *putter)
{
    putter->running++;
}

void put_unhold(struct putter *putter)
{
    if (--putter->running == 0 && putter->closing)
        sh_free(putter);
}

void put_release(struct put *put)
{
    struct putter *putter = put->putter;
    struct put_lane *lane = lane_of(put);

    sh_free(put->vectors);
    sh_arena_free(&put->arena);
    putter->bytes -= put->order.payload.len;
    lane->bytes -= put->order.payload.len;
    lane->running--;
    sh_free(put);
    if (!putter->closing)
        start_waiting(putter, lane);
    put_unhold(putter);
}

enum sh_err putter_put(struct putter *putter, const struct put_order *order,
                       put_done_fn *done, void *arg)
{
    uint64_t latest = sh_now_ms() + LONGEST_MS;
    struct put *put;

    if (putter->bytes > 0 &&
        putter->bytes + order->payload.len > putter->options.bytes_max)
        return SH_BUSY;
    put = sh_alloc(sizeof(*put));
    if (put == NULL)
        return SH_NOMEM;
    put->putter = putter;
    put->order = *order;
    put->done = done;
    put->arg = arg;
    put->deadline_ms = order->deadline_ms < latest ? order->deadline_ms : latest;
    putter->bytes += order->payload.len;
    struct put_lane *lane = lane_of(put);
    *lane->end = put;
    lane->end = &put->next;
    start_waiting(putter, lane);
    return SH_OK;
}

/* --- as a method ------------------------------------------------------------------ */

static bool is_canceled(void *arg)
{
    return sh_rpc_call_canceled(arg);
}

static void answer_call(void *arg, const struct put_outcome *outcome)
{
    struct sh_rpc_call *call = arg;

    if (outcome->err == SH_OK)
        sh_rpc_reply(call, document_put_reply_desc(), outcome->reply);
    else
        sh_rpc_fail(call, outcome->err, outcome->code, outcome->field, "%s",
                    outcome->message);
}

void putter_handle(void *arg, struct sh_rpc_call *call)
{
    const struct put_order order = {.payload = sh_rpc_call_payload(call),
                                    .caller = sh_rpc_call_caller(call),
                                    .trace = sh_rpc_call_trace(call),
                                    .key = sh_rpc_call_idempotency_key(call),
                                    .deadline_ms = sh_rpc_call_deadline_ms(call),
                                    .canceled = is_canceled};
    enum sh_err err = putter_put(arg, &order, answer_call, call);

    if (err == SH_BUSY)
        sh_rpc_fail(call, err, NULL, NULL, "too many documents wait to be stored");
    else if (err != SH_OK)
        sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
}

/* --- life ------------------------------------------------------------------------- */

enum sh_err putter_create(const struct putter_options *options, struct putter **out)
{
    struct putter *putter = sh_alloc(sizeof(*putter));

    if (putter == NULL)
        return SH_NOMEM;
    putter->options = *options;
    for (size_t i = 0; i < PUT_LANES; i++)
        putter->lanes[i].end = &putter->lanes[i].first;
    for (size_t i = 0; i < PUT_STAGES; i++)
        putter->stages[i].end = &putter->stages[i].first;
    *out = putter;
    return SH_OK;
}

static void refuse_waiting(struct putter *putter, struct put_lane *lane)
{
    struct put *waiting = lane->first;

    lane->first = NULL;
    while (waiting != NULL) {
        struct put *put = waiting;
        waiting = put->next;
        lane->running++;
        lane->bytes += put->order.payload.len;
        putter->running++;
        put_fail(put, SH_DRAINING, "shutting down, nothing was stored");
    }
}

void putter_close(struct putter **putter_in)
{
    struct putter *putter = *putter_in;

    *putter_in = NULL;
    if (putter == NULL)
        return;
    put_hold(putter);
    putter->closing = true;
    for (size_t i = 0; i < PUT_LANES; i++)
        refuse_waiting(putter, &putter->lanes[i]);
    put_unhold(putter);
}
