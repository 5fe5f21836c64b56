/* shed: refusing work at once that would only wait, so that the rest is answered in time.
 * Two signs: too many requests under way on this loop; requests wait too long for the
 * loop. Services that have too much to do say so themselves (shared/workers.h, credit).
 *
 * Delays are judged by shared/codel.h. Loop thread only. */
#ifndef GATEWAY_LIMITS_SHED_H
#define GATEWAY_LIMITS_SHED_H

#include <uv.h>

#include "services/gateway/limits/settings.h"
#include "shared/err.h"

struct shed;

enum shed_reason { SHED_NOT, SHED_IN_FLIGHT, SHED_LOOP };

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err shed_create(uv_loop_t *loop, const struct limits_config *config,
                                 struct shed **out);
/* Memory goes on a later turn. NULL is fine. */
void shed_close(struct shed **self);

/* A request has come. What is not refused must end by shed_end(). */
SH_CHECK enum shed_reason shed_begin(struct shed *self);
void shed_end(struct shed *self);

const char *shed_reason_name(enum shed_reason reason);

#endif
