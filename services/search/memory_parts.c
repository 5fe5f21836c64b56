#include "services/search/memory_parts.h"

#include <string.h>

static struct view_options view_options(const struct search_config *config,
                                        struct sh_yield *yield)
{
    static const char *const codes[CODE_KINDS] = {"int8", "f16", "f32"};
    struct view_options options = view_defaults();

    for (int i = 0; i < CODE_KINDS; i++)
        if (strcmp(config->vector_codes, codes[i]) == 0)
            options.vectors.codes = (enum code_kind)i;
    options.vectors.links = config->vector_links;
    options.vectors.ef_construction = config->vector_ef_construction;
    options.vectors.ef_search = config->vector_ef_search;
    options.vectors.yield = yield;
    options.text.k1 = config->text_k1;
    options.text.b = config->text_b;
    options.text.weight[TEXT_TITLE] = config->text_title;
    options.text.weight[TEXT_HEADING] = config->text_heading;
    options.text.weight[TEXT_BODY] = config->text_body;
    return options;
}

enum sh_err memory_parts_start(struct memory_parts *self, uv_loop_t *loop,
                               const struct memory_parts_options *options)
{
    const struct search_config *config = options->config;
    const struct worker_parts *workers = options->workers;
    struct feed_options feed = {.pg = options->pg,
                                .pg_config = options->pg_config,
                                .writer = workers->writer,
                                .builder = workers->builder,
                                .view = view_options(config, workers->yield),
                                .model = model_current(options->model),
                                .outbox_keep_s = config->outbox_keep_s,
                                .outbox_keep_rows = config->outbox_keep_rows,
                                .data_dir = config->data_dir,
                                .snapshot_s = config->snapshot_s,
                                .state_changed = options->changed,
                                .moved = options->moved,
                                .arg = options->arg};
    enum sh_err err = feed_create(loop, &feed, &self->feed);

    if (err != SH_OK)
        return err;
    self->backend = (struct backend_memory){self->feed, workers->searchers};
    self->shadow = (struct shadow){.feed = self->feed,
                                   .searchers = workers->searchers,
                                   .checker = workers->checker,
                                   .rate = config->shadow_rate};
    self->watch =
        (struct watch_memory){.feed = self->feed, .recall = &self->shadow.recent};
    return SH_OK;
}

void memory_parts_model(struct memory_parts *self)
{
    if (self->feed != NULL)
        feed_rebuild(self->feed);
}

void memory_parts_close(struct memory_parts *self)
{
    atomic_store(&self->shadow.stopped, true);
    feed_close(&self->feed);
}
