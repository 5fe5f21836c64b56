/* yield: work that nobody waits for stands still while somebody waits for an answer.
 * Whatever its priority (sched.h), it takes caches and memory from those that answer;
 * between two small pieces it asks here whether it may go on. Any thread. */
#ifndef SHARED_YIELD_H
#define SHARED_YIELD_H

#include <stdint.h>

#include "shared/err.h"

struct sh_yield;

/* No pause is longer than `most_us`. Errors: SH_NOMEM. */
SH_CHECK enum sh_err sh_yield_create(uint64_t most_us, struct sh_yield **out);
/* Nobody may be inside any more. NULL is fine. */
void sh_yield_free(struct sh_yield **self);

/* From now on one more waits for an answer; until sh_yield_leave(). NULL is fine, here
 * and below. */
void sh_yield_enter(struct sh_yield *self);
void sh_yield_leave(struct sh_yield *self);

/* Returns at once when nobody waits, else when nobody does any more, at the latest after
 * `most_us` and nine times what passed since the calling thread was last held up: where
 * somebody always waits, one tenth of its time is left for its work. */
void sh_yield_pause(struct sh_yield *self);

#endif
