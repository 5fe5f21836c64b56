/* units: the pieces a passage is made of: sentences, or parts of an over-long one. Linear
 * in the text whatever it holds. Pure: any thread. */
#ifndef SEARCH_UNITS_H
#define SEARCH_UNITS_H

#include "shared/bytes.h"
#include "shared/err.h"
#include "shared/mem.h"

/* Byte offsets into the text, white space at the ends left out. */
struct unit {
    uint32_t start;
    uint32_t end;
    uint32_t tokens; /* estimated, never 0 */
    bool paragraph;  /* a paragraph begins here */
    bool apart;      /* a great gap of blanks lies before it */
};

struct units {
    struct unit *items; /* in the arena, ascending, never empty ones */
    size_t count;
    size_t capacity;
};

/* No unit holds more than `most` tokens (at least 1). Errors: SH_NOMEM, SH_TOOBIG (a text
 * of 2 GiB). */
SH_CHECK enum sh_err units_split(struct sh_bytes text, uint32_t most,
                                 struct sh_arena *arena, struct units *units);

#endif
