/* drill: a physical set proves itself: unpacked, checked against pg_basebackup's
 * manifest, recovered by a private PostgreSQL, and compared as recovered.h says. One
 * thread. */
#ifndef BACKUP_PHYSICAL_DRILL_H
#define BACKUP_PHYSICAL_DRILL_H

#include "services/backup/run/work.h"

/* `until` and `report` as of recovered.h; `result` gets "log", too. Errors: those of
 * recovered_choose() and recovered_start(). */
SH_CHECK enum sh_err physical_drill(struct work *work, int folder, const json_t *manifest,
                                    const char *until, json_t *report);
/* Without restoring: the stream can be read, and the stored log behind the set has no
 * gap. report: {"problems":[…],"result":{…}}. */
SH_CHECK enum sh_err physical_check(struct work *work, int folder, const json_t *manifest,
                                    bool open, json_t *report);

/* Into a directory that is new or empty: recovered, stopped, and ready to be started.
 * *result: {"id","directory","recovered"}, the caller's. Errors: SH_CONFLICT:
 * something is in the directory. */
SH_CHECK enum sh_err physical_restore(struct work *work, const char *id,
                                      const char *directory, const char *until,
                                      json_t **result);

#endif
