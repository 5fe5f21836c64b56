/* hold: nobody changes the database while it is saved and replaced. First gateways are
 * told, by an advisory lock that they look for once a second and that ends with our
 * connection: what would change something they answer with 503 `maintenance`. Then locks
 * on the tables stop whoever else writes (jobs under way, a request that was let in a
 * moment ago) until the database is replaced: their statements wait, and fail with their
 * connections. So nothing that was answered as stored is missing from the safety backup.
 * Reads go on. Nothing of it outlives the process. One thread. */
#ifndef BACKUP_HOLD_H
#define BACKUP_HOLD_H

#include "services/backup/tool/database.h"

struct hold {
    PGconn *conn; /* holds the locks on the tables; NULL: none are held */
    bool told;    /* the advisory lock is held, by swap->conn */
};

struct swap;

/* Waits until writers are done. Errors: SH_CONFLICT (another restore is under way),
 * SH_TIMEOUT (somebody does not stop writing), SH_UNAVAILABLE, SH_UPSTREAM, SH_CANCELED;
 * the work has the text. */
SH_CHECK enum sh_err hold_enter(struct work *work, struct swap *swap);
/* What a run that was killed has left behind is put right. Errors: SH_CONFLICT (a restore
 * is under way), SH_UPSTREAM. */
SH_CHECK enum sh_err hold_repair(struct work *work, struct swap *swap);
/* The process that holds the tables; 0: none does. */
int hold_pid(const struct hold *hold);
/* The tables are let go; gateways still refuse. */
void hold_let_go(struct hold *hold);

#endif
