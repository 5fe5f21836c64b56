/* drill: a physical set proves itself: unpacked, checked against pg_basebackup's
 * manifest, recovered by a private PostgreSQL, and compared with what was counted when it
 * was made. Where recovery ends at the very position at which was counted, the numbers
 * must be equal; anywhere else they are told, and only tables, vectors, indexes and
 * passages that are not there at all count against the set. One thread. */
#ifndef BACKUP_PHYSICAL_DRILL_H
#define BACKUP_PHYSICAL_DRILL_H

#include "services/backup/run/work.h"

/* `until`: as until.h; "": where the numbers can be compared. `problems` gets sentences
 * about the set, `result` "recovered", "found", "log" and "counts" (equal or about).
 * Errors: what is wrong with the machine, or with `until` (SH_NOTFOUND, SH_INVALID);
 * those of load_into() and recover.h, which are about the set. */
SH_CHECK enum sh_err physical_drill(struct work *work, int folder, const json_t *manifest,
                                    const char *until, json_t *report);
/* Without restoring: the stream can be read, and the stored log behind the set has no
 * gap. report: {"problems":[…],"result":{…}}. */
SH_CHECK enum sh_err physical_check(struct work *work, int folder, const json_t *manifest,
                                    bool open, json_t *report);

/* Into a directory that is new or empty: recovered, stopped, and ready to be started.
 * *result: {"id","directory","recovered","steps":[…]}, the caller's. Errors: SH_CONFLICT:
 * something is in the directory. */
SH_CHECK enum sh_err physical_restore(struct work *work, const char *id,
                                      const char *directory, const char *until,
                                      json_t **result);

#endif
