#include "services/search/generations/drop.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "services/search/generations/generation_sql.h"

enum { DROP_ROWS = 2000 };

struct drop {
    struct runner runner;
    char fingerprint[MODEL_FINGERPRINT_MAX + 1];
    uint64_t dropped;
    char cursor[64];
};

static struct drop *of(struct runner *runner)
{
    return SH_CONTAINER_OF(runner, struct drop, runner);
}

static void read_job(struct drop *self)
{
    struct sh_bytes text = sh_job_params(self->runner.run);
    struct sh_bytes at = sh_job_cursor(self->runner.run);
    json_t *params = text.len > 0 ? json_loadb(text.data, text.len, 0, NULL) : NULL;
    json_t *cursor = at.len > 0 ? json_loadb(at.data, at.len, 0, NULL) : NULL;
    const char *name = json_string_value(json_object_get(params, "fingerprint"));

    (void)snprintf(self->fingerprint, sizeof(self->fingerprint), "%s", name ? name : "");
    self->dropped = (uint64_t)json_integer_value(json_object_get(cursor, "dropped"));
    json_decref(params);
    json_decref(cursor);
}

static void on_ended(void *arg, const struct sh_pg_reply *reply)
{
    struct drop *self = of(arg);
    char result[64];

    (void)reply;
    (void)snprintf(result, sizeof(result), "{\"vectors\":%" PRIu64 "}", self->dropped);
    runner_done(&self->runner, sh_bytes_of(result));
}

static void saved(struct runner *runner, enum sh_err err)
{
    (void)err;
    runner_next(runner);
}

static void on_some(void *arg, const struct sh_pg_reply *reply)
{
    struct drop *self = of(arg);
    uint64_t gone = sh_pg_u64(reply->results[0], 0, 0);
    struct sh_pg_param param = {sh_bytes_of(self->fingerprint), false};
    struct sh_pg_step end = {&generation_drop_end, &param, 1, false};

    if (gone == 0) {
        runner_query(&self->runner, &end, on_ended);
        return;
    }
    self->dropped += gone;
    (void)snprintf(self->cursor, sizeof(self->cursor), "{\"dropped\":%" PRIu64 "}",
                   self->dropped);
    runner_save(&self->runner,
                &(struct sh_job_checkpoint){.cursor = sh_bytes_of(self->cursor),
                                            .done = self->dropped},
                saved);
}

static void step(struct runner *runner)
{
    struct drop *self = of(runner);
    char limit[12];

    (void)snprintf(limit, sizeof(limit), "%d", DROP_ROWS);
    struct sh_pg_param params[] = {{sh_bytes_of(self->fingerprint), false},
                                   {sh_bytes_of(limit), false}};
    struct sh_pg_step some = {&generation_drop_some, params, 2, false};
    runner_query(runner, &some, on_some);
}

static void free_drop(struct runner *runner)
{
    sh_free(of(runner));
}

/* What is left stays "dropping": asking again goes on. */
static const struct runner_kind kind = {step, runner_cancelled, free_drop};

struct runner *drop_run(const struct reindex_options *options, struct sh_job_run *run)
{
    struct drop *self = runner_make(sizeof(*self), &(struct runner){.kind = &kind,
                                                                    .pg = options->pg,
                                                                    .run = run,
                                                                    .gone = options->gone,
                                                                    .arg = options->arg});

    if (self == NULL)
        return NULL;
    read_job(self);
    runner_start(&self->runner, options->loop);
    return &self->runner;
}
