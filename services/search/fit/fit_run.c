#include "services/search/fit/fit_run.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "services/search/fit/fit_internal.h"
#include "services/search/fit/fit_sql.h"
#include "shared/clock.h"
#include "shared/log.h"

enum {
    CALL_MS = 30000,
    REPLICAS = 64,
    PATIENCE = 20, /* beginnings, since embedders went away */
};

void fit_drop_page(struct fit *self)
{
    PQclear(self->page);
    self->page = NULL;
}

void fit_go(struct fit *self, enum fit_phase phase)
{
    self->phase = phase;
    runner_next(&self->runner);
}

static void saved(struct runner *runner, enum sh_err err)
{
    (void)err;
    runner_next(runner);
}

/* Progress only: the cursor stays empty until there is a model. */
void fit_tell(struct fit *self, enum fit_phase phase)
{
    struct sh_job_checkpoint checkpoint = {
        .cursor = sh_bytes_of("{}"), .done = self->progress, .total = self->corpus};

    self->phase = phase;
    runner_save(&self->runner, &checkpoint, saved);
}

/* --- the embedder ----------------------------------------------------------------- */

void fit_restart(struct fit *self, const char *why)
{
    sh_warning(NULL, "the fit of a model begins anew: %s", why);
    fit_drop_page(self);
    self->phase = FIT_BEGIN;
    self->replica = 0;
    if (++self->beginnings > PATIENCE)
        runner_fail(&self->runner, "model_unavailable", "no embedder finishes the fit");
    else
        runner_pause(&self->runner, FIT_PAUSE_MS);
}

static bool is_here(struct fit *self)
{
    uint64_t ids[REPLICAS];
    size_t others = 0;
    size_t count = sh_rpc_client_replicas(self->options.embedder, ids, REPLICAS, &others);

    for (size_t i = 0; i < count; i++)
        if (ids[i] == self->replica)
            return true;
    return false;
}

bool fit_choose(struct fit *self)
{
    uint64_t ids[REPLICAS];
    size_t others = 0;
    size_t count = sh_rpc_client_replicas(self->options.embedder, ids, REPLICAS, &others);

    if (count > 0)
        self->replica = ids[self->choice++ % count];
    return count > 0;
}

void fit_call(struct fit *self, uint32_t method, const struct msg_desc *desc,
              const void *message, sh_rpc_done_fn *done)
{
    struct sh_buffer payload = {0};

    if (msg_encode(desc, message, &payload) == SH_OK) {
        struct sh_rpc_request request = {.method = method,
                                         .kind = SH_RPC_READ,
                                         .payload = sh_buffer_bytes(&payload),
                                         .deadline_ms = sh_now_ms() + CALL_MS,
                                         .replica = self->replica,
                                         .waits = true};
        runner_call(&self->runner, self->options.embedder, &request, done);
    } else {
        runner_pause(&self->runner, FIT_PAUSE_MS); /* out of memory */
    }
    sh_buffer_free(&payload);
}

void fit_ask(struct fit *self, uint32_t method, sh_rpc_done_fn *done)
{
    struct fit_session message = {.session = sh_bytes_of(self->session)};

    fit_call(self, method, fit_session_desc(), &message, done);
}

bool fit_is_state(struct fit *self, const struct sh_rpc_response *response,
                  struct sh_arena *arena, struct fit_state *state)
{
    enum sh_err err = response->err;

    if (err == SH_OK)
        err = msg_decode(fit_state_desc(), response->payload, arena, state);
    if (err == SH_TIMEOUT || strcmp(response->code, "fit_busy") == 0)
        runner_pause(&self->runner, FIT_PAUSE_MS); /* the same again: that does no harm */
    else if (err != SH_OK)
        fit_restart(self, response->err != SH_OK ? response->message : "unusable answer");
    return err == SH_OK;
}

/* --- the end ---------------------------------------------------------------------- */

/* Nobody waits for the answer: without it the embedder forgets by itself. */
static void nothing(void *arg, const struct sh_rpc_response *response)
{
    (void)arg;
    (void)response;
}

static void let_go(struct fit *self)
{
    struct fit_session message = {.session = sh_bytes_of(self->session)};
    struct sh_buffer payload = {0};

    if (self->replica != 0 &&
        msg_encode(fit_session_desc(), &message, &payload) == SH_OK) {
        struct sh_rpc_request request = {.method = METHOD_FIT_DROP,
                                         .kind = SH_RPC_READ,
                                         .payload = sh_buffer_bytes(&payload),
                                         .deadline_ms = sh_now_ms() + CALL_MS,
                                         .replica = self->replica};
        if (sh_rpc_send(self->options.embedder, &request, nothing, NULL, NULL) != SH_OK)
            sh_debug(NULL, "the embedder is not told that the fit is over");
    }
    sh_buffer_free(&payload);
}

static struct sh_bytes write_cursor(struct fit *self)
{
    int len = snprintf(self->cursor, sizeof(self->cursor), "{\"wanted\":\"%s\"}",
                       self->fingerprint);

    return (struct sh_bytes){self->cursor, (size_t)len};
}

/* Whoever takes the job up finds the fingerprint in the cursor. */
static void hand_over(struct runner *runner, enum sh_err err)
{
    struct fit *self = fit_of(runner);

    (void)err;
    sh_info(NULL,
            "fitted model %.16s: %" PRIu64 " of %" PRIu64 " passages, %" PRIu64
            " terms, %" PRIu64 " dimensions",
            self->fingerprint, self->sent, self->corpus, self->terms, self->dimension);
    let_go(self);
    runner_release(runner);
}

static void save(struct fit *self)
{
    static const struct sh_pg_step tidy = {&fit_tidy, NULL, 0, false};
    struct sh_job_checkpoint checkpoint = {.cursor = write_cursor(self),
                                           .done = self->corpus,
                                           .total = self->corpus,
                                           .steps = &tidy,
                                           .step_count = 1};

    runner_save(&self->runner, &checkpoint, hand_over);
}

static void step(struct runner *runner)
{
    struct fit *self = fit_of(runner);
    bool at_embedder = self->phase != FIT_COUNT && self->phase != FIT_BEGIN &&
                       self->phase < FIT_FINISH && self->phase != FIT_STORE;

    if (at_embedder && !is_here(self)) {
        fit_restart(self, "the embedder went away");
        return;
    }
    switch (self->phase) {
    case FIT_COUNT:
        fit_count_passages(self);
        break;
    case FIT_BEGIN:
        fit_begin_session(self);
        break;
    case FIT_READ:
        fit_read_page(self);
        break;
    case FIT_ADD:
        fit_add_page(self);
        break;
    case FIT_END:
        fit_ask(self, METHOD_FIT_END, fit_on_ended);
        break;
    case FIT_LOOK:
        fit_ask(self, METHOD_FIT_STATE, fit_on_looked);
        break;
    case FIT_STORE:
        fit_store_model(self);
        break;
    case FIT_FETCH:
        fit_fetch_piece(self);
        break;
    case FIT_FETCHED:
        fit_store_piece(self);
        break;
    case FIT_FINISH:
        fit_finish_model(self);
        break;
    case FIT_SAVE:
        save(self);
        break;
    }
}

static void cancel(struct runner *runner)
{
    let_go(fit_of(runner));
    runner_cancelled(runner);
}

static void free_fit(struct runner *runner)
{
    struct fit *self = fit_of(runner);

    fit_drop_page(self);
    sh_buffer_free(&self->piece);
    sh_free(self);
}

static const struct runner_kind kind = {step, cancel, free_fit};

static bool names_model(struct sh_bytes params)
{
    json_t *json = json_loadb(params.data, params.len, 0, NULL);
    const char *model = json_string_value(json_object_get(json, "model"));
    const char *given = json_string_value(json_object_get(json, "fingerprint"));
    bool due = model && strcmp(model, FIT_MODEL) == 0 && !given;

    json_decref(json);
    return due;
}

/* A cursor that names a fingerprint, wanted or begun, is that of a model that exists. */
static bool is_fitted(struct sh_bytes cursor)
{
    json_t *json = cursor.len > 0 ? json_loadb(cursor.data, cursor.len, 0, NULL) : NULL;
    bool fitted = json_object_get(json, "wanted") || json_object_get(json, "fingerprint");

    json_decref(json);
    return fitted;
}

bool fit_is_due(const struct sh_job_run *run)
{
    return names_model(sh_job_params(run)) && !is_fitted(sh_job_cursor(run));
}

struct runner *fit_run(const struct reindex_options *options, struct sh_job_run *run)
{
    struct fit *self = runner_make(sizeof(*self), &(struct runner){.kind = &kind,
                                                                   .pg = options->pg,
                                                                   .run = run,
                                                                   .gone = options->gone,
                                                                   .arg = options->arg});

    if (self == NULL)
        return NULL;
    self->options = *options;
    (void)snprintf(self->session, sizeof(self->session), "%s", sh_job_id(run));
    runner_start(&self->runner, options->loop);
    return &self->runner;
}
