/* text_query: what a person typed, as the text index takes it.
 *
 *     query  = { item } ;              items are apart by white space
 *     item   = [ sign ] ( phrase | word [ "*" ] ) ;
 *     sign   = "+" | "-" ;             right before a letter or a quotation mark
 *     phrase = '"' { any but '"' } '"' ;
 *
 * Words without sign are wished for: passages with more of them, and rarer ones, come
 * first. `+word` must be in a passage, `-word` must not. A phrase must be in it word by
 * word (`-"a phrase"`: must not be). `word*` is whatever begins so. What does not fit the
 * grammar is text like any other: a lone quotation mark, "-5", "--help", "a-b". There are
 * no bad queries. A sign before several words ("+real-time") makes them a phrase.
 *
 * The last word may not be finished yet: until white space or a sign of punctuation
 * follows it, rare and unknown ones find what begins so, too. Unknown words of letters
 * find what is one edit away (from 4 letters on) or two (from 8 on). What is found in
 * these ways counts less than what was asked. Words in a phrase or with a sign are taken
 * as they are. */
#ifndef SEARCH_TEXT_QUERY_H
#define SEARCH_TEXT_QUERY_H

#include "services/search/text/analyzer.h"
#include "shared/mem.h"

enum {
    TEXT_QUERY_WORDS = 64, /* different ones that count; so many more in phrases */
    TEXT_WORD_FORMS = 50,  /* that are added to what was asked */
    TEXT_LANGUAGES = 8,
};

struct text_form { /* a term that stands for the word */
    struct sh_bytes text;
    uint32_t hash;
    float weight; /* 1: as it was asked */
};

struct text_word {
    struct text_form *forms;
    uint32_t count;
    uint32_t asked; /* the first forms, one a language where they differ */
    struct sh_bytes folded;
    uint32_t times;  /* it was asked */
    uint32_t offset; /* within its phrase */
    bool stop;
    bool prefix; /* "word*" */
    bool open;   /* the last one, perhaps not finished */
    bool exact;  /* with a sign or in a phrase */
};

struct text_rule {
    struct text_word *words; /* one, or a phrase */
    uint32_t count;
    bool excluded;
};

struct text_query {          /* lives in the arena given to text_query_make() */
    struct text_word *words; /* that make the score; stop words only where there is
                                nothing else */
    uint32_t count;
    struct text_rule *rules; /* every one must hold */
    uint32_t rule_count;
    uint32_t rule_words;
    bool telling;            /* words are no stop words */
    struct text_mark *marks; /* forms by hash, for highlights */
    uint32_t marks_size;
    uint64_t mark_shapes; /* bits: lengths and first bytes that there are */
};

struct text_item {        /* of a query as it was typed */
    struct sh_bytes text; /* without sign, quotation marks */
    char sign;            /* 0: none */
    bool quoted;
    bool star; /* `text` has it still */
    bool last;
};

/* The next item from `at` on, `at` behind it; false at the end. */
bool text_query_item(const char **at, const char *end, struct text_item *item);

/* `analyzers`: one for each language that the words may be of, TEXT_LANGUAGES at most.
 * Errors: SH_NOMEM. */
SH_CHECK enum sh_err text_query_make(struct analyzer *const *analyzers, size_t count,
                                     struct sh_bytes text, struct sh_arena *arena,
                                     struct text_query *query);
/* Forms have been added: text_query_mark() looks them up. Errors: SH_NOMEM. */
SH_CHECK enum sh_err text_query_index(struct text_query *query, struct sh_arena *arena);
/* Which of the words that make the score the term stands for; false: none. */
bool text_query_mark(const struct text_query *query, struct sh_bytes term,
                     uint32_t *word);

#endif
