/* snapshots: the directory that a replica keeps the snapshots of its view in:
 *   lock            held as long as the process lives
 *   next/           is being written
 *   snapshot-<n>/   whole; the greatest n is the newest
 *   corrupt-<n>/    was refused; the last one is kept for whoever wants to know why
 * Other files are not touched; rows of the vectors are there. One thread at a time. */
#ifndef SHARED_SNAPSHOTS_H
#define SHARED_SNAPSHOTS_H

#include <limits.h>

#include "shared/err.h"

struct sh_snapshots;

enum { SH_SNAPSHOTS_PATH = PATH_MAX };

/* Makes the directory when it is not there, and takes its lock. Errors: SH_BUSY (another
 * process has it), SH_IO (errno says why), SH_NOMEM, SH_TOOBIG (the path). */
SH_CHECK enum sh_err sh_snapshots_open(const char *dir, struct sh_snapshots **out);
void sh_snapshots_close(struct sh_snapshots **self);

/* The newest one's directory. Errors: SH_NOTFOUND, SH_IO. */
SH_CHECK enum sh_err sh_snapshots_newest(const struct sh_snapshots *self,
                                         char path[SH_SNAPSHOTS_PATH]);
/* An empty directory to write the next one in. Errors: SH_IO. */
SH_CHECK enum sh_err sh_snapshots_begin(struct sh_snapshots *self,
                                        char path[SH_SNAPSHOTS_PATH]);
/* What was written there, and is on the disk, is the newest from now on; older ones go.
 * Errors: SH_IO (nothing has changed). */
SH_CHECK enum sh_err sh_snapshots_commit(struct sh_snapshots *self);
/* What was written there goes. */
void sh_snapshots_abandon(struct sh_snapshots *self);
/* The newest one is no good: it is kept as corrupt-<n>. Errors: SH_IO: it is still there.
 */
SH_CHECK enum sh_err sh_snapshots_set_aside(struct sh_snapshots *self);
/* The newest one is of no use any more. */
void sh_snapshots_drop(struct sh_snapshots *self);

#endif
