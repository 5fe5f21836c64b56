/* temporal: dates, times and durations (ISO 8601, proleptic Gregorian calendar).
 * Functions that return bool and take an env fail as env.h says. */
#ifndef CYPHER_TEMPORAL_H
#define CYPHER_TEMPORAL_H

#include "services/graph/cypher/value.h"

/* "1984-10-11T12:31:14.645+01:00[Europe/Stockholm]", "P1Y2M3DT4H5.006S" */
bool cy_temporal_text(struct cy_env *env, struct cy_value value, struct cy_value *out);

#endif
