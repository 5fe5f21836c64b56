#include "services/search/ingest/model.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/search/store/statements.h"
#include "shared/clock.h"
#include "shared/log.h"

enum { RETRY_MS = 500, CHECK_MS = 30000, ASK_MS = 5000, STORE_MS = 60000 };

/* What is going on; one thing at a time. */
enum state { READING, IDLE, ASKING, BINDING, SWEEPING };

struct model_binding {
    struct model_binding_options options;
    struct model current;
    struct model offered; /* while BINDING */
    char card[8192];      /* of `offered`, JSON */
    enum state state;
    uint64_t call; /* while ASKING */
    bool confirmed;
    bool ask;   /* do so as soon as IDLE */
    bool sweep; /* likewise */
    bool closing;
    bool busy; /* a database call holds `this` */
    uv_timer_t timer;
};

static void step(struct model_binding *self);

static void on_timer(uv_timer_t *timer)
{
    struct model_binding *self = timer->data;

    if (self->state == IDLE)
        self->ask = true;
    step(self);
}

static void wait_ms(struct model_binding *self, uint64_t ms)
{
    uv_timer_start(&self->timer, on_timer, ms, 0);
}

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

static void finish_close(struct model_binding *self)
{
    if (self->closing && !self->busy)
        uv_close((uv_handle_t *)&self->timer, on_closed);
}

/* False when closing: the caller returns at once. */
static bool db_returned(struct model_binding *self)
{
    self->busy = false;
    finish_close(self);
    return !self->closing;
}

static enum sh_err run(struct model_binding *self, const struct sh_pg_step *steps,
                       size_t count, sh_pg_done_fn *done)
{
    struct sh_pg_call call = {
        .steps = steps, .count = count, .deadline_ms = sh_now_ms() + STORE_MS};
    enum sh_err err = sh_pg_run(self->options.pg, &call, done, self);

    self->busy = err == SH_OK;
    return err;
}

/* --- the last known one ------------------------------------------------------------- */

static void copy_text(char *out, size_t room, struct sh_bytes text)
{
    size_t len = text.len < room ? text.len : room - 1;

    if (len > 0)
        memcpy(out, text.data, len);
    out[len] = '\0';
}

static void read_row(struct model *model, const PGresult *row)
{
    copy_text(model->fingerprint, sizeof(model->fingerprint), sh_pg_text(row, 0, 0));
    copy_text(model->name, sizeof(model->name), sh_pg_text(row, 0, 1));
    model->dimension = (uint32_t)sh_pg_u64(row, 0, 3);
    model->alpha = strtod(PQgetvalue(row, 0, 4), NULL);
}

static void on_read(void *arg, const struct sh_pg_reply *reply)
{
    struct model_binding *self = arg;

    if (!db_returned(self))
        return;
    if (reply->err != SH_OK) {
        sh_warning(NULL, "the model in use cannot be read: %s", reply->message);
        wait_ms(self, RETRY_MS);
        return;
    }
    if (PQntuples(reply->results[0]) > 0)
        read_row(&self->current, reply->results[0]);
    self->state = IDLE;
    self->options.known(self->options.arg);
    step(self);
}

static void read_last(struct model_binding *self)
{
    struct sh_pg_step read = {.statement = &store_model_last};

    if (self->busy)
        return;
    if (run(self, &read, 1, on_read) != SH_OK)
        wait_ms(self, RETRY_MS);
}

/* --- marking what lacks a vector ---------------------------------------------------- */

static void on_swept(void *arg, const struct sh_pg_reply *reply)
{
    struct model_binding *self = arg;

    if (!db_returned(self))
        return;
    self->state = IDLE;
    self->sweep = reply->err != SH_OK;
    if (reply->err != SH_OK) {
        sh_warning(NULL, "passages without vectors cannot be marked: %s", reply->message);
        wait_ms(self, RETRY_MS);
        return;
    }
    self->options.pending(self->options.arg);
    step(self);
}

static void sweep(struct model_binding *self)
{
    struct sh_pg_param params[] = {{sh_bytes_of(self->current.fingerprint), false}};
    struct sh_pg_step mark = {.statement = &store_pending_sweep, params, 1, false};

    self->state = SWEEPING;
    if (run(self, &mark, 1, on_swept) != SH_OK) {
        self->state = IDLE;
        wait_ms(self, RETRY_MS);
    }
}

/* --- what the embedder says --------------------------------------------------------- */

static void on_bound(void *arg, const struct sh_pg_reply *reply)
{
    struct model_binding *self = arg;
    bool other = strcmp(self->offered.fingerprint, self->current.fingerprint) != 0;

    if (!db_returned(self))
        return;
    self->state = IDLE;
    if (reply->err != SH_OK) {
        sh_warning(NULL, "the model cannot be recorded: %s", reply->message);
        wait_ms(self, RETRY_MS);
        return;
    }
    self->current = self->offered;
    self->confirmed = true;
    self->sweep = true;
    sh_info(NULL, "embedding model %s, %u dimensions, fingerprint %.16s",
            self->current.name, (unsigned)self->current.dimension,
            self->current.fingerprint);
    if (other)
        self->options.changed(self->options.arg);
    step(self);
}

static void bind_model(struct model_binding *self, const struct model_card *card)
{
    char dimension[16];
    char alpha[32];

    (void)snprintf(dimension, sizeof(dimension), "%u", (unsigned)card->dimension);
    (void)snprintf(alpha, sizeof(alpha), "%.17g", card->alpha);
    struct sh_pg_param params[] = {
        {card->fingerprint, false},  {card->name, false},
        {card->provider, false},     {sh_bytes_of(dimension), false},
        {sh_bytes_of(alpha), false}, {sh_bytes_of(self->card), false},
    };
    struct sh_pg_step step_ = {.statement = &store_model_bind, params, 6, false};

    self->state = BINDING;
    if (run(self, &step_, 1, on_bound) != SH_OK) {
        self->state = IDLE;
        wait_ms(self, RETRY_MS);
    }
}

static json_t *text_of(struct sh_bytes text)
{
    return json_stringn(text.len > 0 ? text.data : "", text.len);
}

static bool describe(const struct model_card *card, char *out, size_t room)
{
    json_t *json = json_pack(
        "{s:o, s:o, s:I, s:I, s:b, s:o, s:o, s:f, s:o, s:o}", "name", text_of(card->name),
        "provider", text_of(card->provider), "dimension", (json_int_t)card->dimension,
        "context_length", (json_int_t)card->context_length, "normalised",
        (int)card->normalised, "query_prefix", text_of(card->query_prefix),
        "document_prefix", text_of(card->document_prefix), "alpha", card->alpha, "digest",
        text_of(card->digest), "probe_hash", text_of(card->probe_hash));
    size_t len = json ? json_dumpb(json, out, room - 1, JSON_COMPACT) : 0;

    json_decref(json);
    if (len == 0 || len >= room)
        return false;
    out[len] = '\0';
    return true;
}

static bool offer(struct model_binding *self, const struct model_card *card)
{
    if (card->fingerprint.len == 0 || card->dimension == 0 || !isfinite(card->alpha) ||
        !describe(card, self->card, sizeof(self->card)))
        return false;
    self->offered = (struct model){.dimension = card->dimension, .alpha = card->alpha};
    copy_text(self->offered.fingerprint, sizeof(self->offered.fingerprint),
              card->fingerprint);
    copy_text(self->offered.name, sizeof(self->offered.name), card->name);
    return true;
}

static bool is_current(const struct model_binding *self)
{
    return self->confirmed &&
           strcmp(self->offered.fingerprint, self->current.fingerprint) == 0;
}

static void on_models(void *arg, const struct sh_rpc_response *response)
{
    struct model_binding *self = arg;
    struct sh_arena arena = {0};
    struct models_reply reply;

    self->state = IDLE;
    if (self->closing)
        return;
    wait_ms(self, response->err == SH_OK ? CHECK_MS : RETRY_MS);
    if (response->err == SH_OK &&
        msg_decode(models_reply_desc(), response->payload, &arena, &reply) == SH_OK &&
        reply.models_count > 0 && offer(self, &reply.models[0])) {
        if (!is_current(self))
            bind_model(self, &reply.models[0]);
    } else {
        sh_warning(NULL, "the embedder does not say which model it has: %s",
                   response->err == SH_OK ? "unusable answer" : response->message);
    }
    sh_arena_free(&arena);
    if (self->state == IDLE)
        step(self);
}

static void ask(struct model_binding *self)
{
    struct sh_buffer payload = {0};
    struct empty nothing = {0};
    enum sh_err err;

    self->ask = false;
    wait_ms(self, CHECK_MS);
    if (sh_rpc_client_ready(self->options.embedder) == 0)
        return;
    err = msg_encode(empty_desc(), &nothing, &payload);
    if (err == SH_OK) {
        struct sh_rpc_request request = {.method = METHOD_EMBEDDER_MODELS,
                                         .kind = SH_RPC_READ,
                                         .payload = sh_buffer_bytes(&payload),
                                         .deadline_ms = sh_now_ms() + ASK_MS};
        err = sh_rpc_send(self->options.embedder, &request, on_models, self, &self->call);
    }
    sh_buffer_free(&payload);
    if (err == SH_OK)
        self->state = ASKING;
    else
        wait_ms(self, RETRY_MS);
}

/* --- life --------------------------------------------------------------------------- */

static void step(struct model_binding *self)
{
    if (self->closing)
        return;
    if (self->state == READING)
        read_last(self);
    else if (self->state == IDLE && self->sweep)
        sweep(self);
    else if (self->state == IDLE && self->ask)
        ask(self);
}

enum sh_err model_create(uv_loop_t *loop, const struct model_binding_options *options,
                         struct model_binding **out)
{
    struct model_binding *self = sh_alloc(sizeof(*self));

    if (self == NULL)
        return SH_NOMEM;
    self->options = *options;
    self->ask = true;
    uv_timer_init(loop, &self->timer); /* cannot fail */
    self->timer.data = self;
    *out = self;
    step(self);
    return SH_OK;
}

const struct model *model_current(const struct model_binding *binding)
{
    return &binding->current;
}

bool model_confirmed(const struct model_binding *binding)
{
    return binding->confirmed;
}

void model_check(struct model_binding *self)
{
    self->ask = true;
    if (self->state == IDLE)
        step(self);
}

void model_sweep(struct model_binding *self)
{
    self->sweep = self->current.dimension > 0;
    if (self->state == IDLE)
        step(self);
}

void model_close(struct model_binding **binding)
{
    struct model_binding *self = *binding;

    *binding = NULL;
    if (self == NULL)
        return;
    self->closing = true;
    if (self->state == ASKING)
        sh_rpc_cancel(self->options.embedder, self->call);
    uv_timer_stop(&self->timer);
    finish_close(self);
}
