/* set: values that were there already, by equivalence. It lies in the query's arena and
 * doubles as it fills. */
#ifndef CYPHER_SET_H
#define CYPHER_SET_H

#include "services/graph/cypher/env.h"
#include "services/graph/cypher/value.h"

struct cy_set { /* {0} is an empty set */
    struct cy_value *values;
    uint64_t *hashes;
    unsigned char *used;
    size_t room; /* a power of two */
    size_t count;
};

/* *added: it was not there yet. False: failed, as env.h says. */
bool cy_set_add(struct cy_env *env, struct cy_set *set, struct cy_value value,
                bool *added);

#endif
