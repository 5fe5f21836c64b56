/* vector_index: unit vectors by slot: a graph of quantised ones that is searched, and the
 * full rows that score what it finds. Searches take no lock and go on during every
 * change; one thread at a time changes a slot, and no search has it in `allowed` while
 * its vector is being set. */
#ifndef SEARCH_VECTOR_INDEX_H
#define SEARCH_VECTOR_INDEX_H

#include "services/search/filter/bitmap.h"
#include "services/search/fusion/leg.h"
#include "services/search/vector/hnsw.h"
#include "shared/err.h"
#include "shared/mem.h"
#include "shared/yield.h"

struct vector_index;

struct vector_options {
    enum code_kind codes;     /* how the graph stores them */
    uint32_t links;           /* M, see hnsw.h */
    uint32_t ef_construction; /* candidates for a new node's links */
    uint32_t ef_search;       /* candidates of a search, at least */
    uint32_t most;            /* slots, and nodes of the graph */
    const char *rows;         /* directory for the file of full rows; NULL: in memory */
    unsigned bulk_threads;    /* that vector_bulk_end() may use; 0: one per core */
    struct sh_yield *yield;   /* they give way to; NULL: nobody */
};

struct vector_options vector_defaults(void);

/* Errors: SH_INVALID (options, dimension 0 or above 65,536), SH_NOMEM, SH_IO. */
SH_CHECK enum sh_err vector_index_create(uint32_t dimension,
                                         const struct vector_options *options,
                                         struct vector_index **out);
/* Waits for a compaction that is going on. Takes NULL. */
void vector_index_free(struct vector_index **index);

/* The vector of a slot, copied and brought to length 1, new or in place of the one
 * before. One without direction (zero) counts as none: vector_index_has() tells. Errors:
 * SH_INVALID (a component is NaN or infinite), SH_NOMEM, SH_TOOBIG (too many), SH_IO (the
 * disk of the rows' file is full); the slot then has none. */
SH_CHECK enum sh_err vector_index_set(struct vector_index *self, uint32_t slot,
                                      const float *vector);
/* A slot without a vector is fine. */
void vector_index_remove(struct vector_index *self, uint32_t slot);
bool vector_index_has(const struct vector_index *self, uint32_t slot);
uint32_t vector_index_count(const struct vector_index *self);
uint32_t vector_index_dimension(const struct vector_index *self);
/* Memory held, without rows in a file; estimated. */
size_t vector_index_bytes(const struct vector_index *self);
/* Full rows that were refused because their checksum is wrong. */
uint32_t vector_index_damaged(const struct vector_index *self);
/* False when a component is NaN or infinite. */
bool vector_is_finite(const float *vector, uint32_t dimension);

/* From here on vectors that are set are only kept; vector_bulk_end() puts them into the
 * graph, on so many threads (0: as the options say). For an index that nobody searches
 * yet. Errors of the end: SH_NOMEM, SH_TOOBIG; what is not in then has no vector. */
void vector_bulk_begin(struct vector_index *self);
SH_CHECK enum sh_err vector_bulk_end(struct vector_index *self, unsigned threads);

/* Between changes: starts a compaction on a thread of its own when removed vectors are a
 * fifth of all; not in bulk, where it would take a core from the linking, page for page.
 * Without memory or a thread for it, all stays as it is. */
void vector_index_tend(struct vector_index *self);

/* --- queries ---------------------------------------------------------------------- */

/* A query's vector, in `arena`, of length 1. NULL with SH_OK when it has no direction.
 * Errors: SH_NOMEM. */
SH_CHECK enum sh_err vector_query_make(const struct vector_index *self,
                                       const float *vector, struct sh_arena *arena,
                                       const float **query);

struct vector_search {
    const float *query; /* of vector_query_make() */
    uint32_t k;
    uint32_t ef; /* candidates; 0: as the options say, k at least */
    const struct bitmap *allowed;
    uint32_t allowed_count; /* bits of it */
    uint64_t deadline_ms;
};

/* The best k of the allowed slots, best first, with their exact cosines: hnsw.h says what
 * is promised. Errors: SH_NOMEM. */
SH_CHECK enum sh_err vector_index_search(const struct vector_index *self,
                                         const struct vector_search *search,
                                         struct sh_arena *arena,
                                         struct hnsw_result *result);
/* The cosine with every allowed slot that has a vector, in `arena`. Errors: SH_TIMEOUT,
 * SH_NOMEM. */
SH_CHECK enum sh_err vector_index_scan(const struct vector_index *self,
                                       const float *query, const struct bitmap *allowed,
                                       uint64_t deadline_ms, struct sh_arena *arena,
                                       struct leg *leg);
/* The same for the given slots (ascending), those without a vector left out. Errors:
 * SH_NOMEM. */
SH_CHECK enum sh_err vector_index_cosines(const struct vector_index *self,
                                          const float *query, const uint32_t *slots,
                                          size_t count, struct sh_arena *arena,
                                          struct leg *leg);
/* The cosine of two slots. False when one of them has no sound row. */
bool vector_index_between(const struct vector_index *self, uint32_t a, uint32_t b,
                          float *cosine);

/* --- snapshot --------------------------------------------------------------------- */

/* Brings the rows' file to the disk and writes `graph`, `vectors` and `rows` into a
 * directory that is there, in the file system of options.rows. `rows` is another name for
 * the file of rows, not a copy: rows that are set later are in it, too. Changes wait,
 * searches do not. Errors: SH_INVALID (the rows are in memory), SH_IO, SH_NOMEM. */
SH_CHECK enum sh_err vector_index_save(struct vector_index *self, const char *dir);
/* What was saved. `dir` may go then, or stay as it is. Errors: SH_NOTFOUND (a file is
 * missing), SH_CONFLICT (saved with other codes or links, of another dimension),
 * SH_MALFORMED (torn, corrupt, not of one snapshot), SH_IO, SH_NOMEM, SH_TOOBIG,
 * SH_INVALID (options.rows is NULL). Then build anew. */
SH_CHECK enum sh_err vector_index_open(const char *dir, uint32_t dimension,
                                       const struct vector_options *options,
                                       struct vector_index **out);
/* At the start of a process, before any index is there: removes what one that died has
 * left in the directory for rows. */
void vector_index_clean(const char *rows);

#endif
