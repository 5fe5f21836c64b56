#include "services/gateway/auth/authorise.h"

#include "services/gateway/auth/principal.h"
#include "services/gateway/auth/refusal.h"

bool authorised(const struct exchange *x, enum permission permission)
{
    if (permission == PERMIT_UNSET || permission >= PERMIT_COUNT)
        return false;
    if (permission == PERMIT_PUBLIC)
        return true;
    return x->role != NULL && role_may(x->role, permission) &&
           (x->principal == NULL ||
            (x->principal->scopes & permission_bit(permission)) != 0);
}

/* Figures that METRICS_PUBLIC shows to everybody. */
static bool is_shown(const struct exchange *x)
{
    return (x->route->flags & ROUTE_OPERATOR) != 0 &&
           x->edge->gateway->config.metrics_public;
}

void authorise(struct exchange *x)
{
    const struct route *route = x->route;

    if (x->refusal != NULL)
        x->refusal(x, x->refused_for);
    else if (route == NULL || is_shown(x) || authorised(x, route->permission))
        gate_next(x); /* what is not there is refused by its absence */
    else if (x->principal == NULL)
        refuse_nobody(x);
    else
        refuse_permission(x, route->permission);
}
