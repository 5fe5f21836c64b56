/* glossary_internal: the inside of the glossary, for its own files only. */
#ifndef SEARCH_GLOSSARY_INTERNAL_H
#define SEARCH_GLOSSARY_INTERNAL_H

#include "services/search/glossary/glossary.h"
#include "services/search/text/language.h"

enum glossary_kind { GLOSSARY_PREFERRED, GLOSSARY_ACRONYM, GLOSSARY_SYNONYM };
enum { GLOSSARY_KEY_BYTES = GLOSSARY_FORM_WORDS * (ANALYZER_TERM_MAX + 1) + 1 };

/* The language and the stems of a form, in order. */
struct glossary_key {
    char data[GLOSSARY_KEY_BYTES];
    size_t len;
};

struct glossary_form {
    struct sh_bytes text;
    struct sh_bytes key;
    uint64_t hash; /* of the key */
    uint32_t term;
    uint32_t next; /* form with the same key, + 1; 0: none */
    enum glossary_kind kind;
    bool as_written; /* stop words: letters must be as in `text` */
};

struct known_term {
    uint32_t first; /* form */
    uint32_t count;
};

struct glossary {
    struct sh_arena arena; /* texts and keys */
    struct known_term *terms;
    size_t term_count;
    size_t term_capacity;
    struct glossary_form *forms;
    size_t form_count;
    size_t form_capacity;
    uint32_t *table; /* form + 1, 0: free; a power of two */
    size_t table_size;
    bool languages[LANGUAGE_COUNT];
    unsigned longest; /* words of a form */
};

/* An empty key of the language. */
void glossary_key_start(struct glossary_key *key, unsigned language);
/* False when there is no room. */
bool glossary_key_add(struct glossary_key *key, struct sh_bytes stem);
uint64_t glossary_hash(struct sh_bytes key);
/* The first form with this key, others by `next`; NULL: none. */
const struct glossary_form *glossary_find(const struct glossary *glossary,
                                          const struct glossary_key *key);

#endif
