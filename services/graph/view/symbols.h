/* symbols: texts that recur, numbered from 0 in order of arrival: labels, types, property
 * keys, classes of access. They stay until the end. One writer adds; readers on any
 * thread, at any time. */
#ifndef GRAPH_SYMBOLS_H
#define GRAPH_SYMBOLS_H

#include "shared/bytes.h"
#include "shared/err.h"

struct symbols;

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err symbols_create(struct symbols **out);
void symbols_free(struct symbols **symbols);

/* The text's number, a new one if need be; the text is copied. Writer only. Errors:
 * SH_NOMEM, SH_TOOBIG: there are 2^29 already. */
SH_CHECK enum sh_err symbols_add(struct symbols *symbols, struct sh_bytes text,
                                 uint32_t *number);
/* False: no such text yet. */
bool symbols_find(const struct symbols *symbols, struct sh_bytes text, uint32_t *number);
/* `number` is one that was given out. Valid until symbols_free(). */
struct sh_bytes symbols_text(const struct symbols *symbols, uint32_t number);
uint32_t symbols_count(const struct symbols *symbols);

#endif
