/* phrases_internal: the inside of phrases, for its own files only. */
#ifndef SEARCH_PHRASES_INTERNAL_H
#define SEARCH_PHRASES_INTERNAL_H

#include "services/search/terminology/phrases.h"

struct run_form { /* a run as it is written */
    struct sh_bytes text;
    uint64_t count;
};

struct run_place {
    uint32_t document;
    uint32_t ordinal;
    uint32_t start;
    uint32_t form;
};

struct run { /* words that stand side by side */
    struct sh_bytes key;
    uint64_t hash;
    uint64_t frequency;
    uint64_t missed; /* at most, of before it was kept */
    uint32_t documents;
    uint32_t last_document; /* + 1 */
    uint32_t words;
    uint32_t form_count;
    uint32_t place_count;
    uint64_t nested;    /* t(a): how often it stands in longer ones */
    uint32_t nested_in; /* c(a): in how many */
    struct run_form forms[PHRASE_FORMS];
    struct run_place places[PHRASE_CONTEXTS];
};

struct phrases {
    struct analyzer *analyzer;
    unsigned language;
    size_t most;
    struct sh_arena arena; /* keys and forms */
    struct run **runs;
    size_t count;
    uint32_t *table; /* run + 1; 0: free; a power of two */
    size_t table_size;
    uint64_t missed;
};

/* NULL: there is none. */
struct run *phrases_find(const struct phrases *self, struct sh_bytes key);

/* --- phrases_words.c -------------------------------------------------------------- */

bool phrases_is_stop(const char *language, struct sh_bytes word);
bool phrases_links(const char *language, struct sh_bytes word);
bool phrases_has_letter(struct sh_bytes word);
bool phrases_is_pair(struct sh_bytes word);
bool phrases_is_whole(struct sh_bytes written);

#endif
