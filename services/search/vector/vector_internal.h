/* vector_internal: the inside of the vector index, for its own files only. */
#ifndef SEARCH_VECTOR_INTERNAL_H
#define SEARCH_VECTOR_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "services/search/vector/rows.h"
#include "services/search/vector/vector_index.h"

struct vector_index {
    struct vector_options options;
    struct hnsw *graph;
    struct rows *rows;
    code_row_fn *product;
    pthread_t compactor; /* the writer's to start and to join */
    bool started;
    atomic_bool running;
};

/* Of parts that are there; it owns them then, and frees them when there is no memory.
 * Errors: SH_NOMEM. */
SH_CHECK enum sh_err vector_index_of(const struct vector_options *options,
                                     struct hnsw *graph, struct rows *rows,
                                     struct vector_index **out);

#endif
