#include "services/search/ingest/model.h"

#include <stdio.h>

#include "services/search/store/statements.h"
#include "shared/clock.h"
#include "shared/log.h"

/* PATIENCE: checks in a row in which the embedder could not say whether it still has the
 * model, while its default is another one, before the model counts as lost. */
enum {
    RETRY_MS = 500,
    CHECK_MS = 30000,
    LOOK_MS = 2000, /* at the record, where nothing tells of a switch */
    ASK_MS = 5000,
    STORE_MS = 60000,
    PATIENCE = 3
};

/* What is going on; one thing at a time. */
enum state { IDLE, READING, ASKING, BINDING, SWEEPING };

struct model_binding {
    struct model_binding_options options;
    struct sh_pg_listener *listener;
    struct model current;
    char card[MODEL_CARD_MAX]; /* of what is being bound, JSON */
    enum state state;
    uint64_t call; /* while ASKING */
    bool known;
    bool confirmed;
    bool read;  /* do so as soon as IDLE */
    bool ask;   /* likewise */
    bool sweep; /* likewise */
    bool told;  /* that the embedder does not say which model it has */
    bool gone;  /* the embedder said that it has the live model no more */
    unsigned missed;
    uint64_t asked_ms;
    char problem[400];
    bool closing;
    bool busy; /* a database call holds `this` */
    uv_timer_t timer;
};

static void step(struct model_binding *self);

/* --- waiting ---------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    struct model_binding *self = timer->data;

    self->read = true;
    self->ask = self->ask || !self->confirmed || sh_now_ms() - self->asked_ms >= CHECK_MS;
    step(self);
}

static void wait_ms(struct model_binding *self, uint64_t ms)
{
    uv_timer_start(&self->timer, on_timer, ms, 0);
}

/* Unless something is to be tried again sooner. */
static void wait_for_news(struct model_binding *self)
{
    if (!uv_is_active((uv_handle_t *)&self->timer))
        wait_ms(self, self->listener != NULL ? CHECK_MS : LOOK_MS);
}

static void on_notified(void *arg, const char *payload)
{
    struct model_binding *self = arg;

    (void)payload;
    self->read = true;
    step(self);
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
    self->state = IDLE;
    finish_close(self);
    return !self->closing;
}

static void run(struct model_binding *self, enum state state,
                const struct sh_pg_step *step_, sh_pg_done_fn *done)
{
    struct sh_pg_call call = {
        .steps = step_, .count = 1, .deadline_ms = sh_now_ms() + STORE_MS};

    self->busy = sh_pg_run(self->options.pg, &call, done, self) == SH_OK;
    self->state = self->busy ? state : IDLE;
    if (!self->busy)
        wait_ms(self, RETRY_MS);
}

/* --- what the record says --------------------------------------------------------- */

static void take_live(struct model_binding *self, const struct model *live)
{
    bool other = !model_same(live, &self->current);

    self->current = *live;
    if (!self->known) {
        self->known = true;
        self->ask = true;
        self->options.known(self->options.arg);
        return;
    }
    if (!other)
        return;
    self->confirmed = false;
    self->gone = false;
    self->missed = 0;
    self->problem[0] = '\0';
    self->ask = true;
    sh_info(NULL, "live generation: model %s, %u dimensions, fingerprint %.16s",
            live->name, (unsigned)live->dimension, live->fingerprint);
    self->options.changed(self->options.arg);
}

static void on_read(void *arg, const struct sh_pg_reply *reply)
{
    struct model_binding *self = arg;
    struct model live = {.dimension = 0};

    if (!db_returned(self))
        return;
    if (reply->err != SH_OK) {
        sh_warning(NULL, "the live generation cannot be read: %s", reply->message);
        self->read = true;
        wait_ms(self, RETRY_MS);
        return;
    }
    if (PQntuples(reply->results[0]) > 0)
        model_read(reply->results[0], 0, &live);
    take_live(self, &live);
    step(self);
}

static void read_live(struct model_binding *self)
{
    struct sh_pg_step read = {.statement = &store_model_live};

    self->read = false;
    run(self, READING, &read, on_read);
    self->read = !self->busy;
}

/* --- marking what lacks a vector -------------------------------------------------- */

static void on_swept(void *arg, const struct sh_pg_reply *reply)
{
    struct model_binding *self = arg;

    if (!db_returned(self))
        return;
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

    run(self, SWEEPING, &mark, on_swept);
}

/* --- what the embedder says ------------------------------------------------------- */

static void on_bound(void *arg, const struct sh_pg_reply *reply)
{
    struct model_binding *self = arg;

    if (!db_returned(self))
        return;
    self->read = true; /* another replica may have bound another one */
    if (reply->err != SH_OK) {
        sh_warning(NULL, "the model cannot be recorded: %s", reply->message);
        wait_ms(self, RETRY_MS);
        return;
    }
    if (self->current.dimension > 0) {
        self->confirmed = true;
        self->sweep = true;
        sh_info(NULL, "embedding model %s, %u dimensions, fingerprint %.16s",
                self->current.name, (unsigned)self->current.dimension,
                self->current.fingerprint);
    }
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

    run(self, BINDING, &step_, on_bound);
}

/* The live model is there: searches and puts may use it. */
static void confirm(struct model_binding *self, const struct model_card *card)
{
    self->gone = false;
    self->told = false;
    self->missed = 0;
    self->problem[0] = '\0';
    if (!self->confirmed)
        bind_model(self, card);
}

/* The embedder's default beside a live model that it does not serve. */
static void judge_loss(struct model_binding *self, const struct model *instead)
{
    bool renamed = strcmp(instead->name, self->current.name) != 0 ||
                   strcmp(instead->provider, self->current.provider) != 0;

    if (model_same(instead, &self->current) || (!self->gone && !renamed))
        return; /* the same model: it is only out of reach */
    if (!self->gone && ++self->missed < PATIENCE)
        return;
    self->confirmed = false;
    if (self->problem[0] == '\0')
        sh_warning(NULL, "the embedder has the live generation's model no more");
    (void)snprintf(self->problem, sizeof(self->problem),
                   "the embedder has model %.100s of the live generation no more (now "
                   "%.100s): searches use words only until a generation of a model that "
                   "it has is activated",
                   self->current.name, instead->name);
    if (self->options.lost != NULL)
        self->options.lost(self->options.arg, instead);
}

/* *reply lives in the arena. */
static bool first_card(const struct sh_rpc_response *response, struct sh_arena *arena,
                       struct model_card *card, struct model *model)
{
    struct models_reply reply;

    if (response->err != SH_OK ||
        msg_decode(models_reply_desc(), response->payload, arena, &reply) != SH_OK ||
        reply.models_count == 0)
        return false;
    *card = reply.models[0];
    return model_of_card(card, model);
}

static void on_default(void *arg, const struct sh_rpc_response *response)
{
    struct model_binding *self = arg;
    struct sh_arena arena = {0};
    struct model_card card;
    struct model model;

    self->state = IDLE;
    if (self->closing)
        return;
    if (!first_card(response, &arena, &card, &model) ||
        !model_describe(&card, self->card)) {
        wait_ms(self, RETRY_MS);
        if (!self->told)
            sh_warning(NULL, "the embedder does not say which model it has: %s",
                       response->err == SH_OK ? "unusable answer" : response->message);
        self->told = true;
    } else if (self->current.dimension == 0) {
        bind_model(self, &card);
    } else {
        judge_loss(self, &model);
    }
    sh_arena_free(&arena);
    if (self->state == IDLE)
        step(self);
}

static bool ask_for(struct model_binding *self, enum method method,
                    const struct msg_desc *desc, const void *message,
                    sh_rpc_done_fn *done)
{
    struct sh_buffer payload = {0};
    enum sh_err err = msg_encode(desc, message, &payload);

    if (err == SH_OK) {
        struct sh_rpc_request request = {.method = (uint32_t)method,
                                         .kind = SH_RPC_READ,
                                         .payload = sh_buffer_bytes(&payload),
                                         .deadline_ms = sh_now_ms() + ASK_MS};
        err = sh_rpc_send(self->options.embedder, &request, done, self, &self->call);
    }
    sh_buffer_free(&payload);
    self->state = err == SH_OK ? ASKING : IDLE;
    if (err != SH_OK)
        wait_ms(self, RETRY_MS);
    return err == SH_OK;
}

static void ask_default(struct model_binding *self)
{
    struct empty nothing = {0};

    (void)ask_for(self, METHOD_EMBEDDER_MODELS, empty_desc(), &nothing, on_default);
}

static void on_live(void *arg, const struct sh_rpc_response *response)
{
    struct model_binding *self = arg;
    struct sh_arena arena = {0};
    struct model_card card;
    struct model model;

    self->state = IDLE;
    if (self->closing)
        return;
    bool there = first_card(response, &arena, &card, &model) &&
                 model_same(&model, &self->current) && model_describe(&card, self->card);
    self->gone = response->err == SH_NOTFOUND || response->err == SH_CONFLICT;
    if (there)
        confirm(self, &card);
    else
        ask_default(self);
    sh_arena_free(&arena);
    if (self->state == IDLE)
        step(self);
}

static void ask(struct model_binding *self)
{
    char wish[MODEL_WISH_MAX + 1];
    struct model_request request = {
        .model = sh_bytes_of(model_wish(&self->current, wish)),
        .fingerprint = sh_bytes_of(self->current.fingerprint)};

    self->ask = false;
    if (sh_rpc_client_ready(self->options.embedder) == 0)
        return;
    self->asked_ms = sh_now_ms();
    if (self->current.dimension == 0)
        ask_default(self);
    else
        (void)ask_for(self, METHOD_EMBEDDER_MODEL, model_request_desc(), &request,
                      on_live);
}

/* --- life ------------------------------------------------------------------------- */

static void step(struct model_binding *self)
{
    if (self->closing || self->state != IDLE)
        return;
    if (self->read)
        read_live(self);
    else if (self->sweep)
        sweep(self);
    else if (self->ask)
        ask(self);
    if (self->state == IDLE)
        wait_for_news(self);
}

enum sh_err model_create(uv_loop_t *loop, const struct model_binding_options *options,
                         struct model_binding **out)
{
    struct model_binding *self = sh_alloc(sizeof(*self));
    enum sh_err err = SH_OK;

    if (self == NULL)
        return SH_NOMEM;
    self->options = *options;
    if (options->pg_config != NULL)
        err = sh_pg_listen(loop, options->pg_config, "generations", on_notified, self,
                           &self->listener);
    if (err != SH_OK) {
        sh_free(self);
        return err;
    }
    self->read = true;
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

const char *model_problem(const struct model_binding *binding)
{
    return binding->problem;
}

void model_check(struct model_binding *self)
{
    self->read = true;
    self->ask = self->confirmed || sh_now_ms() - self->asked_ms >= RETRY_MS;
    if (!self->ask) /* every search that misses its vector may come here */
        wait_ms(self, RETRY_MS);
    step(self);
}

void model_sweep(struct model_binding *self)
{
    self->sweep = self->current.dimension > 0;
    step(self);
}

void model_close(struct model_binding **binding)
{
    struct model_binding *self = *binding;

    *binding = NULL;
    if (self == NULL)
        return;
    self->closing = true;
    sh_pg_unlisten(&self->listener);
    if (self->state == ASKING)
        sh_rpc_cancel(self->options.embedder, self->call);
    uv_timer_stop(&self->timer);
    finish_close(self);
}
