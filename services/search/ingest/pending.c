#include "services/search/ingest/pending.h"

#include "services/search/generations/generation_sql.h"
#include "services/search/ingest/embed.h"
#include "services/search/store/statements.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/pg_array.h"

enum {
    BATCH = 256,
    BATCH_BESIDE = 64, /* small: the pauses between are what others live on */
    LEASE_S = 60,
    EMBED_MS = 30000, /* well below the lease */
    STORE_MS = 15000,
    POLL_MS = 5000,
    YIELD_MS = 100, /* until the first one may have ended */
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
    uint64_t began_ms;
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

static bool is_beside(const struct pending *self)
{
    return self->options.first != NULL;
}

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

/* --- storing ---------------------------------------------------------------------- */

static void take_a_break(struct pending *self);

static void on_stored(void *arg, const struct sh_pg_reply *reply)
{
    struct pending *self = arg;

    if (reply->err != SH_OK) {
        /* The lease runs out by itself. */
        sh_warning(NULL, "late vectors cannot be stored: %s", reply->message);
        back_off(self);
    } else {
        take_a_break(self);
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

/* So long that the batch took no more than its share, and was no faster than the rate. */
static void take_a_break(struct pending *self)
{
    double took_ms = (double)(sh_now_ms() - self->began_ms);
    double share = self->options.share;
    double rest_ms = share > 0 && share < 1 ? took_ms * (1 - share) / share : 0;
    double due_ms = self->options.rate > 0
                        ? (double)self->count * 1000 / self->options.rate - took_ms
                        : 0;
    double most_ms = rest_ms > due_ms ? rest_ms : due_ms;

    if (is_beside(self) && most_ms >= 1)
        self->not_before_ms = sh_now_ms() + (uint64_t)most_ms;
}

struct storing {
    struct columns good;
    struct columns bad;
    struct sh_pg_param stored[4]; /* id[], hash[], fingerprint, vector[] */
    struct sh_pg_param rest[3];
    struct sh_pg_step steps[5];
    size_t count;
};

static void add_step(struct storing *storing, const struct sh_pg_statement *statement,
                     const struct sh_pg_param *params, unsigned count)
{
    storing->steps[storing->count++] =
        (struct sh_pg_step){statement, params, count, false};
}

static void plan_live(struct storing *storing, bool untried)
{
    add_step(storing, &store_pending_lock, storing->stored, 1);
    add_step(storing, &store_pending_store, storing->stored, 4);
    add_step(storing, &store_pending_done, storing->stored, 2);
    add_step(storing, untried ? &store_pending_release : &store_pending_failed,
             storing->rest, untried ? 1 : 2);
}

static void plan_beside(struct storing *storing, bool untried)
{
    add_step(storing, &store_pending_lock, storing->stored, 1);
    add_step(storing, &generation_lock, &storing->stored[2], 1);
    add_step(storing, &store_pending_store, storing->stored, 4);
    add_step(storing, &generation_done, storing->stored, 3);
    if (untried)
        storing->rest[1] = storing->rest[2];
    add_step(storing, untried ? &generation_release : &generation_failed, storing->rest,
             untried ? 2 : 3);
}

/* `untried`: the rest was not looked at; otherwise the embedder refused it. */
static void store(struct pending *self, bool untried)
{
    struct storing storing = {.count = 0};
    struct sh_pg_param fingerprint = {sh_bytes_of(self->model.fingerprint), false};
    enum sh_err err = collect(self, true, &storing.good);

    if (err == SH_OK)
        err = collect(self, false, &storing.bad);
    storing.stored[0] = sh_pg_array_param(&storing.good.ids);
    storing.stored[1] = sh_pg_array_param(&storing.good.hashes);
    storing.stored[2] = fingerprint;
    storing.stored[3] = sh_pg_array_param(&storing.good.vectors);
    storing.rest[0] = sh_pg_array_param(&storing.bad.ids);
    storing.rest[1] = (struct sh_pg_param){sh_bytes_of("the embedder refused it"), false};
    storing.rest[2] = fingerprint;
    if (is_beside(self))
        plan_beside(&storing, untried);
    else
        plan_live(&storing, untried);
    self->state = STORING;
    if (err == SH_OK)
        err = run(self, storing.steps, storing.count, on_stored);
    free_columns(&storing.good);
    free_columns(&storing.bad);
    if (err != SH_OK) {
        back_off(self);
        finish(self);
    }
}

/* --- embedding -------------------------------------------------------------------- */

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
    if (result->other_model && !is_beside(self))
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

/* All rows are of one. */
static struct model claimed_model(const PGresult *rows)
{
    struct model model = {.dimension = 0};

    if (PQgetlength(rows, 0, CLAIM_DIMENSION) == 4)
        model.dimension = sh_pg_array_get_u32(PQgetvalue(rows, 0, CLAIM_DIMENSION));
    (void)snprintf(model.fingerprint, sizeof(model.fingerprint), "%s",
                   PQgetvalue(rows, 0, CLAIM_FINGERPRINT));
    (void)snprintf(model.name, sizeof(model.name), "%s", PQgetvalue(rows, 0, CLAIM_NAME));
    (void)snprintf(model.provider, sizeof(model.provider), "%s",
                   PQgetvalue(rows, 0, CLAIM_PROVIDER));
    return model;
}

static void embed(struct pending *self)
{
    self->state = EMBEDDING;
    self->model = is_beside(self) ? claimed_model(self->claimed)
                                  : *model_current(self->options.model);
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
                                .model = &self->model,
                                .deadline_ms = sh_now_ms() + EMBED_MS};
    if (embed_start(&order, on_embedded, self, &self->job) != SH_OK) {
        back_off(self);
        store(self, true);
    }
}

/* --- claiming --------------------------------------------------------------------- */

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

    (void)snprintf(limit, sizeof(limit), "%d", is_beside(self) ? BATCH_BESIDE : BATCH);
    (void)snprintf(lease, sizeof(lease), "%d", LEASE_S);
    struct sh_pg_param params[] = {{sh_bytes_of(limit), false},
                                   {sh_bytes_of(lease), false}};
    struct sh_pg_step step_ = {.statement = is_beside(self) ? &generation_claim
                                                            : &store_pending_claim,
                               params,
                               2,
                               .binary_result = true};

    self->woken = false;
    self->began_ms = sh_now_ms();
    self->state = CLAIMING;
    if (run(self, &step_, 1, on_claimed) != SH_OK) {
        self->state = IDLE;
        back_off(self);
    }
}

/* --- life ------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    struct pending *self = timer->data;

    self->woken = true;
    step(self);
}

static bool possible(const struct pending *self)
{
    const struct pending *first = self->options.first;
    bool free =
        first != NULL ? first->state == IDLE : model_confirmed(self->options.model);

    return free && !self->paused && !self->closing &&
           sh_rpc_client_ready(self->options.embedder) > 0;
}

static void step(struct pending *self)
{
    uint64_t wait_ms = sh_left_ms(self->not_before_ms);

    if (self->state != IDLE || self->closing)
        return;
    if (self->woken && wait_ms == 0 && possible(self))
        claim(self);
    if (self->state != IDLE)
        return;
    if (wait_ms == 0)
        wait_ms = self->woken && is_beside(self) ? YIELD_MS : POLL_MS;
    uv_timer_start(&self->timer, on_timer, wait_ms, 0);
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
