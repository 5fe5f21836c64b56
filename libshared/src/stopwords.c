#include "shared/stopwords.h"

#include <stdlib.h>

/* clang-format off */
static const char *const english[] = {
    "a", "about", "above", "after", "again", "against", "all", "also", "am", "an",
    "and", "any", "are", "aren't", "as", "at", "be", "because", "been", "before",
    "being", "below", "between", "both", "but", "by", "can", "can't", "cannot", "could",
    "couldn't", "did", "didn't", "do", "does", "doesn't", "doing", "don't", "down",
    "during", "each", "few", "for", "from", "further", "had", "hadn't", "has", "hasn't",
    "have", "haven't", "having", "he", "he'd", "he'll", "he's", "her", "here", "here's",
    "hers", "herself", "him", "himself", "his", "how", "how's", "i", "i'd", "i'll",
    "i'm", "i've", "if", "in", "into", "is", "isn't", "it", "it's", "its", "itself",
    "let's", "me", "more", "most", "mustn't", "my", "myself", "no", "nor", "not", "of",
    "off", "on", "once", "only", "or", "other", "ought", "our", "ours", "ourselves",
    "out", "over", "own", "same", "shan't", "she", "she'd", "she'll", "she's", "should",
    "shouldn't", "so", "some", "such", "than", "that", "that's", "the", "their",
    "theirs", "them", "themselves", "then", "there", "there's", "these", "they",
    "they'd", "they'll", "they're", "they've", "this", "those", "through", "to", "too",
    "under", "until", "up", "upon", "us", "very", "was", "wasn't", "we", "we'd",
    "we'll", "we're", "we've", "were", "weren't", "what", "what's", "when", "when's",
    "where", "where's", "which", "while", "who", "who's", "whom", "why", "why's",
    "will", "with", "won't", "would", "wouldn't", "you", "you'd", "you'll", "you're",
    "you've", "your", "yours", "yourself", "yourselves",
};
/* clang-format on */

static const struct sh_stopwords lists[] = {{"english", english, SH_COUNT(english)}};

const struct sh_stopwords *sh_stopwords_of(const char *language)
{
    for (size_t i = 0; i < SH_COUNT(lists); i++) {
        if (strcmp(lists[i].language, language) == 0)
            return &lists[i];
    }
    return NULL;
}

static int compare(const void *key, const void *item)
{
    const struct sh_bytes *word = key;
    const char *other = *(const char *const *)item;
    size_t len = strlen(other);
    int order = memcmp(word->data, other, word->len < len ? word->len : len);
    if (order != 0)
        return order;
    return (word->len > len) - (word->len < len);
}

bool sh_stopwords_has(const struct sh_stopwords *list, struct sh_bytes word)
{
    return list && word.len > 0 &&
           bsearch(&word, list->words, list->count, sizeof(*list->words), compare);
}
