/* moment: what can be counted of a running server, with the position of the log at which
 * it is true, so that a copy which recovers to that position can be compared. A snapshot
 * and a position are the same moment when no transaction is under way: the snapshot lists
 * none, and the next transaction after both got the very number that the snapshot expects
 * next. Under a load without such a gap the facts are only about right. One thread. */
#ifndef BACKUP_MOMENT_H
#define BACKUP_MOMENT_H

#include "services/backup/verify/facts.h"

struct moment {
    PGconn *other; /* takes numbers of transactions */
    char
        expected[24]; /* the next number when the copy began; "": others were under way */
    json_t *facts;
    char lsn[24];
    char schema_version[64];
    bool exact; /* the facts hold at `lsn` */
    bool alone; /* nothing was written since moment_before() */
};

/* Before the copy begins. moment_end() in every case. Errors: SH_UNAVAILABLE,
 * SH_UPSTREAM; the work has the text. */
SH_CHECK enum sh_err moment_before(struct work *work, const char *conninfo,
                                   struct moment *moment);
/* Begins a transaction on `conn` and counts in its snapshot; it is left open. */
SH_CHECK enum sh_err moment_count(struct work *work, PGconn *conn, struct moment *moment);
void moment_end(struct moment *moment);

#endif
