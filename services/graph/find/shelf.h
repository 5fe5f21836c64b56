/* shelf: the name indexes that are kept, one a property; the least used goes when there
 * is no room. A lock is held while one is handed out, never while one is made. */
#ifndef GRAPH_SHELF_H
#define GRAPH_SHELF_H

#include "services/graph/find/name_index.h"

struct shelf;
struct shelved;

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err shelf_create(struct shelf **out);
void shelf_free(struct shelf **shelf);

/* The index of the property (empty: of the names), made if there is none that is good
 * enough for this version. shelf_give_back() lets it go. Errors: SH_NOMEM, SH_TOOBIG. */
SH_CHECK enum sh_err shelf_take(struct shelf *shelf, const struct graph_version *version,
                                struct sh_bytes property, const struct words_keys *keys,
                                struct shelved **out);
const struct name_index *shelf_index(const struct shelved *shelved);
void shelf_give_back(struct shelf *shelf, struct shelved *shelved);

#endif
