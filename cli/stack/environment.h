/* environment: what the services are told. They inherit the supervisor's environment, so
 * what the operator set there counts. */
#ifndef STACK_ENVIRONMENT_H
#define STACK_ENVIRONMENT_H

#include "cli/stack/layout.h"

/* Set in our own environment what all services share: databases, endpoints, directories.
 */
void environment_set(const struct layout *layout);
/* Our environment with what is one replica's own; kept for the life of the process. NULL
 * when out of memory. */
char **environment_with(const struct layout *layout, const struct service_layout *service,
                        const struct replica *replica);

#endif
