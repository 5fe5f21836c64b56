/* walk: ways through the graph as one caller may see it: what it may not see is neither
 * passed through nor counted. Whatever could take long stops at its budget. Pure, any
 * thread; results live in the arena that is given. */
#ifndef GRAPH_WALK_H
#define GRAPH_WALK_H

#include "services/graph/view/graph.h"

#define WALK_ANY     UINT32_MAX
#define WALK_NOTHING (UINT32_MAX - 1) /* nothing has it: a name that is not there */

/* Which links are followed. */
struct walk_scope {
    bool out;       /* along the edges */
    bool in;        /* against them */
    uint32_t type;  /* WALK_ANY: all */
    uint32_t label; /* of the node at the other end; WALK_ANY: all */
};

struct walk_step {
    bool outgoing;
    uint32_t type;
    struct link link;
};

struct walk_budget {               /* what it does not reach is said to be truncated */
    size_t nodes;                  /* that are reached at most */
    uint64_t deadline_ms;          /* clock.h; 0: none */
    const _Atomic bool *cancelled; /* may be NULL */
};

/* Whose walk it is, and where it may go. */
struct walk {
    const struct graph_reader *reader;
    struct walk_scope scope;
    struct walk_budget budget;
    struct sh_arena *arena; /* where the result lies */
};

/* --- neighbours ------------------------------------------------------------------- */

struct walk_group {
    uint32_t type;
    bool outgoing;
    uint64_t count; /* above 0 */
};

/* How many links a node has, by direction (outgoing first) and type. Costs a look at each
 * link only where some may not be seen. Errors: SH_NOMEM, SH_NOTFOUND. */
SH_CHECK enum sh_err walk_degrees(const struct graph_reader *reader, uint32_t place,
                                  struct sh_arena *arena, struct walk_group **out,
                                  size_t *count);
/* Up to `max` links in a fixed order (outgoing first, by type, peer and edge), beginning
 * behind `after` (NULL: with the first); how many there are in `out`. */
size_t walk_neighbours(const struct graph_reader *reader, uint32_t place,
                       const struct walk_scope *scope, const struct walk_step *after,
                       size_t max, struct walk_step *out);

/* --- paths
 * ------------------------------------------------------------------------------ */

struct walk_path {
    bool found;
    bool truncated;  /* not found, but the budget ended before the ways did */
    size_t length;   /* edges */
    uint32_t *nodes; /* length + 1 places */
    struct walk_step *steps;
    double cost; /* length, or the sum of weights */
};

/* A shortest path by the number of edges: breadth first from both ends, whole levels, the
 * smaller one first. The scope's label does not count. Errors: SH_NOMEM, SH_CANCELED. */
SH_CHECK enum sh_err walk_shortest(const struct walk *walk, uint32_t from, uint32_t to,
                                   uint32_t max_depth, struct walk_path *out);

/* Between what, how far, and what counts. */
struct walk_ends {
    uint32_t from;
    uint32_t to;
    uint32_t max_depth; /* edges */
    uint32_t weight;    /* key of a property of the edges; WALK_ANY: each costs 1 */
};

struct walk_paths {
    struct walk_path *paths;
    size_t count;
    bool truncated;  /* there may be more: the budget, or `max`, ended it */
    bool unweighted; /* some edges have no usable weight and were passed by */
};

/* The `wanted` cheapest paths that pass no node twice, the cheapest first, by the sum of
 * their edges' weights. An edge whose weight is no number, negative or over 1e300 is no
 * way. budget.nodes counts partial paths, of all searches together. The scope's label
 * does not count. Errors: SH_NOMEM, SH_CANCELED. */
SH_CHECK enum sh_err walk_cheapest(const struct walk *walk, const struct walk_ends *ends,
                                   size_t wanted, struct walk_paths *out);
/* All paths that pass no node twice, the shorter ones first, at most `max`; weights do
 * not count. budget.nodes counts the edges looked at. Costs 1.3 KB for each of max_depth.
 * Errors as above. */
SH_CHECK enum sh_err walk_every(const struct walk *walk, const struct walk_ends *ends,
                                size_t max, struct walk_paths *out);

/* --- around a node
 * ---------------------------------------------------------------------- */

struct walk_subgraph {
    uint32_t *nodes; /* the root first, then as they were reached */
    size_t node_count;
    uint32_t *edges; /* between these nodes */
    size_t edge_count;
    bool truncated; /* there is more within that depth */
};

/* What lies within `depth` edges of the root, nearest first, at most budget.nodes nodes
 * and `max_edges` edges. Errors as above. */
SH_CHECK enum sh_err walk_around(const struct walk *walk, uint32_t root, uint32_t depth,
                                 size_t max_edges, struct walk_subgraph *out);

#endif
