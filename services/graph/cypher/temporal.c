#include "services/graph/cypher/temporal.h"

#include <math.h>

#include "services/graph/cypher/calendar.h"
#include "services/graph/cypher/env.h"
#include "shared/clock.h"

bool temporal_value(struct cy_env *env, const struct cy_expr *at, enum cyv_type type,
                    struct cyv_temporal temporal, struct cy_value *out)
{
    int64_t first = calendar_days((struct calendar_date){-CALENDAR_YEAR_MAX, 1, 1});
    int64_t last = calendar_days((struct calendar_date){CALENDAR_YEAR_MAX, 12, 31});
    struct cyv_temporal *copy = cy_alloc(env, sizeof(*copy));
    if (copy == NULL)
        return false;
    *copy = temporal;
    if (type != CYV_DURATION) {
        copy->months = 0;
        copy->days = temporal_has_date(type) ? copy->days : 0;
        copy->seconds = temporal_has_time(type) ? copy->seconds : 0;
        copy->nanos = temporal_has_time(type) ? copy->nanos : 0;
        copy->offset = temporal_has_zone(type) ? copy->offset : 0;
        copy->zone = type == CYV_DATETIME ? copy->zone : (struct sh_bytes){0};
    }
    *out = (struct cy_value){.type = type, .temporal = copy};
    if (type != CYV_DURATION && (copy->days > last || copy->days < first))
        return cy_fail(env, CY_ARGUMENTS, "InvalidArgumentValue", at->at,
                       "years go from -%d to %d", CALENDAR_YEAR_MAX, CALENDAR_YEAR_MAX);
    return true;
}

void temporal_carry(struct cyv_temporal *temporal, bool wraps)
{
    temporal->days += wraps ? 0 : calendar_floor(temporal->seconds, CALENDAR_DAY);
    temporal->seconds = calendar_modulo(temporal->seconds, CALENDAR_DAY);
}

bool temporal_find_offset(struct cy_env *env, const struct cy_expr *at,
                          struct cyv_temporal *temporal)
{
    if (temporal->zone.len == 0 ||
        calendar_offset_local(temporal->zone, temporal->days, temporal->seconds,
                              &temporal->offset))
        return true;
    return cy_fail(env, CY_ARGUMENTS, "InvalidArgumentValue", at->at,
                   "no such time zone, or not in that year: %.*s",
                   (int)(temporal->zone.len < 60 ? temporal->zone.len : 60),
                   (const char *)temporal->zone.data);
}

bool temporal_move(struct cy_env *env, const struct cy_expr *at,
                   const struct cyv_temporal *zone, struct cyv_temporal *temporal)
{
    int64_t epoch = temporal->days * CALENDAR_DAY + temporal->seconds - temporal->offset;
    int32_t offset = zone->offset;
    if (zone->zone.len > 0 && !calendar_offset_at(zone->zone, epoch, &offset))
        return cy_fail(env, CY_ARGUMENTS, "InvalidArgumentValue", at->at,
                       "no such time zone: %.*s",
                       (int)(zone->zone.len < 60 ? zone->zone.len : 60),
                       (const char *)zone->zone.data);
    temporal->seconds += offset - temporal->offset;
    temporal->offset = offset;
    temporal->zone = zone->zone;
    temporal_carry(temporal, false);
    return true;
}

/* A query has one present. */
bool temporal_now(struct cy_env *env, const struct cy_expr *at, enum cyv_type type,
                  struct cy_value *out)
{
    struct cyv_temporal now = {0};
    if (env->now == 0)
        env->now = sh_wall_time();
    now.seconds = (int64_t)floor(env->now);
    now.nanos = (int32_t)((env->now - floor(env->now)) * 1e6) * 1000;
    temporal_carry(&now, false);
    return temporal_value(env, at, type, now, out);
}

bool temporal_of_other(struct cy_env *env, const struct cy_expr *at, enum cyv_type type,
                       struct cy_value other, struct cy_value *out)
{
    bool fits = (!temporal_has_date(type) || temporal_has_date(other.type)) &&
                (other.type == CYV_DURATION) == (type == CYV_DURATION) &&
                (temporal_has_date(type) || temporal_has_time(other.type));
    if (!fits)
        return cy_fail(env, CY_TYPE, "InvalidArgumentType", at->at,
                       "no %s can be made of a %s", cyv_type_name(type),
                       cyv_type_name(other.type));
    return temporal_value(env, at, type, *other.temporal, out);
}
