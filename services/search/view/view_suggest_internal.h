/* view_suggest_internal: for the files of suggestions only. */
#ifndef SEARCH_VIEW_SUGGEST_INTERNAL_H
#define SEARCH_VIEW_SUGGEST_INTERNAL_H

#include "services/search/text/text_suggest.h"
#include "services/search/text/text_together.h"
#include "services/search/view/view_internal.h"
#include "services/search/view/view_suggest.h"

enum { SUGGEST_WORDS = 8, SUGGEST_FORMS = 24 };

struct suggest_word { /* that was typed */
    struct sh_bytes folded;
    struct text_completions forms; /* what allowed passages have of it */
    uint64_t passages;             /* that have one of these, about */
    uint32_t position;
    bool stop; /* in one of the languages */
};

struct suggest {
    const struct view *view;
    const struct view_suggest *asked;
    struct sh_arena scratch;
    struct analyzer *analyzers[LANGUAGE_COUNT]; /* LANGUAGE_NONE is always there */
    struct bitmap allowed;
    struct text_suggest text;
    struct text_together *together; /* with the words before the last one; NULL: none */
    struct suggest_word words[SUGGEST_WORDS];
    size_t count;
    bool open;   /* the last word may go on */
    bool alone;  /* nothing that it becomes stands with the words before */
    size_t last; /* where it begins, in bytes */
};

/* What the last word goes on must stand with the words before it, of which stop words
 * count only where there are no others; self->words have their forms. To be freed in any
 * case. Errors: SH_TIMEOUT, SH_NOMEM. */
SH_CHECK enum sh_err suggest_together(struct suggest *self);

/* How the last word goes on; the lock is held. Errors: SH_NOMEM. */
SH_CHECK enum sh_err suggest_words(struct suggest *self, struct sh_arena *arena,
                                   struct view_suggested *out);
/* Likewise: titles. */
SH_CHECK enum sh_err suggest_titles(struct suggest *self, struct sh_arena *arena,
                                    struct view_suggested *out);

static inline bool suggest_begins(struct sh_bytes text, struct sh_bytes prefix)
{
    return text.len >= prefix.len && memcmp(text.data, prefix.data, prefix.len) == 0;
}

#endif
