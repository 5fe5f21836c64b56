#include "services/search/pgvector/pg_keeper.h"

#include <stdio.h>

#include "shared/clock.h"
#include "shared/log.h"

enum {
    RETRY_MS = 2000,
    TRIM_MS = 60000,
    /* Building an index over what is there takes as long as it takes. */
    SET_UP_MS = 24 * 3600 * 1000,
    BATCH_MS = 120000,
};

static const struct sh_pg_statement no_timeout = {
    "pgvector_no_timeout", "SELECT set_config('statement_timeout', '0', true)"};
static const struct sh_pg_statement set_up = {"pgvector_setup",
                                              "SELECT search_setup($1, $2::int, $3)"};
static const struct sh_pg_statement backfill = {"pgvector_backfill",
                                                "SELECT search_backfill($1, 500)"};
static const struct sh_pg_statement trim = {
    "pgvector_trim",
    "SELECT outbox_trim('search_outbox', make_interval(secs => $1::int))"};

struct pg_keeper {
    struct pg_keeper_options options;
    bool busy;  /* setting up */
    bool again; /* another model meanwhile */
    bool trimming;
    bool closing;
    unsigned handles; /* not yet closed */
    char fingerprint[MODEL_FINGERPRINT_MAX + 1];
    uint64_t filled;
    char version[32];
    char problem[256];
    uv_timer_t retry;
    uv_timer_t trimmer;
};

static void begin(struct pg_keeper *self);
static void fill(struct pg_keeper *self);

/* --- life ------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct pg_keeper *self = handle->data;

    if (--self->handles == 0)
        sh_free(self);
}

/* True when closing: the caller returns at once. */
static bool interrupted(struct pg_keeper *self)
{
    if (self->closing && !self->busy && !self->trimming) {
        uv_close((uv_handle_t *)&self->retry, on_closed);
        uv_close((uv_handle_t *)&self->trimmer, on_closed);
    }
    return self->closing;
}

/* --- setting up ------------------------------------------------------------------- */

static void on_retry(uv_timer_t *timer)
{
    begin(timer->data);
}

static void fail(struct pg_keeper *self, const char *why)
{
    if (strcmp(self->problem, why) != 0)
        sh_warning(NULL, "pgvector is not ready: %s", why);
    (void)snprintf(self->problem, sizeof(self->problem), "%s", why);
    self->options.changed(self->options.arg, false);
    uv_timer_start(&self->retry, on_retry, RETRY_MS, 0);
}

static bool over(struct pg_keeper *self, const struct sh_pg_reply *reply)
{
    self->busy = false;
    if (interrupted(self))
        return true;
    if (self->again) {
        begin(self);
        return true;
    }
    if (reply->err != SH_OK)
        fail(self, reply->message[0] ? reply->message : sh_err_text(reply->err));
    return reply->err != SH_OK;
}

static void on_filled(void *arg, const struct sh_pg_reply *reply)
{
    struct pg_keeper *self = arg;
    uint64_t rows;

    if (over(self, reply))
        return;
    rows = sh_pg_u64(reply->results[1], 0, 0);
    self->filled += rows;
    if (rows > 0) {
        fill(self);
        return;
    }
    if (self->filled > 0)
        sh_info(NULL, "pgvector: %llu rows for what was stored before",
                (unsigned long long)self->filled);
    self->problem[0] = '\0';
    self->options.changed(self->options.arg, true);
}

static void run(struct pg_keeper *self, const struct sh_pg_step *steps, size_t count,
                uint64_t most_ms, sh_pg_done_fn *done)
{
    struct sh_pg_call call = {
        .steps = steps, .count = count, .deadline_ms = sh_now_ms() + most_ms};
    enum sh_err err = sh_pg_run(self->options.pg, &call, done, self);

    if (err == SH_OK)
        self->busy = true;
    else
        fail(self, sh_err_text(err));
}

static void fill(struct pg_keeper *self)
{
    struct sh_pg_param param = {sh_bytes_of(self->fingerprint), false};
    struct sh_pg_step steps[] = {{&no_timeout, NULL, 0, false},
                                 {&backfill, &param, 1, false}};

    run(self, steps, 2, SET_UP_MS, on_filled);
}

static void on_set_up(void *arg, const struct sh_pg_reply *reply)
{
    struct pg_keeper *self = arg;
    struct sh_bytes version;

    if (over(self, reply))
        return;
    version = sh_pg_text(reply->results[1], 0, 0);
    (void)snprintf(self->version, sizeof(self->version), "%.*s", (int)version.len,
                   (const char *)version.data);
    (void)snprintf(self->problem, sizeof(self->problem),
                   "words and vectors of what was stored before are being copied");
    fill(self);
}

static void begin(struct pg_keeper *self)
{
    const struct model *model = self->options.model;
    char dimension[12];
    struct sh_pg_param params[] = {
        {.binary = false}, {.binary = false}, {sh_bytes_of(self->options.type), false}};
    struct sh_pg_step steps[] = {{&no_timeout, NULL, 0, false},
                                 {&set_up, params, 3, false}};

    self->again = false;
    self->filled = 0;
    (void)snprintf(self->fingerprint, sizeof(self->fingerprint), "%s",
                   model->fingerprint);
    params[0].value = sh_bytes_of(self->fingerprint);
    (void)snprintf(dimension, sizeof(dimension), "%u", (unsigned)model->dimension);
    params[1].value = sh_bytes_of(dimension);
    uv_timer_stop(&self->retry);
    if (self->problem[0] == '\0')
        (void)snprintf(self->problem, sizeof(self->problem), "another model is set up");
    run(self, steps, 2, SET_UP_MS, on_set_up);
}

void pg_keeper_set_up(struct pg_keeper *self)
{
    if (self->busy)
        self->again = true;
    else
        begin(self);
}

/* --- trimming --------------------------------------------------------------------- */

static void on_trimmed(void *arg, const struct sh_pg_reply *reply)
{
    struct pg_keeper *self = arg;

    (void)reply; /* the next time will do */
    self->trimming = false;
    (void)interrupted(self);
}

static void on_trim(uv_timer_t *timer)
{
    struct pg_keeper *self = timer->data;
    char seconds[12];
    struct sh_pg_param param = {.binary = false};
    struct sh_pg_step step = {&trim, &param, 1, false};
    struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = sh_now_ms() + BATCH_MS};

    (void)snprintf(seconds, sizeof(seconds), "%u", (unsigned)self->options.outbox_keep_s);
    param.value = sh_bytes_of(seconds);
    if (!self->trimming)
        self->trimming = sh_pg_run(self->options.pg, &call, on_trimmed, self) == SH_OK;
}

/* --- the rest --------------------------------------------------------------------- */

enum sh_err pg_keeper_create(uv_loop_t *loop, const struct pg_keeper_options *options,
                             struct pg_keeper **out)
{
    struct pg_keeper *self = sh_alloc(sizeof(*self));

    if (self == NULL)
        return SH_NOMEM;
    self->options = *options;
    self->handles = 2;
    (void)snprintf(self->problem, sizeof(self->problem), "the model is not known yet");
    uv_timer_init(loop, &self->retry); /* these cannot fail */
    uv_timer_init(loop, &self->trimmer);
    self->retry.data = self->trimmer.data = self;
    uv_timer_start(&self->trimmer, on_trim, TRIM_MS, TRIM_MS);
    *out = self;
    return SH_OK;
}

const char *pg_keeper_version(const struct pg_keeper *self)
{
    return self->version;
}

const char *pg_keeper_problem(const struct pg_keeper *self)
{
    return self->problem;
}

void pg_keeper_close(struct pg_keeper **keeper)
{
    struct pg_keeper *self = *keeper;

    *keeper = NULL;
    if (self == NULL)
        return;
    uv_timer_stop(&self->retry);
    uv_timer_stop(&self->trimmer);
    self->closing = true;
    (void)interrupted(self);
}
