/* tls: a server's certificate, and how it speaks TLS: 1.2 and 1.3 only, with forward
 * secrecy and authenticated ciphers, no renegotiation, no compression, no early data.
 * Session tickets are sealed with keys that change and are never written down. Shared by
 * all servers of a process; any thread, but for opening and closing. */
#ifndef SHARED_TLS_H
#define SHARED_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/err.h"

struct sh_tls;

struct sh_tls_options {
    const char *cert_file; /* PEM: our certificate, then those that vouch for it */
    const char *key_file;  /* PEM, without a password; for nobody else to read */
    bool tls13_only;
    uint32_t
        ticket_s; /* a session can be resumed for this long to twice as long; 0: not */
};

/* Reads the files; the options' texts must outlive *out. Errors: SH_INVALID with a
 * sentence in `why`, SH_NOMEM. The caller ends *out with sh_tls_close() when the servers
 * that use it are closed. */
SH_CHECK enum sh_err sh_tls_open(const struct sh_tls_options *options,
                                 struct sh_tls **out, char *why, size_t size);
/* Read the files again, for connections to come. When that fails all stays as it was.
 * Errors as above. */
SH_CHECK enum sh_err sh_tls_reload(struct sh_tls *self, char *why, size_t size);
/* When our certificate ends, in Unix seconds. */
double sh_tls_expires(struct sh_tls *self);
void sh_tls_close(struct sh_tls **self);

#endif
