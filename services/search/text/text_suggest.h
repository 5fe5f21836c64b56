/* text_suggest: what the dictionary knows about a word that somebody is typing, and which
 * titles have it. Nothing is told but what stands in allowed passages, and the counts are
 * of them alone: what only others hold does not exist here. The work is bounded: of a
 * short beginning the terms that most passages hold are looked at, of a long list of
 * passages samples. Under the view's lock, any thread. */
#ifndef SEARCH_TEXT_SUGGEST_H
#define SEARCH_TEXT_SUGGEST_H

#include "services/search/text/text_index.h"

enum {
    SUGGEST_LOOKED = 32768,    /* terms with a beginning that are looked at */
    SUGGEST_CANDIDATES = 1024, /* of them, those that most passages hold */
    SUGGEST_SAMPLES = 8,       /* blocks of a term's postings that are read */
    SUGGEST_SLOTS = 4,
};

struct text_together;

struct text_suggest {
    const struct text_index *index;
    const struct bitmap *allowed;
    uint32_t blocks; /* of postings that may still be read; each step takes from it */
    struct text_together *together; /* NULL: any allowed passage; else only these */
};

struct text_completion {
    uint32_t term;
    struct sh_bytes text;          /* a stem; valid as long as the lock is held */
    uint32_t passages;             /* allowed ones that hold it, about */
    uint32_t slots[SUGGEST_SLOTS]; /* some of these */
    uint32_t slot_count;
    bool near; /* it does not begin so, but is one edit away */
    bool next; /* in one of these right behind the words before */
};

struct text_completions {
    struct text_completion *items; /* `room` of them */
    uint32_t count;
    uint32_t room;
};

/* The term of this text, where an allowed passage holds it. Errors: SH_NOMEM. */
SH_CHECK enum sh_err text_suggest_term(struct text_suggest *self, struct sh_bytes text,
                                       struct text_completions *out);
/* What begins with `prefix` (folded), or is the stem of what does, after what is there;
 * those first that most passages of all hold. Errors: SH_NOMEM. */
SH_CHECK enum sh_err text_suggest_prefix(struct text_suggest *self,
                                         struct sh_bytes prefix, struct sh_arena *arena,
                                         struct text_completions *out);
/* What is one edit away from a word of four letters or more. Errors: SH_NOMEM. */
SH_CHECK enum sh_err text_suggest_near(struct text_suggest *self, struct sh_bytes word,
                                       struct text_completions *out);

/* False: enough. */
typedef bool text_suggest_fn(void *arg, uint32_t slot);

/* `take` gets allowed slots with the term in the title of their document, ascending by
 * when they came. False: it had enough, or no block is left. */
bool text_suggest_titles(struct text_suggest *self, uint32_t term, text_suggest_fn *take,
                         void *arg);

#endif
