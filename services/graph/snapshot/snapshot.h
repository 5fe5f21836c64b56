/* snapshot: the graph as a file, `graph` in a directory. Versioned, each section with its
 * XXH3; what is torn, changed, of another version or does not fit together is refused.
 * Whatever the bytes say, nothing outside of them is read. */
#ifndef GRAPH_SNAPSHOT_H
#define GRAPH_SNAPSHOT_H

#include <stdio.h>

#include "services/graph/view/graph.h"

/* Of the file; to be raised, too, when properties are packed in another way. */
enum { SNAPSHOT_VERSION = 1, SNAPSHOT_NOTE = 512 };

/* The version that the reader is in, which must see everything, while others ask. `dir`
 * is there and empty. What is written is on the disk when this returns, but for the entry
 * of `dir` itself. `note`: what state of the record it shows. Errors: SH_IO, SH_TOOBIG.
 */
SH_CHECK enum sh_err snapshot_save(const struct graph_reader *reader, const char *note,
                                   const char *dir);
/* As above, to an open file, from its beginning. */
SH_CHECK enum sh_err snapshot_write(const struct graph_reader *reader, const char *note,
                                    FILE *file);

/* The note alone. Errors: SH_NOTFOUND, SH_MALFORMED, SH_IO. */
SH_CHECK enum sh_err snapshot_peek(const char *dir, char note[SNAPSHOT_NOTE + 1]);
/* Into a graph that nobody has entered yet and that is empty; if it fails, the graph is
 * good for nothing but graph_free(). Errors: SH_NOTFOUND, SH_MALFORMED, SH_IO, SH_NOMEM.
 */
SH_CHECK enum sh_err snapshot_load(struct graph *graph, const char *dir);
/* As above; `bytes` (at an address divisible by 8) are borrowed until it returns. */
SH_CHECK enum sh_err snapshot_read(struct graph *graph, struct sh_bytes bytes);

#endif
