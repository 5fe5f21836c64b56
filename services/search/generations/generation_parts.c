#include "services/search/generations/generation_parts.h"

#include "services/search/fit/model_file.h"

static void on_owed(void *arg)
{
    generation_parts_wake(arg);
}

static enum sh_err start_watch(struct generation_parts *self,
                               const struct generation_parts_options *options)
{
    struct generation_watch_options watch = {.health = options->health,
                                             .pg = options->pg,
                                             .binding = options->model,
                                             .shown = options->shown};

    return generation_watch_create(options->loop, &watch, &self->watch);
}

enum sh_err generation_parts_start(struct generation_parts *self,
                                   const struct generation_parts_options *options)
{
    const struct search_config *config = options->config;
    struct pending_options beside = {.pg = options->pg,
                                     .embedder = options->embedder,
                                     .model = options->model,
                                     .first = options->first,
                                     .rate = config->reindex_rate,
                                     .share = config->reindex_share};
    struct generations_options generations = {.loop = options->loop,
                                              .pg = options->pg,
                                              .embedder = options->embedder,
                                              .live = model_current(options->model),
                                              .automatic = config->generation_auto,
                                              .fit_chunks = config->lsa_fit_chunks,
                                              .pending = on_owed,
                                              .arg = self};
    struct refit_options refit = {.loop = options->loop,
                                  .pg = options->pg,
                                  .growth = config->lsa_refit_growth,
                                  .interval_s = config->lsa_refit_s};
    enum sh_err err = pending_create(options->loop, &beside, &self->beside);

    if (err != SH_OK)
        return err;
    generations_start(&self->generations, &generations);
    self->generations.recent = options->recent;
    err = start_watch(self, options);
    if (err == SH_OK)
        err = generations_add(&self->generations, options->rpc);
    if (err == SH_OK)
        err = sh_rpc_server_add(options->rpc, METHOD_SEARCH_MODEL, "search.model", 0,
                                model_file_handle, options->pg);
    if (err == SH_OK)
        err = refit_create(&refit, &self->refit);
    if (err != SH_OK)
        generation_parts_close(self);
    return err;
}

void generation_parts_wake(struct generation_parts *self)
{
    if (self->beside != NULL)
        pending_wake(self->beside);
}

void generation_parts_lost(struct generation_parts *self, const struct model *instead)
{
    generations_lost(&self->generations, instead);
}

void generation_parts_pause(struct generation_parts *self)
{
    pending_pause(self->beside);
}

void generation_parts_close(struct generation_parts *self)
{
    refit_close(&self->refit);
    generations_stop(&self->generations);
    generation_watch_close(&self->watch);
    pending_close(&self->beside);
}
