#include "services/search/files/file_parts.h"

SH_SETTINGS_DEFINE(file_keeper, "Originals", FILE_KEEPER_SETTINGS)

void file_parts_settings(struct file_parts *self,
                         struct sh_settings out[static FILE_PARTS_SETTINGS])
{
    out[0] = sh_file_settings(&self->config);
    out[1] = sh_s3_settings(&self->s3_config);
    out[2] = file_keeper_settings(&self->keeper_config);
}

enum sh_err file_parts_start(struct file_parts *self, uv_loop_t *loop, struct sh_pg *pg)
{
    const struct file_keeper_config *config = &self->keeper_config;
    enum sh_err err =
        sh_file_store_open(loop, &self->config, &self->s3_config, &self->store);
    struct file_keeper_options options = {
        .pg = pg,
        .store = self->store,
        .orphan_age_s = (uint32_t)(config->orphan_hours * 3600),
        .sweep_s = (uint32_t)(config->sweep_minutes * 60)};

    self->files.pg = pg;
    if (err == SH_OK)
        err = file_keeper_create(loop, &options, &self->files.keeper);
    if (err != SH_OK)
        file_parts_close(self);
    return err;
}

void file_parts_close(struct file_parts *self)
{
    file_keeper_close(&self->files.keeper);
    sh_file_store_close(&self->store);
}
