#include "services/search/ingest/pending.h"

#include "services/search/ingest/embed.h"
#include "services/search/store/statements.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/pg_array.h"

enum {
    BATCH = 256,
    LEASE_S = 60,
    EMBED_MS = 30000, /* well below the lease */
    STORE_MS = 15000,
    POLL_MS = 5000,
    BACKOFF_MS = 500,
    BACKOFF_MAX_MS = 30000,
};

/* One batch at a time: CLAIMING → EMBEDDING → STORING → IDLE. */
enum state { IDLE, CLAIMING, EMBEDDING, STORING };

struct pending {
    struct pending_options options;
    enum state state;
    bool woken; /* look again at once when IDLE */
    bool paused;
    bool closing;
    uint64_t backoff_ms; /* after failures of the whole batch; 0: none */
    uint64_t not_before_ms;
    /* the batch */
    struct sh_arena arena;
    PGresult *claimed; /* id, text, text_hash */
    size_t count;
    struct sh_bytes *texts;
    bool *have;
    float *vectors;
    struct model model;
    struct embed_job *job;
    uv_timer_t timer;
};

static void step(struct pending *self);

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

static void end_batch(struct pending *self)
{
    PQclear(self->claimed);
    self->claimed = NULL;
    self->count = 0;
    sh_free(self->vectors);
    self->vectors = NULL;
    sh_arena_free(&self->arena);
    self->state = IDLE;
}

/* The batch is over; when closing, so is all. */
static void finish(struct pending *self)
{
    end_batch(self);
    if (self->closing)
        uv_close((uv_handle_t *)&self->timer, on_closed);
    else
        step(self);
}

static void back_off(struct pending *self)
{
    self->backoff_ms = self->backoff_ms ? self->backoff_ms * 2 : BACKOFF_MS;
    if (self->backoff_ms > BACKOFF_MAX_MS)
        self->backoff_ms = BACKOFF_MAX_MS;
    self->not_before_ms = sh_now_ms() + self->backoff_ms;
}

static enum sh_err run(struct pending *self, const struct sh_pg_step *steps, size_t count,
                       sh_pg_done_fn *done)
{
    struct sh_pg_call call = {
        .steps = steps, .count = count, .deadline_ms = sh_now_ms() + STORE_MS};

    return sh_pg_run(self->options.pg, &call, done, self);
}

/* --- storing ------------------------------------------------------------------------ */

static void on_stored(void *arg, const struct sh_pg_reply *reply)
{
    struct pending *self = arg;

    if (reply->err != SH_OK) {
        /* The lease runs out by itself. */
        sh_warning(NULL, "late vectors cannot be stored: %s", reply->message);
        back_off(self);
    }
    self->woken = true;
    finish(self);
}

struct columns {
    struct sh_buffer ids;
    struct sh_buffer hashes;
    struct sh_buffer vectors;
};

/* Of those with a vector, or without. */
static enum sh_err collect(const struct pending *self, bool have, struct columns *out)
{
    size_t bytes = self->model.dimension * sizeof(float);
    size_t count = 0;

    for (size_t i = 0; i < self->count; i++)
        count += self->have[i] == have;
    sh_pg_array_begin(&out->ids, SH_PG_ARRAY_TEXT, count);
    sh_pg_array_begin(&out->hashes, SH_PG_ARRAY_BYTEA, count);
    sh_pg_array_begin(&out->vectors, SH_PG_ARRAY_BYTEA, count);
    for (size_t i = 0; i < self->count; i++) {
        if (self->have[i] != have)
            continue;
        sh_pg_array_bytes(&out->ids, sh_pg_text(self->claimed, (int)i, 0));
        if (PQgetisnull(self->claimed, (int)i, 2))
            sh_pg_array_null(&out->hashes);
        else
            sh_pg_array_bytes(&out->hashes, sh_pg_text(self->claimed, (int)i, 2));
        const float *vector = self->vectors + i * self->model.dimension;
        sh_pg_array_bytes(&out->vectors, (struct sh_bytes){vector, bytes});
    }
    return out->ids.err ? out->ids.err
                        : (out->hashes.err ? out->hashes.err : out->vectors.err);
}

static void free_columns(struct columns *columns)
{
    sh_buffer_free(&columns->ids);
    sh_buffer_free(&columns->hashes);
    sh_buffer_free(&columns->vectors);
}

/* `untried`: the rest was not looked at; otherwise the embedder refused it. */
static void store(struct pending *self, bool untried)
{
    struct columns good = {0};
    struct columns bad = {0};
    enum sh_err err = collect(self, true, &good);
    struct sh_pg_param stored[] = {sh_pg_array_param(&good.ids),
                                   sh_pg_array_param(&good.hashes),
                                   {sh_bytes_of(self->model.fingerprint), false},
                                   sh_pg_array_param(&good.vectors)};
    struct sh_pg_step steps[4] = {{&store_pending_lock, stored, 1, false},
                                  {&store_pending_store, stored, 4, false},
                                  {&store_pending_done, stored, 2, false}};

    if (err == SH_OK)
        err = collect(self, false, &bad);
    struct sh_pg_param rest[] = {sh_pg_array_param(&bad.ids),
                                 {sh_bytes_of("the embedder refused it"), false}};
    steps[3] = untried ? (struct sh_pg_step){&store_pending_release, rest, 1, false}
                       : (struct sh_pg_step){&store_pending_failed, rest, 2, false};
    /* `stored` was made before the buffers had their last address. */
    stored[0] = sh_pg_array_param(&good.ids);
    stored[1] = sh_pg_array_param(&good.hashes);
    stored[3] = sh_pg_array_param(&good.vectors);
    self->state = STORING;
    if (err == SH_OK)
        err = run(self, steps, 4, on_stored);
    free_columns(&good);
    free_columns(&bad);
    if (err != SH_OK) {
        back_off(self);
        finish(self);
    }
}

/* --- embedding ---------------------------------------------------------------------- */

static void on_embedded(void *arg, const struct embed_result *result)
{
    struct pending *self = arg;

    self->job = NULL;
    if (self->closing) {
        finish(self);
        return;
    }
    if (result->err == SH_OK)
        self->backoff_ms = 0;
    else
        back_off(self);
    if (result->other_model)
        model_check(self->options.model);
    store(self, result->err != SH_OK);
}

static bool prepare(struct pending *self)
{
    size_t dimension = self->model.dimension;

    self->texts = sh_arena_array(&self->arena, self->count, sizeof(*self->texts));
    self->have = sh_arena_array(&self->arena, self->count, sizeof(*self->have));
    self->vectors = sh_alloc_array(self->count, dimension * sizeof(*self->vectors));
    if (self->texts == NULL || self->have == NULL || self->vectors == NULL)
        return false;
    for (size_t i = 0; i < self->count; i++)
        self->texts[i] = sh_pg_text(self->claimed, (int)i, 1);
    return true;
}

static void embed(struct pending *self)
{
    self->state = EMBEDDING;
    self->model = *model_current(self->options.model);
    self->count = (size_t)PQntuples(self->claimed);
    if (!prepare(self)) {
        back_off(self);
        finish(self);
        return;
    }
    struct embed_order order = {.client = self->options.embedder,
                                .texts = self->texts,
                                .have = self->have,
                                .vectors = self->vectors,
                                .count = self->count,
                                .fingerprint = self->model.fingerprint,
                                .dimension = self->model.dimension,
                                .deadline_ms = sh_now_ms() + EMBED_MS};
    if (embed_start(&order, on_embedded, self, &self->job) != SH_OK) {
        back_off(self);
        store(self, true);
    }
}

/* --- claiming ----------------------------------------------------------------------- */

static void on_claimed(void *arg, const struct sh_pg_reply *reply)
{
    struct pending *self = arg;

    if (reply->err == SH_OK && !self->closing && PQntuples(reply->results[0]) > 0)
        self->claimed =
            PQcopyResult(reply->results[0], PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
    if (self->claimed != NULL) {
        embed(self);
        return;
    }
    if (reply->err != SH_OK && !self->closing) {
        sh_warning(NULL, "pending passages cannot be read: %s", reply->message);
        back_off(self);
    }
    finish(self);
}

static void claim(struct pending *self)
{
    char limit[12];
    char lease[12];

    (void)snprintf(limit, sizeof(limit), "%d", BATCH);
    (void)snprintf(lease, sizeof(lease), "%d", LEASE_S);
    struct sh_pg_param params[] = {{sh_bytes_of(limit), false},
                                   {sh_bytes_of(lease), false}};
    struct sh_pg_step step_ = {
        .statement = &store_pending_claim, params, 2, .binary_result = true};

    self->woken = false;
    self->state = CLAIMING;
    if (run(self, &step_, 1, on_claimed) != SH_OK) {
        self->state = IDLE;
        back_off(self);
    }
}

/* --- life --------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    struct pending *self = timer->data;

    self->woken = true;
    step(self);
}

static bool possible(const struct pending *self)
{
    return !self->paused && !self->closing && model_confirmed(self->options.model) &&
           sh_rpc_client_ready(self->options.embedder) > 0;
}

static void step(struct pending *self)
{
    uint64_t wait_ms = sh_left_ms(self->not_before_ms);

    if (self->state != IDLE || self->closing)
        return;
    if (self->woken && wait_ms == 0 && possible(self))
        claim(self);
    if (self->state == IDLE)
        uv_timer_start(&self->timer, on_timer, wait_ms > 0 ? wait_ms : POLL_MS, 0);
}

enum sh_err pending_create(uv_loop_t *loop, const struct pending_options *options,
                           struct pending **out)
{
    struct pending *self = sh_alloc(sizeof(*self));

    if (self == NULL)
        return SH_NOMEM;
    self->options = *options;
    self->woken = true;
    uv_timer_init(loop, &self->timer); /* cannot fail */
    self->timer.data = self;
    *out = self;
    step(self);
    return SH_OK;
}

void pending_wake(struct pending *self)
{
    self->woken = true;
    step(self);
}

void pending_pause(struct pending *self)
{
    self->paused = true;
}

void pending_close(struct pending **pending)
{
    struct pending *self = *pending;

    *pending = NULL;
    if (self == NULL)
        return;
    self->closing = true;
    uv_timer_stop(&self->timer);
    embed_cancel(&self->job);
    if (self->state == IDLE || self->state == EMBEDDING)
        finish(self);
}
