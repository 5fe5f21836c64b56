/* limits: how much anybody may ask of the gateway: two steps of the gate, the door before
 * the connections, and the address that a client is known by. One for the process; each
 * loop has its part. */
#ifndef GATEWAY_LIMITS_LIMITS_H
#define GATEWAY_LIMITS_LIMITS_H

#include "services/gateway/limits/crowd.h"
#include "services/gateway/limits/forwarded.h"
#include "services/gateway/limits/policy.h"
#include "services/gateway/limits/shed.h"

struct edge;
struct exchange;

/* --- the process ------------------------------------------------------------------ */

struct limits {
    bool enabled; /* the number of requests; the rest holds always */
    struct networks trusted;
    struct policy policy;
    struct limiter_shared shared;
    struct crowd *crowd;
};

/* `instance` names this gateway among the others. False: `why` is a sentence that names
 * the setting, or says that there is no memory. Ended by limits_close(). */
SH_CHECK bool limits_open(const struct limits_config *config, const char *auth_mode,
                          const char *instance, struct limits **out, char *why,
                          size_t size);
void limits_close(struct limits **self);

/* --- a loop ----------------------------------------------------------------------- */

struct limits_edge {
    struct shed *shed;
    struct limiter *limiter;      /* NULL unless enabled */
    struct limits_waiting *spare; /* to use again */
};

/* After Redis was opened. Errors: SH_NOMEM. */
SH_CHECK enum sh_err limits_edge_open(struct edge *edge, bool first);
/* After Redis was closed. */
void limits_edge_close(struct edge *edge);

/* --- the gate --------------------------------------------------------------------- */

/* First of all, for probes too: the address behind the proxies. */
void limits_resolve(struct exchange *x);
/* Steps. The first refuses when there is too much to do; an exchange that it let in ends
 * by limits_end(). The other one counts requests, and comes after the identity. */
void limits_shed(struct exchange *x);
void limits_count(struct exchange *x);
void limits_end(struct exchange *x);

#endif
