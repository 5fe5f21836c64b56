/* entry: a passage as the text index takes it: its distinct terms, counted by field, with
 * their places. Made before the index is locked. */
#ifndef SEARCH_ENTRY_H
#define SEARCH_ENTRY_H

#include "services/search/text/analyzer.h"
#include "services/search/text/postings.h"
#include "shared/mem.h"

struct entry_term {
    struct sh_bytes text;
    uint32_t hash;
    uint32_t tf[TEXT_FIELDS];
    struct sh_bytes positions; /* as in struct posting */
};

struct entry {
    struct entry_term *terms;
    size_t count;
    uint32_t length[TEXT_FIELDS]; /* terms in all */
};

/* `fields` by enum text_field. *entry lives in `arena`. Errors: SH_NOMEM. */
SH_CHECK enum sh_err entry_make(struct analyzer *analyzer,
                                const struct sh_bytes fields[TEXT_FIELDS],
                                struct sh_arena *arena, struct entry *entry);

#endif
