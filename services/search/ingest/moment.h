/* moment: dates and times as people write them into metadata. Pure. */
#ifndef SEARCH_MOMENT_H
#define SEARCH_MOMENT_H

#include <stdbool.h>

#include "shared/bytes.h"

enum { MOMENT_TEXT = 48 };

/* A date ("2024-08-15") or RFC 3339 time; the seconds and the zone may be missing, UTC is
 * then meant. `out` gets it with a zone, ready for PostgreSQL. False when it is neither,
 * or no such day exists. */
bool moment_parse(struct sh_bytes text, char out[static MOMENT_TEXT]);

#endif
