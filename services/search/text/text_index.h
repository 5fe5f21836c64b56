/* text_index: an inverted index in memory, ranked by BM25 over title, heading and body.
 * One writer, or any number of readers, at a time: the view's lock sees to it. */
#ifndef SEARCH_TEXT_INDEX_H
#define SEARCH_TEXT_INDEX_H

#include "services/search/filter/bitmap.h"
#include "services/search/fusion/leg.h"
#include "services/search/text/entry.h"
#include "services/search/text/text_query.h"

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
/* Passages that are in it. */
uint32_t text_index_passages(const struct text_index *self);
bool text_index_has(const struct text_index *self, uint32_t slot);

/* --- upkeep ----------------------------------------------------------------------- */

struct text_upkeep;

/* What removed passages have left is cleared away, and the dictionary is put in order,
 * once it is worth it. Made by the writer while searches go on; then applied in an
 * instant under the lock, nothing having changed between. *out NULL: nothing to do.
 * Errors: SH_NOMEM (all stays as it is). */
SH_CHECK enum sh_err text_upkeep_make(const struct text_index *self,
                                      struct text_upkeep **out);
void text_upkeep_apply(struct text_upkeep *upkeep, struct text_index *self);
void text_upkeep_free(struct text_upkeep **upkeep);

/* --- queries ---------------------------------------------------------------------- */

/* Adds to the words what text_query.h promises: what begins so, and what was meant. A
 * word that no allowed slot holds is neither known nor added. Errors: SH_NOMEM. */
SH_CHECK enum sh_err text_index_expand(const struct text_index *self,
                                       const struct bitmap *allowed,
                                       struct text_query *query, struct sh_arena *arena);
/* Takes from `allowed` what the rules of the query forbid. Errors: SH_TIMEOUT, SH_NOMEM.
 */
SH_CHECK enum sh_err text_index_restrict(const struct text_index *self,
                                         const struct text_query *query,
                                         struct bitmap *allowed, uint64_t deadline_ms);
/* Every allowed slot that holds a word, with its score (above 0), in `arena`; rules are
 * not looked at. Memory is bounded by the slots, time by the postings and the deadline.
 * Errors: SH_TIMEOUT, SH_NOMEM. */
SH_CHECK enum sh_err text_index_search(const struct text_index *self,
                                       const struct text_query *query,
                                       const struct bitmap *allowed, uint64_t deadline_ms,
                                       struct sh_arena *arena, struct leg *leg);

/* How many slots that would find. Errors: SH_TIMEOUT, SH_NOMEM. */
SH_CHECK enum sh_err text_index_count(const struct text_index *self,
                                      const struct text_query *query,
                                      const struct bitmap *allowed, uint64_t deadline_ms,
                                      struct sh_arena *arena, size_t *total);

/* Which slots: their bits are set in `found`, which reaches to every slot of `allowed`.
 * Errors: SH_TIMEOUT, SH_NOMEM. */
SH_CHECK enum sh_err text_index_match(const struct text_index *self,
                                      const struct text_query *query,
                                      const struct bitmap *allowed, uint64_t deadline_ms,
                                      struct sh_arena *arena, struct bitmap *found);

/* The scores that text_index_search() gives these slots (ascending), 0 where no word
 * stands, for as much time as there are slots rather than hits. Errors: SH_TIMEOUT,
 * SH_NOMEM. */
SH_CHECK enum sh_err text_index_score(const struct text_index *self,
                                      const struct text_query *query,
                                      const uint32_t *slots, size_t count,
                                      uint64_t deadline_ms, struct sh_arena *arena,
                                      float *scores);

struct text_depth {
    uint32_t most; /* hits that are wanted, the best */
    double spread; /* and those that score so much less than the last of them at most, as
                      a share of the best score */
    uint64_t deadline_ms;
};

struct text_best {
    struct leg leg;
    size_t total; /* of all hits */
};

/* As text_index_search(), but of the hits perhaps only those that `depth` wants, without
 * a look at most of the others; with the same scores. */
SH_CHECK enum sh_err text_index_top(const struct text_index *self,
                                    const struct text_query *query,
                                    const struct bitmap *allowed,
                                    const struct text_depth *depth,
                                    struct sh_arena *arena, struct text_best *best);

#endif
