/* openapi: the description of the API, made from the table of routes and the schemas that
 * check the requests. Written once at start. */
#ifndef GATEWAY_OPENAPI_H
#define GATEWAY_OPENAPI_H

#include "services/gateway/router.h"
#include "shared/buffer.h"

/* OpenAPI 3.1 as JSON. Errors: SH_NOMEM; SH_INTERNAL: a route names an answer that
 * services/gateway/answers/ does not have. */
SH_CHECK enum sh_err openapi_write(const struct route *routes, size_t count,
                                   struct sh_buffer *out);
/* A page for people, without scripts or anything from elsewhere. */
SH_CHECK enum sh_err openapi_page(const struct route *routes, size_t count,
                                  struct sh_buffer *out);
/* The page's Content-Security-Policy, NUL-terminated: its style by hash, nothing else.
 * Errors: SH_NOMEM. */
SH_CHECK enum sh_err openapi_policy(struct sh_buffer *out);
/* `--openapi`: the description to standard output, for who makes a client of it where no
 * gateway runs. The process's exit status. */
int openapi_print(void);
/* The shapes of the answers: a JSON Schema by name, from services/gateway/answers/. The
 * caller's. NULL: a file there is no JSON, or out of memory. */
json_t *openapi_answers(void);

#endif
