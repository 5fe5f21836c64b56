#include "services/graph/cypher/calendar.h"

#include <math.h>
#include <unicode/ucal.h>
#include <unicode/ustring.h>

enum { ZONE_MAX = 64 };

/* --- days ------------------------------------------------------------------------- */

/* Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March,
 * eras have 400 of them. */
int64_t calendar_days(struct calendar_date date)
{
    int64_t year = date.month <= 2 ? date.year - 1 : date.year;
    int64_t era = calendar_floor(year, 400);
    int64_t of_era = year - era * 400;
    int64_t of_year =
        (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct calendar_date calendar_date(int64_t days)
{
    days += 719468;
    int64_t era = calendar_floor(days, 146097);
    int64_t of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    struct calendar_date date = {year + era * 400, month < 10 ? month + 3 : month - 9,
                                 of_year - (153 * month + 2) / 5 + 1};
    date.year += date.month <= 2;
    return date;
}

static int64_t first_of(int64_t year, int64_t month)
{
    return calendar_days((struct calendar_date){year, month, 1});
}

int64_t calendar_year_length(int64_t year)
{
    return first_of(year + 1, 1) - first_of(year, 1);
}

int64_t calendar_month_length(int64_t year, int64_t month)
{
    return (month == 12 ? first_of(year + 1, 1) : first_of(year, month + 1)) -
           first_of(year, month);
}

int64_t calendar_add_months(int64_t days, int64_t months)
{
    struct calendar_date date = calendar_date(days);
    int64_t count = date.year * 12 + date.month - 1 + months;
    date.year = calendar_floor(count, 12);
    date.month = calendar_modulo(count, 12) + 1;
    int64_t length = calendar_month_length(date.year, date.month);
    date.day = date.day < length ? date.day : length;
    return calendar_days(date);
}

/* --- weeks ------------------------------------------------------------------------ */

static int64_t weekday(int64_t days) /* 1: Monday; 1970-01-01 was a Thursday */
{
    return calendar_modulo(days + 3, 7) + 1;
}

static int64_t first_monday(int64_t year)
{
    int64_t fourth = calendar_days((struct calendar_date){year, 1, 4});
    return fourth - weekday(fourth) + 1;
}

struct calendar_week calendar_week(int64_t days)
{
    int64_t thursday = days - weekday(days) + 4;
    int64_t year = calendar_date(thursday).year;
    return (struct calendar_week){year, (days - first_monday(year)) / 7 + 1,
                                  weekday(days)};
}

int64_t calendar_week_days(struct calendar_week week)
{
    return first_monday(week.year) + (week.week - 1) * 7 + week.day - 1;
}

int64_t calendar_weeks_of(int64_t year)
{
    return (first_monday(year + 1) - first_monday(year)) / 7;
}

/* --- zones ------------------------------------------------------------------------ */

static bool is_zone(const UChar *name, int32_t len)
{
    UChar canonical[ZONE_MAX * 2];
    UErrorCode status = U_ZERO_ERROR;
    UBool system = false;
    (void)ucal_getCanonicalTimeZoneID(name, len, canonical, ZONE_MAX * 2, &system,
                                      &status);
    return U_SUCCESS(status) && system;
}

static UCalendar *open_zone(struct sh_bytes zone)
{
    UChar name[ZONE_MAX];
    UErrorCode status = U_ZERO_ERROR;
    if (zone.len == 0 || zone.len >= ZONE_MAX)
        return NULL;
    u_charsToUChars(zone.data, name, (int32_t)zone.len);
    if (!is_zone(name, (int32_t)zone.len))
        return NULL;
    UCalendar *calendar =
        ucal_open(name, (int32_t)zone.len, "en", UCAL_GREGORIAN, &status);
    if (U_FAILURE(status))
        return NULL;
    ucal_setGregorianChange(calendar, -1e18, &status); /* Gregorian from the beginning */
    return calendar;
}

static bool read_offset(UCalendar *calendar, int32_t *offset)
{
    UErrorCode status = U_ZERO_ERROR;
    int32_t zone = ucal_get(calendar, UCAL_ZONE_OFFSET, &status);
    int32_t summer = ucal_get(calendar, UCAL_DST_OFFSET, &status);
    *offset = (zone + summer) / 1000;
    ucal_close(calendar);
    return U_SUCCESS(status);
}

bool calendar_offset_local(struct sh_bytes zone, int64_t days, int64_t seconds,
                           int32_t *offset)
{
    struct calendar_date date = calendar_date(days);
    UErrorCode status = U_ZERO_ERROR;
    UCalendar *calendar = open_zone(zone);
    if (calendar == NULL)
        return false;
    if (date.year < 1 || date.year > 100000) { /* what ICU counts without eras */
        ucal_close(calendar);
        return false;
    }
    ucal_setDateTime(calendar, (int32_t)date.year, (int32_t)date.month - 1,
                     (int32_t)date.day, (int32_t)(seconds / 3600),
                     (int32_t)(seconds / 60 % 60), (int32_t)(seconds % 60), &status);
    return read_offset(calendar, offset);
}

bool calendar_offset_at(struct sh_bytes zone, int64_t epoch_seconds, int32_t *offset)
{
    UErrorCode status = U_ZERO_ERROR;
    UCalendar *calendar = open_zone(zone);
    if (calendar == NULL)
        return false;
    ucal_setMillis(calendar, (double)epoch_seconds * 1000, &status);
    return read_offset(calendar, offset);
}
