/* commands: `cairn-backup create …` and the others: what the service starts for every
 * run, and what a person starts where no service is left. */
#ifndef BACKUP_COMMANDS_H
#define BACKUP_COMMANDS_H

#include <stdbool.h>

/* True when argv names a command: the process's exit status is then in *status: 0 done,
 * 1 failed, 2 wrong arguments or settings, 3 the set is not good. */
bool commands_run(int argc, char **argv, int *status);

#endif
