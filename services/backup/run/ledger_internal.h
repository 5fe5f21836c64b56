/* ledger: what its files share. ledger.c has single runs and their locks, ledger_list.c
 * all of them. */
#ifndef BACKUP_LEDGER_INTERNAL_H
#define BACKUP_LEDGER_INTERNAL_H

#include "services/backup/run/ledger.h"

enum { LEDGER_ID = 32 };

/* Of ID.lock, with these beside O_RDWR; -1: errno. */
int ledger_open_lock(int ledger, const char *id, int flags);
/* The line that the run's process left; NULL: none. */
json_t *ledger_last_line(int lock);
/* ID.ENDING, if it is there. */
void ledger_remove(int ledger, const char *id, const char *ending);
/* "" where there is none. */
const char *ledger_text(const json_t *object, const char *name);

#endif
