/* cron: expressions of five fields (minute, hour, day of month, month, day of week) and
 * when they are due next, in the process's time zone. Fields: *, numbers, ranges, lists,
 * steps, jan–dec, sun–sat (0 and 7 are Sunday); @hourly, @daily, @weekly, @monthly,
 * @yearly. As in cron(8), where both day fields say something either of them will do.
 * A time that the clock leaps over in spring is due at the leap; one that comes twice in
 * autumn is due the first time only. Pure; any thread. */
#ifndef BACKUP_CRON_H
#define BACKUP_CRON_H

#include <stdint.h>
#include <time.h>

#include "shared/err.h"

struct cron {
    uint64_t minutes; /* a bit each */
    uint32_t hours;
    uint32_t days; /* from bit 1 */
    uint16_t months;
    uint8_t weekdays; /* from Sunday */
    unsigned char any_day;
    unsigned char any_weekday;
};

/* `fault` gets what is wrong. Errors: SH_INVALID. */
SH_CHECK enum sh_err cron_parse(const char *text, struct cron *out,
                                char fault[static 128]);
/* The first time after `after`; 0: none in the next ten years. */
time_t cron_next(const struct cron *cron, time_t after);

#endif
