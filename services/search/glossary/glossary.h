/* glossary: the terms of the glossary with their acronyms, synonyms and preferred terms,
 * so that a search for one of them finds the others. Words are compared by the stemmer of
 * the term's language; a term of nothing but stop words ("IT") is only meant where it is
 * written so. Never changed once it is made: any number of threads may read it. */
#ifndef SEARCH_GLOSSARY_H
#define SEARCH_GLOSSARY_H

#include "proto/msg.h"
#include "services/search/text/text_query.h"

enum {
    GLOSSARY_TERMS = 100000, /* more are not looked at */
    GLOSSARY_FORMS = 16,     /* of a term */
    GLOSSARY_FORM_BYTES = 256,
    GLOSSARY_FORM_WORDS = 8,
    GLOSSARY_QUERY_WORDS = 256, /* of a query that are looked up */
    GLOSSARY_MATCHES = 16,      /* in a query; as SEARCH_RESULTS.expanded */
    GLOSSARY_ADDED = 8,         /* forms for one match; as SEARCH_EXPANSION.added */
};

struct glossary;

struct glossary_row {         /* a term as the record has it */
    struct sh_bytes term;     /* the preferred one, unless `forms` names another */
    struct sh_bytes language; /* as a document's: "en", "german" */
    struct sh_bytes forms;    /* {"acronym","synonyms","preferred"}: each a text or an
                                 array of texts; anything else counts as absent */
};

/* Rows are only read. A form that is too long, or has no words, is left out. Errors:
 * SH_NOMEM. */
SH_CHECK enum sh_err glossary_create(const struct glossary_row *rows, size_t count,
                                     struct glossary **out);
void glossary_free(struct glossary **glossary);
size_t glossary_size(const struct glossary *glossary); /* terms with other forms */

struct glossary_found { /* in the arena; texts are the glossary's */
    struct search_expansion *items;
    size_t count;
};

/* Adds to the query what its words are called otherwise, as words that count half as much
 * as those that were asked; of a form of n words each counts an nth of that. Longer terms
 * go before shorter ones; words in phrases, with a sign or a star are taken as they are;
 * what was added is not looked up again. `analyzers` goes by language (language.h), NULL
 * where there is none yet: the query is of the languages that have one, and those that
 * the glossary needs besides are added. Errors: SH_NOMEM. */
SH_CHECK enum sh_err glossary_widen(const struct glossary *glossary, struct sh_bytes text,
                                    struct analyzer **analyzers, struct sh_arena *arena,
                                    struct text_query *query,
                                    struct glossary_found *found);

#endif
