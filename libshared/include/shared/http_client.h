/* http_client: outgoing HTTP by libcurl's multi interface on the loop. Connections are
 * kept and reused. Loop thread only. */
#ifndef SHARED_HTTP_CLIENT_H
#define SHARED_HTTP_CLIENT_H

#include <uv.h>

#include "shared/bytes.h"
#include "shared/err.h"
#include "shared/trace.h"

struct sh_http_client;
struct sh_http_call; /* one request under way */

struct sh_http_file { /* a body that is read while it is sent */
    int fd;           /* copied: may be closed when the call was accepted */
    uint64_t bytes;   /* SH_UPSTREAM when it has less */
    uint64_t offset;  /* of the first one */
};

struct sh_http_signing { /* AWS Signature Version 4 */
    const char *scope;   /* "aws:amz:REGION:SERVICE" */
    const char *user;
    const char *secret;
};

struct sh_http_pace { /* SH_TIMEOUT for what is slower, and for what says nothing */
    uint32_t bytes_s;
    uint32_t seconds; /* for so long; 0: there is no limit */
};

struct sh_http_outgoing {
    const char *method; /* "GET", "POST" */
    const char *url;
    const char *const *headers;            /* "Name: value", ended by NULL; may be NULL */
    struct sh_bytes body;                  /* copied */
    const struct sh_http_file *file;       /* the body instead, by PUT; NULL: none */
    const struct sh_http_signing *signing; /* NULL: not signed */
    uint64_t timeout_ms;                   /* over all */
    uint64_t connect_timeout_ms;           /* 0: 5,000 */
    struct sh_http_pace pace;              /* {0}: any */
    size_t max_body;              /* larger answers fail with SH_TOOBIG; 0: 16 MiB */
    const struct sh_trace *trace; /* sends traceparent; may be NULL */
};

struct sh_http_incoming {
    int status;
    struct sh_bytes body;     /* borrowed until `done` returns */
    const char *content_type; /* "" when none */
    unsigned retry_after_s;   /* 0 when none */
    int64_t content_length;   /* as declared; -1 when it was not */
    const char *error;        /* libcurl's words when err is not SH_OK */
};

/* SH_OK for any HTTP status; SH_UNAVAILABLE (no connection), SH_TIMEOUT, SH_UPSTREAM (not
 * HTTP, or cut off), SH_TOOBIG, SH_CANCELED. Exactly once per accepted call, never from
 * inside sh_http_client_send(). */
typedef void sh_http_incoming_fn(void *arg, enum sh_err err,
                                 const struct sh_http_incoming *incoming);

/* At most `max_connections` to one host (0: 8). */
SH_CHECK enum sh_err sh_http_client_create(uv_loop_t *loop, unsigned max_connections,
                                           struct sh_http_client **out);
SH_CHECK enum sh_err sh_http_client_send(struct sh_http_client *client,
                                         const struct sh_http_outgoing *outgoing,
                                         sh_http_incoming_fn *done, void *arg,
                                         struct sh_http_call **call);
/* `done` gets SH_CANCELED on a later turn. */
void sh_http_client_cancel(struct sh_http_call *call);
/* Everything under way gets SH_CANCELED before this returns; *client becomes NULL. */
void sh_http_client_close(struct sh_http_client **client);

#endif
