/* parallel: one piece of work cut over threads that live for its duration. */
#ifndef EMBEDDER_PARALLEL_H
#define EMBEDDER_PARALLEL_H

#include <stddef.h>

struct parallel_slice {
    size_t first; /* of the items */
    size_t end;
    void *arg;
};

typedef void parallel_fn(const struct parallel_slice *slice);

/* Cut 0 … items-1 into as many even slices as there are threads; the calling thread works
 * on one of them, and on those that no thread could be had for. */
void parallel_run(unsigned threads, size_t items, parallel_fn *run, void *arg);

#endif
