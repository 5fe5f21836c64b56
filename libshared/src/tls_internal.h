/* tls_internal: what the HTTP server takes of a struct sh_tls. */
#ifndef SHARED_TLS_INTERNAL_H
#define SHARED_TLS_INTERNAL_H

#include <openssl/ssl.h>

#include "shared/tls.h"

/* A connection's state, with the certificate of the moment; NULL when out of memory.
 * Ended by SSL_free(). Any thread. */
SSL *tls_connection(struct sh_tls *self);

#endif
