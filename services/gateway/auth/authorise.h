/* authorise: the step of the gate that asks whether the caller may do what the route
 * does. Each route names one permission; the role must have it, and the credential must
 * be good for it. */
#ifndef GATEWAY_AUTHORISE_H
#define GATEWAY_AUTHORISE_H

#include "services/gateway/gate.h"

gate_step authorise;

/* Whether this caller may, for handlers that let some do more. */
bool authorised(const struct exchange *x, enum permission permission);

#endif
