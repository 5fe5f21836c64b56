#include "services/search/meaning/entry_feed.h"

#include <stdio.h>

#include "services/search/meaning/entry_feed_internal.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/pg_array.h"

/* --- the set ---------------------------------------------------------------------- */

void entries_release(struct held_entries *held)
{
    if (held == NULL || --held->users > 0)
        return;
    entry_set_free(&held->set);
    sh_free(held);
}

static void forget(struct entry_feed *self)
{
    entries_release(self->held);
    self->held = NULL;
    self->loaded = false;
    self->after[0] = self->position[0] = '\0';
    entry_names_clear(&self->changed);
    entry_names_clear(&self->bare);
}

static enum sh_err begin(struct entry_feed *self, const struct model *model)
{
    struct held_entries *held = sh_alloc(sizeof(*held));
    enum sh_err err =
        held != NULL ? entry_set_create(model->dimension, &held->set) : SH_NOMEM;

    if (err != SH_OK) {
        sh_free(held);
        return err;
    }
    forget(self);
    held->users = 1;
    self->held = held;
    self->model = *model;
    return SH_OK;
}

/* --- from one thing to the next --------------------------------------------------- */

static void step(struct entry_feed *self);

static void on_closed(uv_handle_t *handle)
{
    struct entry_feed *self = handle->data;

    forget(self);
    entry_names_free(&self->changed);
    entry_names_free(&self->bare);
    sh_arena_free(&self->arena);
    sh_free(self->vectors);
    sh_free(self);
}

static void on_timer(uv_timer_t *timer)
{
    step(timer->data);
}

void entry_feed_rest(struct entry_feed *self, uint64_t ms)
{
    self->busy = false;
    if (self->closing)
        uv_close((uv_handle_t *)&self->timer, on_closed);
    else
        uv_timer_start(&self->timer, on_timer, ms, 0);
}

void entry_feed_fail(struct entry_feed *self, const char *why)
{
    if (!self->failing && !self->closing)
        sh_warning(NULL, "what glossary entries mean has to wait: %s", why);
    self->failing = true;
    entry_feed_rest(self, RETRY_MS);
}

void entry_feed_run(struct entry_feed *self, const struct sh_pg_step *todo,
                    sh_pg_done_fn *done)
{
    struct sh_pg_call call = {
        .steps = todo, .count = 1, .deadline_ms = sh_now_ms() + READ_MS};
    enum sh_err err = sh_pg_run(self->options.pg, &call, done, self);

    if (err != SH_OK)
        entry_feed_fail(self, sh_err_text(err));
}

bool entry_feed_came(struct entry_feed *self, const struct sh_pg_reply *reply)
{
    if (reply->err == SH_OK && !self->closing)
        return true;
    entry_feed_fail(self, reply->message);
    return false;
}

static enum sh_err put_rows(struct entry_feed *self, const PGresult *rows)
{
    enum sh_err err = SH_OK;

    for (int row = 0; err == SH_OK && row < PQntuples(rows); row++)
        if (!entry_feed_put(self, rows, row, &err) && err == SH_OK &&
            !entry_names_add(&self->bare, entry_feed_cell(rows, row, ENTRY_ID)))
            err = SH_NOMEM;
    return err;
}

/* --- loading ---------------------------------------------------------------------- */

static void on_page(void *arg, const struct sh_pg_reply *reply)
{
    struct entry_feed *self = arg;
    int count;

    if (!entry_feed_came(self, reply))
        return;
    count = PQntuples(reply->results[0]);
    if (put_rows(self, reply->results[0]) != SH_OK) {
        forget(self);
        entry_feed_fail(self, "out of memory");
        return;
    }
    if (count > 0) {
        struct sh_bytes id = entry_feed_cell(reply->results[0], count - 1, ENTRY_ID);
        (void)snprintf(self->after, sizeof(self->after), "%.*s", (int)id.len,
                       (const char *)id.data);
    }
    self->loaded = count < AT_ONCE;
    if (self->loaded)
        sh_info(NULL, "glossary entries by meaning: %zu read, %zu to be embedded",
                entry_set_count(self->held->set), self->bare.count);
    entry_feed_rest(self, 0);
}

static void load(struct entry_feed *self)
{
    char limit[12];

    (void)snprintf(limit, sizeof(limit), "%d", AT_ONCE);
    struct sh_pg_param params[] = {{sh_bytes_of(self->model.fingerprint), false},
                                   {sh_bytes_of(self->after), false},
                                   {sh_bytes_of(limit), false}};
    entry_feed_run(
        self, &(struct sh_pg_step){&entry_page, params, SH_COUNT(params), true}, on_page);
}

/* --- changes ---------------------------------------------------------------------- */

static void on_changes(void *arg, const struct sh_pg_reply *reply)
{
    struct entry_feed *self = arg;
    const PGresult *rows;
    bool first = self->position[0] == '\0';

    if (!entry_feed_came(self, reply))
        return;
    rows = reply->results[0];
    self->failing = false;
    if (!first && strcmp(PQgetvalue(rows, 0, 1), "true") == 0) {
        sh_warning(NULL, "changes of the glossary were lost, its vectors are read anew");
        forget(self);
        entry_feed_rest(self, 0);
        return;
    }
    for (int row = 0; row < PQntuples(rows); row++)
        if (!PQgetisnull(rows, row, 2) &&
            !entry_names_add(&self->changed, entry_feed_cell(rows, row, 2))) {
            forget(self);
            entry_feed_fail(self, "out of memory");
            return;
        }
    (void)snprintf(self->position, sizeof(self->position), "%s", PQgetvalue(rows, 0, 0));
    entry_feed_rest(
        self, first || self->changed.count > 0 || self->bare.count > 0 ? 0 : LOOK_MS);
}

void entry_feed_look(struct entry_feed *self)
{
    struct sh_pg_param param = {sh_bytes_of(self->position), false};

    entry_feed_run(self, &(struct sh_pg_step){&entry_changes, &param, 1, false},
                   on_changes);
}

static void on_changed(void *arg, const struct sh_pg_reply *reply)
{
    struct entry_feed *self = arg;
    size_t some = entry_names_some(&self->changed);

    if (!entry_feed_came(self, reply))
        return;
    for (size_t i = self->changed.count - some; i < self->changed.count; i++)
        entry_set_remove(self->held->set, sh_bytes_of(self->changed.items[i]));
    entry_names_drop(&self->changed, some);
    if (put_rows(self, reply->results[0]) != SH_OK)
        forget(self);
    entry_feed_rest(self, 0);
}

static void ask_of(struct entry_feed *self, const struct names *names,
                   sh_pg_done_fn *done)
{
    struct sh_buffer ids = {0};

    entry_names_array(names, &ids);
    struct sh_pg_param params[] = {{sh_bytes_of(self->model.fingerprint), false},
                                   sh_pg_array_param(&ids)};
    if (ids.err == SH_OK)
        entry_feed_run(
            self, &(struct sh_pg_step){&entry_of_ids, params, SH_COUNT(params), true},
            done);
    else
        entry_feed_fail(self, "out of memory");
    sh_buffer_free(&ids);
}

/* --- what is next ----------------------------------------------------------------- */

static void on_any(void *arg, const struct sh_pg_reply *reply)
{
    struct entry_feed *self = arg;

    if (!entry_feed_came(self, reply))
        return;
    self->wanted = self->wanted || strcmp(PQgetvalue(reply->results[0], 0, 0), "t") == 0;
    self->failing = false;
    entry_feed_rest(self, self->wanted ? 0 : 10 * LOOK_MS);
}

static bool is_worn(const struct entry_set *set)
{
    return entry_set_dead(set) > DEAD_MOST && entry_set_dead(set) > entry_set_count(set);
}

static void step(struct entry_feed *self)
{
    const struct model *model = model_current(self->options.model);

    self->busy = true;
    if (!self->wanted) {
        entry_feed_run(self, &(struct sh_pg_step){&entry_any, NULL, 0, false}, on_any);
        return;
    }
    if (model->dimension == 0) {
        entry_feed_rest(self, LOOK_MS);
        return;
    }
    if (self->held == NULL || !model_same(&self->model, model) ||
        (self->loaded && is_worn(self->held->set))) {
        enum sh_err err = begin(self, model);
        if (err != SH_OK) {
            entry_feed_fail(self, sh_err_text(err));
            return;
        }
    }
    /* Before the first page the feed looks where it stands: what changes while pages are
     * read is seen to afterwards. */
    if (self->position[0] != '\0' && !self->loaded)
        load(self);
    else if (self->changed.count > 0)
        ask_of(self, &self->changed, on_changed);
    else if (self->bare.count > 0 && sh_rpc_client_ready(self->options.embedder) > 0)
        ask_of(self, &self->bare, entry_feed_make);
    else
        entry_feed_look(self);
}

struct held_entries *entry_feed_hold(struct entry_feed *self, const struct model *model,
                                     bool *complete)
{
    bool fits = self->held != NULL && model_same(&self->model, model);

    if (!self->wanted) {
        self->wanted = true;
        if (!self->busy)
            uv_timer_start(&self->timer, on_timer, 0, 0);
    }
    *complete = fits && self->loaded && self->bare.count == 0 &&
                self->changed.count == 0 && self->embedding == NULL;
    if (!fits)
        return NULL;
    self->held->users++;
    return self->held;
}

/* --- life ------------------------------------------------------------------------- */

enum sh_err entry_feed_create(uv_loop_t *loop, const struct entry_feed_options *options,
                              struct entry_feed **out)
{
    struct entry_feed *self = sh_alloc(sizeof(*self));

    *out = self;
    if (self == NULL)
        return SH_NOMEM;
    self->options = *options;
    uv_timer_init(loop, &self->timer); /* cannot fail */
    self->timer.data = self;
    uv_timer_start(&self->timer, on_timer, 0, 0);
    return SH_OK;
}

void entry_feed_close(struct entry_feed **self_in)
{
    struct entry_feed *self = *self_in;

    *self_in = NULL;
    if (self == NULL)
        return;
    self->closing = true;
    uv_timer_stop(&self->timer);
    if (self->embedding != NULL) {
        embed_cancel(&self->embedding);
        self->busy = false;
    }
    if (!self->busy)
        uv_close((uv_handle_t *)&self->timer, on_closed);
}
