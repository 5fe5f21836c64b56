/* write: a whole document as the steps of one transaction. A bounded number of statements
 * whatever its size: rows travel as arrays. Pure; any thread. */
#ifndef SEARCH_WRITE_H
#define SEARCH_WRITE_H

#include "services/search/chunk/chunk.h"
#include "services/search/ingest/record.h"
#include "shared/pg.h"

enum { WRITE_HASH_BYTES = 32, WRITE_ARRAYS = 13, WRITE_STEPS = 10, WRITE_PARAMS = 44 };
/* The results to look at: the first step's and the last's. */
enum { WRITE_CREATED = 0 };

struct write {
    /* what to store; borrowed until write_free() */
    const struct record *record;
    struct sh_bytes id;
    const struct chunk *chunks;
    const uint8_t *hashes;     /* WRITE_HASH_BYTES for each chunk */
    const uint8_t *signatures; /* SIGNATURE_BYTES for each chunk; NULL: none */
    size_t chunk_count;
    struct sh_bytes report; /* a JSON object; empty: none */
    const bool *have;       /* which chunks have a vector; the others become pending */
    const float *vectors;   /* chunk_count × dimension */
    uint32_t dimension;
    const char *fingerprint;
    /* made by write_prepare() */
    struct sh_pg_step steps[WRITE_STEPS];
    size_t step_count;
    size_t pending;
    /* what the steps point to */
    struct sh_buffer arrays[WRITE_ARRAYS];
    size_t array_count;
    struct sh_pg_param params[WRITE_PARAMS];
    size_t param_count;
    char priority[12];
    char clearance[12];
    char chunk_total[12];
    char file_size[24];
    char file_pages[12];
};

/* Fill `steps`. Errors: SH_NOMEM, SH_TOOBIG. */
SH_CHECK enum sh_err write_prepare(struct write *write);
void write_free(struct write *write);

#endif
