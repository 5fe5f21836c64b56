/* drops: what was left out of a document when it was cut, and why. Nothing is left out
 * without an entry; equal ones are one entry with a count. Pure. */
#ifndef SEARCH_DROPS_H
#define SEARCH_DROPS_H

#include <jansson.h>

#include "shared/bytes.h"
#include "shared/err.h"
#include "shared/mem.h"

/* X(CONSTANT, "as reports call it") */
#define DROP_REASONS(X)                                                                  \
    X(REPEATED_LINE,                                                                     \
      "repeated_line") /* a header or footer that is there once already */               \
    X(PAGE_NUMBER, "page_number")                                                        \
    X(CONTENTS, "contents") /* lines of a table of contents */                           \
    X(NO_WORDS, "no_words") /* a passage of marks and a few digits */
#define DROP_ENUM(name, text) DROP_##name,
enum drop_reason { DROP_REASONS(DROP_ENUM) };
#undef DROP_ENUM

struct drop {
    enum drop_reason reason;
    struct sh_bytes section; /* its title */
    uint32_t page;           /* 0: none */
    struct sh_bytes text;
    size_t count; /* how often it was left out */
};

struct drops {
    struct drop *items; /* DROPS_KEPT at most: the first ones */
    size_t count;
    size_t total;  /* how much was left out, all counted */
    bool kept_all; /* nothing would have been left, so nothing was left out */
};

enum { DROPS_KEPT = 100, DROPS_TEXT = 80 /* characters shown */ };

/* The texts are borrowed. Errors: SH_NOMEM. */
SH_CHECK enum sh_err drops_add(struct drops *drops, struct sh_arena *arena,
                               const struct drop *drop);
/* [{"reason","section","page_number"?,"text","count"}]; NULL when out of memory. */
json_t *drops_json(const struct drops *drops);

#endif
