/* title_words: whether a title has all of some words, or beginnings and parts of them: in
 * any case, with or without marks. Pure: any thread. */
#ifndef SEARCH_TITLE_WORDS_H
#define SEARCH_TITLE_WORDS_H

#include "shared/bytes.h"
#include "shared/err.h"
#include "shared/mem.h"

struct title_words {        /* {0} fits every title */
    struct sh_bytes *words; /* folded */
    size_t count;
};

/* *out lives in `arena`. Errors: SH_INVALID (not UTF-8), SH_NOMEM. */
SH_CHECK enum sh_err title_words_make(struct sh_bytes text, struct sh_arena *arena,
                                      struct title_words *out);
/* Each word stands in the title or in the id. Errors: SH_NOMEM. */
SH_CHECK enum sh_err title_words_fit(const struct title_words *self,
                                     struct sh_bytes title, struct sh_bytes id,
                                     bool *fits);

#endif
