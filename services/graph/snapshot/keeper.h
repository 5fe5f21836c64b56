/* keeper: keeps snapshots of the graph on disk, and finds the newest good one at the
 * start. Both happen on the thread that changes the graph; questions go on. Whatever goes
 * wrong is logged and counted, and the graph then comes from the record. Loop thread
 * only.
 */
#ifndef GRAPH_KEEPER_H
#define GRAPH_KEEPER_H

#include "services/graph/feed/held.h"
#include "shared/note.h"
#include "shared/workers.h"

struct keeper;

/* `dir` "" or NULL: nothing is kept. A directory that cannot be used is the same, with a
 * warning. `writer` is the one thread that changes the graph. Errors: SH_NOMEM. */
SH_CHECK enum sh_err keeper_create(const char *dir, struct sh_workers *writer,
                                   struct keeper **out);
/* Nothing is under way. NULL is fine. */
void keeper_close(struct keeper **keeper);
/* The directory is there and ours. */
bool keeper_works(const struct keeper *keeper);
bool keeper_busy(const struct keeper *keeper);
/* How long the last one took to write; 0: none was written yet. */
double keeper_save_s(const struct keeper *keeper);

/* `held` NULL: there is no snapshot that can be followed; else the caller's. `note` is
 * lent. */
typedef void keeper_loaded_fn(void *arg, struct held_graph *held,
                              const struct sh_note *note);
/* `done` once, never from inside this call; `names`, see held_new(), is borrowed until
 * then. Errors: SH_UNAVAILABLE (nothing is kept), SH_BUSY, SH_NOMEM; `done` is then never
 * called. */
SH_CHECK enum sh_err keeper_load(struct keeper *keeper,
                                 const struct sh_record_state *record, const char *names,
                                 keeper_loaded_fn *done, void *arg);

/* `done` once, never from inside this call; the graph is held until then. Errors: as
 * above. */
SH_CHECK enum sh_err keeper_save(struct keeper *keeper, struct held_graph *held,
                                 const struct sh_note *note,
                                 void (*done)(void *arg, enum sh_err err), void *arg);

#endif
