/* calendar: days of the proleptic Gregorian calendar, weeks of ISO 8601, time zones by
 * ICU. Days are counted from 1970-01-01. Pure. */
#ifndef CYPHER_CALENDAR_H
#define CYPHER_CALENDAR_H

#include "shared/bytes.h"

enum { CALENDAR_YEAR_MAX = 999999999, CALENDAR_DAY = 86400 };

struct calendar_date {
    int64_t year;
    int64_t month;
    int64_t day;
};

struct calendar_week {
    int64_t year; /* that the week belongs to */
    int64_t week;
    int64_t day; /* 1: Monday */
};

int64_t calendar_days(struct calendar_date date);
struct calendar_date calendar_date(int64_t days);
int64_t calendar_month_length(int64_t year, int64_t month);
int64_t calendar_year_length(int64_t year);
struct calendar_week calendar_week(int64_t days);
/* Week 1 holds the year's first Thursday. */
int64_t calendar_week_days(struct calendar_week week);
int64_t calendar_weeks_of(int64_t year);
/* Months later, or earlier; a day that the month does not have becomes its last one. */
int64_t calendar_add_months(int64_t days, int64_t months);

/* Seconds east of Greenwich on the zone's clock at a local time, or at seconds since
 * 1970. False: no such zone, or a year beyond what ICU counts. */
bool calendar_offset_local(struct sh_bytes zone, int64_t days, int64_t seconds,
                           int32_t *offset);
bool calendar_offset_at(struct sh_bytes zone, int64_t epoch_seconds, int32_t *offset);

/* Division that rounds down. */
static inline int64_t calendar_floor(int64_t number, int64_t by)
{
    return number / by - (number % by != 0 && (number < 0) != (by < 0));
}

static inline int64_t calendar_modulo(int64_t number, int64_t by)
{
    return number - calendar_floor(number, by) * by;
}

#endif
