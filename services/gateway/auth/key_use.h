/* key_use: when API keys were last used, gathered and written in one statement every ten
 * seconds, so that a request never waits for it. A crash or a stop loses what was not
 * written yet. One loop's own. */
#ifndef GATEWAY_KEY_USE_H
#define GATEWAY_KEY_USE_H

#include <uv.h>

#include "shared/pg.h"

enum { KEY_ID = 12 }; /* characters of a key's id: hex digits */

struct key_use;

/* `pg` must outlive it. Errors: SH_NOMEM. */
SH_CHECK enum sh_err key_use_open(uv_loop_t *loop, struct sh_pg *pg,
                                  struct key_use **out);
/* Memory goes on a later turn. NULL is fine. */
void key_use_close(struct key_use **self);
/* That key was used now. More than 256 in ten seconds are written at once. */
void key_use_note(struct key_use *self, const char id[KEY_ID]);
void key_use_flush(struct key_use *self);

#endif
