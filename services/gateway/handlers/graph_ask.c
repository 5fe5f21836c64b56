#include "services/gateway/handlers/graph_ask.h"

void graph_ask(struct exchange *x, uint32_t method, const struct msg_desc *desc,
               const void *msg, exchange_reply_fn *done)
{
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_GRAPH,
                         .method = method,
                         .kind = SH_RPC_READ,
                         .desc = desc,
                         .msg = msg,
                         .timeout_ms = x->edge->gateway->config.read_timeout_ms,
                         .done = done,
                     });
}

bool graph_read_direction(struct exchange *x, uint32_t *direction)
{
    static const char *const names[] = {"both", "out", "in"};
    struct sh_bytes text;

    if (!exchange_query_text(x, "direction", GRAPH_ASKED_MAX, &text))
        return false;
    for (uint32_t i = 0; i < SH_COUNT(names); i++)
        if (text.len == 0 || sh_bytes_is(text, names[i])) {
            *direction = text.len == 0 ? 0 : i;
            return true;
        }
    exchange_invalid(x, "direction", "direction must be both, out or in");
    return false;
}

bool graph_read_required(struct exchange *x, const char *name, struct sh_bytes *out)
{
    if (!exchange_query_text(x, name, GRAPH_ID_MAX, out))
        return false;
    if (out->len > 0)
        return true;
    exchange_invalid(x, name, "%s must name a node", name); /* *out went with it */
    return false;
}
