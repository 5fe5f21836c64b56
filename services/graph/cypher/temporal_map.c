/* Dates and times from maps of their fields. */
#include "services/graph/cypher/calendar.h"
#include "services/graph/cypher/env.h"
#include "services/graph/cypher/temporal.h"

struct making {
    struct cy_env *env;
    const struct cy_expr *at;
    enum cyv_type type;
    struct cy_value map;
    struct cyv_temporal is; /* so far */
    bool dated;             /* a date was given to begin with */
    bool zoned;             /* and an offset */
};

static bool bad(struct making *making, const char *what)
{
    return cy_fail(making->env, CY_ARGUMENTS, "InvalidArgumentValue", making->at->at,
                   "%s", what);
}

static bool given(const struct making *making, const char *name)
{
    const struct cy_value *value = cyv_get(making->map, sh_bytes_of(name));
    return value != NULL && !cyv_is_null(*value);
}

/* Stays as it is when the map has none. */
static bool get(struct making *making, const char *name, int64_t least, int64_t most,
                int64_t *out)
{
    const struct cy_value *value = cyv_get(making->map, sh_bytes_of(name));
    if (value == NULL || cyv_is_null(*value))
        return true;
    if (value->type != CYV_INTEGER || value->integer < least || value->integer > most)
        return cy_fail(making->env, CY_ARGUMENTS, "InvalidArgumentValue", making->at->at,
                       "%s is an Integer from %lld to %lld", name, (long long)least,
                       (long long)most);
    *out = value->integer;
    return true;
}

/* --- what it begins with ---------------------------------------------------------- */

static bool begin_with(struct making *making, const char *name, bool date, bool time)
{
    const struct cy_value *value = cyv_get(making->map, sh_bytes_of(name));
    if (value == NULL || cyv_is_null(*value))
        return true;
    if (!cyv_is_temporal(*value) || (date && !temporal_has_date(value->type)) ||
        (time && !temporal_has_time(value->type)))
        return bad(making, "date, time and datetime of a map are values of such kinds");
    if (date) {
        making->is.days = value->temporal->days;
        making->dated = true;
    }
    if (time) {
        making->is.seconds = value->temporal->seconds;
        making->is.nanos = value->temporal->nanos;
        making->is.offset = value->temporal->offset;
        making->is.zone = value->temporal->zone;
        making->zoned = temporal_has_zone(value->type);
    }
    return true;
}

/* A time of another zone is the same moment in the one that is asked for. */
static bool set_zone(struct making *making, bool moves)
{
    const struct cy_value *value = cyv_get(making->map, sh_bytes_of("timezone"));
    struct cyv_temporal zone = {0};
    if (value == NULL || cyv_is_null(*value))
        return true;
    if (value->type != CYV_STRING || !temporal_parse_zone(cyv_text(*value), &zone))
        return bad(making, "timezone is the name of a zone or an offset such as +01:00");
    if (moves && making->zoned)
        return temporal_move(making->env, making->at, &zone, &making->is);
    making->is.offset = zone.offset;
    making->is.zone = zone.zone;
    return true;
}

/* --- dates ------------------------------------------------------------------------ */

static bool set_week(struct making *making, int64_t year)
{
    struct calendar_week week = {year, 1, 1};
    if (making->dated) {
        week = calendar_week(making->is.days);
        week.year = given(making, "year") ? year : week.year;
    }
    if (!get(making, "week", 1, calendar_weeks_of(week.year), &week.week) ||
        !get(making, "dayOfWeek", 1, 7, &week.day))
        return false;
    making->is.days = calendar_week_days(week);
    return true;
}

static bool set_ordinal(struct making *making, int64_t year)
{
    int64_t day = 1;
    if (!get(making, "ordinalDay", 1, calendar_year_length(year), &day))
        return false;
    making->is.days = calendar_days((struct calendar_date){year, 1, 1}) + day - 1;
    return true;
}

static bool set_quarter(struct making *making, struct calendar_date date)
{
    int64_t quarter = (date.month - 1) / 3 + 1;
    int64_t day = 0;
    if (!get(making, "quarter", 1, 4, &quarter) ||
        !get(making, "dayOfQuarter", 1, 92, &day))
        return false;
    int64_t first = (quarter - 1) * 3 + 1;
    date.month = day > 0 ? first : first + (date.month - 1) % 3;
    date.day = day > 0 ? 1 : date.day;
    if (date.day > calendar_month_length(date.year, date.month))
        return bad(making, "the month has fewer days");
    making->is.days = calendar_days(date) + (day > 0 ? day - 1 : 0);
    return true;
}

static bool set_month(struct making *making, struct calendar_date date)
{
    if (!making->dated && given(making, "day") && !given(making, "month"))
        return bad(making, "a day needs its month");
    if (!get(making, "month", 1, 12, &date.month) ||
        !get(making, "day", 1, 31, &date.day))
        return false;
    if (date.day > calendar_month_length(date.year, date.month))
        return bad(making, "the month has fewer days");
    making->is.days = calendar_days(date);
    return true;
}

static bool set_date(struct making *making)
{
    struct calendar_date date = {0, 1, 1};
    if (making->dated)
        date = calendar_date(making->is.days);
    else if (!given(making, "year"))
        return bad(making, "a date needs a year");
    if (!get(making, "year", -CALENDAR_YEAR_MAX, CALENDAR_YEAR_MAX, &date.year))
        return false;
    if (given(making, "week") || given(making, "dayOfWeek"))
        return set_week(making, date.year);
    if (given(making, "ordinalDay"))
        return set_ordinal(making, date.year);
    if (given(making, "quarter") || given(making, "dayOfQuarter"))
        return set_quarter(making, date);
    return set_month(making, date);
}

/* --- times ------------------------------------------------------------------------ */

/* Milli-, micro- and nanoseconds: a smaller one goes on where a larger one ends. */
static bool set_fraction(struct making *making)
{
    int64_t milli = making->is.nanos / 1000000;
    int64_t micro = making->is.nanos / 1000 % 1000;
    int64_t nano = making->is.nanos % 1000;
    if (!get(making, "millisecond", 0, 999, &milli) ||
        !get(making, "microsecond", 0, 999999, &micro) ||
        !get(making, "nanosecond", 0, 999999999, &nano))
        return false;
    if (micro > 999 && !given(making, "millisecond"))
        milli = 0;
    if (nano > 999999 && !given(making, "millisecond"))
        milli = 0;
    if (nano > 999 && !given(making, "microsecond"))
        micro = 0;
    int64_t sum = milli * 1000000 + micro * 1000 + nano;
    if (sum > 999999999)
        return bad(making, "the fractions of the second are a second or more");
    making->is.nanos = (int32_t)sum;
    return true;
}

static bool set_time(struct making *making)
{
    int64_t hour = making->is.seconds / 3600;
    int64_t minute = making->is.seconds / 60 % 60;
    int64_t second = making->is.seconds % 60;
    if (!get(making, "hour", 0, 23, &hour) || !get(making, "minute", 0, 59, &minute) ||
        !get(making, "second", 0, 59, &second) || !set_fraction(making))
        return false;
    making->is.seconds = hour * 3600 + minute * 60 + second;
    return true;
}

/* --- all of it -------------------------------------------------------------------- */

bool temporal_of_map(struct cy_env *env, const struct cy_expr *at, enum cyv_type type,
                     struct cy_value map, const struct cy_value *base,
                     struct cy_value *out)
{
    struct making making = {.env = env, .at = at, .type = type, .map = map};
    if (base != NULL) {
        making.is = *base->temporal;
        making.dated = true;
    }
    bool has_date = temporal_has_date(type);
    if (!begin_with(&making, "date", true, false) ||
        !begin_with(&making, "time", false, true) ||
        !begin_with(&making, "datetime", true, true))
        return false;
    if (has_date && !set_date(&making)) /* first: a zone's offset depends on the day */
        return false;
    if (has_date && !temporal_find_offset(env, at, &making.is))
        return false;
    if (temporal_has_zone(type) && !set_zone(&making, base == NULL))
        return false;
    if (temporal_has_time(type) && !set_time(&making))
        return false;
    if (type == CYV_DATETIME && !temporal_find_offset(env, at, &making.is))
        return false;
    if (type == CYV_TIME && making.is.zone.len > 0 && making.is.offset == 0 &&
        !temporal_find_offset(env, at, &making.is))
        return false;
    return temporal_value(env, at, type, making.is, out);
}
