/* shell: what stands around every request on the public port, whatever it asks for: the
 * headers that go with each answer, and who else's pages may call. Made at start, then
 * only read by the loops. */
#ifndef GATEWAY_SHELL_H
#define GATEWAY_SHELL_H

#include "services/gateway/shell/cors.h"
#include "services/gateway/shell/settings.h"
#include "shared/buffer.h"
#include "shared/http_server.h"
#include "shared/tls.h"

struct shell {
    const struct shell_config *config;
    struct sh_tls *tls; /* NULL: plain HTTP */
    struct cors cors;
    struct sh_buffer always; /* header lines; see struct sh_http_fixed */
    struct sh_buffer policy;
    struct sh_buffer secure;
};

/* Both configs outlive the shell. `production`: refuse what must not be there. Errors:
 * SH_INVALID with a sentence in `why` that names the setting or file; SH_NOMEM. Ended by
 * shell_close(), when no server uses it any more. */
SH_CHECK enum sh_err shell_open(const struct shell_config *config,
                                const struct gateway_config *gateway, bool production,
                                struct shell *shell, char *why, size_t size);
void shell_close(struct shell *shell);
/* Certificates again; what is wrong is logged and changes nothing. */
void shell_reload(struct shell *shell);

/* What every answer bears; borrowed from the shell. */
struct sh_http_fixed shell_fixed(const struct shell *shell);
/* Before anything else looks at the request. `methods`: what the path answers to, NULL:
 * nothing. True: it was a preflight request and has been answered. */
bool shell_enter(const struct shell *shell, struct sh_http_request *request,
                 const char *methods);

/* sh_http_handler_fn of the plain port beside TLS_PORT, `arg` is the shell: sends readers
 * to TLS and refuses everything else, which has spilt its secrets already. */
void shell_redirect(void *arg, struct sh_http_request *request);

#endif
