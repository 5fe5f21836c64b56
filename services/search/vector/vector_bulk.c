#include <stdlib.h>
#include <unistd.h>

#include "services/search/vector/vector_internal.h"

enum { THREADS_MOST = 32, WORTH_A_THREAD = 32 };

void vector_bulk_begin(struct vector_index *self)
{
    self->bulk = true;
}

enum sh_err bulk_add(struct vector_index *self, uint32_t slot)
{
    if (self->later_count == self->later_room) {
        size_t room = self->later_room * 2 + 64;
        uint32_t *later = sh_realloc(self->later, room * sizeof(*later));
        if (!later)
            return SH_NOMEM;
        self->later = later;
        self->later_room = room;
    }
    self->later[self->later_count++] = slot;
    return SH_OK;
}

void bulk_drop(struct vector_index *self, uint32_t slot)
{
    for (size_t i = self->later_count; i-- > 0;) {
        if (self->later[i] == slot)
            self->later[i] = self->later[--self->later_count];
    }
}

struct bulk {
    struct vector_index *index;
    _Atomic size_t next;
    _Atomic int err;
};

static void *insert(void *arg)
{
    struct bulk *bulk = arg;
    const struct vector_index *index = bulk->index;
    while (atomic_load(&bulk->err) == SH_OK) {
        size_t at = atomic_fetch_add(&bulk->next, 1);
        if (at >= index->later_count)
            break;
        sh_yield_pause(index->options.yield);
        uint32_t slot = index->later[at];
        enum sh_err err = hnsw_set(index->graph, slot, rows_get(index->rows, slot));
        if (err != SH_OK)
            atomic_store(&bulk->err, (int)err);
    }
    return NULL;
}

static int ascending(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* One thread at a time may set a slot. */
static void once_each(struct vector_index *self)
{
    size_t count = 0;
    if (self->later_count > 0)
        qsort(self->later, self->later_count, sizeof(*self->later), ascending);
    for (size_t i = 0; i < self->later_count; i++) {
        if (count == 0 || self->later[count - 1] != self->later[i])
            self->later[count++] = self->later[i];
    }
    self->later_count = count;
}

enum sh_err vector_bulk_end(struct vector_index *self, unsigned threads)
{
    struct bulk bulk = {.index = self};
    pthread_t helpers[THREADS_MOST];
    size_t started = 0;
    once_each(self);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (threads == 0)
        threads = self->options.bulk_threads;
    size_t most = threads > 0 ? threads : cores > 0 ? (size_t)cores : 1;
    size_t worth = self->later_count / WORTH_A_THREAD;
    most = most < worth ? most : worth;
    while (started + 1 < most && started < THREADS_MOST &&
           pthread_create(&helpers[started], NULL, insert, &bulk) == 0)
        started++;
    insert(&bulk);
    for (size_t i = 0; i < started; i++)
        pthread_join(helpers[i], NULL);
    sh_free(self->later);
    self->later = NULL;
    self->later_count = self->later_room = 0;
    self->bulk = false;
    return (enum sh_err)atomic_load(&bulk.err);
}
