/* spool: where pg_receivewal writes. Whole segments are stored and then removed from it;
 * the one that is being written is stored again and again. One thread. */
#ifndef BACKUP_SPOOL_H
#define BACKUP_SPOOL_H

#include "services/backup/wal/segment.h"
#include "services/backup/wal/store.h"

struct spool {
    int fd;
    char path[BACKUP_PATH];
};

/* BACKUP_DIR/.wal/SYSTEM/spool. Errors: SH_IO. */
SH_CHECK enum sh_err spool_open(struct work *work, int store, const char *system,
                                struct spool *spool);
void spool_close(struct spool *spool);
/* The oldest whole segment, or a history. False: there is none. */
bool spool_whole(const struct spool *spool, uint64_t size, char name[static STORE_NAME]);
/* The newest that is being written. */
bool spool_partial(const struct spool *spool, uint64_t size, struct segment *out);
/* A file of it; -1. */
int spool_file(const struct spool *spool, const char *name);
void spool_remove(const struct spool *spool, const char *name);
/* Before pg_receivewal starts: it begins where the slot says, which is never behind what
 * was stored whole. */
void spool_clear_partial(const struct spool *spool);

#endif
