/* Dates and times from text (ISO 8601, basic and extended). A cursor takes what it knows
 * and says no to the rest. */
#include "services/graph/cypher/calendar.h"
#include "services/graph/cypher/env.h"
#include "services/graph/cypher/temporal.h"

enum { ZONE_MAX = 63, OFFSET_MAX = 18 * 3600 };

struct cursor {
    const char *at;
    const char *end;
};

static bool take(struct cursor *cursor, char c)
{
    if (cursor->at == cursor->end || *cursor->at != c)
        return false;
    cursor->at++;
    return true;
}

static size_t digits(const struct cursor *cursor)
{
    size_t count = 0;
    while (cursor->at + count < cursor->end && cursor->at[count] >= '0' &&
           cursor->at[count] <= '9')
        count++;
    return count;
}

/* Exactly `count` digits. */
static bool number(struct cursor *cursor, size_t count, int64_t *out)
{
    if (digits(cursor) < count || count > 18)
        return false;
    *out = 0;
    for (size_t i = 0; i < count; i++)
        *out = *out * 10 + (*cursor->at++ - '0');
    return true;
}

/* --- dates ------------------------------------------------------------------------ */

static bool parse_year(struct cursor *cursor, int64_t *year)
{
    bool negative = take(cursor, '-');
    bool sign = negative || take(cursor, '+');
    size_t count = sign ? digits(cursor) : 4;
    if (count < 4 || count > 9 || !number(cursor, count, year))
        return false;
    *year = negative ? -*year : *year;
    return true;
}

static bool parse_week(struct cursor *cursor, int64_t year, int64_t *days)
{
    struct calendar_week week = {year, 1, 1};
    if (!number(cursor, 2, &week.week))
        return false;
    bool dash = take(cursor, '-');
    if ((dash || digits(cursor) == 1) && !number(cursor, 1, &week.day))
        return false;
    *days = calendar_week_days(week);
    return week.week >= 1 && week.week <= calendar_weeks_of(year) && week.day >= 1 &&
           week.day <= 7;
}

static bool parse_ordinal(struct cursor *cursor, int64_t year, int64_t *days)
{
    int64_t day;
    if (!number(cursor, 3, &day) || day < 1 || day > calendar_year_length(year))
        return false;
    *days = calendar_days((struct calendar_date){year, 1, 1}) + day - 1;
    return true;
}

static bool parse_month(struct cursor *cursor, int64_t year, int64_t *days)
{
    struct calendar_date date = {year, 1, 1};
    if (!number(cursor, 2, &date.month) || date.month < 1 || date.month > 12)
        return false;
    bool dash = take(cursor, '-');
    if ((dash || digits(cursor) == 2) && !number(cursor, 2, &date.day))
        return false;
    *days = calendar_days(date);
    return date.day >= 1 && date.day <= calendar_month_length(year, date.month);
}

static bool parse_date(struct cursor *cursor, int64_t *days)
{
    int64_t year;
    if (!parse_year(cursor, &year))
        return false;
    bool dash = take(cursor, '-');
    if (take(cursor, 'W'))
        return parse_week(cursor, year, days);
    if (digits(cursor) == 3)
        return parse_ordinal(cursor, year, days);
    if (dash || digits(cursor) > 0)
        return parse_month(cursor, year, days);
    *days = calendar_days((struct calendar_date){year, 1, 1});
    return true;
}

/* --- times ------------------------------------------------------------------------ */

static bool parse_fraction(struct cursor *cursor, int32_t *nanos)
{
    size_t count = digits(cursor);
    int64_t fraction;
    if (count == 0 || count > 9 || !number(cursor, count, &fraction))
        return false;
    for (; count < 9; count++)
        fraction *= 10;
    *nanos = (int32_t)fraction;
    return true;
}

/* One more part of two digits, with or without a colon; *more: there is one. */
static bool parse_part(struct cursor *cursor, int64_t *out, bool *more)
{
    bool colon = take(cursor, ':');
    *more = colon || digits(cursor) >= 2;
    return !*more || number(cursor, 2, out);
}

static bool parse_time(struct cursor *cursor, struct cyv_temporal *out)
{
    int64_t hour;
    int64_t minute = 0;
    int64_t second = 0;
    bool more;
    if (!number(cursor, 2, &hour) || !parse_part(cursor, &minute, &more) ||
        (more && !parse_part(cursor, &second, &more)))
        return false;
    if ((take(cursor, '.') || take(cursor, ',')) && !parse_fraction(cursor, &out->nanos))
        return false;
    out->seconds = hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && second < 60;
}

static bool parse_offset(struct cursor *cursor, int32_t *offset)
{
    int64_t hour;
    int64_t minute = 0;
    int64_t second = 0;
    bool more;
    if (take(cursor, 'Z') || take(cursor, 'z')) {
        *offset = 0;
        return true;
    }
    bool negative = take(cursor, '-');
    if (!negative && !take(cursor, '+'))
        return false;
    if (!number(cursor, 2, &hour) || !parse_part(cursor, &minute, &more) ||
        (more && !parse_part(cursor, &second, &more)))
        return false;
    int64_t size = hour * 3600 + minute * 60 + second;
    *offset = (int32_t)(negative ? -size : size);
    return minute < 60 && second < 60 && size <= OFFSET_MAX;
}

static bool parse_name(struct cursor *cursor, struct sh_bytes *zone)
{
    const char *begin = cursor->at;
    int32_t offset;
    while (cursor->at < cursor->end && *cursor->at != ']')
        cursor->at++;
    *zone = (struct sh_bytes){begin, (size_t)(cursor->at - begin)};
    return take(cursor, ']') && zone->len <= ZONE_MAX &&
           calendar_offset_at(*zone, 0, &offset);
}

static bool parse_zone(struct cursor *cursor, struct cyv_temporal *out)
{
    if (cursor->at < cursor->end && *cursor->at != '[' &&
        !parse_offset(cursor, &out->offset))
        return false;
    return !take(cursor, '[') || parse_name(cursor, &out->zone);
}

bool temporal_parse_zone(struct sh_bytes text, struct cyv_temporal *temporal)
{
    struct cursor cursor = {text.data, (const char *)text.data + text.len};
    int32_t offset;
    if (parse_offset(&cursor, &temporal->offset))
        return cursor.at == cursor.end;
    temporal->zone = text;
    return calendar_offset_at(text, 0, &offset);
}

/* --- all of it -------------------------------------------------------------------- */

static bool parse(struct cursor *cursor, enum cyv_type type, struct cyv_temporal *out)
{
    if (temporal_has_date(type) && !parse_date(cursor, &out->days))
        return false;
    if (type != CYV_DATE && temporal_has_date(type)) {
        if (cursor->at == cursor->end) /* a date alone is its midnight */
            return true;
        if (!take(cursor, 'T'))
            return false;
    }
    if (temporal_has_time(type) && !parse_time(cursor, out))
        return false;
    if (temporal_has_zone(type) && !parse_zone(cursor, out))
        return false;
    return cursor->at == cursor->end;
}

bool temporal_of_text(struct cy_env *env, const struct cy_expr *at, enum cyv_type type,
                      struct sh_bytes text, struct cy_value *out)
{
    struct cyv_temporal temporal = {0};
    struct cursor cursor = {text.data, (const char *)text.data + text.len};
    bool read = type == CYV_DURATION ? duration_of_text(text, &temporal)
                                     : parse(&cursor, type, &temporal);
    if (!read)
        return cy_fail(env, CY_ARGUMENTS, "InvalidArgumentValue", at->at,
                       "the text is no %s", cyv_type_name(type));
    if (type == CYV_DATETIME && !temporal_find_offset(env, at, &temporal))
        return false;
    return temporal_value(env, at, type, temporal, out);
}
