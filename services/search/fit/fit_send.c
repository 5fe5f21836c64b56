#include <inttypes.h>
#include <stdio.h>

#include "services/search/fit/fit_internal.h"
#include "services/search/fit/fit_sql.h"

/* The passages go to the embedder, page by page. */

enum { PAGE = 256, SAVE_EVERY = 8 /* pages */, MILLION = 1000000 };

static void on_counted(void *arg, const struct sh_pg_reply *reply)
{
    struct fit *self = fit_of(arg);
    uint64_t most = self->options.fit_chunks;

    self->corpus = sh_pg_u64(reply->results[0], 0, 0);
    self->share = MILLION;
    if (most > 0 && self->corpus > most)
        self->share = most * MILLION / self->corpus;
    fit_go(self, FIT_BEGIN);
}

void fit_count_passages(struct fit *self)
{
    struct sh_pg_step step = {&fit_count, NULL, 0, false};

    runner_query(&self->runner, &step, on_counted);
}

static void on_begun(void *arg, const struct sh_rpc_response *response)
{
    struct fit *self = fit_of(arg);

    if (response->err != SH_OK) { /* another fit goes on there, or it went away */
        runner_pause(&self->runner, FIT_PAUSE_MS);
        return;
    }
    self->after[0] = '\0';
    self->sent = 0;
    self->fetched = 0;
    self->progress = 0;
    fit_go(self, FIT_READ);
}

void fit_begin_session(struct fit *self)
{
    if (fit_choose(self))
        fit_ask(self, METHOD_FIT_BEGIN, on_begun);
    else
        runner_pause(&self->runner, FIT_PAUSE_MS);
}

static void on_page(void *arg, const struct sh_pg_reply *reply)
{
    struct fit *self = fit_of(arg);

    if (PQntuples(reply->results[0]) == 0) {
        fit_go(self, FIT_END);
        return;
    }
    self->page = PQcopyResult(reply->results[0], PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
    if (self->page != NULL)
        fit_go(self, FIT_ADD);
    else
        runner_pause(&self->runner, FIT_PAUSE_MS);
}

void fit_read_page(struct fit *self)
{
    char limit[12];
    char share[24];

    (void)snprintf(limit, sizeof(limit), "%d", PAGE);
    (void)snprintf(share, sizeof(share), "%" PRIu64, self->share);
    struct sh_pg_param params[] = {{sh_bytes_of(self->after), false},
                                   {sh_bytes_of(limit), false},
                                   {sh_bytes_of(share), false}};
    struct sh_pg_step step = {&fit_page, params, 3, false};
    runner_query(&self->runner, &step, on_page);
}

static void on_added(void *arg, const struct sh_rpc_response *response)
{
    struct fit *self = fit_of(arg);
    struct sh_arena arena = {0};
    struct fit_state state;

    if (fit_is_state(self, response, &arena, &state)) {
        int rows = PQntuples(self->page);
        struct sh_bytes last = sh_pg_text(self->page, rows - 1, 0);
        (void)snprintf(self->after, sizeof(self->after), "%.*s", (int)last.len,
                       (const char *)last.data);
        self->sent += (uint64_t)rows;
        fit_drop_page(self);
        if (sh_bytes_is(state.state, "failed"))
            fit_go(self, FIT_LOOK); /* it says why */
        else if (++self->pages % SAVE_EVERY == 0)
            fit_tell(self, FIT_READ);
        else
            fit_go(self, FIT_READ);
    }
    sh_arena_free(&arena);
}

void fit_add_page(struct fit *self)
{
    struct sh_bytes texts[PAGE];
    size_t rows = (size_t)PQntuples(self->page);

    for (size_t i = 0; i < rows; i++)
        texts[i] = sh_pg_text(self->page, (int)i, 1);
    struct fit_texts message = {.session = sh_bytes_of(self->session),
                                .first = self->sent,
                                .texts = texts,
                                .texts_count = rows};
    fit_call(self, METHOD_FIT_ADD, fit_texts_desc(), &message, on_added);
}
