/* http_tls: TLS between a connection and its socket. OpenSSL reads from what the socket
 * gave and writes into a buffer of the server's, so that an idle connection holds no
 * buffers of its own. Loop thread only. */
#ifndef SHARED_HTTP_TLS_H
#define SHARED_HTTP_TLS_H

#include "shared/buffer.h"
#include "shared/metrics.h"
#include "shared/tls.h"

struct http_conn;
struct http_tls; /* a connection's */

/* A server's, used by one connection at a time. */
struct http_tls_shared {
    struct sh_tls *tls; /* NULL: plain HTTP */
    size_t under_way;   /* handshakes */
    size_t most;
    struct sh_buffer cipher; /* to be written */
    struct sh_buffer joined; /* small parts, to become one record */
    char *plain;             /* what was read, deciphered */
    struct sh_series *good;
    struct sh_series *failed;
    struct sh_series *slow;
    struct sh_series *crowded;
};

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err http_tls_share(struct http_tls_shared *self, struct sh_tls *tls,
                                    size_t most, const char *listener);
void http_tls_unshare(struct http_tls_shared *self);

/* NULL: out of memory, or as many handshakes are under way as may be. */
struct http_tls *http_tls_open(struct http_conn *conn);
void http_tls_free(struct http_tls *self);
bool http_tls_is_open(const struct http_tls *self); /* the handshake is done */
/* Bytes from the socket; *plain is what they say, maybe nothing, until the next read of
 * any connection. False: they are wrong, and the connection is to be closed. *over: the
 * client has said that it sends no more. */
SH_CHECK bool http_tls_read(struct http_conn *conn, struct sh_bytes bytes,
                            struct sh_bytes *plain, bool *over);
/* Encipher and write; see http_write(). */
void http_tls_write(struct http_conn *conn, const struct sh_bytes *parts, unsigned count);
/* Tell the client that there is no more, if the socket takes it at once. */
void http_tls_bye(struct http_conn *conn);
/* It took too long over its handshake. */
void http_tls_expired(struct http_conn *conn);

#endif
