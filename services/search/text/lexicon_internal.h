/* lexicon_internal: for lexicon's own files only. */
#ifndef SEARCH_LEXICON_INTERNAL_H
#define SEARCH_LEXICON_INTERNAL_H

#include "services/search/text/lexicon.h"

struct sh_bytes lexicon_text(const struct terms *terms, uint32_t term);
void lexicon_offer(struct lexicon_hits *hits, const struct terms *terms, uint32_t term,
                   uint32_t distance);

/* The character that begins at `pos`, or a byte that begins none; returns where the next
 * one begins. */
uint32_t lexicon_point(struct sh_bytes text, uint32_t pos, int32_t *code);

#endif
