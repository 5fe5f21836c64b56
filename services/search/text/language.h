/* language: which stemmer a document's `language` means. Pure: any thread. */
#ifndef SEARCH_LANGUAGE_H
#define SEARCH_LANGUAGE_H

#include "shared/bytes.h"

enum { LANGUAGE_ENGLISH, LANGUAGE_NONE, LANGUAGE_COUNT = 28 };

/* "de", "de-AT", "deu", "german": in any case. Nothing said is English; a language
 * without a stemmer is LANGUAGE_NONE. */
unsigned language_of(struct sh_bytes name);
/* As analyzer_create() wants it. */
const char *language_name(unsigned language);

#endif
