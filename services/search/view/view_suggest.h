/* view_suggest: what somebody may be about to type: titles of documents, and how the last
 * word may go on. Nothing but what the caller may read is told, nor counted. Any thread,
 * beside searches and one writer. */
#ifndef SEARCH_VIEW_SUGGEST_H
#define SEARCH_VIEW_SUGGEST_H

#include "services/search/view/view.h"

enum { SUGGEST_MOST = 20, SUGGEST_LEAST_BYTES = 2 /* of a last word */ };

struct view_suggest {
    struct sh_bytes query; /* as far as it is typed; its first 8 words count */
    const struct caller *caller;
    size_t limit; /* of each kind, at most SUGGEST_MOST */
    uint64_t deadline_ms;
};

struct view_suggestion {
    struct sh_bytes text;
    struct sh_bytes id; /* of the document; empty: `text` is the query, completed */
};

struct view_suggested { /* in the arena; the best first */
    struct view_suggestion titles[SUGGEST_MOST];
    size_t title_count;
    struct view_suggestion words[SUGGEST_MOST];
    size_t word_count;
};

/* Titles that have, for each word that was typed, one that begins so, is another form of
 * it or one edit away; those come first that begin as the query does. Words go on only
 * when nothing stands behind the last one. Costs at most a few thousand blocks of
 * postings and a few hundred titles, whatever is asked. Errors: SH_TIMEOUT, SH_NOMEM. */
SH_CHECK enum sh_err view_suggest(const struct view *view,
                                  const struct view_suggest *asked,
                                  struct sh_arena *arena, struct view_suggested *out);

#endif
