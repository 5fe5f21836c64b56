/* changed: the ids of documents that a batch of changes names. Pure. */
#ifndef SEARCH_CHANGED_H
#define SEARCH_CHANGED_H

#include "shared/changefeed.h"
#include "shared/mem.h"

struct changed_ids { /* sorted, each once */
    const char **ids;
    bool *found; /* a page of the record had it */
    size_t count;
};

/* *out lives in `arena`; `array` gets the ids as a parameter for SQL. Errors: SH_NOMEM.
 */
SH_CHECK enum sh_err changed_collect(const struct sh_change *changes, size_t count,
                                     struct sh_arena *arena, struct changed_ids *out,
                                     struct sh_buffer *array);
void changed_mark(struct changed_ids *changed, const char *id);

#endif
