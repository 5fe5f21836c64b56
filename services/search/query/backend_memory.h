/* backend_memory: searches answered from the view that the feed keeps, on a worker.
 * Without the database nothing changes. */
#ifndef SEARCH_BACKEND_MEMORY_H
#define SEARCH_BACKEND_MEMORY_H

#include "services/search/feed/feed.h"
#include "services/search/query/backend.h"

struct backend_memory {
    struct feed *feed;
    struct sh_workers *workers;
};

/* `self` must live as long as its searches do. */
struct search_backend backend_memory(struct backend_memory *self);

#endif
