/* redis_link: hiredis' asynchronous context on a libuv loop, from the name's resolution
 * to the end of the connection. The client builds on it. Loop thread only. */
#ifndef SHARED_REDIS_LINK_H
#define SHARED_REDIS_LINK_H

#include <hiredis/async.h>
#include <uv.h>

#include "redis_url.h"

struct redis_lookup;

struct redis_link { /* the owner sets the first six; the rest zero */
    uv_loop_t *loop;
    const struct redis_address *address;
    void (*up)(void *arg);
    /* Could not be made, or was lost. Commands that waited get NULL replies first. */
    void (*down)(void *arg, const char *why);
    void *arg;
    unsigned attempt; /* tries another address of the name each time */
    redisAsyncContext *context;
    struct redis_lookup *lookup;
    char why[128]; /* redis_link_open() failed */
};

/* Errors: SH_NOMEM, SH_UNAVAILABLE; with words in `why`; `down` is then not
 * called. */
SH_CHECK enum sh_err redis_link_open(struct redis_link *link);
/* No event follows. Commands that wait get NULL replies, before this returns or when the
 * callback of hiredis it is called from does. */
void redis_link_close(struct redis_link *link);

#endif
