/* Durations: months, days and seconds, each by itself. A fraction of a month or a day
 * goes to what is smaller, a month being a 12th of 365.2425 days. */
#include <math.h>

#include "services/graph/cypher/calendar.h"
#include "services/graph/cypher/env.h"
#include "services/graph/cypher/temporal.h"

enum { NANOS = 1000000000, MONTH_SECONDS = 2629746 };

struct unit {
    const char *name;
    char letter;  /* in text; 0: none */
    bool of_time; /* behind the T */
    enum { MONTHS, DAYS, SECONDS, NANOSECONDS } part;
    int64_t size; /* in its part */
};

static const struct unit units[] = {
    {"years", 'Y', false, MONTHS, 12},
    {"quarters", 0, false, MONTHS, 3},
    {"months", 'M', false, MONTHS, 1},
    {"weeks", 'W', false, DAYS, 7},
    {"days", 'D', false, DAYS, 1},
    {"hours", 'H', true, SECONDS, 3600},
    {"minutes", 'M', true, SECONDS, 60},
    {"seconds", 'S', true, SECONDS, 1},
    {"milliseconds", 0, true, NANOSECONDS, 1000000},
    {"microseconds", 0, true, NANOSECONDS, 1000},
    {"nanoseconds", 0, true, NANOSECONDS, 1},
};

/* --- adding ----------------------------------------------------------------------- */

static bool add_nanos(struct cyv_temporal *duration, int64_t nanos)
{
    int64_t sum = duration->nanos + nanos % NANOS;
    duration->nanos = (int32_t)calendar_modulo(sum, NANOS);
    return !__builtin_add_overflow(duration->seconds,
                                   nanos / NANOS + calendar_floor(sum, NANOS),
                                   &duration->seconds);
}

static bool add_whole(struct cyv_temporal *duration, int part, int64_t amount)
{
    if (part == MONTHS)
        return !__builtin_add_overflow(duration->months, amount, &duration->months);
    if (part == DAYS)
        return !__builtin_add_overflow(duration->days, amount, &duration->days);
    if (part == SECONDS)
        return !__builtin_add_overflow(duration->seconds, amount, &duration->seconds);
    return add_nanos(duration, amount);
}

static bool add_real(struct cyv_temporal *duration, int part, double amount)
{
    static const double smaller[] = {
        [MONTHS] = MONTH_SECONDS / 86400.0, [DAYS] = CALENDAR_DAY, [SECONDS] = NANOS};
    if (part == NANOSECONDS)
        amount = round(amount);
    double whole = trunc(amount);
    if (!(fabs(whole) < 0x1p62) || !add_whole(duration, part, (int64_t)whole))
        return false;
    return part == NANOSECONDS || amount == whole ||
           add_real(duration, part + 1, (amount - whole) * smaller[part]);
}

static bool add_unit(struct cyv_temporal *duration, const struct unit *unit,
                     struct cy_value amount)
{
    int64_t whole;
    if (amount.type == CYV_FLOAT)
        return add_real(duration, (int)unit->part, amount.real * (double)unit->size);
    return amount.type == CYV_INTEGER &&
           !__builtin_mul_overflow(amount.integer, unit->size, &whole) &&
           add_whole(duration, (int)unit->part, whole);
}

bool duration_add_unit(struct cyv_temporal *duration, struct sh_bytes name,
                       struct cy_value amount)
{
    for (size_t i = 0; i < SH_COUNT(units); i++)
        if (sh_bytes_is(name, units[i].name))
            return add_unit(duration, &units[i], amount);
    return false;
}

bool duration_of_map(struct cy_env *env, const struct cy_expr *at, struct cy_value map,
                     struct cy_value *out)
{
    struct cyv_temporal duration = {0};
    for (uint32_t i = 0; i < map.count; i++)
        if (!cyv_is_null(map.entries[i].value) &&
            !duration_add_unit(&duration, map.entries[i].key, map.entries[i].value))
            return cy_fail(env, CY_ARGUMENTS, "InvalidArgumentValue", at->at,
                           "a duration has no such unit, or not so many of it");
    return temporal_value(env, at, CYV_DURATION, duration, out);
}

/* --- from text -------------------------------------------------------------------- */

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

/* Whole numbers stay exact. */
static bool take_amount(struct cursor *cursor, struct cy_value *out)
{
    bool negative = take(cursor, '-');
    double real = 0;
    double scale = 1;
    int64_t whole = 0;
    if (!negative)
        (void)take(cursor, '+');
    const char *begin = cursor->at;
    for (; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9';
         cursor->at++) {
        whole = whole * 10 + (*cursor->at - '0');
        if (cursor->at - begin > 17)
            return false;
    }
    *out = cyv_integer(negative ? -whole : whole);
    if (cursor->at == begin)
        return false;
    if (!take(cursor, '.') && !take(cursor, ','))
        return true;
    for (; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9';
         cursor->at++) {
        real = real * 10 + (*cursor->at - '0');
        scale *= 10;
    }
    real = (double)whole + real / scale;
    *out = cyv_float(negative ? -real : real);
    return true;
}

static bool take_unit(struct cursor *cursor, bool of_time, struct cyv_temporal *out)
{
    struct cy_value amount;
    if (!take_amount(cursor, &amount) || cursor->at == cursor->end)
        return false;
    char letter = *cursor->at++;
    for (size_t i = 0; i < SH_COUNT(units); i++)
        if (units[i].letter == letter && units[i].of_time == of_time)
            return add_unit(out, &units[i], amount);
    return false;
}

/* P2012-02-02T14:37:21.545: one number for each unit. */
static bool parse_dashed(struct sh_bytes text, struct cyv_temporal *out)
{
    static const struct {
        char behind;
        unsigned char unit;
    } steps[] = {{'-', 0}, {'-', 2}, {'T', 4}, {':', 5}, {':', 6}, {0, 7}};
    struct cursor cursor = {(const char *)text.data + 1,
                            (const char *)text.data + text.len};
    for (size_t i = 0; i < SH_COUNT(steps); i++) {
        struct cy_value amount;
        if (!take_amount(&cursor, &amount) ||
            !add_unit(out, &units[steps[i].unit], amount))
            return false;
        if (steps[i].behind != 0 && !take(&cursor, steps[i].behind))
            return false;
    }
    return cursor.at == cursor.end;
}

bool duration_of_text(struct sh_bytes text, struct cyv_temporal *out)
{
    struct cursor cursor = {text.data, (const char *)text.data + text.len};
    bool of_time = false;
    if (text.len > 6 && memchr(text.data, ':', text.len) != NULL &&
        *(const char *)text.data == 'P')
        return parse_dashed(text, out);
    if (!take(&cursor, 'P') || cursor.at == cursor.end)
        return false;
    while (cursor.at < cursor.end) {
        if (!of_time && take(&cursor, 'T'))
            of_time = true;
        if (!take_unit(&cursor, of_time, out))
            return false;
    }
    return true;
}
