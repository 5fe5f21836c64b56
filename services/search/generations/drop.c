#include "services/search/generations/drop.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "services/search/generations/generation_sql.h"
#include "shared/clock.h"

enum { DROP_ROWS = 2000, EMBEDDERS_MAX = 64, TELL_MS = 5000 };

struct drop {
    struct runner runner;
    struct sh_rpc_client *embedder;
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

static void on_told(void *arg, const struct sh_rpc_response *reply)
{
    (void)arg;
    (void)
        reply; /* one that does not hear of it has the model at hand until it restarts */
}

/* Nobody needs the model at hand any more, at any replica of the embedder. */
static void tell_embedders(const struct drop *self)
{
    const struct model_request gone = {.fingerprint = sh_bytes_of(self->fingerprint)};
    struct sh_buffer frame = {0};
    uint64_t replicas[EMBEDDERS_MAX];
    size_t others;
    size_t count =
        sh_rpc_client_replicas(self->embedder, replicas, EMBEDDERS_MAX, &others);
    enum sh_err err = msg_encode(model_request_desc(), &gone, &frame);
    struct sh_rpc_request request = {.method = METHOD_EMBEDDER_FORGET,
                                     .kind = SH_RPC_READ, /* twice is as good as once */
                                     .payload = sh_buffer_bytes(&frame),
                                     .deadline_ms = sh_now_ms() + TELL_MS};

    for (size_t i = 0; err == SH_OK && i < count; i++) {
        uint64_t call;
        request.replica = replicas[i];
        if (sh_rpc_send(self->embedder, &request, on_told, NULL, &call) != SH_OK)
            on_told(NULL, NULL);
    }
    sh_buffer_free(&frame);
}

static void on_ended(void *arg, const struct sh_pg_reply *reply)
{
    struct drop *self = of(arg);
    char result[64];

    (void)reply;
    tell_embedders(self);
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
    self->embedder = options->embedder;
    read_job(self);
    runner_start(&self->runner, options->loop);
    return &self->runner;
}
