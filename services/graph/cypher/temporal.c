#include "services/graph/cypher/temporal.h"

#include "services/graph/cypher/env.h"

bool cy_temporal_text(struct cy_env *env, struct cy_value value, struct cy_value *out)
{
    (void)value;
    (void)out;
    return cy_fail_err(env, SH_INTERNAL);
}
