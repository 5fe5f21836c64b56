/* also: what routes answer besides their usual status (route.success) and errors in the
 * common shape. The system tests hold it against every answer that they get. */
#ifndef GATEWAY_ROUTES_ALSO_H
#define GATEWAY_ROUTES_ALSO_H

#include <stddef.h>

struct route_also {
    const char *operation;
    int status;
    const char *answer; /* as in struct route; NULL: no body */
    const char *help;
};

/* All of them. */
const struct route_also *routes_also_all(size_t *count);
/* The next one of the operation behind `after` (NULL: the first); NULL: no more. */
const struct route_also *routes_also(const char *operation,
                                     const struct route_also *after);

#endif
