/* environment: what the services are told. They inherit the supervisor's environment, so
 * what the operator set there counts. */
#ifndef STACK_ENVIRONMENT_H
#define STACK_ENVIRONMENT_H

#include "cli/stack/layout.h"

/* Set in our own environment what all services share: databases, endpoints, directories.
 */
void environment_set(const struct layout *layout);
/* Our environment with two more, for one replica; kept for the life of the process. NULL
 * when out of memory. */
char **environment_with(const char *rpc_bind, uint16_t ops_port);

#endif
