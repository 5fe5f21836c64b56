/* dialect: routes that another API's clients use answer their errors in that API's shape.
 * A flag of the route says whose; whoever fails such a request (the gate, the checks of
 * the body, the handler, the HTTP server) need not know. */
#ifndef GATEWAY_DIALECT_H
#define GATEWAY_DIALECT_H

#include "services/gateway/router.h"
#include "shared/http_server.h"

/* Choose the shape for this request; unknown paths below "/v1/" are OpenAI's too. */
void dialect_set(struct sh_http_request *request, const struct router_match *match);

/* {"error":"sentence"} */
sh_http_problem_fn dialect_ollama;
/* {"error":{"message","type","param","code"}} */
sh_http_problem_fn dialect_openai;

#endif
