/* text_internal: the inside of the text index, for its own files only. */
#ifndef SEARCH_TEXT_INTERNAL_H
#define SEARCH_TEXT_INTERNAL_H

#include "services/search/text/lexicon.h"
#include "services/search/text/terms.h"
#include "services/search/text/text_index.h"

/* Postings name passages by a number that only grows, so that a slot can be used again
 * without touching the postings of the passage that had it before. */
struct text_index {
    struct text_options options;
    struct terms terms;
    struct lexicon lexicon;
    uint32_t *bodies;        /* by number: terms in the passage's body */
    uint32_t *slots;         /* by number; UINT32_MAX: gone */
    uint32_t *numbers;       /* by slot; UINT32_MAX: none */
    uint64_t *live_numbers;  /* bits: which of them have a slot */
    uint64_t *live_slots;    /* bits: which of them have a number */
    uint32_t count;          /* numbers given */
    uint32_t slots_capacity; /* of slots, bodies and live_numbers */
    uint32_t numbers_capacity;
    uint32_t live;
    uint64_t body_total; /* terms in the bodies of live passages */
    void *mapped;        /* the snapshot that postings may lie in, or NULL */
    size_t mapped_len;
};

/* Room for so many numbers and slots in all. Errors: SH_NOMEM, SH_TOOBIG. */
SH_CHECK enum sh_err text_reserve(struct text_index *self, uint64_t numbers,
                                  uint64_t slots);
/* The number, for which there is room as for the slot, now belongs to it. */
void text_link(struct text_index *self, uint32_t number, uint32_t slot);

/* UINT32_MAX: gone, or never there. */
static inline uint32_t text_slot(const struct text_index *self, uint32_t passage)
{
    return passage < self->count ? self->slots[passage] : UINT32_MAX;
}

#endif
