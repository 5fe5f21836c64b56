/* value_finder: nodes of one graph by the values of their properties. An index of a
 * property is made by the first question that it helps, kept for as long as it is used
 * and made anew when too much has changed; nobody has to ask for one. Any thread. */
#ifndef GRAPH_VALUE_FINDER_H
#define GRAPH_VALUE_FINDER_H

#include "services/graph/find/value_index.h"

enum { VALUE_FINDER_LEAST = 64 }; /* nodes: fewer are looked at one by one */

struct value_finder;

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err value_finder_create(struct value_finder **out);
/* No question is under way. NULL is fine. */
void value_finder_free(struct value_finder **self);

/* Places, in order, among which are all nodes that have a value of `key` in one of the
 * ranges; *out is the caller's to free. *out NULL: there are more than `most`, it is
 * better to look at all. Errors: SH_NOMEM. */
struct value_question {
    uint32_t key;
    const struct value_range *ranges;
    size_t count;
    size_t most;
};
SH_CHECK enum sh_err value_finder_find(struct value_finder *self,
                                       const struct graph_reader *reader,
                                       const struct value_question *question,
                                       roaring_bitmap_t **out);

/* The indexes that are there: the property and what it takes. */
typedef void value_finder_each_fn(void *arg, struct sh_bytes property, size_t bytes,
                                  size_t entries);
void value_finder_each(struct value_finder *self, value_finder_each_fn *each, void *arg);

#endif
