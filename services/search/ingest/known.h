/* known: passages that a document already has with the same text keep their vectors.
 * Pure.
 */
#ifndef SEARCH_KNOWN_H
#define SEARCH_KNOWN_H

#include <libpq-fe.h>

#include "services/search/ingest/prepare.h"

/* `rows` are store_chunk_vectors's. Sets `have` and fills in `vectors` for what is found;
 * says how many. Out of memory finds nothing. */
size_t known_reuse(const PGresult *rows, const struct prepared *doc, size_t dimension,
                   struct sh_arena *arena, bool *have, float *vectors);

#endif
