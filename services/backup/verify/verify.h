/* verify: whether a set is what it was, and whether it can be restored. What was found is
 * written into the set's manifest. One thread. */
#ifndef BACKUP_VERIFY_H
#define BACKUP_VERIFY_H

#include "services/backup/run/work.h"

/* Reads every byte again: checksums of all files, the originals, and, where it can be
 * opened, the archive by pg_restore. *result: {"id","ok","level","problems":[…], …}, the
 * caller's. `level` is what was looked at: "archive", or "checksums" where the private
 * key is not here or the set has no database. The manifest's "proven" (manifest.h) is the
 * best level by which the set was ever found good, until it is not. Errors: SH_NOTFOUND,
 * SH_IO, SH_CANCELED, SH_NOMEM; a set that is not good is no error: ok is false, and it
 * is marked as not verified. */
SH_CHECK enum sh_err verify_set(struct work *work, const char *id, json_t **result);
/* Restores it into a scratch PostgreSQL and compares: row counts, dimensions of vectors,
 * foreign keys, indexes, golden searches. `level`: "restored"; of a set without a
 * database "checksums". `until`: of a physical set, as physical/until.h; or "". */
SH_CHECK enum sh_err drill_set(struct work *work, const char *id, const char *until,
                               json_t **result);

#endif
