/* coverage: whether the newest physical set of a server and the stored log make one
 * whole. One thread. */
#ifndef BACKUP_COVERAGE_H
#define BACKUP_COVERAGE_H

#include "services/backup/wal/chain.h"

struct coverage {
    bool base; /* there is such a set; without one the log is of no use */
    uint64_t missing;
    char first_missing[SEGMENT_NAME];
};

void coverage_look(struct work *work, const char *system, struct coverage *out);

/* Segments that no physical set needs that stays, of all servers: those whose ids are
 * members of `leaving` do not count. *removed: how many; `dry`: only counted. Where a
 * manifest cannot be read, nothing is removed. Errors: SH_IO, SH_NOMEM, SH_CANCELED. */
SH_CHECK enum sh_err coverage_prune(struct work *work, const json_t *leaving, bool dry,
                                    uint64_t *removed);

#endif
