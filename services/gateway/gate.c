#include "services/gateway/gate.h"

#include "services/gateway/auth/authenticate.h"
#include "services/gateway/auth/authorise.h"

/* In this order, ended by NULL. */
static gate_step *const steps[] = {
    authenticate,
    authorise,
    NULL,
};

static bool is_probe(const struct route *route)
{
    return route != NULL && route->permission == PERMIT_PUBLIC &&
           (route->flags & ROUTE_QUIET) != 0;
}

void gate_next(struct exchange *x)
{
    gate_step *step = steps[x->step];

    x->state = NULL;
    x->abandoned = NULL;
    if (step == NULL) {
        exchange_dispatch(x);
        return;
    }
    x->step++;
    step(x);
}

void gate_enter(struct exchange *x)
{
    if (is_probe(x->route))
        exchange_dispatch(x);
    else
        gate_next(x);
}
