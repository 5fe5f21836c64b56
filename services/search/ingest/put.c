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
    putter->bytes -= put->bytes;
    putter->running--;
    sh_free(put);
    if (!putter->closing)
        start_waiting(putter);
    else if (putter->running == 0)
        sh_free(putter);
}

void putter_handle(void *arg, struct sh_rpc_call *call)
{
    struct putter *putter = arg;
    size_t bytes = sh_rpc_call_payload(call).len;
    uint64_t latest = sh_now_ms() + LONGEST_MS;
    uint64_t deadline = sh_rpc_call_deadline_ms(call);
    struct put *put;

    if (putter->bytes > 0 && putter->bytes + bytes > putter->options.bytes_max) {
        sh_rpc_fail(call, SH_BUSY, NULL, NULL, "too many documents wait to be stored");
        return;
    }
    put = sh_alloc(sizeof(*put));
    if (put == NULL) {
        sh_rpc_fail(call, SH_NOMEM, NULL, NULL, "%s", sh_err_text(SH_NOMEM));
        return;
    }
    put->putter = putter;
    put->call = call;
    put->bytes = bytes;
    put->deadline_ms = deadline < latest ? deadline : latest;
    putter->bytes += bytes;
    *putter->end = put;
    putter->end = &put->next;
    start_waiting(putter);
}

/* --- life --------------------------------------------------------------------------- */

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
