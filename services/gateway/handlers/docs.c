/* /openapi.json and /docs: made once at start, see openapi.c. */
#include "services/gateway/handlers/handlers.h"

void docs_openapi(struct exchange *x, void *unused)
{
    (void)unused;
    exchange_answer_as(x, 200, "application/json",
                       sh_buffer_bytes(&x->edge->gateway->openapi));
}

void docs_page(struct exchange *x, void *unused)
{
    (void)unused;
    sh_http_add_header(x->request, "Content-Security-Policy",
                       x->edge->gateway->docs_policy.data);
    exchange_answer_as(x, 200, "text/html; charset=utf-8",
                       sh_buffer_bytes(&x->edge->gateway->docs));
}
