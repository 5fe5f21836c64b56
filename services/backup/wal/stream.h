/* stream: the server's write-ahead log, stored as it comes. pg_receivewal writes it to a
 * spool by way of a replication slot; whole segments go through the pipeline into the
 * store and to the other places, and so does the one that is being written, every
 * BACKUP_WAL_SECONDS. A process of its own, which ends with who started it: killed at any
 * moment it leaves no gap, as the slot goes on from what was stored whole. One thread. */
#ifndef BACKUP_STREAM_H
#define BACKUP_STREAM_H

#include "services/backup/run/work.h"

/* Until it is told to end. With work->report a line a second: {"wal":{"state",
 * "recovery_point","stored","missing","first_missing","base","slot","slot_lag_bytes",
 * "bounded","segments","stored_bytes","restarts","behind","error"}}. Errors: SH_CONFLICT:
 * another replica receives it; SH_INVALID (settings), SH_IO. */
SH_CHECK enum sh_err stream_run(struct work *work);

/* `cairn-backup guarded PROGRAM …`: becomes PROGRAM, which gets SIGTERM when its parent
 * dies. The exit status where that fails. */
int stream_guarded(char **argv);

#endif
