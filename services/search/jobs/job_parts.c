#include "services/search/jobs/job_parts.h"

static void on_changed(void *arg, const char *job_id)
{
    desk_changed(((struct job_parts *)arg)->desk, job_id);
}

enum sh_err job_parts_start(struct job_parts *self, uv_loop_t *loop,
                            const struct job_parts_options *options)
{
    const struct sh_jobs_config *config = options->config;
    struct desk_options desk = {.pg = options->pg,
                                .backlog_bytes = (uint64_t)config->backlog_mb << 20,
                                .most_by_user = config->per_user};
    struct sh_jobs_options jobs = {.pg = options->pg,
                                   .pg_config = options->pg_config,
                                   .config = config,
                                   .kinds = options->kinds,
                                   .kind_count = options->kind_count,
                                   .changed = on_changed,
                                   .arg = self};
    enum sh_err err = desk_create(loop, &desk, &self->desk);

    if (err == SH_OK)
        err = desk_add_methods(self->desk, options->rpc);
    if (err == SH_OK)
        err = sh_jobs_create(loop, &jobs, &self->jobs);
    if (err != SH_OK)
        job_parts_close(self);
    return err;
}

void job_parts_drain(struct job_parts *self, void (*done)(void *arg), void *arg)
{
    desk_drain(self->desk);
    sh_jobs_drain(self->jobs, done, arg);
}

void job_parts_close(struct job_parts *self)
{
    sh_jobs_close(&self->jobs);
    desk_close(&self->desk);
}
