/* journal: BACKUP_DIR/.restoring says that a restore in place of the database is under
 * way: for moments the server refuses connections to it, and another database is made
 * beside it. Written before the first of that, locked as long as its process lives,
 * removed when nothing is left to be put right. So whoever comes after a restore that was
 * killed knows of it without the database. */
#ifndef BACKUP_JOURNAL_H
#define BACKUP_JOURNAL_H

#include "services/backup/run/work.h"

/* `what`: for people. The file stays locked until the process ends. Errors: SH_IO. */
SH_CHECK enum sh_err journal_begin(struct work *work, const char *what);
void journal_end(struct work *work);
/* There is one in the directory, and nobody is at it any more. Any thread; waits for no
 * lock. */
bool journal_left(const char *directory);

#endif
