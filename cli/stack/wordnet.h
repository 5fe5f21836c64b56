/* wordnet: Debian's WordNet as a glossary and a graph for a stack that runs. */
#ifndef STACK_WORDNET_H
#define STACK_WORDNET_H

#include <stdbool.h>

/* Convert and store it, with progress on the terminal; nothing where it is stored
 * already, or not installed. WORDNET_DIR in the environment: data.noun and its kin are
 * there, not where Debian has them. Blocks, for a minute or so. */
bool wordnet_load(const char *url, const char *dir, const char *bin);

#endif
