/* pg_resolve: turns the hosts of a conninfo into addresses without blocking, because
 * PQconnectStart() would look them up itself and wait. Loop thread only. */
#ifndef SHARED_PG_RESOLVE_H
#define SHARED_PG_RESOLVE_H

#include <libpq-fe.h>
#include <uv.h>

#include "shared/buffer.h"
#include "shared/err.h"

/* Lists as libpq's host, hostaddr and port take them, one entry per address. */
struct pg_addresses {
    struct sh_buffer hosts;
    struct sh_buffer addresses;
    struct sh_buffer ports;
    size_t count;
};

struct pg_resolve;
/* `addresses` is borrowed; its texts end in NUL. */
typedef void pg_resolved_fn(void *arg, enum sh_err err,
                            const struct pg_addresses *addresses);

/* `resolved` is called on a later turn of the loop, once, unless cancelled. */
SH_CHECK enum sh_err pg_resolve_start(uv_loop_t *loop, const PQconninfoOption *options,
                                      pg_resolved_fn *resolved, void *arg,
                                      struct pg_resolve **out);
/* NULL is fine. */
void pg_resolve_cancel(struct pg_resolve **resolve);
/* True when a name has to be looked up; otherwise libpq can be given the conninfo. */
bool pg_resolve_needed(const PQconninfoOption *options);

#endif
