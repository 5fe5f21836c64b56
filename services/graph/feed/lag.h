/* lag: how far the graph is behind the record, looked at every five seconds. Loop thread
 * only. */
#ifndef GRAPH_LAG_H
#define GRAPH_LAG_H

#include "services/graph/feed/feed.h"

struct lag;

struct lag_options {
    struct sh_pg *pg;
    const struct feed *feed;
    /* The age in seconds of the oldest committed change that the graph does not show; 0:
     * it shows all. NAN: the record is not followed, or does not answer. */
    void (*told)(void *arg, double seconds);
    void *arg;
};

/* Begins to look. All that the options name must be there until lag_close(). Errors:
 * SH_NOMEM. */
SH_CHECK enum sh_err lag_open(uv_loop_t *loop, const struct lag_options *options,
                              struct lag **out);
/* Nothing is told any more; memory goes when the record has answered. NULL is fine. */
void lag_close(struct lag **lag);

#endif
