/* retired: memory that a change replaced and that readers of earlier versions may still
 * look at; and what the change made, should it fail. Writer only. */
#ifndef GRAPH_RETIRED_H
#define GRAPH_RETIRED_H

#include "shared/err.h"
#include "shared/mem.h"

typedef void retired_free_fn(void *memory);

struct retired_item {
    void *memory;
    retired_free_fn *free;
};

struct retired { /* {0} is empty */
    struct retired_item *items;
    size_t count;
    size_t capacity;
};

/* Errors: SH_NOMEM; the memory is then still the caller's. */
SH_CHECK enum sh_err retired_add(struct retired *retired, void *memory,
                                 retired_free_fn *release);
/* Release all of it; the list is empty afterwards, and holds no memory. */
void retired_release(struct retired *retired);
/* Forget it: it belongs to somebody else. */
void retired_forget(struct retired *retired);

#endif
