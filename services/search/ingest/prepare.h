/* prepare: what of storing a document is computation: decoding and checking it, cutting
 * it into passages without what every page repeats, hashing those. Pure; runs on a
 * worker. */
#ifndef SEARCH_PREPARE_H
#define SEARCH_PREPARE_H

#include "services/search/chunk/chunk.h"
#include "services/search/ingest/record.h"
#include "services/search/quality/drops.h"

struct prepared {
    struct record record;
    struct record_problem problem;
    struct sh_bytes id; /* the document's, or a new one */
    struct chunk *chunks;
    size_t chunk_count;
    bool no_wait;
    uint8_t *hashes;        /* SHA-256 of each text below, 32 bytes each */
    struct sh_bytes *texts; /* to embed, one a chunk */
    uint8_t *signatures;    /* SIGNATURE_BYTES of each passage */
    struct drops drops;     /* what was left out */
    struct sh_bytes report; /* the same, and what was inherited, as JSON */
};

/* Decode and check. `payload` is an encoded document_put; *out borrows from it and from
 * `arena`. Errors: SH_INVALID with out->problem, SH_NOMEM. */
SH_CHECK enum sh_err prepare_put(struct sh_bytes payload, struct sh_arena *arena,
                                 struct prepared *out);
/* What its collection says goes before, by defaults_fill(). Cut and hash. Errors:
 * SH_INVALID with out->problem, SH_NOMEM. */
SH_CHECK enum sh_err prepare_cut(const struct chunk_options *options,
                                 struct sh_arena *arena, struct prepared *out);

#endif
