/* fold: a text as names are compared: its words in lower case (Unicode case folding)
 * without accents and ligatures, one blank between them; whatever is no letter and no
 * digit separates. "L'Été à Zürich" is "l ete a zurich". Pure. */
#ifndef GRAPH_FOLD_H
#define GRAPH_FOLD_H

#include "shared/buffer.h"

/* Append the folded text; what is no UTF-8 is taken as bytes. Errors stick in `out`. */
void fold_text(struct sh_bytes text, struct sh_buffer *out);

/* The next word of a folded text, which *rest is moved behind; false at the end. */
static inline bool fold_next(struct sh_bytes *rest, struct sh_bytes *word)
{
    if (rest->len == 0)
        return false;
    const char *blank = memchr(rest->data, ' ', rest->len);
    size_t len = blank ? (size_t)(blank - (const char *)rest->data) : rest->len;
    *word = (struct sh_bytes){rest->data, len};
    len += blank != NULL;
    *rest = (struct sh_bytes){(const char *)rest->data + len, rest->len - len};
    return true;
}

enum { FOLD_WORD = 64 }; /* characters of a word that are compared with mistakes */

/* Whether `edits` insertions, deletions, replacements and swaps of neighbours make one
 * word of the other (optimal string alignment); longer words than FOLD_WORD never. */
bool fold_within(struct sh_bytes left, struct sh_bytes right, unsigned edits);
/* How many mistakes a word of a question may have: 1 from 4 letters, 2 from 8. */
unsigned fold_edits(struct sh_bytes word);

#endif
