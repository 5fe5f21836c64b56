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

/* *out lives in `arena`. Errors: SH_NOMEM. */
SH_CHECK enum sh_err changed_collect(const struct sh_change *changes, size_t count,
                                     struct sh_arena *arena, struct changed_ids *out);
/* `most` of them at most, from the one at `from` on; what is marked there is marked in
 * `changed`. `array` gets the ids as a parameter for SQL. Errors: SH_NOMEM. */
SH_CHECK enum sh_err changed_slice(const struct changed_ids *changed, size_t from,
                                   size_t most, struct changed_ids *out,
                                   struct sh_buffer *array);
void changed_mark(struct changed_ids *changed, const char *id);

#endif
