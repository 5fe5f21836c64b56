/* Sums of times and durations, what lies between two times, and cutting them short. */
#include <math.h>

#include "services/graph/cypher/calendar.h"
#include "services/graph/cypher/env.h"
#include "services/graph/cypher/temporal.h"

enum { NANOS = 1000000000 };

static bool too_large(struct cy_env *env, const struct cy_expr *at)
{
    return cy_fail(env, CY_ARGUMENTS, "NumberOutOfRange", at->at,
                   "the result is beyond what dates and durations can be");
}

/* --- sums ------------------------------------------------------------------------- */

static bool add_durations(const struct cyv_temporal *a, const struct cyv_temporal *b,
                          int64_t sign, struct cyv_temporal *out)
{
    int64_t nanos = a->nanos + sign * b->nanos;
    int64_t seconds;
    if (__builtin_mul_overflow(b->seconds, sign, &seconds) ||
        __builtin_add_overflow(seconds, calendar_floor(nanos, NANOS), &seconds) ||
        __builtin_add_overflow(a->seconds, seconds, &out->seconds))
        return false;
    out->nanos = (int32_t)calendar_modulo(nanos, NANOS);
    return !__builtin_mul_overflow(b->months, sign, &out->months) &&
           !__builtin_add_overflow(a->months, out->months, &out->months) &&
           !__builtin_mul_overflow(b->days, sign, &out->days) &&
           !__builtin_add_overflow(a->days, out->days, &out->days);
}

static bool is_small(int64_t number, int64_t limit)
{
    return number < limit && number > -limit;
}

/* Months, then days, then seconds. */
static bool shift(struct cy_env *env, const struct cy_expr *at, struct cy_value time,
                  const struct cyv_temporal *by, int64_t sign, struct cy_value *out)
{
    static const int64_t months_max = (int64_t)CALENDAR_YEAR_MAX * 24;
    static const int64_t seconds_max = (int64_t)CALENDAR_YEAR_MAX * 800 * CALENDAR_DAY;
    struct cyv_temporal sum = *time.temporal;
    if (!is_small(by->months, months_max) || !is_small(by->days, months_max * 31) ||
        !is_small(by->seconds, seconds_max))
        return too_large(env, at);
    int64_t nanos = sum.nanos + sign * by->nanos;
    sum.nanos = (int32_t)calendar_modulo(nanos, NANOS);
    sum.seconds += sign * by->seconds + calendar_floor(nanos, NANOS);
    if (time.type == CYV_DATE) /* a date has whole days only */
        sum.seconds = sign * (by->seconds / CALENDAR_DAY) * CALENDAR_DAY;
    if (temporal_has_date(time.type))
        sum.days = calendar_add_months(sum.days, sign * by->months) + sign * by->days;
    temporal_carry(&sum, !temporal_has_date(time.type));
    return temporal_find_offset(env, at, &sum) &&
           temporal_value(env, at, time.type, sum, out);
}

static bool scale(struct cy_env *env, const struct cy_expr *at,
                  const struct cyv_temporal *duration, double by, struct cy_value *out)
{
    struct cyv_temporal product = {0};
    if (!duration_add_unit(&product, sh_bytes_of("months"),
                           cyv_float((double)duration->months * by)) ||
        !duration_add_unit(&product, sh_bytes_of("days"),
                           cyv_float((double)duration->days * by)) ||
        !duration_add_unit(&product, sh_bytes_of("seconds"),
                           cyv_float((double)duration->seconds * by)) ||
        !duration_add_unit(&product, sh_bytes_of("nanoseconds"),
                           cyv_float((double)duration->nanos * by)))
        return too_large(env, at);
    return temporal_value(env, at, CYV_DURATION, product, out);
}

static bool sum_of(struct cy_env *env, const struct cy_expr *at, struct cy_value left,
                   struct cy_value right, struct cy_value *out)
{
    int64_t sign = at->op == CY_ADD ? 1 : -1;
    struct cyv_temporal sum = {0};
    if (left.type != CYV_DURATION)
        return shift(env, at, left, right.temporal, sign, out);
    if (right.type != CYV_DURATION)
        return shift(env, at, right, left.temporal, 1, out);
    if (!add_durations(left.temporal, right.temporal, sign, &sum))
        return too_large(env, at);
    return temporal_value(env, at, CYV_DURATION, sum, out);
}

bool temporal_arithmetic(struct cy_env *env, const struct cy_expr *at,
                         struct cy_value left, struct cy_value right, bool *known,
                         struct cy_value *out)
{
    bool adds = at->op == CY_ADD || at->op == CY_SUBTRACT;
    bool scales = at->op == CY_MULTIPLY || at->op == CY_DIVIDE;
    *known = true;
    if (adds && cyv_is_temporal(left) && right.type == CYV_DURATION)
        return sum_of(env, at, left, right, out);
    if (at->op == CY_ADD && left.type == CYV_DURATION && cyv_is_temporal(right))
        return sum_of(env, at, left, right, out);
    if (scales && left.type == CYV_DURATION && cyv_is_number(right))
        return scale(env, at, left.temporal,
                     at->op == CY_MULTIPLY ? cyv_real(right) : 1 / cyv_real(right), out);
    if (at->op == CY_MULTIPLY && cyv_is_number(left) && right.type == CYV_DURATION)
        return scale(env, at, right.temporal, cyv_real(left), out);
    *known = false;
    return true;
}

/* --- between ---------------------------------------------------------------------- */

/* Both on one clock: what has no date is on the other's day, what has no zone is in the
 * other's. */
static bool align(struct cy_env *env, const struct cy_expr *at, struct cy_value from,
                  struct cy_value to, struct cyv_temporal *a, struct cyv_temporal *b)
{
    bool dated = temporal_has_date(from.type) && temporal_has_date(to.type);
    *a = *from.temporal;
    *b = *to.temporal;
    if (!dated && temporal_has_date(from.type))
        b->days = a->days;
    if (!dated && temporal_has_date(to.type))
        a->days = b->days;
    if (temporal_has_zone(from.type) && temporal_has_zone(to.type))
        return temporal_move(env, at, a, b);
    struct cyv_temporal *other = temporal_has_zone(from.type) ? b : a;
    const struct cyv_temporal *zoned = temporal_has_zone(from.type) ? a : b;
    other->offset = zoned->offset;
    other->zone = zoned->zone;
    return temporal_find_offset(env, at, other);
}

static int compare_times(const struct cyv_temporal *a, const struct cyv_temporal *b)
{
    if (a->seconds != b->seconds)
        return a->seconds < b->seconds ? -1 : 1;
    return (a->nanos > b->nanos) - (a->nanos < b->nanos);
}

static int64_t months_between(const struct cyv_temporal *a, const struct cyv_temporal *b)
{
    struct calendar_date from = calendar_date(a->days);
    struct calendar_date to = calendar_date(b->days);
    int64_t months = (to.year - from.year) * 12 + to.month - from.month;
    int order = from.day != to.day ? (from.day > to.day ? 1 : -1) : compare_times(a, b);
    if (months > 0 && order > 0)
        months--;
    if (months < 0 && order < 0)
        months++;
    return months;
}

static int64_t days_between(const struct cyv_temporal *a, const struct cyv_temporal *b)
{
    int64_t days = b->days - a->days;
    int order = compare_times(a, b);
    if (days > 0 && order > 0)
        days--;
    if (days < 0 && order < 0)
        days++;
    return days;
}

static void seconds_between(const struct cyv_temporal *a, const struct cyv_temporal *b,
                            struct cyv_temporal *out)
{
    int64_t nanos = (int64_t)b->nanos - a->nanos;
    out->seconds = (b->days - a->days) * CALENDAR_DAY + b->seconds - b->offset -
                   (a->seconds - a->offset) + calendar_floor(nanos, NANOS);
    out->nanos = (int32_t)calendar_modulo(nanos, NANOS);
}

bool duration_between(struct cy_env *env, const struct cy_expr *at,
                      enum duration_parts parts, struct cy_value from, struct cy_value to,
                      struct cy_value *out)
{
    struct cyv_temporal a;
    struct cyv_temporal b;
    struct cyv_temporal duration = {0};
    bool dated = temporal_has_date(from.type) && temporal_has_date(to.type);
    if (!align(env, at, from, to, &a, &b))
        return false;
    if (dated && (parts == DURATION_ALL || parts == DURATION_MONTHS)) {
        duration.months = months_between(&a, &b);
        a.days = calendar_add_months(a.days, duration.months);
    }
    if (dated && (parts == DURATION_ALL || parts == DURATION_DAYS)) {
        duration.days = days_between(&a, &b);
        a.days += duration.days;
    }
    if (duration.months != 0 || duration.days != 0)
        if (!temporal_find_offset(env, at, &a))
            return false;
    if (parts == DURATION_ALL || parts == DURATION_SECONDS)
        seconds_between(&a, &b, &duration);
    return temporal_value(env, at, CYV_DURATION, duration, out);
}

/* --- truncating ------------------------------------------------------------------- */

static int64_t year_begins(int64_t year)
{
    return calendar_days((struct calendar_date){year, 1, 1});
}

/* False: no unit of dates. */
static bool truncate_days(struct sh_bytes unit, int64_t *days)
{
    struct calendar_date date = calendar_date(*days);
    struct calendar_week week = calendar_week(*days);
    if (sh_bytes_is(unit, "millennium"))
        *days = year_begins(calendar_floor(date.year, 1000) * 1000);
    else if (sh_bytes_is(unit, "century"))
        *days = year_begins(calendar_floor(date.year, 100) * 100);
    else if (sh_bytes_is(unit, "decade"))
        *days = year_begins(calendar_floor(date.year, 10) * 10);
    else if (sh_bytes_is(unit, "year"))
        *days = year_begins(date.year);
    else if (sh_bytes_is(unit, "weekYear"))
        *days = calendar_week_days((struct calendar_week){week.year, 1, 1});
    else if (sh_bytes_is(unit, "quarter"))
        *days = calendar_days(
            (struct calendar_date){date.year, (date.month - 1) / 3 * 3 + 1, 1});
    else if (sh_bytes_is(unit, "month"))
        *days = calendar_days((struct calendar_date){date.year, date.month, 1});
    else if (sh_bytes_is(unit, "week"))
        *days -= week.day - 1;
    else
        return sh_bytes_is(unit, "day");
    return true;
}

static bool truncate_time(struct sh_bytes unit, struct cyv_temporal *time)
{
    if (sh_bytes_is(unit, "millisecond"))
        time->nanos -= time->nanos % 1000000;
    else if (sh_bytes_is(unit, "microsecond"))
        time->nanos -= time->nanos % 1000;
    else
        time->nanos = 0;
    if (sh_bytes_is(unit, "hour"))
        time->seconds -= time->seconds % 3600;
    else if (sh_bytes_is(unit, "minute"))
        time->seconds -= time->seconds % 60;
    else
        return sh_bytes_is(unit, "second") || sh_bytes_is(unit, "millisecond") ||
               sh_bytes_is(unit, "microsecond");
    return true;
}

bool temporal_truncate(struct cy_env *env, const struct cy_expr *call, enum cyv_type type,
                       const struct cy_value *arguments, struct cy_value *out)
{
    struct sh_bytes unit = cyv_text(arguments[0]);
    struct cy_value value = arguments[1];
    struct cyv_temporal cut = *value.temporal;
    bool known = true;
    if (value.type == CYV_DURATION ||
        (temporal_has_date(type) && !temporal_has_date(value.type)))
        return cy_fail(env, CY_TYPE, "InvalidArgumentType", call->at,
                       "a %s cannot become a %s", cyv_type_name(value.type),
                       cyv_type_name(type));
    if (truncate_days(unit, &cut.days)) {
        cut.seconds = 0;
        cut.nanos = 0;
    } else {
        known = truncate_time(unit, &cut);
    }
    if (!known)
        return cy_fail(env, CY_ARGUMENTS, "InvalidArgumentValue", call->at,
                       "there is no such unit to truncate to");
    struct cy_value base = {.type = type, .temporal = &cut};
    struct cy_value none = {.type = CYV_MAP};
    return temporal_of_map(env, call, type, call->item_count > 2 ? arguments[2] : none,
                           &base, out);
}
