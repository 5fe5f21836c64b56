#include "services/search/feed/keeper.h"

#include <errno.h>
#include <string.h>

#include "services/search/view/view_snapshot.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/metrics.h"
#include "shared/snapshots.h"

static struct sh_family loads_total = {
    .kind = SH_COUNTER,
    .name = "cairn_search_snapshot_loads_total",
    .help = "Attempts to start from a snapshot of the view, by what came of them.",
    .labels = {"outcome"}};
static struct sh_family saves_total = {.kind = SH_COUNTER,
                                       .name = "cairn_search_snapshot_saves_total",
                                       .help = "Snapshots of the view written.",
                                       .labels = {"status"}};
static struct sh_family load_gauge = {.kind = SH_GAUGE,
                                      .name = "cairn_search_snapshot_load_seconds",
                                      .help = "How long loading the snapshot took."};
static struct sh_family save_gauge = {
    .kind = SH_GAUGE,
    .name = "cairn_search_snapshot_save_seconds",
    .help = "How long writing the last snapshot took; changes wait meanwhile."};
static struct sh_family saved_gauge = {
    .kind = SH_GAUGE,
    .name = "cairn_search_snapshot_saved_timestamp_seconds",
    .help = "Unix time of the last snapshot that this process has written."};

struct keeper {
    struct sh_workers *writer;
    struct sh_snapshots *snapshots; /* NULL: nothing is kept; while busy the writer's */
    char *rows;
    struct keeper_state state;
    bool busy;
    struct sh_work work;
    struct held_view *view;
    struct sh_note note;
    enum sh_err err;
    uint64_t began_us;
    double took_s;
    /* loading */
    const struct view_options *options;
    struct sh_record_state record;
    struct model model;
    const char *outcome;
    keeper_loaded_fn *loaded;
    /* saving */
    struct sh_buffer text;
    void (*saved)(void *arg, enum sh_err err);
    void *arg;
};

/* --- life ----------------------------------------------------------------------------
 */

enum sh_err keeper_create(const char *dir, struct sh_workers *writer, struct keeper **out)
{
    struct keeper *keeper = sh_alloc(sizeof(*keeper));
    *out = keeper;
    if (!keeper)
        return SH_NOMEM;
    keeper->writer = writer;
    keeper->state.loaded = "";
    if (!dir || dir[0] == '\0')
        return SH_OK;
    enum sh_err err = sh_snapshots_open(dir, &keeper->snapshots);
    if (err == SH_OK) {
        vector_index_clean(dir);
        keeper->rows = sh_strdup(dir);
        return keeper->rows ? SH_OK : SH_NOMEM;
    }
    if (err == SH_BUSY)
        sh_warning(NULL, "no snapshots: another process keeps its own in %s", dir);
    else if (err != SH_OK)
        sh_warning(NULL, "no snapshots: %s cannot be used: %s", dir,
                   err == SH_IO ? strerror(errno) : sh_err_text(err));
    return SH_OK;
}

void keeper_close(struct keeper **keeper)
{
    if (!*keeper)
        return;
    sh_snapshots_close(&(*keeper)->snapshots);
    sh_buffer_free(&(*keeper)->text);
    sh_free((*keeper)->rows);
    sh_free(*keeper);
    *keeper = NULL;
}

bool keeper_works(const struct keeper *keeper)
{
    return keeper->snapshots != NULL;
}

const char *keeper_rows(const struct keeper *keeper)
{
    return keeper->rows;
}

bool keeper_busy(const struct keeper *keeper)
{
    return keeper->busy;
}

struct keeper_state keeper_state(const struct keeper *keeper)
{
    return keeper->state;
}

static enum sh_err submit(struct keeper *keeper, void (*run)(struct sh_work *),
                          void (*done)(struct sh_work *, enum sh_err))
{
    keeper->work = (struct sh_work){.run = run, .done = done};
    enum sh_err err = sh_workers_submit(keeper->writer, &keeper->work);
    keeper->busy = err == SH_OK;
    return err;
}

/* --- loading -------------------------------------------------------------------------
 */

/* What can be told before the snapshot itself is looked at. Errors: as
 * view_snapshot_peek(); SH_CONFLICT: it is of no use, `outcome` says why. */
static enum sh_err check(struct keeper *keeper, const char *path)
{
    struct view_snapshot_about about;
    enum sh_err err = view_snapshot_peek(path, &about);
    if (err != SH_OK)
        return err == SH_NOTFOUND ? SH_MALFORMED : err;
    if (!sh_note_read(about.note, &keeper->note))
        return SH_MALFORMED;
    keeper->outcome = sh_note_refused(&keeper->note, &keeper->record);
    if (!keeper->outcome && (strcmp(about.fingerprint, keeper->model.fingerprint) != 0 ||
                             about.dimension != keeper->model.dimension))
        keeper->outcome = "model";
    return keeper->outcome ? SH_CONFLICT : SH_OK;
}

static enum sh_err load(struct keeper *keeper, const char *path)
{
    const struct view_model model = {keeper->model.fingerprint, keeper->model.dimension,
                                     keeper->model.alpha};
    enum sh_err err = held_new(keeper->options, &keeper->view);
    if (err == SH_OK)
        err = view_snapshot_load(keeper->view->view, &model, path);
    if (err != SH_OK) {
        held_release(keeper->view);
        keeper->view = NULL;
    }
    if (err == SH_CONFLICT)
        keeper->outcome = "vectors";
    return err;
}

/* False: there may be an older one. */
static bool try_newest(struct keeper *keeper)
{
    char path[SH_SNAPSHOTS_PATH];
    enum sh_err err = sh_snapshots_newest(keeper->snapshots, path);
    if (err != SH_OK) {
        if (!keeper->outcome)
            keeper->outcome = err == SH_NOTFOUND ? "none" : "failed";
        return true;
    }
    err = check(keeper, path);
    if (err == SH_OK)
        err = load(keeper, path);
    if (err == SH_MALFORMED) {
        sh_warning(NULL,
                   "the snapshot %s is corrupt, or of another version; it is set "
                   "aside",
                   path);
        keeper->outcome = "corrupt";
        return sh_snapshots_set_aside(keeper->snapshots) != SH_OK;
    }
    if (err == SH_CONFLICT)
        sh_snapshots_drop(keeper->snapshots);
    else
        keeper->outcome = err == SH_OK ? "loaded" : "failed";
    keeper->err = err;
    return true;
}

static void run_load(struct sh_work *work)
{
    struct keeper *keeper = SH_CONTAINER_OF(work, struct keeper, work);
    keeper->outcome = NULL;
    while (!try_newest(keeper))
        ;
    keeper->took_s = (double)(sh_now_us() - keeper->began_us) / 1e6;
}

static void on_loaded(struct sh_work *work, enum sh_err err)
{
    struct keeper *keeper = SH_CONTAINER_OF(work, struct keeper, work);
    struct held_view *view = keeper->view;
    keeper->view = NULL;
    keeper->busy = false;
    if (err == SH_OK) {
        keeper->state.loaded = keeper->outcome;
        keeper->state.load_s = view ? keeper->took_s : 0;
        sh_count(&loads_total, keeper->outcome);
        sh_series_set(sh_series(&load_gauge, NULL), keeper->state.load_s);
        sh_info(NULL, "snapshot: %s (%.3f s)", keeper->outcome, keeper->took_s);
    }
    keeper->loaded(keeper->arg, view, &keeper->note);
}

enum sh_err keeper_load(struct keeper *keeper, const struct sh_record_state *record,
                        const struct model *model, const struct view_options *options,
                        keeper_loaded_fn *done, void *arg)
{
    if (!keeper->snapshots)
        return SH_UNAVAILABLE;
    if (keeper->busy)
        return SH_BUSY;
    keeper->record = *record;
    keeper->model = *model;
    keeper->options = options;
    keeper->loaded = done;
    keeper->arg = arg;
    keeper->began_us = sh_now_us();
    return submit(keeper, run_load, on_loaded);
}

/* --- saving --------------------------------------------------------------------------
 */

static void run_save(struct sh_work *work)
{
    struct keeper *keeper = SH_CONTAINER_OF(work, struct keeper, work);
    char path[SH_SNAPSHOTS_PATH];
    uint64_t began_us = sh_now_us();
    enum sh_err err = sh_snapshots_begin(keeper->snapshots, path);
    if (err == SH_OK)
        err = view_snapshot_save(keeper->view->view, keeper->text.data, path);
    if (err == SH_OK)
        err = sh_snapshots_commit(keeper->snapshots);
    if (err != SH_OK)
        sh_snapshots_abandon(keeper->snapshots);
    keeper->err = err;
    keeper->took_s = (double)(sh_now_us() - began_us) / 1e6;
}

static void on_saved(struct sh_work *work, enum sh_err err)
{
    struct keeper *keeper = SH_CONTAINER_OF(work, struct keeper, work);
    keeper->busy = false;
    held_release(keeper->view);
    keeper->view = NULL;
    if (err == SH_OK)
        err = keeper->err;
    if (err == SH_OK) {
        keeper->state.save_s = keeper->took_s;
        keeper->state.saved_at = sh_wall_time();
        sh_series_set(sh_series(&save_gauge, NULL), keeper->took_s);
        sh_series_set(sh_series(&saved_gauge, NULL), keeper->state.saved_at);
    } else if (err != SH_CANCELED) {
        keeper->state.failures++;
        sh_warning(NULL, "the snapshot cannot be written: %s", sh_err_text(err));
    }
    sh_count(&saves_total, err == SH_OK ? "ok" : "failed");
    keeper->saved(keeper->arg, err);
}

enum sh_err keeper_save(struct keeper *keeper, struct held_view *view,
                        const struct sh_note *note,
                        void (*done)(void *arg, enum sh_err err), void *arg)
{
    if (!keeper->snapshots)
        return SH_UNAVAILABLE;
    if (keeper->busy)
        return SH_BUSY;
    sh_buffer_clear(&keeper->text);
    sh_note_write(note, &keeper->text);
    if (keeper->text.err != SH_OK)
        return keeper->text.err;
    keeper->saved = done;
    keeper->arg = arg;
    keeper->view = view;
    enum sh_err err = submit(keeper, run_save, on_saved);
    if (err == SH_OK)
        view->users++;
    else
        keeper->view = NULL;
    return err;
}
