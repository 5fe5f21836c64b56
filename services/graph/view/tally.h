/* tally: how many nodes and edges there are of each kind, apart by the classes of access
 * of all that must be readable for one to count. So the overview of the graph is a sum
 * over few numbers, for every caller. */
#ifndef GRAPH_TALLY_H
#define GRAPH_TALLY_H

#include "services/graph/view/lookup.h"
#include "shared/err.h"

enum tally_kind {
    TALLY_NODES,    /* access of the node */
    TALLY_LABEL,    /* the same; label */
    TALLY_PROPERTY, /* the same; label, key, type of value */
    TALLY_EDGES,    /* access of the edge and its two nodes; type */
    TALLY_JOIN,     /* the same; type, label at its start, label at its end */
};

enum { TALLY_CLASSES = 3, TALLY_WHAT = 3 };

struct tally_key { /* what is not used is 0; a node's class stands three times */
    uint32_t kind;
    uint32_t what[TALLY_WHAT];
    uint32_t access[TALLY_CLASSES];
};

struct tally_item {
    struct tally_key key;
    int64_t count;
};

/* Changes of counts. {0} is empty; tally_clear() ends it. */
struct tally {
    struct lookup *lookup;
    struct tally_item *items;
    uint32_t count;
    uint32_t capacity;
};

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err tally_add(struct tally *tally, const struct tally_key *key,
                               int64_t by);
void tally_clear(struct tally *tally);

/* Counts above 0, in order of their keys as they stand: all of one kind and what,
 * whatever the access, follow each other. */
struct tally_list {
    uint32_t count;
    struct tally_item items[];
};

/* `old` (NULL: none) with the changes, which are sorted for it and then only good for
 * tally_clear(); sh_free() ends it. NULL: out of memory. */
struct tally_list *tally_list(const struct tally_list *old, struct tally *changes);

#endif
