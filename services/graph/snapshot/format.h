/* format: how a snapshot of the graph is laid out: sections (shared/sections.h). Nodes
 * and edges are numbered from 0 on in their sections; labels, types, keys and classes of
 * access by their order. */
#ifndef GRAPH_SNAPSHOT_FORMAT_H
#define GRAPH_SNAPSHOT_FORMAT_H

#include <stddef.h>

#include "services/graph/snapshot/snapshot.h"
#include "shared/sections.h"

enum { KEPT_SYMBOLS = 4, KEPT_CLASS_MAX = 512 };

enum kept_section_id {
    KEPT_LABELS, /* symbols: each its length (uint32_t) and its bytes */
    KEPT_TYPES,
    KEPT_KEYS,
    KEPT_CLASSES,
    KEPT_NODES,       /* struct kept_node */
    KEPT_NODE_LABELS, /* uint32_t, in the order of nodes */
    KEPT_NODE_TEXTS,  /* bytes, in the order of nodes: id, packed properties */
    KEPT_EDGES,       /* struct kept_edge */
    KEPT_EDGE_TEXTS,  /* as for nodes */
    KEPT_TALLY,       /* struct kept_count, in the order of the tally */
    KEPT_SECTIONS
};

struct kept_node {
    uint64_t number;
    uint32_t id; /* lengths */
    uint32_t properties;
    uint32_t label_count;
    uint32_t access;
};

struct kept_edge {
    uint64_t number;
    uint32_t id; /* lengths */
    uint32_t properties;
    uint32_t from; /* nodes */
    uint32_t to;
    uint32_t type;
    uint32_t access;
};

struct kept_count {
    struct tally_key key;
    uint32_t zero;
    int64_t count;
};

struct kept_foot {
    struct sh_sections_mark mark;
    char note[SNAPSHOT_NOTE + 8]; /* ends with a zero byte */
    struct sh_section sections[KEPT_SECTIONS];
    uint64_t sum; /* of the foot up to here */
};

_Static_assert(sizeof(struct kept_node) == 24, "no padding");
_Static_assert(sizeof(struct kept_edge) == 32, "no padding");
_Static_assert(sizeof(struct kept_count) == 40, "no padding");
_Static_assert(offsetof(struct kept_foot, sum) ==
                   16 + SNAPSHOT_NOTE + 8 + KEPT_SECTIONS * sizeof(struct sh_section),
               "no padding: it would be summed up unset");

extern const struct sh_sections_kind kept_kind;

#endif
