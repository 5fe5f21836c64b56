/* highlight: the part of a passage that shows best why it was found. Any thread, one
 * analyzer each. */
#ifndef SEARCH_HIGHLIGHT_H
#define SEARCH_HIGHLIGHT_H

#include "services/search/text/text_index.h"
#include "shared/buffer.h"

enum { HIGHLIGHT_BYTES = 300 };

/* Appends about HIGHLIGHT_BYTES of `text`, where most different words of the query stand,
 * escaped for HTML, the words in <em>…</em>, "…" where text is left out. Without any word
 * of the query the beginning. Errors: SH_NOMEM (also in out->err). */
SH_CHECK enum sh_err highlight(struct analyzer *analyzer, const struct text_query *query,
                               struct sh_bytes text, struct sh_buffer *out);

#endif
