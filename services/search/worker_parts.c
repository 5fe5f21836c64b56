#include "services/search/worker_parts.h"

enum { PAUSE_US = 5000 };

enum sh_err worker_parts_start(struct worker_parts *self, uv_loop_t *loop,
                               const struct search_config *config)
{
    enum sh_err err = sh_workers_create(loop, "search", config->search_threads,
                                        config->search_queue, &self->searchers);

    if (err == SH_OK)
        err = sh_workers_create(loop, "view", 1, 16, &self->writer);
    if (err == SH_OK)
        err = sh_workers_create(loop, "rebuild", 1, 16, &self->builder);
    if (err == SH_OK)
        err = sh_workers_create(loop, "recall", 1, 1, &self->checker);
    if (err == SH_OK)
        err = sh_workers_create(loop, "ingest", 0, 1024, &self->ingester);
    if (err == SH_OK)
        err = sh_yield_create(PAUSE_US, &self->yield);
    if (err != SH_OK)
        worker_parts_close(self);
    return err;
}

void worker_parts_close(struct worker_parts *self)
{
    sh_workers_close(&self->searchers);
    sh_workers_close(&self->writer);
    sh_workers_close(&self->builder);
    sh_workers_close(&self->checker);
    sh_workers_close(&self->ingester);
    sh_yield_free(&self->yield);
}
