/* snapshots: the directory that a replica keeps the snapshots of its view in:
 *   lock            held as long as the process lives
 *   next/           is being written
 *   snapshot-<n>/   whole; the greatest n is the newest
 *   corrupt-<n>/    was refused; the last one is kept for whoever wants to know why
 * Other files are not touched; rows of the vectors are there. One thread at a time. */
#ifndef SEARCH_SNAPSHOTS_H
#define SEARCH_SNAPSHOTS_H

#include <limits.h>

#include "shared/err.h"

struct snapshots;

enum { SNAPSHOTS_PATH = PATH_MAX };

/* Makes the directory when it is not there, and takes its lock. Errors: SH_BUSY (another
 * process has it), SH_IO (errno says why), SH_NOMEM, SH_TOOBIG (the path). */
SH_CHECK enum sh_err snapshots_open(const char *dir, struct snapshots **out);
void snapshots_close(struct snapshots **self);

/* The newest one's directory. Errors: SH_NOTFOUND, SH_IO. */
SH_CHECK enum sh_err snapshots_newest(const struct snapshots *self,
                                      char path[SNAPSHOTS_PATH]);
/* An empty directory to write the next one in. Errors: SH_IO. */
SH_CHECK enum sh_err snapshots_begin(struct snapshots *self, char path[SNAPSHOTS_PATH]);
/* What was written there, and is on the disk, is the newest from now on; older ones go.
 * Errors: SH_IO (nothing has changed). */
SH_CHECK enum sh_err snapshots_commit(struct snapshots *self);
/* What was written there goes. */
void snapshots_abandon(struct snapshots *self);
/* The newest one is no good: it is kept as corrupt-<n>. Errors: SH_IO: it is still there.
 */
SH_CHECK enum sh_err snapshots_set_aside(struct snapshots *self);
/* The newest one is of no use any more. */
void snapshots_drop(struct snapshots *self);

#endif
