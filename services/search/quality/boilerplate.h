/* boilerplate: what every page repeats and no search wants. Left out of the passages,
 * never of the sections, which stay as they came; each removal is told. The rules would
 * rather leave something in:
 * - Of lines among the first or last three of a page that are there on three of five
 * pages and on four at least, all but the first go; numbers in them may differ unless
 * they are sentences. Pages of less than three lines are left alone. Lines that are
 * nothing but the page's number, as far from the real one everywhere, all go.
 * - Four or more lines in a row that end in dots and a page number, and whose numbers do
 *   not fall, are a table of contents.
 * - A passage without a letter goes unless it has twenty digits, or any below a heading.
 * Pure; any thread. */
#ifndef SEARCH_BOILERPLATE_H
#define SEARCH_BOILERPLATE_H

#include "services/search/chunk/chunk.h"
#include "services/search/quality/drops.h"

/* *out: `count` sections without such lines; texts are those of `sections` where nothing
 * went. In `arena`. Errors: SH_NOMEM. */
SH_CHECK enum sh_err boilerplate_lines(const struct chunk_section *sections, size_t count,
                                       struct sh_arena *arena, struct chunk_section **out,
                                       struct drops *drops);
/* Passages without words go; the others are numbered anew. Errors: SH_NOMEM. */
SH_CHECK enum sh_err boilerplate_passages(struct chunk *chunks, size_t *count,
                                          struct sh_arena *arena, struct drops *drops);

#endif
