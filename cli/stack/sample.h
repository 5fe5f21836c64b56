/* sample: real documents for a stack that has just started: Debian's manuals, and a few
 * of a university. Loading them again changes nothing. */
#ifndef STACK_SAMPLE_H
#define STACK_SAMPLE_H

#include <stdbool.h>

/* Fetch, convert and post to the running stack of `dir`, with progress on the terminal;
 * then say what to try. Blocks. */
bool sample_load(const char *dir, const char *bin);
/* Of that only WordNet (wordnet.h). */
bool sample_load_wordnet(const char *dir, const char *bin);

#endif
