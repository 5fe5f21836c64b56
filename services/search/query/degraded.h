/* degraded: counts answers that lack something, by what was missing. Any thread. */
#ifndef SEARCH_DEGRADED_H
#define SEARCH_DEGRADED_H

#include "proto/msg.h"

/* So that a first one shows as a rise: all reasons are there from now on. */
void degraded_open(void);
void degraded_count(const struct search_results *results);

#endif
