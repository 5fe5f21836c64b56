/* scratch: a PostgreSQL of its own for a drill, in a folder of BACKUP_SCRATCH_DIR:
 * reached by a Unix socket there and by nothing else, never with root's rights, without
 * fsync (nothing in it is to be kept), and removed afterwards. One that a killed run left
 * is stopped and removed by the next, see sweep.h. One thread. */
#ifndef BACKUP_SCRATCH_H
#define BACKUP_SCRATCH_H

#include "services/backup/tool/child.h"

struct scratch {
    char folder[BACKUP_PATH]; /* "": none */
    int lock;                 /* held as long as this process lives */
    uid_t uid;
    gid_t gid;
    bool started;
    struct child server;
};

/* Errors: SH_IO, SH_UPSTREAM (initdb, postgres), SH_CANCELED;
 * the work has the text. scratch_close() in every case. */
SH_CHECK enum sh_err scratch_open(struct work *work, struct scratch *scratch);
/* For libpq, as its owner; the database is `drill`. */
void scratch_conninfo(const struct scratch *scratch, char out[static BACKUP_PATH]);
/* The folder alone, with its owner; for those who start another server in it, as `server`
 * and `started` say. Its data directory is FOLDER/data. `wanted`: bytes for which there
 * must be room, beside BACKUP_MIN_FREE_MB; SH_BUSY: there is none. */
SH_CHECK enum sh_err scratch_begin(struct work *work, uint64_t wanted,
                                   struct scratch *scratch);
/* Until the server takes connections. SH_UPSTREAM: it has ended; SH_TIMEOUT. */
SH_CHECK enum sh_err scratch_await(struct work *work, struct scratch *scratch,
                                   const char *conninfo, uint64_t most_ms);
void scratch_close(struct work *work, struct scratch *scratch);

#endif
