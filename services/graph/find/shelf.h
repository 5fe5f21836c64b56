/* shelf: the indexes that are kept, one a property; the least used goes when there is no
 * room. A lock is held while one is handed out, never while one is made. */
#ifndef GRAPH_SHELF_H
#define GRAPH_SHELF_H

#include "services/graph/find/seen.h"

struct shelf;
struct shelved;

/* An index begins with its struct seen. */
struct shelf_kind {
    /* `about`: what shelf_take() was given. Errors: SH_NOMEM, SH_TOOBIG. */
    enum sh_err (*build)(const struct graph_version *version, const void *about,
                         void **out);
    void (*free)(void *index);
};

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err shelf_create(const struct shelf_kind *kind, struct shelf **out);
void shelf_free(struct shelf **shelf); /* NULL is fine */

/* The index of the property (empty: of the names), made if there is none that is good
 * enough for this version. shelf_give_back() lets it go. Errors: SH_NOMEM, SH_TOOBIG. */
SH_CHECK enum sh_err shelf_take(struct shelf *shelf, const struct graph_version *version,
                                struct sh_bytes property, const void *about,
                                struct shelved **out);
const void *shelf_index(const struct shelved *shelved);
void shelf_give_back(struct shelf *shelf, struct shelved *shelved);

/* Of every index that is there; while it runs none is handed out. */
typedef void shelf_each_fn(void *arg, struct sh_bytes property, const void *index);
void shelf_each(struct shelf *shelf, shelf_each_fn *each, void *arg);

#endif
