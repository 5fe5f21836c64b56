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
    bool bulk;
    uint32_t *later; /* slots whose rows are to go into the graph */
    size_t later_count;
    size_t later_room;
};

/* Of parts that are there; it owns them then, and frees them when there is no memory.
 * Errors: SH_NOMEM. */
SH_CHECK enum sh_err vector_index_of(const struct vector_options *options,
                                     struct hnsw *graph, struct rows *rows,
                                     struct vector_index **out);

/* vector_bulk.c: in place of the graph while `bulk` is set. Errors: SH_NOMEM. */
SH_CHECK enum sh_err bulk_add(struct vector_index *self, uint32_t slot);
void bulk_drop(struct vector_index *self, uint32_t slot);

#endif
