/* watch: what the server says while its log is being received: how far it is itself, how
 * far the receiver is, how much its slot holds back. The connection also holds the lock
 * by which one replica at a time receives. One thread. */
#ifndef BACKUP_WATCH_H
#define BACKUP_WATCH_H

#include "services/backup/tool/database.h"
#include "services/backup/wal/segment.h"

enum { WATCH_MARKS = 128 };

struct watch {
    struct work *work;
    char *conninfo;
    PGconn *conn;
    char system[24];
    uint64_t size;     /* of a segment */
    uint64_t received; /* by the receiver, as the server knows; 0: none is there */
    int64_t lag;       /* bytes that the slot keeps */
    char status[16];   /* of the slot: reserved, extended, unreserved, lost */
    bool bounded;      /* max_slot_wal_keep_size is set */
    struct {
        double at;    /* all that was committed before … */
        uint64_t lsn; /* … is in the log up to here */
    } marks[WATCH_MARKS];
    unsigned next;
};

/* Connects, takes the lock, and makes the slot if need be; again after a failure. Errors:
 * SH_CONFLICT: another replica receives; SH_UNAVAILABLE, SH_UPSTREAM, SH_INVALID (the
 * server is another one than before). */
SH_CHECK enum sh_err watch_connect(struct watch *watch);
void watch_disconnect(struct watch *watch);
/* Asks. Errors: SH_UNAVAILABLE: the connection is gone. A slot that was lost is made
 * anew, and `lost` set: what is behind it is a gap. */
SH_CHECK enum sh_err watch_look(struct watch *watch, bool *lost);
/* The latest time before which everything is in the log up to `lsn`; `known` where none
 * is better. */
double watch_time(const struct watch *watch, uint64_t lsn, double known);
void watch_close(struct watch *watch);

#endif
