/* show: values as the openCypher TCK writes them in its tables: (:A {x: 1}), [:T],
 * <(:A)-[:T]->(:B)>, 'text'. */
#ifndef TCK_SHOW_H
#define TCK_SHOW_H

#include "services/graph/cypher/env.h"
#include "services/graph/cypher/value.h"
#include "shared/buffer.h"

/* False: the env says why. */
bool tck_show(struct cy_env *env, struct cy_value value, struct sh_buffer *out);

#endif
