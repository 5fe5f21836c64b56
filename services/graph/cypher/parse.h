/* parse: from the text of a query to its tree. By recursive descent; how deep anything
 * may be nested is bounded. */
#ifndef CYPHER_PARSE_H
#define CYPHER_PARSE_H

#include "services/graph/cypher/env.h"

enum {
    CY_TEXT_MAX = 65536, /* bytes of a query */
    CY_CLAUSES_MAX = 200,
    CY_NESTING_MAX = 100, /* of brackets and prefixes */
    CY_HEIGHT_MAX = 1000, /* of the tree of an expression */
};

/* Uses the env's arena and errors only. Fails with CY_SYNTAX, CY_UNSUPPORTED, CY_WRITE.
 */
bool cy_parse(struct cy_env *env, struct sh_bytes text, struct cy_query **out);

#endif
