/* rpc_resolve: from "tcp://host:port,…" to addresses. An address or a path is reported
 * once; a name is looked up every second, give or take a fifth, one lookup at a time. A
 * lookup that fails or finds nothing reports nothing. Loop thread only. */
#ifndef LIBSHARED_RPC_RESOLVE_H
#define LIBSHARED_RPC_RESOLVE_H

#include <uv.h>

#include "libshared/src/rpc_wire.h"

struct rpc_resolve;

enum { RPC_ADDRESSES_MAX = 64 };

struct rpc_endpoint {
    char text[320];
};

/* All endpoints that one of the configured ones (`source`, from 0) stands for now. */
typedef void rpc_resolve_fn(void *arg, size_t source,
                            const struct rpc_endpoint *endpoints, size_t count);

/* `found` is called from here for what needs no lookup.
 * Errors: SH_INVALID (not a list of endpoints), SH_NOMEM. */
SH_CHECK enum sh_err rpc_resolve_create(uv_loop_t *loop, const char *endpoints,
                                        rpc_resolve_fn *found, void *arg,
                                        struct rpc_resolve **out);
/* Nothing is reported any more; memory goes on a later loop turn. NULL is fine. */
void rpc_resolve_close(struct rpc_resolve **resolve);
/* What a lookup of source `index` came to; for tests, which have no name server. */
void rpc_resolve_answer(struct rpc_resolve *resolve, size_t index, int status,
                        const struct addrinfo *list);

#endif
