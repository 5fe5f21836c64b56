/* defaults: what a collection says for its documents that do not say it themselves. A
 * document's own word wins, but for the clearance: that of the collection is the least
 * that a document there may have. Pure. */
#ifndef SEARCH_DEFAULTS_H
#define SEARCH_DEFAULTS_H

#include <libpq-fe.h>

#include "services/search/chunk/chunk.h"
#include "services/search/ingest/record.h"

struct defaults { /* 0 and empty: nothing is said */
    uint32_t chunk_tokens;
    bool overlap_said;
    uint32_t chunk_overlap_percent;
    struct sh_bytes language;
    struct sh_bytes department;
    struct sh_bytes campus;
    uint32_t clearance_level;
    uint32_t priority;
};

/* A row of collections_defaults. The texts are copied into `arena`. Errors: SH_NOMEM. */
SH_CHECK enum sh_err defaults_read(const PGresult *rows, int row, struct sh_arena *arena,
                                   struct defaults *out);
/* The columns that the document left open, and a content hash that differs when what is
 * said differs, so that the same document put again is stored anew. Errors: SH_INVALID
 * with *problem (it says a clearance below the collection's), SH_NOMEM. */
SH_CHECK enum sh_err defaults_fill(const struct defaults *defaults, struct record *record,
                                   struct record_problem *problem);
/* After that: the same in the metadata, where searches show and filter it. Parses JSON:
 * on a worker. Errors: SH_INVALID with *problem (too long then), SH_NOMEM. */
SH_CHECK enum sh_err defaults_show(struct record *record, struct sh_arena *arena,
                                   struct record_problem *problem);
/* How a document of it is cut, `own` being the service's settings. */
struct chunk_options defaults_chunks(const struct defaults *defaults,
                                     const struct chunk_options *own);

#endif
