#include "services/search/ingest/put_internal.h"
#include "shared/clock.h"

enum { LONGEST_MS = 600000 /* when the caller sets no deadline */ };

static void start_waiting(struct putter *putter)
{
    while (putter->first != NULL && putter->running < putter->options.at_once) {
        struct put *put = putter->first;
        putter->first = put->next;
        if (putter->first == NULL)
            putter->end = &putter->first;
        putter->running++;
        put_begin(put);
    }
}

void put_release(struct put *put)
{
    struct putter *putter = put->putter;

    write_free(&put->write);
    sh_free(put->vectors);
    sh_arena_free(&put->arena);
    putter->bytes -= put->order.payload.len;
    putter->running--;
    sh_free(put);
    if (!putter->closing)
        start_waiting(putter);
    else if (putter->running == 0)
        sh_free(putter);
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
    *putter->end = put;
    putter->end = &put->next;
    start_waiting(putter);
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
    putter->end = &putter->first;
    *out = putter;
    return SH_OK;
}

void putter_close(struct putter **putter_in)
{
    struct putter *putter = *putter_in;
    struct put *waiting;

    *putter_in = NULL;
    if (putter == NULL)
        return;
    waiting = putter->first;
    putter->first = NULL;
    putter->closing = true;
    putter->running++; /* until the end of this */
    while (waiting != NULL) {
        struct put *put = waiting;
        waiting = put->next;
        putter->running++;
        put_fail(put, SH_DRAINING, "shutting down, nothing was stored");
    }
    if (--putter->running == 0)
        sh_free(putter);
}
