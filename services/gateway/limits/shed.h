/* shed: refusing work at once that would only wait, so that the rest is answered in time.
 * Three signs: too many requests under way on this loop; requests wait too long for the
 * loop; searches take too long.
 *
 * A delay is judged as CoDel does it (RFC 8289, in the form that Facebook's folly::Codel
 * has for servers): a queue that drains now and then is a burst and is left alone; when
 * even the shortest wait of an interval is above the target, the queue stands. Loop
 * thread only. */
#ifndef GATEWAY_LIMITS_SHED_H
#define GATEWAY_LIMITS_SHED_H

#include <uv.h>

#include "services/gateway/limits/settings.h"
#include "shared/err.h"

/* --- the judgement, with time as an argument -----------------------------------------
 */

struct shed_gauge {
    uint64_t target_us; /* 0: never too long */
    uint64_t interval_us;
    uint64_t ends_us;  /* the interval */
    uint64_t least_us; /* wait in it */
    uint32_t seen;     /* waits in it */
    uint32_t before;   /* in the one before */
    bool standing;     /* the queue, judged by the interval before */
};

void shed_gauge_note(struct shed_gauge *gauge, uint64_t now_us, uint64_t wait_us);
/* Whether somebody who has waited so long is refused. */
bool shed_gauge_refuses(const struct shed_gauge *gauge, uint64_t wait_us);
/* How many may be under way for the wait to come down to the target, by Little's law from
 * how many were finished in the interval before; at least one. UINT32_MAX while the queue
 * does not stand. */
uint32_t shed_gauge_room(const struct shed_gauge *gauge);

/* --- of a loop -----------------------------------------------------------------------
 */

struct shed;

enum shed_reason { SHED_NOT, SHED_IN_FLIGHT, SHED_LOOP, SHED_SEARCH };

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err shed_create(uv_loop_t *loop, const struct limits_config *config,
                                 struct shed **out);
/* Memory goes on a later turn. NULL is fine. */
void shed_close(struct shed **self);

/* A request has come. What is not refused must end by shed_end(). */
SH_CHECK enum shed_reason shed_begin(struct shed *self);
void shed_end(struct shed *self);
/* A question to search that is under way; {0} is none. */
struct shed_ticket {
    uint64_t since_us;
    bool counted;
};

/* Search is to be asked: the answer cannot come from elsewhere. False: it is not, there
 * is no room. */
SH_CHECK bool shed_search_begin(struct shed *self, struct shed_ticket *ticket);
/* How it ended; nothing happens when the ticket is none. What was refused quickly, and
 * what nobody waited for, says nothing about the time that search takes. */
void shed_search_end(struct shed *self, struct shed_ticket *ticket, enum sh_err err);

const char *shed_reason_name(enum shed_reason reason);

#endif
