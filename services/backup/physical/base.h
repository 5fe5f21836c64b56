/* base: the files of a whole PostgreSQL server as one stream of a set: pg_basebackup's
 * tar with the log that it needs to be consistent (`--wal-method=fetch`), straight into
 * the pipeline. Meanwhile a temporary replication slot keeps that log on the server; it
 * ends with our connection, whatever becomes of us. One thread. */
#ifndef BACKUP_BASE_H
#define BACKUP_BASE_H

#include "services/backup/run/work.h"

/* Puts "database" (versions, system identifier, timeline, positions of the log) and
 * "facts" into the manifest, "base" and "golden" into its streams; *files: the originals
 * that the database refers to, "HASH SIZE" strings, the caller's. "facts_lsn" is the
 * position at which the facts hold; "facts_exact": no transaction was under way there;
 * "facts_alone": nothing was written since the copy began, so that they hold at its end,
 * too. Errors: as create_set(); SH_INVALID: the server has more than one tablespace. */
SH_CHECK enum sh_err base_save(struct work *work, int folder, json_t *manifest,
                               json_t **files);

#endif
