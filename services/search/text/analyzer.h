/* analyzer: turns text into the terms of the index. Unicode words are folded (NFKC, case,
 * marks stripped) and stemmed; runs of ideographs become pairs. One thread at a time. */
#ifndef SEARCH_ANALYZER_H
#define SEARCH_ANALYZER_H

#include "shared/bytes.h"
#include "shared/err.h"

enum { ANALYZER_TERM_MAX = 64 };

struct analyzer;

struct token {
    struct sh_bytes term;   /* valid until the next call */
    struct sh_bytes folded; /* as term, before it was stemmed */
    uint32_t position;      /* the how manieth word it is; pairs stand where they begin */
    uint32_t start;         /* byte offsets into the text, of what was written */
    uint32_t end;
    bool stop;  /* says nothing by itself ("the") */
    bool extra; /* a single ideograph that pairs cover too */
};

/* `language`: a Snowball algorithm ("english", "german"); "none" leaves words unstemmed.
 * Errors: SH_INVALID (no such language), SH_NOMEM. */
SH_CHECK enum sh_err analyzer_create(const char *language, struct analyzer **out);
void analyzer_free(struct analyzer **analyzer);

/* `text` is borrowed until the last analyzer_next(); what lies beyond 4 GiB is not read.
 */
void analyzer_start(struct analyzer *self, struct sh_bytes text);
/* False at the end. */
bool analyzer_next(struct analyzer *self, struct token *token);

#endif
