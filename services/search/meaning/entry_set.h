/* entry_set: entries of the glossary by what they mean: a vector of each, a byte for each
 * number, and what says who may see it. An exact scan: every entry that may be seen is
 * compared. One thread changes it, any number of threads search at the same time: an
 * entry that changes gets a new place, the old one stays until the set is freed. */
#ifndef SEARCH_ENTRY_SET_H
#define SEARCH_ENTRY_SET_H

#include "proto/msg.h"

enum { ENTRY_SET_MAX = 1 << 21 };

struct entry_set;

struct entry_facts {
    struct sh_bytes id;
    uint32_t clearance_level;
    struct sh_bytes department;
    struct sh_bytes language;
    struct sh_bytes domain;
    struct sh_bytes status;
};

/* Errors: SH_NOMEM, SH_INVALID (no dimension). */
SH_CHECK enum sh_err entry_set_create(uint32_t dimension, struct entry_set **out);
void entry_set_free(struct entry_set **self);
uint32_t entry_set_dimension(const struct entry_set *self);

/* In place of the one of that id. A vector without direction counts as none. Errors:
 * SH_NOMEM, SH_TOOBIG (ENTRY_SET_MAX places were used: make a new set). */
SH_CHECK enum sh_err entry_set_put(struct entry_set *self,
                                   const struct entry_facts *facts, const float *vector);
void entry_set_remove(struct entry_set *self, struct sh_bytes id);
size_t entry_set_count(const struct entry_set *self); /* entries */
size_t entry_set_dead(const struct entry_set *self);  /* places of no use any more */

struct entry_query {
    const struct caller *caller; /* a service (no role) sees all */
    struct sh_bytes language;    /* only of these; empty: any */
    struct sh_bytes domain;
    struct sh_bytes status;
    const float *vector;
    size_t most;
};
struct entry_hit {
    struct sh_bytes id; /* the set's */
    double score;       /* cosine, to about a hundredth */
};
/* Any thread. The most similar first, in `out` (room for `most`); *seen: how many were
 * compared. Errors: SH_NOMEM. */
SH_CHECK enum sh_err entry_set_search(const struct entry_set *self,
                                      const struct entry_query *query,
                                      struct entry_hit *out, size_t *count, size_t *seen);

#endif
