/* zone: the time zone of the process, in which schedules are reckoned. Before there are
 * other threads. */
#ifndef BACKUP_ZONE_H
#define BACKUP_ZONE_H

#include <stdbool.h>

#include "shared/err.h"

/* "" leaves it as it is; "Europe/London", or POSIX's "CET-1CEST,M3.5.0,M10.5.0/3".
 * Errors: SH_INVALID: nobody knows it (the C library would take UTC without a word). */
SH_CHECK enum sh_err zone_use(const char *name);

#endif
