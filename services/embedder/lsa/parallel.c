#include "services/embedder/lsa/parallel.h"

#include <pthread.h>
#include <stdbool.h>

enum { THREADS_MAX = 64 };

struct worker {
    pthread_t thread;
    bool started;
    parallel_fn *run;
    struct parallel_slice slice;
};

static void *work(void *arg)
{
    struct worker *worker = arg;
    worker->run(&worker->slice);
    return NULL;
}

void parallel_run(unsigned threads, size_t items, parallel_fn *run, void *arg)
{
    struct worker workers[THREADS_MAX];
    size_t count = threads < 1 ? 1 : threads;
    if (count > THREADS_MAX)
        count = THREADS_MAX;
    if (count > items)
        count = items > 0 ? items : 1;
    for (size_t i = 0; i < count; i++) {
        struct parallel_slice slice = {items * i / count, items * (i + 1) / count, arg};
        workers[i] = (struct worker){.run = run, .slice = slice};
        if (i > 0)
            workers[i].started =
                pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0;
    }
    for (size_t i = 0; i < count; i++)
        if (!workers[i].started)
            run(&workers[i].slice);
    for (size_t i = 0; i < count; i++)
        if (workers[i].started)
            (void)pthread_join(workers[i].thread, NULL); /* it was made here */
}
