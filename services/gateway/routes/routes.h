/* routes: everything that the gateway answers, in one table. */
#ifndef GATEWAY_ROUTES_H
#define GATEWAY_ROUTES_H

#include "services/gateway/router.h"

/* In the order of tables.h; free with sh_free(). NULL: out of memory. */
struct route *routes_all(size_t *count);

#endif
