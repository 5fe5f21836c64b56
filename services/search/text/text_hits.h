/* text_hits: the best hits so far, and the score that the others must reach, for the
 * files of the text index only. */
#ifndef SEARCH_TEXT_HITS_H
#define SEARCH_TEXT_HITS_H

#include "services/search/fusion/leg.h"
#include "shared/err.h"
#include "shared/mem.h"

struct text_hits { /* {0} but for the first two is empty */
    struct sh_arena *arena;
    uint32_t most;   /* that are wanted, and what scores as well as the last of them; 0:
                        whatever reaches the threshold, which then stands */
    float threshold; /* rises */
    struct leg_hit *items;
    size_t count;
    size_t limit; /* hits, at which the threshold rises */
    size_t capacity;
    float *scores; /* room to work in */
};

/* score: at least hits->threshold. Errors: SH_NOMEM. */
SH_CHECK enum sh_err text_hits_add(struct text_hits *hits, uint32_t slot, float score);
/* Forgets all, and wants those that score less than the last of the best by `spread` at
 * most, as a share of the best score. */
void text_hits_deepen(struct text_hits *hits, double spread);
/* What remains, ascending by slot (all below `slots`). Errors: SH_NOMEM. */
SH_CHECK enum sh_err text_hits_finish(struct text_hits *hits, uint32_t slots,
                                      struct leg *leg);

#endif
