/* tallied: what the tally of the version counts of one kind, for the reader of a query.
 */
#ifndef CYPHER_TALLIED_H
#define CYPHER_TALLIED_H

#include "services/graph/cypher/env.h"

struct cy_tallied { /* items of the version's tally */
    uint32_t begin;
    uint32_t end;
};

/* Those of a kind that are about the first `given` of `what`. */
struct cy_tallied cy_tallied(const struct cy_env *env, enum tally_kind kind,
                             const uint32_t *what, size_t given);
/* The reader may see all that it is about. */
bool cy_tally_is_seen(const struct cy_env *env, const struct tally_item *item);
/* What the reader sees of them, counted. */
uint64_t cy_tally_sum(const struct cy_env *env, struct cy_tallied range);
/* Nodes that the reader sees; of this label. */
uint64_t cy_seen_nodes(const struct cy_env *env);
uint64_t cy_seen_of_label(const struct cy_env *env, uint32_t label);

#endif
