/* words: the words of a text as the built-in models see them: folded (NFKC, case, marks
 * stripped), runs of letters and digits, with the Snowball stem of each. One thread at a
 * time per object. */
#ifndef EMBEDDER_WORDS_H
#define EMBEDDER_WORDS_H

#include <utf8proc.h>

#include "shared/bytes.h"
#include "shared/err.h"

enum { WORDS_LETTERS_MAX = 64 }; /* the rest of a longer word is left out */

/* Code points with a boundary at both ends: 0, letters, 0. */
struct word {
    utf8proc_int32_t letters[WORDS_LETTERS_MAX + 2];
    size_t len;           /* of the letters */
    struct sh_bytes text; /* UTF-8; valid until the next word, as is the stem */
    struct sh_bytes stem;
};

struct words;

/* An error ends the text. */
typedef enum sh_err words_fn(void *arg, const struct word *word);

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err words_create(struct words **out);
void words_free(struct words **self);

/* `each` is called for every word in order. Errors: SH_MALFORMED (not UTF-8), SH_NOMEM,
 * and what `each` says. */
SH_CHECK enum sh_err words_each(struct words *self, struct sh_bytes text, words_fn *each,
                                void *arg);
/* At most `max` bytes from the front, no character cut in two. */
struct sh_bytes words_shorten(struct sh_bytes text, size_t max);

#endif
