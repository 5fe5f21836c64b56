/* language: which stemmer a document's `language` means, and analyzers by language. Any
 * thread. */
#ifndef SEARCH_LANGUAGE_H
#define SEARCH_LANGUAGE_H

#include "services/search/text/analyzer.h"

enum { LANGUAGE_ENGLISH, LANGUAGE_NONE, LANGUAGE_COUNT = 28 };

/* "de", "de-AT", "deu", "german": in any case. Nothing said is English; a language
 * without a stemmer is LANGUAGE_NONE. */
unsigned language_of(struct sh_bytes name);
/* As analyzer_create() wants it. */
const char *language_name(unsigned language);
/* Fills in the one of the language where `analyzers`, which goes by language, has none
 * yet: one that somebody had before, who left it words it need not stem again, or a new
 * one. Errors: SH_NOMEM. */
SH_CHECK enum sh_err language_analyzer(struct analyzer **analyzers, unsigned language);
/* All LANGUAGE_COUNT, for others to use; they become NULL. */
void language_analyzers_free(struct analyzer **analyzers);

#endif
