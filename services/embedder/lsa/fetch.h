/* fetch: the file of a fitted model, piece by piece from search into a file beside the
 * one it becomes. Loop thread only; the disk is written to on libuv's threads. */
#ifndef EMBEDDER_FETCH_H
#define EMBEDDER_FETCH_H

#include <uv.h>

#include "shared/rpc_client.h"

struct fetch;

/* Once, never from inside fetch_start(). SH_OK: the file is there. SH_NOTFOUND: search
 * has no such model; SH_UNAVAILABLE, SH_IO, SH_TOOBIG, SH_MALFORMED … */
typedef void fetch_done_fn(void *arg, enum sh_err err);

struct fetch_order {
    uv_loop_t *loop;
    struct sh_rpc_client *search;
    const char *dir; /* borrowed until `done`, as is the next */
    const char *fingerprint;
    fetch_done_fn *done;
    void *arg;
};

SH_CHECK enum sh_err fetch_start(const struct fetch_order *order, struct fetch **out);
/* `done` is not called any more. *self becomes NULL; NULL is fine. */
void fetch_cancel(struct fetch **fetch);

#endif
