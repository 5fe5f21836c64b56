/* prune: removes the sets that no rule wants, and what only they had. One thread. */
#ifndef BACKUP_PRUNE_H
#define BACKUP_PRUNE_H

#include "services/backup/run/work.h"

/* `dry`: only says what would go. *result: {"kept":[{"id","reason"}],"removed":[…],
 * "originals_removed":n,"dry_run":b}, the caller's; with "originals_kept": why no
 * original was removed, where a list of them cannot be read. Which are needed is known
 * before the first set goes. Errors: SH_IO, SH_CANCELED, SH_NOMEM. A set whose manifest
 * cannot be read is never removed. */
SH_CHECK enum sh_err prune_sets(struct work *work, bool dry, json_t **result);
/* One set that somebody wants to be gone. `result` gets "originals_removed" and perhaps
 * "originals_kept". SH_CONFLICT: it is the last of its kind that was verified, or that
 * was restored to prove it, and stays unless `force`. */
SH_CHECK enum sh_err prune_one(struct work *work, const char *id, bool force,
                               json_t *result);

#endif
