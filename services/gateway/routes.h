/* routes: the table of everything that the gateway answers. */
#ifndef GATEWAY_ROUTES_H
#define GATEWAY_ROUTES_H

#include "services/gateway/router.h"

extern const struct route routes[];
extern const size_t routes_count;

#endif
