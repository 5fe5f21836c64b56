#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "services/search/fit/fit_internal.h"
#include "services/search/fit/fit_sql.h"

/* The embedder fits; then the model's file comes back and is stored. */

/* --- it fits ---------------------------------------------------------------------- */

void fit_on_ended(void *arg, const struct sh_rpc_response *response)
{
    struct fit *self = fit_of(arg);
    struct sh_arena arena = {0};
    struct fit_state state;

    if (fit_is_state(self, response, &arena, &state))
        fit_go(self, FIT_LOOK);
    sh_arena_free(&arena);
}

static void copy(char *out, size_t room, struct sh_bytes text)
{
    (void)snprintf(out, room, "%.*s", (int)text.len,
                   text.len > 0 ? (const char *)text.data : "");
}

static void take(struct fit *self, const struct fit_state *state)
{
    char code[65];
    char message[513];

    if (sh_bytes_is(state->state, "failed")) {
        copy(code, sizeof(code), state->code);
        copy(message, sizeof(message), state->message);
        runner_fail(&self->runner, code, message);
    } else if (!sh_bytes_is(state->state, "done")) {
        self->progress = state->steps > 0 ? self->corpus * state->step / state->steps : 0;
        runner_pause(&self->runner, FIT_PAUSE_MS);
    } else if (state->fingerprint.len != MODEL_FINGERPRINT_MAX || state->bytes == 0 ||
               state->bytes > INT64_MAX) {
        fit_restart(self, "the model is of no use");
    } else {
        copy(self->fingerprint, sizeof(self->fingerprint), state->fingerprint);
        self->dimension = state->dimension;
        self->terms = state->terms;
        self->bytes = state->bytes;
        self->progress = self->corpus;
        fit_tell(self, FIT_STORE);
    }
}

void fit_on_looked(void *arg, const struct sh_rpc_response *response)
{
    struct fit *self = fit_of(arg);
    struct sh_arena arena = {0};
    struct fit_state state;

    if (fit_is_state(self, response, &arena, &state))
        take(self, &state);
    sh_arena_free(&arena);
}

/* --- the file comes back ---------------------------------------------------------- */

static void on_stored(void *arg, const struct sh_pg_reply *reply)
{
    struct fit *self = fit_of(arg);
    bool complete = *PQgetvalue(reply->results[0], 0, 0) == 't';

    fit_go(self,
           complete ? FIT_SAVE : FIT_FETCH); /* the same corpus makes the same model */
}

void fit_store_model(struct fit *self)
{
    char numbers[5][24];
    const uint64_t values[] = {self->dimension, self->terms, self->sent, self->corpus,
                               self->bytes};
    struct sh_pg_param params[6] = {{sh_bytes_of(self->fingerprint), false}};

    for (size_t i = 0; i < SH_COUNT(values); i++) {
        (void)snprintf(numbers[i], sizeof(numbers[i]), "%" PRIu64, values[i]);
        params[i + 1] = (struct sh_pg_param){sh_bytes_of(numbers[i]), false};
    }
    struct sh_pg_step step = {&fit_store, params, 6, false};
    runner_query(&self->runner, &step, on_stored);
}

static void on_piece(void *arg, const struct sh_rpc_response *response)
{
    struct fit *self = fit_of(arg);

    if (response->err == SH_TIMEOUT) {
        runner_pause(&self->runner, FIT_PAUSE_MS);
        return;
    }
    bool last = self->fetched + response->payload.len == self->bytes;
    if (response->err != SH_OK || (response->payload.len != FIT_PIECE && !last) ||
        response->payload.len == 0) {
        fit_restart(self, response->err != SH_OK ? response->message : "unusable piece");
        return;
    }
    sh_buffer_clear(&self->piece);
    sh_buffer_append(&self->piece, response->payload.data, response->payload.len);
    if (self->piece.err == SH_OK)
        fit_go(self, FIT_FETCHED);
    else
        fit_restart(self, sh_err_text(SH_NOMEM));
}

void fit_fetch_piece(struct fit *self)
{
    struct model_piece_ref message = {sh_bytes_of(self->session), self->fetched};

    fit_call(self, METHOD_FIT_FILE, model_piece_ref_desc(), &message, on_piece);
}

static void on_piece_stored(void *arg, const struct sh_pg_reply *reply)
{
    struct fit *self = fit_of(arg);

    (void)reply;
    self->fetched += self->piece.len;
    fit_go(self, self->fetched < self->bytes ? FIT_FETCH : FIT_FINISH);
}

void fit_store_piece(struct fit *self)
{
    char seq[24];

    (void)snprintf(seq, sizeof(seq), "%" PRIu64, self->fetched / FIT_PIECE);
    struct sh_pg_param params[] = {{sh_bytes_of(self->fingerprint), false},
                                   {sh_bytes_of(seq), false},
                                   {sh_buffer_bytes(&self->piece), true}};
    struct sh_pg_step step = {&fit_piece, params, 3, false};
    runner_query(&self->runner, &step, on_piece_stored);
}

static void on_finished(void *arg, const struct sh_pg_reply *reply)
{
    struct fit *self = fit_of(arg);

    if (PQntuples(reply->results[0]) == 1)
        fit_go(self, FIT_SAVE);
    else
        fit_restart(self, "the stored model is not whole");
}

void fit_finish_model(struct fit *self)
{
    struct sh_pg_param params[] = {{sh_bytes_of(self->fingerprint), false}};
    struct sh_pg_step step = {&fit_finish, params, 1, false};

    runner_query(&self->runner, &step, on_finished);
}
