/* temporal: dates, times and durations (ISO 8601, proleptic Gregorian calendar), as
 * openCypher has them in CIP2015-08-06. Functions that return bool and take an env fail
 * as env.h says; `at` is the call that they fail at. */
#ifndef CYPHER_TEMPORAL_H
#define CYPHER_TEMPORAL_H

#include "services/graph/cypher/ast.h"
#include "services/graph/cypher/value.h"

/* --- making ----------------------------------------------------------------------- */

static inline bool temporal_has_date(enum cyv_type type)
{
    return type == CYV_DATE || type == CYV_LOCAL_DATETIME || type == CYV_DATETIME;
}

static inline bool temporal_has_time(enum cyv_type type)
{
    return type != CYV_DATE && type != CYV_DURATION;
}

static inline bool temporal_has_zone(enum cyv_type type)
{
    return type == CYV_TIME || type == CYV_DATETIME;
}

/* Copies; what the type does not have is dropped, years are bounded. */
bool temporal_value(struct cy_env *env, const struct cy_expr *at, enum cyv_type type,
                    struct cyv_temporal temporal, struct cy_value *out);
/* Of a map of fields; `base` (NULL: none) gives those that the map does not. */
bool temporal_of_map(struct cy_env *env, const struct cy_expr *at, enum cyv_type type,
                     struct cy_value map, const struct cy_value *base,
                     struct cy_value *out);
/* Of another value of any kind. */
bool temporal_of_other(struct cy_env *env, const struct cy_expr *at, enum cyv_type type,
                       struct cy_value other, struct cy_value *out);
bool temporal_of_text(struct cy_env *env, const struct cy_expr *at, enum cyv_type type,
                      struct sh_bytes text, struct cy_value *out);
bool temporal_now(struct cy_env *env, const struct cy_expr *at, enum cyv_type type,
                  struct cy_value *out);
/* "+01:00", "Z", "Europe/Stockholm". The offset of a named zone is found out later.
 * False: no such zone. */
bool temporal_parse_zone(struct sh_bytes text, struct cyv_temporal *temporal);
/* From the zone's name and the local time. */
bool temporal_find_offset(struct cy_env *env, const struct cy_expr *at,
                          struct cyv_temporal *temporal);
/* The same moment on another clock, whose zone or offset `zone` has. */
bool temporal_move(struct cy_env *env, const struct cy_expr *at,
                   const struct cyv_temporal *zone, struct cyv_temporal *temporal);
/* Nanoseconds into 0 to 999,999,999; time into the day, what is over into days, where
 * `wraps` is not told. */
void temporal_carry(struct cyv_temporal *temporal, bool wraps);

/* Of one unit ("years" … "nanoseconds"), whose fraction goes to the smaller ones. */
bool duration_add_unit(struct cyv_temporal *duration, struct sh_bytes unit,
                       struct cy_value amount);
bool duration_of_map(struct cy_env *env, const struct cy_expr *at, struct cy_value map,
                     struct cy_value *out);
bool duration_of_text(struct sh_bytes text, struct cyv_temporal *out);

/* --- using ------------------------------------------------------------------------ */

/* "1984-10-11T12:31:14.645+01:00[Europe/Stockholm]", "P1Y2M3DT4H5.006S" */
bool cy_temporal_text(struct cy_env *env, struct cy_value value, struct cy_value *out);
/* value.year and its kin; null when there is none of that name. */
bool temporal_field(struct cy_env *env, struct cy_value value, struct sh_bytes field,
                    struct cy_value *out);
/* *known is false where openCypher has no such sum. */
bool temporal_arithmetic(struct cy_env *env, const struct cy_expr *at,
                         struct cy_value left, struct cy_value right, bool *known,
                         struct cy_value *out);
/* arguments: of the call: a text, a temporal value and, where there are three, a map. */
bool temporal_truncate(struct cy_env *env, const struct cy_expr *call, enum cyv_type type,
                       const struct cy_value *arguments, struct cy_value *out);

enum duration_parts { DURATION_ALL, DURATION_MONTHS, DURATION_DAYS, DURATION_SECONDS };
bool duration_between(struct cy_env *env, const struct cy_expr *at,
                      enum duration_parts parts, struct cy_value from, struct cy_value to,
                      struct cy_value *out);

#endif
