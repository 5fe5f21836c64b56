/* parts: the SQL of what was uploaded. `import` is always $1. */
#ifndef GRAPH_IMPORT_PARTS_H
#define GRAPH_IMPORT_PARTS_H

#include "shared/pg.h"

/* number, part (binary), bytes that may wait → known, kept, large (too much of this
 * import alone), full (of all of them) */
extern const struct sh_pg_statement parts_keep;
/* number → part (binary); no row: it is not kept any more */
extern const struct sh_pg_statement parts_read;
/* number → those before it go */
extern const struct sh_pg_statement parts_drop;
/* Nothing → those that nobody wants. Takes no `import`. */
extern const struct sh_pg_statement parts_stale;

#endif
