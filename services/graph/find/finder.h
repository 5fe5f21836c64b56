/* finder: finds nodes of one graph by their names, or by another property's words. Its
 * indexes are made by the first question that needs them, and made anew when too many
 * pages of the graph differ; the questions meanwhile go on with the one before, and look
 * at the pages that differ themselves. Any thread. */
#ifndef GRAPH_FINDER_H
#define GRAPH_FINDER_H

#include "services/graph/find/words.h"

struct finder;

/* `names`: the properties that are names, with commas between them. Errors: SH_NOMEM. */
SH_CHECK enum sh_err finder_create(const char *names, struct finder **out);
/* No question is under way. */
void finder_free(struct finder **finder);

struct find_question {
    struct sh_bytes text;
    struct sh_bytes property; /* empty: the names */
    struct sh_bytes label;    /* empty: of any */
    uint32_t first;           /* how many hits are left out at the beginning */
    uint32_t limit;
};

struct find_hit {
    enum words_match match;
    uint64_t degree; /* what the reader can follow; more than 1000 are 1000 */
    uint32_t place;
};

struct find_hits {
    struct find_hit *hits; /* the best first */
    size_t count;
    uint64_t total; /* that were found */
};

/* Only what the reader may see is found, counted and ranked. *out lives in `arena`.
 * Errors: SH_NOMEM, SH_TOOBIG, SH_CANCELED. */
SH_CHECK enum sh_err finder_find(struct finder *finder, const struct graph_reader *reader,
                                 const struct find_question *question,
                                 const _Atomic bool *cancelled, struct sh_arena *arena,
                                 struct find_hits *out);

/* The indexes that are there: the property (empty: of the names) and what it takes. */
typedef void finder_each_fn(void *arg, struct sh_bytes property, size_t bytes,
                            size_t words);
void finder_each(struct finder *finder, finder_each_fn *each, void *arg);

#endif
