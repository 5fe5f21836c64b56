/* Functions of dates, times and durations. */
#include "services/graph/cypher/calendar.h"
#include "services/graph/cypher/functions_internal.h"
#include "services/graph/cypher/temporal.h"

static bool make(struct cy_env *env, const struct cy_expr *call, enum cyv_type type,
                 const struct cy_value *arguments, struct cy_value *out)
{
    if (call->item_count == 0)
        return temporal_now(env, call, type, out);
    if (arguments->type == CYV_STRING)
        return temporal_of_text(env, call, type, cyv_text(*arguments), out);
    if (arguments->type == CYV_MAP && type == CYV_DURATION)
        return duration_of_map(env, call, *arguments, out);
    if (arguments->type == CYV_MAP)
        return temporal_of_map(env, call, type, *arguments, NULL, out);
    if (cyv_is_temporal(*arguments))
        return temporal_of_other(env, call, type, *arguments, out);
    return cy_bad_type(env, call, *arguments);
}

static bool cut(struct cy_env *env, const struct cy_expr *call, enum cyv_type type,
                const struct cy_value *arguments, struct cy_value *out)
{
    const struct cy_value *fields = call->item_count > 2 ? &arguments[2] : NULL;
    if (arguments[0].type != CYV_STRING)
        return cy_bad_type(env, call, arguments[0]);
    if (!cyv_is_temporal(arguments[1]))
        return cy_bad_type(env, call, arguments[1]);
    if (fields != NULL && fields->type != CYV_MAP)
        return cy_bad_type(env, call, *fields);
    return temporal_truncate(env, call, type, arguments, out);
}

#define KINDS(X)                                                                         \
    X(date, CYV_DATE)                                                                    \
    X(localtime, CYV_LOCAL_TIME)                                                         \
    X(time, CYV_TIME)                                                                    \
    X(localdatetime, CYV_LOCAL_DATETIME)                                                 \
    X(datetime, CYV_DATETIME)

#define DEFINE(name, type)                                                               \
    static bool call_##name(struct cy_env *env, const struct cy_expr *call,              \
                            const struct cy_value *arguments, struct cy_value *out)      \
    {                                                                                    \
        return make(env, call, type, arguments, out);                                    \
    }                                                                                    \
    static bool call_##name##_truncate(struct cy_env *env, const struct cy_expr *call,   \
                                       const struct cy_value *arguments,                 \
                                       struct cy_value *out)                             \
    {                                                                                    \
        return cut(env, call, type, arguments, out);                                     \
    }
KINDS(DEFINE)

static bool call_duration(struct cy_env *env, const struct cy_expr *call,
                          const struct cy_value *arguments, struct cy_value *out)
{
    return make(env, call, CYV_DURATION, arguments, out);
}

/* --- between ---------------------------------------------------------------------- */

static bool between(struct cy_env *env, const struct cy_expr *call,
                    enum duration_parts parts, const struct cy_value *arguments,
                    struct cy_value *out)
{
    for (uint32_t i = 0; i < 2; i++)
        if (!cyv_is_temporal(arguments[i]) || arguments[i].type == CYV_DURATION)
            return cy_bad_type(env, call, arguments[i]);
    return duration_between(env, call, parts, arguments[0], arguments[1], out);
}

static bool call_between(struct cy_env *env, const struct cy_expr *call,
                         const struct cy_value *arguments, struct cy_value *out)
{
    return between(env, call, DURATION_ALL, arguments, out);
}

static bool call_in_months(struct cy_env *env, const struct cy_expr *call,
                           const struct cy_value *arguments, struct cy_value *out)
{
    return between(env, call, DURATION_MONTHS, arguments, out);
}

static bool call_in_days(struct cy_env *env, const struct cy_expr *call,
                         const struct cy_value *arguments, struct cy_value *out)
{
    return between(env, call, DURATION_DAYS, arguments, out);
}

static bool call_in_seconds(struct cy_env *env, const struct cy_expr *call,
                            const struct cy_value *arguments, struct cy_value *out)
{
    return between(env, call, DURATION_SECONDS, arguments, out);
}

/* --- since 1970 ------------------------------------------------------------------- */

static bool of_epoch(struct cy_env *env, const struct cy_expr *call, int64_t seconds,
                     int64_t nanos, struct cy_value *out)
{
    struct cyv_temporal temporal = {.seconds = seconds,
                                    .nanos = (int32_t)calendar_modulo(nanos, 1000000000)};
    if (__builtin_add_overflow(seconds, calendar_floor(nanos, 1000000000),
                               &temporal.seconds))
        return cy_bad_value(env, call, "too far from 1970");
    temporal_carry(&temporal, false);
    return temporal_value(env, call, CYV_DATETIME, temporal, out);
}

static bool call_epoch(struct cy_env *env, const struct cy_expr *call,
                       const struct cy_value *arguments, struct cy_value *out)
{
    for (uint32_t i = 0; i < 2; i++)
        if (arguments[i].type != CYV_INTEGER)
            return cy_bad_type(env, call, arguments[i]);
    return of_epoch(env, call, arguments[0].integer, arguments[1].integer, out);
}

static bool call_epoch_millis(struct cy_env *env, const struct cy_expr *call,
                              const struct cy_value *arguments, struct cy_value *out)
{
    if (arguments[0].type != CYV_INTEGER)
        return cy_bad_type(env, call, arguments[0]);
    return of_epoch(env, call, calendar_floor(arguments[0].integer, 1000),
                    calendar_modulo(arguments[0].integer, 1000) * 1000000, out);
}

/* --- now -------------------------------------------------------------------------- */

/* On the clock of a zone, if one is named. A query has one present, whichever is asked
 * for. */
static bool now(struct cy_env *env, const struct cy_expr *call, enum cyv_type type,
                const struct cy_value *arguments, struct cy_value *out)
{
    struct cyv_temporal zone = {0};
    struct cy_value utc;
    if (call->item_count == 0)
        return temporal_now(env, call, type, out);
    if (arguments->type != CYV_STRING)
        return cy_bad_type(env, call, *arguments);
    if (!temporal_parse_zone(cyv_text(*arguments), &zone))
        return cy_bad_value(env, call, "there is no such time zone");
    if (!temporal_now(env, call, CYV_DATETIME, &utc))
        return false;
    struct cyv_temporal there = *utc.temporal;
    return temporal_move(env, call, &zone, &there) &&
           temporal_value(env, call, type, there, out);
}

#define DEFINE_NOW(name, type)                                                           \
    static bool call_##name##_now(struct cy_env *env, const struct cy_expr *call,        \
                                  const struct cy_value *arguments,                      \
                                  struct cy_value *out)                                  \
    {                                                                                    \
        return now(env, call, type, arguments, out);                                     \
    }
KINDS(DEFINE_NOW)

#define ROWS(name, type)                                                                 \
    {#name, 0, 1, false, false, call_##name},                                            \
        {#name ".transaction", 0, 1, false, false, call_##name##_now},                   \
        {#name ".statement", 0, 1, false, false, call_##name##_now},                     \
        {#name ".realtime", 0, 1, false, false, call_##name##_now},                      \
        {#name ".truncate", 2, 3, false, false, call_##name##_truncate},

static const struct cy_function functions[] = {
    KINDS(ROWS){"duration", 1, 1, false, false, call_duration},
    {"duration.between", 2, 2, false, false, call_between},
    {"duration.inMonths", 2, 2, false, false, call_in_months},
    {"duration.inDays", 2, 2, false, false, call_in_days},
    {"duration.inSeconds", 2, 2, false, false, call_in_seconds},
    {"datetime.fromEpoch", 2, 2, false, false, call_epoch},
    {"datetime.fromEpochMillis", 1, 1, false, false, call_epoch_millis},
};

const struct cy_function_table functions_temporal = {functions, SH_COUNT(functions)};
