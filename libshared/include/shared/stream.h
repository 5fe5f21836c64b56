/* stream: connections that speak something else than HTTP, on the sockets, the TLS and
 * under the limits of an sh_http_server: it is one whose options name a protocol. What
 * comes is handed over as bytes; `limits` counts as for HTTP, with greeting, message and
 * silence for head, body and idle time. A client that ends its side has left. Loop thread
 * only. */
#ifndef SHARED_STREAM_H
#define SHARED_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/bytes.h"

struct sh_stream; /* a connection */

/* What the connection waits for, and so which time limit holds. */
enum sh_stream_phase {
    SH_STREAM_GREETING, /* the client has not said who it is; at the start */
    SH_STREAM_IDLE,
    SH_STREAM_PARTIAL, /* a message of which a part has come */
    SH_STREAM_BUSY,    /* an answer is owed: nothing is limited */
};

struct sh_stream_protocol {
    /* The state of a new connection; NULL: it is closed. */
    void *(*opened)(void *arg, struct sh_stream *stream);
    /* What has come and was not taken yet, maybe nothing; returns how much of it is taken
     * now. Also called when what was sent has left, and after sh_stream_kick(). */
    size_t (*work)(void *state, struct sh_bytes bytes);
    /* Once, whoever ended it; the stream must not be touched any more. */
    void (*closed)(void *state);
};

/* Copied. */
void sh_stream_send(struct sh_stream *stream, struct sh_bytes bytes);
/* False: the reader is slow; send no more until work() finds it otherwise. */
bool sh_stream_has_room(const struct sh_stream *stream);
/* Call work() on a later turn of the loop. */
void sh_stream_kick(struct sh_stream *stream);
void sh_stream_phase(struct sh_stream *stream, enum sh_stream_phase phase);
/* Close when everything is sent; what still comes is not read. */
void sh_stream_end(struct sh_stream *stream);
const char *sh_stream_peer(const struct sh_stream *stream); /* numeric address */
/* The server goes away as soon as its connections do. */
bool sh_stream_draining(const struct sh_stream *stream);

#endif
