/* dump: the database as one stream of a set: pg_dump's custom format, and what is counted
 * in the very snapshot that it dumps. One thread beside the caller's, within the call. */
#ifndef BACKUP_DUMP_H
#define BACKUP_DUMP_H

#include <libpq-fe.h>

#include "services/backup/pipeline/pack.h"
#include "services/backup/run/work.h"

/* Puts "database" and "facts" into the manifest, "database" and "golden" into its
 * streams; *files: the originals that the snapshot refers to, "HASH SIZE" strings, the
 * caller's. Errors: as create_set(). */
SH_CHECK enum sh_err dump_database(struct work *work, int folder, json_t *manifest,
                                   json_t **files);

struct dump_order {
    const char *conninfo;
    const char *snapshot; /* that a connection exported; "": a new one */
    uint64_t size;        /* about what comes, for the progress; 0: not known */
};

/* The same bytes, given to `out` as they come. Errors: as tool_stream(). */
SH_CHECK enum sh_err dump_read(struct work *work, const struct dump_order *order,
                               pack_out_fn *out, void *arg);

/* What other copies of a database need, too. SH_CONFLICT: another replica makes one; held
 * as long as the connection. */
SH_CHECK enum sh_err dump_one_at_a_time(struct work *work, PGconn *conn);
/* The originals that documents refer to in the connection's snapshot. */
SH_CHECK enum sh_err dump_list_files(struct work *work, PGconn *conn, json_t **files);
/* The stream "golden". */
SH_CHECK enum sh_err dump_save_golden(struct work *work, int folder, json_t *manifest,
                                      const json_t *golden);

#endif
