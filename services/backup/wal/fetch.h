/* fetch: the stored log that belongs to a physical set, from a place into BACKUP_DIR. One
 * thread. */
#ifndef BACKUP_WAL_FETCH_H
#define BACKUP_WAL_FETCH_H

#include "services/backup/place/post.h"

/* What is here already is not fetched again; of other kinds of sets there is nothing to
 * fetch. *files: how many were. Errors: those of the place, SH_IO, SH_MALFORMED. */
SH_CHECK enum sh_err log_fetch(struct work *work, struct post *post, const char *id,
                               uint64_t *files);

#endif
