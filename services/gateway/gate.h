/* gate: what a request passes before its handler, step by step. A step answers the
 * exchange, or lets it on by gate_next(), now or later; each begins where the one before
 * it said yes. Probes pass no gate: they must answer when everything else is refused.
 *
 * A step that waits keeps what it waits with outside the exchange and sets x->state and
 * x->abandoned, because the client may leave; both are its own until it calls
 * gate_next(). Loop thread only. */
#ifndef GATEWAY_GATE_H
#define GATEWAY_GATE_H

#include "services/gateway/exchange.h"

typedef void gate_step(struct exchange *x);

/* The first step. */
void gate_enter(struct exchange *x);
/* The next one, or exchange_dispatch() after the last. */
void gate_next(struct exchange *x);

#endif
