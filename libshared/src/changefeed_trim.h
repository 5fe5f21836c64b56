/* changefeed_trim: removes what an outbox need not keep any longer, every ten minutes.
 * Several readers may do so; the database lets one at a time. Loop thread only. */
#ifndef SHARED_CHANGEFEED_TRIM_H
#define SHARED_CHANGEFEED_TRIM_H

#include <uv.h>

#include "changefeed_sql.h"

struct changefeed_trim {
    struct sh_pg *pg;
    const struct changefeed_sql *sql;
    unsigned keep_s;
    uint64_t keep_rows;
    uv_timer_t timer;
    bool asking;
    bool closing;
    bool timer_closed;
    void (*closed)(void *arg);
    void *arg;
};

/* The first four members and the last two are the caller's. */
void changefeed_trim_start(struct changefeed_trim *trim, uv_loop_t *loop);
void changefeed_trim_now(struct changefeed_trim *trim);
/* `closed` on a later turn. */
void changefeed_trim_close(struct changefeed_trim *trim);

#endif
