#include "services/search/pgvector/pg_parts.h"

static void on_changed(void *arg, bool complete)
{
    struct pg_parts *self = arg;

    self->backend.ready = self->backend.ready || complete;
    if (complete)
        self->shown = *self->live;
    self->changed(self->arg);
}

enum sh_err pg_parts_start(struct pg_parts *self, uv_loop_t *loop,
                           const struct pg_parts_options *options)
{
    const struct search_config *config = options->config;
    struct pg_keeper_options keeper = {.pg = options->pg,
                                       .model = model_current(options->model),
                                       .type = config->pgvector_type,
                                       .outbox_keep_s = config->outbox_keep_s,
                                       .changed = on_changed,
                                       .arg = self};
    enum sh_err err;

    self->backend = (struct backend_pgvector){.pg = options->pg,
                                              .workers = options->workers,
                                              .model = &self->shown,
                                              .type = config->pgvector_type,
                                              .iterative = config->pgvector_iterative,
                                              .ef_search = config->pgvector_ef_search,
                                              .scan_max = config->pgvector_scan_max};
    self->live = keeper.model;
    self->changed = options->changed;
    self->arg = options->arg;
    err = pg_keeper_create(loop, &keeper, &self->keeper);
    self->watch = (struct pg_watch){.backend = &self->backend, .keeper = self->keeper};
    return err;
}

void pg_parts_model(struct pg_parts *self)
{
    if (self->keeper != NULL)
        pg_keeper_set_up(self->keeper);
}

void pg_parts_close(struct pg_parts *self)
{
    self->backend.ready = false;
    self->backend.pg = NULL;
    pg_keeper_close(&self->keeper);
}
