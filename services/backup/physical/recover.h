/* recover: a PostgreSQL on a restored data directory that replays the log to where it was
 * told and is then a server of its own, which takes connections by a Unix socket of this
 * run's folder and by nothing else. None of the settings of the server that was saved
 * count, but for those within its data directory. One thread. */
#ifndef BACKUP_RECOVER_H
#define BACKUP_RECOVER_H

#include "services/backup/physical/tree.h"
#include "services/backup/physical/until.h"
#include "services/backup/scratch/scratch.h"

/* `scratch`: begun, its FOLDER/data is the tree, or a link to it. `keep`: the directory
 * is to outlive this. scratch_close() ends the server; recover_stop() lets it write all.
 * Errors: SH_NOTFOUND: the stored log ends before `until`; SH_UPSTREAM, SH_CANCELED. */
SH_CHECK enum sh_err recover_start(const struct tree *tree, const struct chain *chain,
                                   const struct until *until, bool keep,
                                   struct scratch *scratch);
SH_CHECK enum sh_err recover_stop(const struct tree *tree, struct scratch *scratch);
/* For libpq: the database that was saved, as the role that saved it. */
void recover_conninfo(const struct tree *tree, const struct scratch *scratch,
                      char out[static BACKUP_PATH]);
/* {"until","position","last_commit","timeline"}, the caller's. */
SH_CHECK enum sh_err recover_told(const struct tree *tree, PGconn *conn,
                                  const struct until *until, json_t **out);

/* Whether what is stored reaches: SH_NOTFOUND: it ends before; SH_MALFORMED: a segment is
 * missing on the way; SH_INVALID: before the set's own end. The work has the text. A time
 * can only be judged by recovery itself. */
SH_CHECK enum sh_err recover_reaches(const struct tree *tree, const struct chain *chain,
                                     const struct until *until);

#endif
