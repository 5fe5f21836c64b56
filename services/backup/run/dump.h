/* dump: the database as one stream of a set: pg_dump's custom format, and what is counted
 * in the very snapshot that it dumps. One thread beside the caller's, within the call. */
#ifndef BACKUP_DUMP_H
#define BACKUP_DUMP_H

#include "services/backup/run/work.h"

/* Puts "database" and "facts" into the manifest, "database" and "golden" into its
 * streams; *files: the originals that the snapshot refers to, "HASH SIZE" strings, the
 * caller's. Errors: as create_set(). */
SH_CHECK enum sh_err dump_database(struct work *work, int folder, json_t *manifest,
                                   json_t **files);

#endif
