/* What was kept of a document: the search service's own words. */
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_out.h"

enum { ID_BYTES = 256 };

static void on_report(struct exchange *x, const struct sh_rpc_response *response)
{
    struct document_report report;

    if (!exchange_decode(x, document_report_desc(), response->payload, &report))
        return;
    json_raw(exchange_out(x), report.report, "{}");
    exchange_answer(x, 200);
}

void document_report(struct exchange *x, void *unused)
{
    char id[ID_BYTES + 1];

    (void)unused;
    if (!exchange_param(x, "id", id, sizeof id))
        return;
    const struct document_ref ref = {.id = sh_bytes_of(id)};
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = METHOD_DOCUMENT_REPORT,
                         .kind = SH_RPC_READ,
                         .desc = document_ref_desc(),
                         .msg = &ref,
                         .timeout_ms = x->edge->gateway->config.read_timeout_ms,
                         .done = on_report,
                     });
}
