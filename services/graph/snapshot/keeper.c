#include "services/graph/snapshot/keeper.h"

#include <errno.h>
#include <string.h>

#include "services/graph/snapshot/snapshot.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/metrics.h"
#include "shared/snapshots.h"

static struct sh_family loads_total = {
    .kind = SH_COUNTER,
    .name = "cairn_graph_snapshot_loads_total",
    .help = "Attempts to start from a snapshot of the graph, by what came of them.",
    .labels = {"outcome"}};
static struct sh_family saves_total = {.kind = SH_COUNTER,
                                       .name = "cairn_graph_snapshot_saves_total",
                                       .help = "Snapshots of the graph written.",
                                       .labels = {"status"}};

struct keeper {
    struct sh_workers *writer;
    struct sh_snapshots *snapshots; /* NULL: nothing is kept; while busy the writer's */
    bool busy;
    struct sh_work work;
    struct held_graph *held;
    struct sh_note note;
    enum sh_err err;
    double took_s;
    double save_s;
    /* loading */
    struct sh_record_state record;
    const char *names;
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
    if (keeper == NULL)
        return SH_NOMEM;
    keeper->writer = writer;
    if (dir == NULL || dir[0] == '\0')
        return SH_OK;
    enum sh_err err = sh_snapshots_open(dir, &keeper->snapshots);
    if (err == SH_BUSY)
        sh_warning(NULL, "no snapshots: another process keeps its own in %s", dir);
    else if (err != SH_OK)
        sh_warning(NULL, "no snapshots: %s cannot be used: %s", dir,
                   err == SH_IO ? strerror(errno) : sh_err_text(err));
    return SH_OK;
}

void keeper_close(struct keeper **keeper)
{
    if (*keeper == NULL)
        return;
    sh_snapshots_close(&(*keeper)->snapshots);
    sh_buffer_free(&(*keeper)->text);
    sh_free(*keeper);
    *keeper = NULL;
}

bool keeper_works(const struct keeper *keeper)
{
    return keeper->snapshots != NULL;
}

bool keeper_busy(const struct keeper *keeper)
{
    return keeper->busy;
}

double keeper_save_s(const struct keeper *keeper)
{
    return keeper->save_s;
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

/* Errors: as snapshot_load(); SH_CONFLICT: it is of no use, `outcome` says why. */
static enum sh_err load(struct keeper *keeper, const char *path)
{
    char note[SNAPSHOT_NOTE + 1];
    enum sh_err err = snapshot_peek(path, note);
    if (err == SH_OK && !sh_note_read(note, &keeper->note))
        err = SH_MALFORMED;
    if (err != SH_OK)
        return err == SH_NOTFOUND ? SH_MALFORMED : err;
    keeper->outcome = sh_note_refused(&keeper->note, &keeper->record);
    if (keeper->outcome != NULL)
        return SH_CONFLICT;
    return snapshot_load(keeper->held->graph, path);
}

/* A graph that a bad snapshot was read into is good for nothing. */
static enum sh_err anew(struct keeper *keeper)
{
    held_release(keeper->held);
    keeper->held = NULL;
    return held_new(keeper->names, &keeper->held);
}

/* False: there may be an older one. */
static bool try_newest(struct keeper *keeper)
{
    char path[SH_SNAPSHOTS_PATH];
    enum sh_err err = sh_snapshots_newest(keeper->snapshots, path);
    if (err != SH_OK) {
        if (keeper->outcome == NULL)
            keeper->outcome = err == SH_NOTFOUND ? "none" : "failed";
        keeper->err = err;
        return true;
    }
    err = load(keeper, path);
    if (err == SH_MALFORMED) {
        sh_warning(NULL,
                   "the snapshot %s is corrupt, or of another version; it is set aside",
                   path);
        keeper->outcome = "corrupt";
        keeper->err = err;
        return sh_snapshots_set_aside(keeper->snapshots) != SH_OK ||
               anew(keeper) != SH_OK;
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
    uint64_t began_us = sh_now_us();
    keeper->outcome = NULL;
    keeper->err = anew(keeper);
    if (keeper->err == SH_OK)
        while (!try_newest(keeper))
            ;
    keeper->took_s = (double)(sh_now_us() - began_us) / 1e6;
}

static void on_loaded(struct sh_work *work, enum sh_err err)
{
    struct keeper *keeper = SH_CONTAINER_OF(work, struct keeper, work);
    struct held_graph *held = keeper->held;
    keeper->held = NULL;
    keeper->busy = false;
    if (err == SH_OK && keeper->outcome != NULL) {
        sh_count(&loads_total, keeper->outcome);
        sh_info(NULL, "snapshot: %s (%.3f s)", keeper->outcome, keeper->took_s);
    }
    if (err != SH_OK || keeper->err != SH_OK) {
        held_release(held);
        held = NULL;
    }
    keeper->loaded(keeper->arg, held, &keeper->note);
}

enum sh_err keeper_load(struct keeper *keeper, const struct sh_record_state *record,
                        const char *names, keeper_loaded_fn *done, void *arg)
{
    if (keeper->snapshots == NULL)
        return SH_UNAVAILABLE;
    if (keeper->busy)
        return SH_BUSY;
    keeper->record = *record;
    keeper->names = names;
    keeper->loaded = done;
    keeper->arg = arg;
    return submit(keeper, run_load, on_loaded);
}

/* --- saving --------------------------------------------------------------------------
 */

static enum sh_err save(const struct keeper *keeper, const char *path)
{
    const struct caller everything = {.schema = 0};
    struct graph_reader reader;
    enum sh_err err = graph_enter(keeper->held->graph, &everything, &reader);
    if (err != SH_OK)
        return err;
    err = snapshot_save(&reader, keeper->text.data, path);
    graph_leave(&reader);
    return err;
}

static void run_save(struct sh_work *work)
{
    struct keeper *keeper = SH_CONTAINER_OF(work, struct keeper, work);
    char path[SH_SNAPSHOTS_PATH];
    uint64_t began_us = sh_now_us();
    enum sh_err err = sh_snapshots_begin(keeper->snapshots, path);
    if (err == SH_OK)
        err = save(keeper, path);
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
    held_release(keeper->held);
    keeper->held = NULL;
    if (err == SH_OK)
        err = keeper->err;
    if (err == SH_OK) {
        keeper->save_s = keeper->took_s;
        sh_info(NULL, "snapshot: written (%.3f s)", keeper->took_s);
    } else if (err != SH_CANCELED) {
        sh_warning(NULL, "the snapshot cannot be written: %s", sh_err_text(err));
    }
    sh_count(&saves_total, err == SH_OK ? "ok" : "failed");
    keeper->saved(keeper->arg, err);
}

enum sh_err keeper_save(struct keeper *keeper, struct held_graph *held,
                        const struct sh_note *note,
                        void (*done)(void *arg, enum sh_err err), void *arg)
{
    if (keeper->snapshots == NULL)
        return SH_UNAVAILABLE;
    if (keeper->busy)
        return SH_BUSY;
    sh_buffer_clear(&keeper->text);
    sh_note_write(note, &keeper->text);
    if (keeper->text.err != SH_OK)
        return keeper->text.err;
    keeper->saved = done;
    keeper->arg = arg;
    keeper->held = held;
    enum sh_err err = submit(keeper, run_save, on_saved);
    if (err == SH_OK)
        held->users++;
    else
        keeper->held = NULL;
    return err;
}
