/* authenticate: the step of the gate that finds out who asks. A credential that was shown
 * decides, in every mode; one that is no good is refused, but where everybody may come
 * in. Who shows none is anonymous, or with AUTH_MODE=trusted the operator. Afterwards
 * x->role and x->caller are set, and x->principal when somebody is known. */
#ifndef GATEWAY_AUTHENTICATE_H
#define GATEWAY_AUTHENTICATE_H

#include "services/gateway/gate.h"

gate_step authenticate;

#endif
