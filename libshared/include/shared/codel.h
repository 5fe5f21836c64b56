/* codel: whether a queue stands, judged by how long what left it had waited, as CoDel
 * does it (RFC 8289, in the form that Facebook's folly::Codel has for servers): a queue
 * that drains now and then is a burst and is left alone; when even the shortest wait of
 * an interval is above the target, the queue stands, until the shortest is below a
 * quarter of it (otherwise what is limited to the target would be freed every other
 * interval). No clock of its own: time is an argument. One thread at a time. */
#ifndef SHARED_CODEL_H
#define SHARED_CODEL_H

#include <stdbool.h>
#include <stdint.h>

struct sh_codel {
    uint64_t target_us; /* 0: never too long */
    uint64_t interval_us;
    uint64_t ends_us;  /* the interval */
    uint64_t least_us; /* wait in it */
    uint32_t seen;     /* waits in it */
    uint32_t before;   /* in the one before */
    bool standing;     /* the queue, judged by the intervals before */
};

void sh_codel_note(struct sh_codel *codel, uint64_t now_us, uint64_t wait_us);
/* Whether somebody who has waited so long is refused. */
bool sh_codel_refuses(const struct sh_codel *codel, uint64_t wait_us);
/* How many may be waiting for the wait to come down to the target, by Little's law from
 * how many left in the interval before; at least one. UINT32_MAX while the queue does not
 * stand. */
uint32_t sh_codel_room(const struct sh_codel *codel);

#endif
