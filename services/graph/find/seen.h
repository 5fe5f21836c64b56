/* seen: which state of the graph's nodes an index was made of, a number a page. A page
 * that is another one now is looked at itself; so an index serves every version, the
 * better the fewer pages differ. */
#ifndef GRAPH_SEEN_H
#define GRAPH_SEEN_H

#include "services/graph/view/graph.h"

struct seen { /* {0} is empty: all pages differ */
    uint64_t *versions;
    uint32_t count;
};

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err seen_take(const struct graph_version *version, struct seen *out);
void seen_free(struct seen *seen);

static inline bool seen_page(const struct seen *seen, const struct graph_version *version,
                             uint32_t page)
{
    return page < seen->count && page < version->nodes.page_count &&
           version->nodes.page[page]->version == seen->versions[page];
}

/* Whether the node in that place is as the index knows it. */
static inline bool seen_place(const struct seen *seen,
                              const struct graph_version *version, uint32_t place)
{
    return seen_page(seen, version, place >> PAGE_BITS);
}

/* How many pages of the version differ. */
uint32_t seen_differing(const struct seen *seen, const struct graph_version *version);

#endif
