/* watch_memory: what the watch is told when the view in memory answers searches. Loop
 * thread only. */
#ifndef SEARCH_WATCH_MEMORY_H
#define SEARCH_WATCH_MEMORY_H

#include "services/search/feed/feed.h"
#include "services/search/query/recent_recall.h"
#include "services/search/watch.h"

struct watch_memory {
    struct feed *feed;
    const struct recent_recall *recall;
    /* its own */
    uint64_t pending; /* as last counted */
    double lag_s; /* age of the oldest change that the view does not show; then, too. NAN:
                     the record could not be asked */
    bool ever_current;
    char xid[24]; /* the position that was asked about */
    char seq[24];
};

/* `self` must live until the watch is closed. */
struct watch_source watch_memory(struct watch_memory *self);

#endif
