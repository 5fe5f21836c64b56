/* pg_link: one connection to PostgreSQL as far as it can be used: names resolved on the
 * thread pool, libpq's connect steps, and from then on a poll handle on its socket. The
 * pool and the listener build on it. Loop thread only. */
#ifndef SHARED_PG_LINK_H
#define SHARED_PG_LINK_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <uv.h>

#include "shared/err.h"

struct pg_resolve;

struct pg_link_events {
    void (*up)(void *arg);
    /* The socket can be read (or written, when asked for) while up. */
    void (*ready)(void *arg);
    /* Could not be made, or its poll failed; the link is closed when this is called. */
    void (*down)(void *arg, const char *why);
};

enum pg_link_state { PG_LINK_CLOSED, PG_LINK_RESOLVING, PG_LINK_CONNECTING, PG_LINK_UP };

struct pg_link { /* the owner sets loop, events, arg; the rest zero */
    uv_loop_t *loop;
    const struct pg_link_events *events;
    void *arg;
    enum pg_link_state state;
    PGconn *conn; /* while connecting and up */
    uv_poll_t *poll;
    int watched; /* UV_READABLE, UV_WRITABLE */
    struct pg_resolve *resolve;
    PQconninfoOption *conninfo; /* until connected */
    char *options;
    char why[256]; /* pg_link_open() failed */
};

/* `options` goes in front of the conninfo's own ("-c name=value …"), or NULL. Errors:
 * SH_NOMEM, SH_INVALID (conninfo), SH_UNAVAILABLE, with words in `why`; `down`
 * is then not called. */
SH_CHECK enum sh_err pg_link_open(struct pg_link *link, const char *conninfo,
                                  const char *options);
/* Neither `down` nor any other event follows. The link may be opened again, or its memory
 * go, at once. */
void pg_link_close(struct pg_link *link);
/* Wait for these while up. */
void pg_link_watch(struct pg_link *link, int events);
/* Flush what libpq holds and watch accordingly; false when the connection is lost. */
SH_CHECK bool pg_link_flush(struct pg_link *link);
/* PQerrorMessage() on one line. */
void pg_link_error(const struct pg_link *link, char *out, size_t size);

#endif
