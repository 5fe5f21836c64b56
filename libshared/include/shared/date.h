/* date: days and times as people write them. Pure: any thread. */
#ifndef SHARED_DATE_H
#define SHARED_DATE_H

#include "shared/bytes.h"

/* "2024-08-15", "2024-08-15T10:30[:00[.5]][Z|+01:00]": Unix time, UTC where no zone is
 * given. False when it is none of these, or a day that is not in the calendar ("2024",
 * "2023-02-29"). */
bool sh_date_parse(struct sh_bytes text, double *unix_seconds);

#endif
