/* view_browse: documents by filter and in order of their attributes, without a question.
 * Any thread, beside searches and one writer. */
#ifndef SEARCH_VIEW_BROWSE_H
#define SEARCH_VIEW_BROWSE_H

#include "services/search/view/view.h"

enum { BROWSE_ORDERS = 4, BROWSE_DEPTH = 10000 };

/* By `id`, `title` or a value of the metadata, dotted as in filters. */
struct browse_order {
    struct sh_bytes key;
    bool descending;
};

struct view_browse {
    struct sh_bytes filters; /* JSON; empty: none */
    struct sh_bytes title;   /* words of it, see title_words.h; empty: any */
    const struct caller *caller;
    const struct browse_order *orders; /* at most BROWSE_ORDERS */
    size_t order_count;
    size_t offset;
    size_t limit; /* offset + limit: at most BROWSE_DEPTH */
    uint64_t deadline_ms;
};

struct view_browsed {
    struct sh_bytes *ids; /* of the documents, in order; in the arena */
    size_t count;
    uint64_t total; /* that the caller may read and that pass the filter */
};

/* Values are compared by their first element: numbers (false 0, true 1) come before
 * texts, texts in the order of their bytes; who has no value comes last, ascending or
 * not; ties go by id. Costs a look at each document that passes, and with `title` the
 * folding of each title. Errors: SH_INVALID and
 * SH_FORBIDDEN (see view_search(); `problem` says what), SH_TIMEOUT, SH_NOMEM. */
SH_CHECK enum sh_err view_browse(const struct view *view, const struct view_browse *asked,
                                 struct sh_arena *arena, struct view_browsed *out,
                                 struct view_problem *problem);

#endif
