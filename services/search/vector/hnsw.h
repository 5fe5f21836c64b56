/* hnsw: a graph of vectors by slot that is searched approximately (Malkov and Yashunin
 * 2016). Vectors are stored quantised beside their links; what is found can be scored
 * again with the full rows, which the caller keeps (in memory, or mapped). Searches take
 * no lock and go on during inserts, removals and compaction, which may come from several
 * threads; one slot is changed by one thread at a time. */
#ifndef SEARCH_HNSW_H
#define SEARCH_HNSW_H

#include "services/search/filter/bitmap.h"
#include "services/search/fusion/leg.h"
#include "services/search/vector/codes.h"
#include "shared/err.h"
#include "shared/mem.h"

struct hnsw;

struct hnsw_options {
    uint32_t dimension;       /* 1 to 65,536 */
    uint32_t links;           /* M of the paper, 2 to 128; twice as many at the bottom */
    uint32_t ef_construction; /* candidates looked at for a new node, 1 to 4,096 */
    uint32_t most;            /* nodes, those not given back yet included; < 2^30 */
    enum code_kind kind;
    uint64_t seed;
};

/* 16 links, 200 candidates, int8, 16 million nodes. */
struct hnsw_options hnsw_defaults(uint32_t dimension);

/* Addresses for `most` nodes are set aside, memory is taken as it fills. Errors:
 * SH_INVALID (options), SH_NOMEM. */
SH_CHECK enum sh_err hnsw_create(const struct hnsw_options *options, struct hnsw **out);
/* Nothing else is going on. */
void hnsw_free(struct hnsw **out);

/* The vector (length 1, copied) of a slot, new or in place of the one before. Searches
 * see the old one or the new one. Errors: SH_NOMEM, SH_TOOBIG (full; compaction may
 * help), SH_INVALID (a component is not finite, slot ≥ 2^30): nothing has changed. */
SH_CHECK enum sh_err hnsw_set(struct hnsw *self, uint32_t slot, const float *vector);
/* A slot without a vector is fine. */
void hnsw_remove(struct hnsw *self, uint32_t slot);
bool hnsw_has(const struct hnsw *self, uint32_t slot);
uint32_t hnsw_count(const struct hnsw *self);
/* Removed nodes that still take up room and work. */
uint32_t hnsw_dead(const struct hnsw *self);
uint32_t hnsw_dimension(const struct hnsw *self);
size_t hnsw_bytes(const struct hnsw *self);

/* Takes the dead out: their neighbours are linked anew, their room is used again. Inserts
 * and searches go on meanwhile. One at a time; a second one returns SH_BUSY. Errors:
 * SH_NOMEM (the dead stay). */
SH_CHECK enum sh_err hnsw_compact(struct hnsw *self);

/* --- search ----------------------------------------------------------------------- */

/* Full rows: what hits are scored with in the end. */
struct hnsw_rows {
    /* `dimension` floats, length 1; NULL: the quantised score stands. Called for slots
     * that are allowed, with a vector or not. */
    const float *(*row)(const void *arg, uint32_t slot);
    const void *arg;
};

struct hnsw_query {
    const float *vector; /* `dimension` floats, finite, length 1 */
    uint32_t k;
    uint32_t ef;                  /* candidates kept; raised to k at least */
    const struct bitmap *allowed; /* slots; NULL: all */
    uint32_t allowed_count;       /* bits of `allowed` */
    const struct hnsw_rows *rows; /* NULL: quantised scores */
    uint64_t deadline_ms;
};

enum hnsw_strategy { HNSW_EXACT, HNSW_GRAPH, HNSW_FILTERED_GRAPH };

struct hnsw_result {
    struct leg_hit *hits; /* in `arena`, best first, k at most */
    size_t count;
    enum hnsw_strategy strategy; /* that gave them */
    uint32_t ef;                 /* 0 when exact */
    uint64_t scanned;            /* products computed */
    bool complete;               /* false: the deadline cut it short */
};

const char *hnsw_strategy_name(enum hnsw_strategy strategy);
/* The cheaper way for a query: an exact scan of what is allowed, or the graph. When
 * complete, never fewer hits than min(k, allowed slots with a vector). Errors: SH_NOMEM.
 */
SH_CHECK enum sh_err hnsw_search(struct hnsw *self, const struct hnsw_query *query,
                                 struct sh_arena *arena, struct hnsw_result *result);
/* The same, always one by one; with rows the order is exact. */
SH_CHECK enum sh_err hnsw_scan(struct hnsw *self, const struct hnsw_query *query,
                               struct sh_arena *arena, struct hnsw_result *result);

/* --- snapshot --------------------------------------------------------------------- */

/* Written aside, flushed and renamed: at `path` is the old file or the whole new one.
 * Inserts wait while it is written, not while it is flushed; searches never do. One at a
 * time for a path. Errors: SH_IO, SH_NOMEM. */
SH_CHECK enum sh_err hnsw_save(struct hnsw *self, const char *path);
/* Reads a snapshot into memory of its own, in large pages where there are any; every byte
 * is checked first. `most` as in the options. Errors: SH_IO,
 * SH_NOTFOUND, SH_MALFORMED (torn, corrupt, or of another version or machine: set it
 * aside and build anew), SH_NOMEM, SH_TOOBIG. */
SH_CHECK enum sh_err hnsw_load(const char *path, uint32_t most, struct hnsw **out);

#endif
