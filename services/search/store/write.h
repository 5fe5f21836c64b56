/* write: whole documents as the steps of one transaction. A bounded number of statements
 * however many documents and passages there are: rows travel as arrays. Pure; any thread.
 */
#ifndef SEARCH_WRITE_H
#define SEARCH_WRITE_H

#include "services/search/chunk/chunk.h"
#include "services/search/ingest/record.h"
#include "shared/pg.h"

enum {
    WRITE_HASH_BYTES = 32,
    WRITE_STEPS = 11,
    /* of documents, ids twice, sections, chunks, signatures, reports, those without one,
     * vectors, pending */
    WRITE_PARAMS = 17 + 1 + 1 + 5 + 8 + 3 + 2 + 1 + 4 + 2,
};
/* The results to look at: the first step's and the last's. */
enum { WRITE_CREATED = 0 };

struct write_document { /* borrowed until write_free() */
    const struct record *record;
    struct sh_bytes id;
    const struct chunk *chunks;
    const uint8_t *hashes;     /* WRITE_HASH_BYTES for each chunk */
    const uint8_t *signatures; /* SIGNATURE_BYTES for each chunk; NULL: none */
    size_t chunk_count;
    struct sh_bytes report; /* a JSON object; empty: none */
    const bool *have;       /* which chunks have a vector; the others become pending */
    const float *vectors;   /* chunk_count × dimension */
};

struct write {
    const struct write_document *documents; /* of different ids */
    size_t count;
    uint32_t dimension; /* of all vectors, and their model */
    const char *fingerprint;
    /* made by write_prepare() */
    struct sh_pg_step steps[WRITE_STEPS];
    size_t step_count;
    /* what the steps point to */
    struct sh_pg_param params[WRITE_PARAMS];
    size_t param_count;
    struct sh_buffer arrays[WRITE_PARAMS]; /* of the parameter of the same number */
};

/* Chunks without a vector. */
size_t write_pending(const struct write_document *document);
/* Fill `steps`. Errors: SH_NOMEM, SH_TOOBIG. */
SH_CHECK enum sh_err write_prepare(struct write *write);
void write_free(struct write *write);

#endif
