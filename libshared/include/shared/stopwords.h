/* stopwords: words too common to tell passages apart. Any thread. */
#ifndef SHARED_STOPWORDS_H
#define SHARED_STOPWORDS_H

#include "shared/bytes.h"

struct sh_stopwords {
    const char *language;
    const char *const *words; /* folded, ascending by bytes */
    size_t count;
};

/* NULL: no list for this language. */
const struct sh_stopwords *sh_stopwords_of(const char *language);
/* `list` NULL: false. */
bool sh_stopwords_has(const struct sh_stopwords *list, struct sh_bytes word);

#endif
