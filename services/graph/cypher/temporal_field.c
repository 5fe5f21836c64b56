/* What a date, a time or a duration is made of. */
#include <stdio.h>

#include "services/graph/cypher/calendar.h"
#include "services/graph/cypher/temporal.h"

typedef int64_t field_fn(const struct cyv_temporal *temporal);

struct field {
    const char *name;
    field_fn *get;
};

static bool find(const struct field *fields, size_t count, struct sh_bytes name,
                 const struct cyv_temporal *temporal, struct cy_value *out)
{
    for (size_t i = 0; i < count; i++)
        if (sh_bytes_is(name, fields[i].name)) {
            *out = cyv_integer(fields[i].get(temporal));
            return true;
        }
    return false;
}

/* --- dates ------------------------------------------------------------------------ */

static int64_t year(const struct cyv_temporal *t)
{
    return calendar_date(t->days).year;
}

static int64_t month(const struct cyv_temporal *t)
{
    return calendar_date(t->days).month;
}

static int64_t day(const struct cyv_temporal *t)
{
    return calendar_date(t->days).day;
}

static int64_t quarter(const struct cyv_temporal *t)
{
    return (month(t) - 1) / 3 + 1;
}

static int64_t week(const struct cyv_temporal *t)
{
    return calendar_week(t->days).week;
}

static int64_t week_year(const struct cyv_temporal *t)
{
    return calendar_week(t->days).year;
}

static int64_t week_day(const struct cyv_temporal *t)
{
    return calendar_week(t->days).day;
}

static int64_t ordinal_day(const struct cyv_temporal *t)
{
    return t->days - calendar_days((struct calendar_date){year(t), 1, 1}) + 1;
}

static int64_t day_of_quarter(const struct cyv_temporal *t)
{
    int64_t first = (quarter(t) - 1) * 3 + 1;
    return t->days - calendar_days((struct calendar_date){year(t), first, 1}) + 1;
}

static const struct field date_fields[] = {
    {"year", year},
    {"quarter", quarter},
    {"month", month},
    {"week", week},
    {"weekYear", week_year},
    {"day", day},
    {"weekDay", week_day},
    {"dayOfWeek", week_day},
    {"ordinalDay", ordinal_day},
    {"dayOfQuarter", day_of_quarter},
};

/* --- times ------------------------------------------------------------------------ */

static int64_t hour(const struct cyv_temporal *t)
{
    return t->seconds / 3600;
}

static int64_t minute(const struct cyv_temporal *t)
{
    return t->seconds / 60 % 60;
}

static int64_t second(const struct cyv_temporal *t)
{
    return t->seconds % 60;
}

static int64_t millisecond(const struct cyv_temporal *t)
{
    return t->nanos / 1000000;
}

static int64_t microsecond(const struct cyv_temporal *t)
{
    return t->nanos / 1000;
}

static int64_t nanosecond(const struct cyv_temporal *t)
{
    return t->nanos;
}

static const struct field time_fields[] = {
    {"hour", hour},
    {"minute", minute},
    {"second", second},
    {"millisecond", millisecond},
    {"microsecond", microsecond},
    {"nanosecond", nanosecond},
};

static int64_t offset_minutes(const struct cyv_temporal *t)
{
    return t->offset / 60;
}

static int64_t offset_seconds(const struct cyv_temporal *t)
{
    return t->offset;
}

static int64_t epoch_seconds(const struct cyv_temporal *t)
{
    return t->days * CALENDAR_DAY + t->seconds - t->offset;
}

static int64_t epoch_millis(const struct cyv_temporal *t)
{
    return epoch_seconds(t) * 1000 + t->nanos / 1000000;
}

static const struct field zone_fields[] = {
    {"offsetMinutes", offset_minutes},
    {"offsetSeconds", offset_seconds},
};

static const struct field epoch_fields[] = {
    {"epochSeconds", epoch_seconds},
    {"epochMillis", epoch_millis},
};

static bool zone_text(struct cy_env *env, const struct cyv_temporal *temporal, bool name,
                      struct cy_value *out)
{
    char text[16];
    int32_t size = temporal->offset < 0 ? -temporal->offset : temporal->offset;
    if (name && temporal->zone.len > 0) {
        *out = cyv_string(temporal->zone);
        return true;
    }
    int len =
        snprintf(text, sizeof(text), "%c%02d:%02d", temporal->offset < 0 ? '-' : '+',
                 size / 3600 % 100, size / 60 % 60);
    if (temporal->offset == 0)
        return cyv_copy(env, sh_bytes_of("Z"), out);
    return cyv_copy(env, (struct sh_bytes){text, (size_t)len}, out);
}

/* --- durations -------------------------------------------------------------------- */

enum { BILLION = 1000000000 };

#define WHOLE(name, value)                                                               \
    static int64_t name(const struct cyv_temporal *t)                                    \
    {                                                                                    \
        return value;                                                                    \
    }
WHOLE(years, t->months / 12)
WHOLE(quarters, t->months / 3)
WHOLE(months, t->months)
WHOLE(weeks, t->days / 7)
WHOLE(days, t->days)
WHOLE(hours, t->seconds / 3600)
WHOLE(minutes, t->seconds / 60)
WHOLE(seconds, t->seconds)
WHOLE(quarters_of_year, t->months / 3 % 4)
WHOLE(months_of_year, t->months % 12)
WHOLE(months_of_quarter, t->months % 3)
WHOLE(days_of_week, t->days % 7)
WHOLE(minutes_of_hour, t->seconds / 60 % 60)
WHOLE(seconds_of_minute, t->seconds % 60)

/* What is beyond 64 bits wraps around, as unsigned numbers do. */
static int64_t in_fractions(const struct cyv_temporal *t, int64_t per_second)
{
    return (int64_t)((uint64_t)t->seconds * (uint64_t)per_second +
                     (uint64_t)(t->nanos / (BILLION / per_second)));
}
WHOLE(milliseconds, in_fractions(t, 1000))
WHOLE(microseconds, in_fractions(t, 1000000))
WHOLE(nanoseconds, in_fractions(t, BILLION))

static const struct field duration_fields[] = {
    {"years", years},
    {"quarters", quarters},
    {"months", months},
    {"weeks", weeks},
    {"days", days},
    {"hours", hours},
    {"minutes", minutes},
    {"seconds", seconds},
    {"milliseconds", milliseconds},
    {"microseconds", microseconds},
    {"nanoseconds", nanoseconds},
    {"quartersOfYear", quarters_of_year},
    {"monthsOfYear", months_of_year},
    {"monthsOfQuarter", months_of_quarter},
    {"daysOfWeek", days_of_week},
    {"minutesOfHour", minutes_of_hour},
    {"secondsOfMinute", seconds_of_minute},
    {"millisecondsOfSecond", millisecond},
    {"microsecondsOfSecond", microsecond},
    {"nanosecondsOfSecond", nanosecond},
};

/* --- all of it -------------------------------------------------------------------- */

bool temporal_field(struct cy_env *env, struct cy_value value, struct sh_bytes field,
                    struct cy_value *out)
{
    const struct cyv_temporal *temporal = value.temporal;
    *out = cyv_null();
    if (value.type == CYV_DURATION) {
        (void)find(duration_fields, SH_COUNT(duration_fields), field, temporal, out);
        return true;
    }
    if (temporal_has_date(value.type) &&
        find(date_fields, SH_COUNT(date_fields), field, temporal, out))
        return true;
    if (temporal_has_time(value.type) &&
        find(time_fields, SH_COUNT(time_fields), field, temporal, out))
        return true;
    if (!temporal_has_zone(value.type))
        return true;
    if (sh_bytes_is(field, "timezone") || sh_bytes_is(field, "offset"))
        return zone_text(env, temporal, sh_bytes_is(field, "timezone"), out);
    if (find(zone_fields, SH_COUNT(zone_fields), field, temporal, out))
        return true;
    if (value.type == CYV_DATETIME)
        (void)find(epoch_fields, SH_COUNT(epoch_fields), field, temporal, out);
    return true;
}
