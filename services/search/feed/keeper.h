/* keeper: keeps snapshots of the view on disk, and finds the newest good one at the
 * start. Both happen on the thread that changes the view; searches go on. Whatever goes
 * wrong is logged and counted, and the view then comes from the record. Loop thread only.
 */
#ifndef SEARCH_KEEPER_H
#define SEARCH_KEEPER_H

#include "services/search/feed/held.h"
#include "services/search/ingest/model.h"
#include "shared/note.h"
#include "shared/workers.h"

struct keeper;

/* `dir` "" or NULL: nothing is kept. A directory that cannot be used is the same, with a
 * warning. `writer` is the one thread that changes the view. Errors: SH_NOMEM. */
SH_CHECK enum sh_err keeper_create(const char *dir, struct sh_workers *writer,
                                   struct keeper **out);
/* Nothing is under way. */
void keeper_close(struct keeper **keeper);
/* The directory is there and ours. */
bool keeper_works(const struct keeper *keeper);
/* The directory for the rows of the view's vectors; NULL: in memory. */
const char *keeper_rows(const struct keeper *keeper);
bool keeper_busy(const struct keeper *keeper);

/* `view` NULL: there is no snapshot that can be followed; else the caller's. `note` is
 * lent.
 */
typedef void keeper_loaded_fn(void *arg, struct held_view *view,
                              const struct sh_note *note);
/* `done` once, never from inside this call; `options` are borrowed until then. Errors:
 * SH_UNAVAILABLE (nothing is kept), SH_BUSY; `done` is then never called. */
SH_CHECK enum sh_err keeper_load(struct keeper *keeper,
                                 const struct sh_record_state *record,
                                 const struct model *model,
                                 const struct view_options *options,
                                 keeper_loaded_fn *done, void *arg);

/* `done` once, never from inside this call; the view is held until then. Errors:
 * SH_UNAVAILABLE, SH_BUSY, SH_NOMEM; `done` is then never called. */
SH_CHECK enum sh_err keeper_save(struct keeper *keeper, struct held_view *view,
                                 const struct sh_note *note,
                                 void (*done)(void *arg, enum sh_err err), void *arg);

struct keeper_state {
    const char *loaded; /* what came of loading: "", "loaded", "none", "corrupt",
                           "database", "trimmed", "model", "vectors", "failed" */
    double load_s;
    double saved_at; /* Unix time, 0: not by this process */
    double save_s;
    uint64_t failures; /* to save */
};
struct keeper_state keeper_state(const struct keeper *keeper);

#endif
