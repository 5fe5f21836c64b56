/* links: what a node is joined to, one way: in groups by type of edge, each in order of
 * peer and edge. A block never changes; a change makes another one. */
#ifndef GRAPH_LINKS_H
#define GRAPH_LINKS_H

#include "shared/bytes.h"

struct link {
    uint32_t peer; /* the node at the other end */
    uint32_t edge;
    uint32_t access; /* class of the edge */
};

struct link_group {
    uint32_t type;
    uint32_t first;
};

struct links {
    uint32_t count;
    uint32_t group_count;
    const struct link_group *groups; /* one more, whose `first` is `count` */
    const struct link *links;
};

/* An edge that comes to a node or leaves it. */
struct link_change {
    uint32_t node;
    bool outgoing;
    bool added;
    uint32_t type;
    struct link link;
};

/* In the order that links_change() wants: by node and direction, then as they will lie.
 */
int links_compare(const void *left, const void *right);
/* What becomes of `old` (NULL: nothing) by changes of one node and direction. *out is
 * NULL when nothing is left; sh_free() ends it. False: out of memory. */
bool links_change(const struct links *old, const struct link_change *changes,
                  size_t count, struct links **out);
/* Links that are in order already, each of the type that stands in its place of `types`;
 * count > 0. NULL: out of memory. */
struct links *links_make(const uint32_t *types, const struct link *links, uint32_t count);
/* Links of that type; *count 0 when there are none. `links` may be NULL. */
const struct link *links_of_type(const struct links *links, uint32_t type,
                                 uint32_t *count);

#endif
