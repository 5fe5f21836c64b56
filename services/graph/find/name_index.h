/* name_index: from the words of names to the nodes that have them, made of one version.
 * It never changes. It leads to candidates, of all rights: whoever asks looks at each. */
#ifndef GRAPH_NAME_INDEX_H
#define GRAPH_NAME_INDEX_H

#include <roaring/roaring.h>

#include "services/graph/find/seen.h"
#include "services/graph/find/words.h"

struct name_index {
    struct seen seen;
    struct words_keys keys;
    uint32_t term_count;
    uint32_t *texts;  /* where term i begins in the pool; one more at the end */
    uint32_t *places; /* where its places begin in `postings`; one more */
    char *pool;
    uint32_t *postings;
};

/* Errors: SH_NOMEM, SH_TOOBIG: over 4 GB of words. */
SH_CHECK enum sh_err name_index_build(const struct graph_version *version,
                                      const struct words_keys *keys,
                                      struct name_index **out);
void name_index_free(struct name_index **index);
size_t name_index_bytes(const struct name_index *index);
/* Places, as the index knows them, whose names may match. NULL: out of memory. */
roaring_bitmap_t *name_index_candidates(const struct name_index *index,
                                        const struct words *words);

#endif
