/* tls: the certificate of the public port. */
#ifndef GATEWAY_SHELL_TLS_H
#define GATEWAY_SHELL_TLS_H

#include "services/gateway/shell/settings.h"
#include "shared/tls.h"

/* *tls stays NULL without TLS_CERT_FILE. Errors: SH_INVALID with a sentence in `why`,
 * SH_NOMEM. */
SH_CHECK enum sh_err shell_tls_open(const struct shell_config *config,
                                    struct sh_tls **tls, char *why, size_t size);

#endif
