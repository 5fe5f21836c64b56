#include "services/search/upload_parts.h"

SH_SETTINGS_DEFINE(upload, "Uploads", UPLOAD_SETTINGS)

static enum sh_err start_extractor(struct upload_parts *self, uv_loop_t *loop)
{
    const struct upload_config *config = &self->config;
    struct extractor_options options = {.program = config->program,
                                        .timeout_s = config->timeout_s,
                                        .memory_mb = config->memory_mb,
                                        .pages = config->pages,
                                        .characters = config->characters,
                                        .nesting = config->nesting,
                                        .ratio = config->ratio,
                                        .at_once = config->concurrency,
                                        .queue_max = config->queue};

    return extractor_create(loop, &options, &self->extractor);
}

enum sh_err upload_parts_start(struct upload_parts *self, uv_loop_t *loop,
                               struct putter *putter,
                               const struct putter_options *documents,
                               const struct file_parts *files)
{
    enum sh_err err = start_extractor(self, loop);
    struct file_putter_options options = {
        .pg = documents->pg,
        .fetch = {files->store, documents->workers, files->config.spool_dir},
        .extractor = self->extractor,
        .putter = putter,
        .feed = documents->feed,
        .workers = documents->workers};

    if (err == SH_OK)
        err = file_putter_create(&options, &self->putter);
    if (err != SH_OK)
        upload_parts_close(self);
    return err;
}

/* The uploads first: what is answered there need not be told by the extractor. */
void upload_parts_close(struct upload_parts *self)
{
    file_putter_close(&self->putter);
    extractor_close(&self->extractor);
}
