/* text_index: an inverted index in memory, ranked by BM25 over title, heading and body.
 * One writer, or any number of readers, at a time: the view's lock sees to it. */
#ifndef SEARCH_TEXT_INDEX_H
#define SEARCH_TEXT_INDEX_H

#include "services/search/filter/bitmap.h"
#include "services/search/fusion/leg.h"
#include "services/search/text/entry.h"

struct text_index;

struct text_options {
    double k1;
    double b;                   /* of the body; titles and headings are not normalised */
    double weight[TEXT_FIELDS]; /* what an occurrence there counts */
};

struct text_options text_defaults(void);

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err text_index_create(const struct text_options *options,
                                       struct text_index **out);
void text_index_free(struct text_index **index);

/* `slot` must not be in the index. Errors: SH_NOMEM, SH_TOOBIG; then nothing changed that
 * a search could see. */
SH_CHECK enum sh_err text_index_add(struct text_index *self, uint32_t slot,
                                    const struct entry *entry);
/* `entry` as it was added. Never fails; an unknown slot is passed over. */
void text_index_remove(struct text_index *self, uint32_t slot, const struct entry *entry);
size_t text_index_bytes(const struct text_index *self);

/* --- queries ------------------------------------------------------------------------ */

enum { TEXT_QUERY_TERMS = 128 };

struct text_query {           /* lives in the arena given to text_query_make() */
    struct entry_term *terms; /* by weight in the query; stop words only where there is
                                 nothing else */
    size_t count;
};

/* At most TEXT_QUERY_TERMS are kept, those that come first. Errors: SH_NOMEM. */
SH_CHECK enum sh_err text_query_make(struct analyzer *analyzer, struct sh_bytes text,
                                     struct sh_arena *arena, struct text_query *query);
/* Every allowed slot that holds a term, with its score (above 0), in `arena`. Memory is
 * bounded by the slots, time by the postings and the deadline. Errors: SH_TIMEOUT,
 * SH_NOMEM. */
SH_CHECK enum sh_err text_index_search(const struct text_index *self,
                                       const struct text_query *query,
                                       const struct bitmap *allowed, uint64_t deadline_ms,
                                       struct sh_arena *arena, struct leg *leg);

#endif
