#include "services/gateway/gate.h"

#include "services/gateway/auth/authenticate.h"
#include "services/gateway/auth/authorise.h"
#include "services/gateway/limits/limits.h"
#include "services/gateway/maintenance/maintenance.h"

/* In this order, ended by NULL. */
static gate_step *const steps[] = {
    limits_shed, authenticate, limits_count, authorise, maintenance_gate, NULL,
};

/* What must be looked at anew is work, and not for everybody. */
static bool asks_for_work(const struct exchange *x)
{
    char value[8];

    return sh_http_query(x->request).len > 0 &&
           sh_http_param(x->request, "refresh", value, sizeof value) != SH_NOTFOUND;
}

static bool is_probe(const struct exchange *x)
{
    return x->route != NULL && x->route->permission == PERMIT_PUBLIC &&
           (x->route->flags & ROUTE_QUIET) != 0 && !asks_for_work(x);
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
    /* A page is copied from memory, the same for all: its script asks the API, and that
     * counts. */
    if (is_probe(x) || x->page.file != NULL)
        exchange_dispatch(x);
    else
        gate_next(x);
}
