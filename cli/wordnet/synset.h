/* synset: a line of WordNet's data files, as wndb(5WN) describes it: words of one
 * meaning, what it means, and pointers to other meanings. Pure. */
#ifndef WORDNET_SYNSET_H
#define WORDNET_SYNSET_H

#include <stdbool.h>
#include <stddef.h>

enum { SYNSET_WORDS = 256, SYNSET_POINTERS = 1000, SYNSET_ID = 10 };

struct synset_pointer {
    const char *type; /* "HYPERNYM" */
    char to[SYNSET_ID];
};

struct synset {
    char id[SYNSET_ID]; /* "n00001740": part of speech and place in its file */
    const char *part_of_speech;
    const char *domain;              /* of the lexicographers: "noun.animal" */
    const char *words[SYNSET_WORDS]; /* in the line, with spaces */
    size_t word_count;
    struct synset_pointer pointers[SYNSET_POINTERS];
    size_t pointer_count;
    const char *definition; /* with its examples, in the line */
};

/* Cuts the line up where it stands. False: it is no synset. */
bool synset_read(char *line, struct synset *out);

#endif
