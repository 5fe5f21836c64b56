/* stopwords: words too common to tell passages apart. */
#ifndef SEARCH_STOPWORDS_H
#define SEARCH_STOPWORDS_H

#include "shared/bytes.h"

struct stopwords {
    const char *language;
    const char *const *words; /* folded, ascending by bytes */
    size_t count;
};

/* NULL: no list for this language. */
const struct stopwords *stopwords_of(const char *language);
/* `list` NULL: false. */
bool stopwords_has(const struct stopwords *list, struct sh_bytes word);

#endif
