/* dump: the database as one stream of a set: pg_dump's custom format, and what is counted
 * in the very snapshot that it dumps. One thread beside the caller's, within the call. */
#ifndef BACKUP_DUMP_H
#define BACKUP_DUMP_H

#include <libpq-fe.h>

#include "services/backup/run/work.h"

/* Puts "database" and "facts" into the manifest, "database" and "golden" into its
 * streams; *files: the originals that the snapshot refers to, "HASH SIZE" strings, the
 * caller's. Errors: as create_set(). */
SH_CHECK enum sh_err dump_database(struct work *work, int folder, json_t *manifest,
                                   json_t **files);

/* What other copies of a database need, too. SH_CONFLICT: another replica makes one; held
 * as long as the connection. */
SH_CHECK enum sh_err dump_one_at_a_time(struct work *work, PGconn *conn);
/* The originals that documents refer to in the connection's snapshot. */
SH_CHECK enum sh_err dump_list_files(struct work *work, PGconn *conn, json_t **files);
/* The stream "golden". */
SH_CHECK enum sh_err dump_save_golden(struct work *work, int folder, json_t *manifest,
                                      const json_t *golden);

#endif
