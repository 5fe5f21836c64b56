#include "shared/snapshot_keeper.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <xxhash.h>

#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/snapshots.h"

enum { REST = 20 }; /* a snapshot that took a second is followed by so many without */

struct sh_keeper {
    struct sh_keeper_options options;
    struct sh_snapshots *snapshots; /* NULL: nothing is kept; while busy the writer's */
    char *dir;
    struct sh_record_state record; /* when it was last looked at */
    struct sh_keeper_state state;
    uv_timer_t regular;
    bool unsaved;      /* there are changes that no snapshot has */
    uint64_t saved_ms; /* when the last attempt ended */
    void (*drained)(void *arg);
    void *drained_arg;
    /* what is under way */
    bool busy;
    struct sh_work work;
    void *view;
    struct sh_note note;
    struct sh_buffer text; /* of the note */
    const char *outcome;   /* of loading */
    enum sh_err err;
    uint64_t began_us;
    double took_s;
};

static enum sh_err submit(struct sh_keeper *self, void (*run)(struct sh_work *),
                          void (*done)(struct sh_work *, enum sh_err))
{
    self->work = (struct sh_work){.run = run, .done = done};
    self->began_us = sh_now_us();
    enum sh_err err = sh_workers_submit(self->options.writer, &self->work);
    self->busy = err == SH_OK;
    return err;
}

/* --- the record ------------------------------------------------------------------- */

/* What is read of the record is part of what it is. */
static void take_record(struct sh_keeper *self, const PGresult *row)
{
    struct sh_record_state *record = &self->record;
    const char *identity = PQgetvalue(row, 0, 0);
    uint64_t reads = 0;

    for (size_t i = 0; i < SH_KEEPER_READS && self->options.reads[i] != NULL; i++)
        reads ^= XXH3_64bits(self->options.reads[i], strlen(self->options.reads[i]));
    record->horizon.xid = sh_pg_u64(row, 0, 1);
    record->horizon.seq = sh_pg_u64(row, 0, 2);
    record->after = sh_pg_u64(row, 0, 3);
    if (identity[0] != '\0')
        (void)snprintf(record->identity, sizeof(record->identity), "%.128s-%016llx",
                       identity, (unsigned long long)reads);
}

void sh_keeper_record(struct sh_keeper *self, const struct sh_pg_reply *reply)
{
    self->record = (struct sh_record_state){0};
    if (reply->err == SH_OK)
        take_record(self, reply->results[0]);
    else
        sh_warning(NULL, "no snapshots: the database does not say which one it is: %s",
                   reply->message);
}

/* --- from a snapshot -------------------------------------------------------------- */

/* Errors: as `load`. SH_CONFLICT: `outcome` says why. */
static enum sh_err load(struct sh_keeper *self, const char *path)
{
    const struct sh_keeper_options *options = &self->options;
    char note[SH_KEEPER_NOTE + 1];
    const char *refused = NULL;
    enum sh_err err = options->peek(options->arg, path, note, &refused);

    if (err == SH_OK && !sh_note_read(note, &self->note))
        err = SH_MALFORMED;
    if (err != SH_OK)
        return err == SH_NOTFOUND ? SH_MALFORMED : err;
    self->outcome = sh_note_refused(&self->note, &self->record);
    if (self->outcome == NULL)
        self->outcome = refused;
    if (self->outcome != NULL)
        return SH_CONFLICT;
    return options->load(options->arg, path, &self->view, &self->outcome);
}

/* False: there may be an older one. */
static bool try_newest(struct sh_keeper *self)
{
    char path[SH_SNAPSHOTS_PATH];
    enum sh_err err = sh_snapshots_newest(self->snapshots, path);

    if (err != SH_OK) {
        if (self->outcome == NULL)
            self->outcome = err == SH_NOTFOUND ? "none" : "failed";
        return true;
    }
    err = load(self, path);
    if (err == SH_MALFORMED) {
        sh_warning(NULL,
                   "the snapshot %s is corrupt, or of another version; it is set aside",
                   path);
        self->outcome = "corrupt";
        return sh_snapshots_set_aside(self->snapshots) != SH_OK;
    }
    if (err == SH_CONFLICT)
        sh_snapshots_drop(self->snapshots);
    else
        self->outcome = err == SH_OK ? "loaded" : "failed";
    return true;
}

static void run_load(struct sh_work *work)
{
    struct sh_keeper *self = SH_CONTAINER_OF(work, struct sh_keeper, work);

    while (!try_newest(self))
        ;
    self->took_s = (double)(sh_now_us() - self->began_us) / 1e6;
}

static void on_loaded(struct sh_work *work, enum sh_err err)
{
    struct sh_keeper *self = SH_CONTAINER_OF(work, struct sh_keeper, work);
    struct sh_keeper_metrics *metrics = self->options.metrics;
    void *view = self->view;

    self->view = NULL;
    self->busy = false;
    if (view != NULL)
        self->unsaved = false;
    if (err == SH_OK) {
        self->state.loaded = self->outcome;
        self->state.load_s = view != NULL ? self->took_s : 0;
        sh_count(&metrics->loads, self->outcome);
        sh_series_set(sh_series(&metrics->load_s, NULL), self->state.load_s);
        sh_info(NULL, "snapshot: %s (%.3f s)", self->outcome, self->took_s);
    }
    self->options.loaded(self->options.arg, view, &self->note);
}

enum sh_err sh_keeper_load(struct sh_keeper *self)
{
    if (self->snapshots == NULL || self->record.identity[0] == '\0')
        return SH_UNAVAILABLE;
    if (self->busy)
        return SH_BUSY;
    self->outcome = NULL;
    return submit(self, run_load, on_loaded);
}

/* --- to a snapshot ---------------------------------------------------------------- */

static void run_save(struct sh_work *work)
{
    struct sh_keeper *self = SH_CONTAINER_OF(work, struct sh_keeper, work);
    char path[SH_SNAPSHOTS_PATH];
    uint64_t began_us = sh_now_us(); /* the writer may have been busy before */
    enum sh_err err = sh_snapshots_begin(self->snapshots, path);

    if (err == SH_OK)
        err = self->options.save(self->options.arg, self->view, self->text.data, path);
    if (err == SH_OK)
        err = sh_snapshots_commit(self->snapshots);
    if (err != SH_OK)
        sh_snapshots_abandon(self->snapshots);
    self->err = err;
    self->took_s = (double)(sh_now_us() - began_us) / 1e6;
}

static void note_saved(struct sh_keeper *self, enum sh_err err)
{
    struct sh_keeper_metrics *metrics = self->options.metrics;

    if (err == SH_OK) {
        self->state.save_s = self->took_s;
        self->state.saved_at = sh_wall_time();
        sh_series_set(sh_series(&metrics->save_s, NULL), self->took_s);
        sh_series_set(sh_series(&metrics->saved_at, NULL), self->state.saved_at);
        sh_info(NULL, "snapshot: written (%.3f s)", self->took_s);
    } else if (err != SH_CANCELED) {
        self->state.failures++;
        sh_warning(NULL, "the snapshot cannot be written: %s", sh_err_text(err));
    }
    sh_count(&metrics->saves, err == SH_OK ? "ok" : "failed");
}

static void drained(struct sh_keeper *self)
{
    void (*done)(void *arg) = self->drained;

    self->drained = NULL;
    if (done != NULL)
        done(self->drained_arg);
}

static bool save(struct sh_keeper *self);

static void on_saved(struct sh_work *work, enum sh_err err)
{
    struct sh_keeper *self = SH_CONTAINER_OF(work, struct sh_keeper, work);

    self->busy = false;
    self->options.release(self->view);
    self->view = NULL;
    if (err == SH_OK)
        err = self->err;
    note_saved(self, err);
    self->saved_ms = sh_now_ms();
    self->unsaved = self->unsaved || err != SH_OK;
    self->options.saved(self->options.arg);
    if (self->drained != NULL && (err != SH_OK || !save(self)))
        drained(self);
}

static enum sh_err write_view(struct sh_keeper *self, const struct sh_note *note)
{
    sh_buffer_clear(&self->text);
    sh_note_write(note, &self->text);
    if (self->text.err != SH_OK)
        return self->text.err;
    return submit(self, run_save, on_saved);
}

/* False: there is nothing to do, or it cannot be done. */
static bool save(struct sh_keeper *self)
{
    struct sh_note note = {.sample = ""};

    if (self->snapshots == NULL || self->busy || !self->unsaved ||
        self->record.identity[0] == '\0')
        return false;
    self->view = self->options.next(self->options.arg, &note);
    if (self->view == NULL)
        return false;
    memcpy(note.identity, self->record.identity, sizeof(note.identity));
    if (write_view(self, &note) != SH_OK) {
        self->options.release(self->view);
        self->view = NULL;
        return false;
    }
    self->unsaved = false;
    return true;
}

static void on_regular(uv_timer_t *timer)
{
    struct sh_keeper *self = timer->data;
    double rest_ms = self->state.save_s * 1000 * REST;

    if (self->options.current(self->options.arg) &&
        (double)(sh_now_ms() - self->saved_ms) >= rest_ms)
        (void)save(self); /* or the next time */
}

void sh_keeper_changed(struct sh_keeper *self)
{
    self->unsaved = true;
}

void sh_keeper_save_first(struct sh_keeper *self)
{
    if (self->state.saved_at == 0)
        (void)save(self);
}

void sh_keeper_drain(struct sh_keeper *self, void (*done)(void *arg), void *arg)
{
    self->drained = done;
    self->drained_arg = arg;
    if (!self->busy && !save(self))
        drained(self);
}

struct sh_keeper_state sh_keeper_state(const struct sh_keeper *self)
{
    return self->state;
}

/* --- life ------------------------------------------------------------------------- */

static enum sh_err take_dir(struct sh_keeper *self, const char *dir)
{
    if (dir == NULL || dir[0] == '\0')
        return SH_OK;
    self->dir = sh_strdup(dir);
    if (self->dir == NULL)
        return SH_NOMEM;
    enum sh_err err = sh_snapshots_open(dir, &self->snapshots);
    if (err == SH_BUSY)
        sh_warning(NULL, "no snapshots: another process keeps its own in %s", dir);
    else if (err != SH_OK)
        sh_warning(NULL, "no snapshots: %s cannot be used: %s", dir,
                   err == SH_IO ? strerror(errno) : sh_err_text(err));
    return SH_OK;
}

enum sh_err sh_keeper_create(uv_loop_t *loop, const struct sh_keeper_options *options,
                             struct sh_keeper **out)
{
    struct sh_keeper *self = sh_alloc(sizeof(*self));
    enum sh_err err = SH_NOMEM;

    *out = NULL;
    if (self != NULL)
        err = take_dir(self, options->dir);
    if (err != SH_OK) {
        sh_free(self);
        return err;
    }
    self->options = *options;
    self->options.dir = NULL;
    self->state.loaded = "";
    uv_timer_init(loop, &self->regular); /* cannot fail */
    self->regular.data = self;
    uint64_t every_ms = (uint64_t)options->every_s * 1000;
    if (self->snapshots != NULL && every_ms > 0)
        uv_timer_start(&self->regular, on_regular, every_ms, every_ms);
    *out = self;
    return SH_OK;
}

void sh_keeper_stop(struct sh_keeper *self)
{
    uv_timer_stop(&self->regular);
}

static void on_closed(uv_handle_t *handle)
{
    struct sh_keeper *self = handle->data;

    sh_free(self->dir);
    sh_buffer_free(&self->text);
    sh_free(self);
}

void sh_keeper_close(struct sh_keeper **self_p)
{
    struct sh_keeper *self = *self_p;

    *self_p = NULL;
    if (self == NULL)
        return;
    sh_snapshots_close(&self->snapshots);
    uv_close((uv_handle_t *)&self->regular, on_closed);
}

const char *sh_keeper_dir(const struct sh_keeper *self)
{
    return self->snapshots != NULL ? self->dir : NULL;
}

bool sh_keeper_busy(const struct sh_keeper *self)
{
    return self->busy;
}
