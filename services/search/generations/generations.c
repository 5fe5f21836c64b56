#include "services/search/generations/generations.h"

#include "services/search/fit/fit_run.h"
#include "services/search/generations/compare.h"
#include "services/search/generations/drop.h"
#include "shared/log.h"

/* --- jobs ------------------------------------------------------------------------- */

typedef struct runner *run_fn(const struct reindex_options *options,
                              struct sh_job_run *run);

static void on_gone(void *arg, struct runner *runner)
{
    struct generations *self = arg;

    for (size_t i = 0; i < GENERATION_RUNS; i++)
        if (self->runs[i] == runner)
            self->runs[i] = NULL;
}

static void on_pending(void *arg)
{
    struct generations *self = arg;

    if (self->pg != NULL)
        self->options.pending(self->options.arg);
}

static void start_run(struct generations *self, struct sh_job_run *run, run_fn *start)
{
    struct reindex_options options = {.loop = self->options.loop,
                                      .pg = self->pg,
                                      .embedder = self->options.embedder,
                                      .live = self->options.live,
                                      .fit_chunks = self->options.fit_chunks,
                                      .pending = on_pending,
                                      .gone = on_gone,
                                      .arg = self};

    for (size_t i = 0; self->pg != NULL && i < GENERATION_RUNS; i++) {
        if (self->runs[i] != NULL)
            continue;
        self->runs[i] = start(&options, run);
        return;
    }
    sh_job_end(run, &(struct sh_job_end){.outcome = SH_JOB_RELEASED});
}

static void on_reindex(void *arg, struct sh_job_run *run)
{
    start_run(arg, run, fit_is_due(run) ? fit_run : reindex_run);
}

static void on_drop(void *arg, struct sh_job_run *run)
{
    start_run(arg, run, drop_run);
}

static void on_compare(void *arg, struct sh_job_run *run)
{
    start_run(arg, run, compare_run);
}

static void on_wanted(void *arg, struct sh_job_run *run)
{
    struct generations *self = arg;

    for (size_t i = 0; i < GENERATION_RUNS; i++)
        if (self->runs[i] != NULL && self->runs[i]->run == run)
            runner_wanted(self->runs[i]);
}

void generations_kinds(struct generations *self,
                       struct sh_job_kind kinds[GENERATION_KINDS])
{
    static const struct {
        const char *name;
        void (*run)(void *arg, struct sh_job_run *run);
    } all[GENERATION_KINDS] = {
        {REINDEX_KIND, on_reindex}, {DROP_KIND, on_drop}, {COMPARE_KIND, on_compare}};

    for (size_t i = 0; i < GENERATION_KINDS; i++)
        kinds[i] = (struct sh_job_kind){.name = all[i].name,
                                        .style = SH_JOB_STEPS,
                                        .at_once = 1,
                                        .run = all[i].run,
                                        .wanted = on_wanted,
                                        .arg = self};
}

/* --- by itself -------------------------------------------------------------------- */

static void on_added(void *arg, const struct sh_job_reply *reply)
{
    struct generations *self = arg;

    self->adding = false;
    if (reply->err == SH_OK)
        sh_info(NULL, "a generation of the embedder's model is built, to be activated "
                      "(GENERATION_AUTO)");
    else if (reply->err != SH_CONFLICT) /* one is built already */
        sh_warning(NULL, "no generation is built: %s", reply->message);
}

void generations_lost(void *arg, const struct model *instead)
{
    struct generations *self = arg;
    char wish[MODEL_WISH_MAX + 1];

    if (self->pg == NULL || self->adding || !self->options.automatic)
        return;
    char *params = reindex_params(sh_bytes_of(model_wish(instead, wish)),
                                  instead->fingerprint, true);
    struct sh_job_new order = {.kind = REINDEX_KIND,
                               .style = SH_JOB_STEPS,
                               .params = sh_bytes_of(params),
                               .key = sh_bytes_of("reindex")};
    self->adding =
        params != NULL && sh_job_add(self->pg, &order, on_added, self) == SH_OK;
    sh_free(params);
}

/* --- life ------------------------------------------------------------------------- */

void generations_start(struct generations *self,
                       const struct generations_options *options)
{
    *self = (struct generations){.options = *options, .pg = options->pg};
}

void generations_stop(struct generations *self)
{
    self->pg = NULL;
    for (size_t i = 0; i < GENERATION_RUNS; i++)
        if (self->runs[i] != NULL)
            runner_close(self->runs[i]);
}
