/* graph: all nodes and edges in memory, for reading. One thread changes it, a batch at a
 * time; each batch makes a version. A reader enters the version of the moment and sees
 * that one, whole, until it leaves; nobody waits for anybody. What only some may read is
 * told apart by its class of access (clearance and department): a reader knows which of
 * these it may see, and passes the others by as if they were not there. */
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H

#include "proto/msg.h"
#include "services/graph/view/links.h"
#include "services/graph/view/numbers.h"
#include "services/graph/view/pages.h"
#include "services/graph/view/tally.h"
#include "services/graph/view/values.h"

struct graph;

/* --- what it holds ---------------------------------------------------------------- */

struct node_body {
    uint64_t number; /* 0: it has none */
    struct sh_bytes id;
    struct sh_bytes properties; /* packed, see values.h */
    uint32_t label_count;
    uint32_t labels[]; /* in order of their numbers */
};

struct node {
    struct node_body *body; /* NULL: there is none in this place */
    struct links *out;      /* NULL: none */
    struct links *in;
    uint32_t access;
};

struct edge_body {
    uint64_t number;
    struct sh_bytes id;
    struct sh_bytes properties;
    uint32_t type;
    uint32_t from; /* nodes */
    uint32_t to;
};

struct edge {
    struct edge_body *body;
    uint32_t access;
};

/* --- changing --------------------------------------------------------------------- */

struct graph_node_row {
    struct sh_bytes id;
    const struct sh_bytes *labels;
    size_t label_count;
    struct sh_bytes properties; /* a JSON object */
    uint32_t clearance;
    struct sh_bytes department; /* empty: none */
    uint64_t number;            /* stays for as long as the node does; 0: none */
};

struct graph_edge_row {
    struct sh_bytes id;
    struct sh_bytes type;
    struct sh_bytes from; /* ids of nodes */
    struct sh_bytes to;
    struct sh_bytes properties;
    uint32_t clearance;
    struct sh_bytes department;
    uint64_t number;
};

/* What was deleted, then nodes, then edges; who stands twice counts as it stands last. */
struct graph_changes {
    const struct sh_bytes *gone_edges;
    size_t gone_edge_count;
    const struct sh_bytes *gone_nodes; /* and their edges */
    size_t gone_node_count;
    const struct graph_node_row *nodes; /* new, or replaced; their edges stay */
    size_t node_count;
    const struct graph_edge_row *edges; /* one whose node is not there is not there */
    size_t edge_count;
};

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err graph_create(struct graph **out);
/* No reader may be in. */
void graph_free(struct graph **graph);
/* All of it or, if it fails, nothing. Properties that cannot be read are left out. Writer
 * only. Errors: SH_NOMEM, SH_TOOBIG. */
SH_CHECK enum sh_err graph_apply(struct graph *graph,
                                 const struct graph_changes *changes);

/* --- reading ---------------------------------------------------------------------- */

struct graph_version {
    uint64_t number;     /* from 1 */
    struct pages nodes;  /* struct node */
    struct pages edges;  /* struct edge */
    struct pages labels; /* by label: roaring_bitmap_t *, NULL: none */
    struct lookup *node_ids;
    struct lookup *edge_ids;
    struct numbers *node_numbers;
    struct numbers *edge_numbers;
    struct tally_list *tally;
    uint32_t node_end; /* places used: below these */
    uint32_t edge_end;
    uint32_t node_count;
    uint32_t edge_count;
};

struct graph_reader {
    struct graph *graph;
    const struct graph_version *version;
    uint64_t *permitted; /* bit by class; NULL: all */
    uint32_t seat;
};

/* Any thread; for as long as one question takes. Errors: SH_NOMEM. */
SH_CHECK enum sh_err graph_enter(struct graph *graph, const struct caller *caller,
                                 struct graph_reader *reader);
void graph_leave(struct graph_reader *reader);

static inline bool graph_permits(const struct graph_reader *reader, uint32_t access)
{
    return reader->permitted == NULL ||
           (reader->permitted[access / 64] >> (access % 64) & 1) != 0;
}

/* NULL: there is none in that place, or the reader may not see it. */
static inline const struct node *graph_node(const struct graph_reader *reader,
                                            uint32_t place)
{
    const struct node *node = pages_at(&reader->version->nodes, place);
    return node && node->body && graph_permits(reader, node->access) ? node : NULL;
}

/* By itself: whether its nodes can be seen is another question. */
static inline const struct edge *graph_edge(const struct graph_reader *reader,
                                            uint32_t place)
{
    const struct edge *edge = pages_at(&reader->version->edges, place);
    return edge && edge->body && graph_permits(reader, edge->access) ? edge : NULL;
}

/* Whether there is a way along a link for this reader. */
static inline bool graph_follows(const struct graph_reader *reader,
                                 const struct link *link)
{
    return graph_permits(reader, link->access) && graph_node(reader, link->peer) != NULL;
}

/* The place of what has this id; false when there is none, or it must not be seen. */
bool graph_find_node(const struct graph_reader *reader, struct sh_bytes id,
                     uint32_t *place);
/* Its nodes can be seen as well. */
bool graph_find_edge(const struct graph_reader *reader, struct sh_bytes id,
                     uint32_t *place);

/* The same by number. */
bool graph_find_node_number(const struct graph_reader *reader, uint64_t number,
                            uint32_t *place);
bool graph_find_edge_number(const struct graph_reader *reader, uint64_t number,
                            uint32_t *place);

/* What the class of access of a node or an edge says. */
uint32_t graph_clearance(const struct graph *graph, uint32_t access,
                         struct sh_bytes *department);

/* Names and their numbers; they are never taken back. */
const struct symbols *graph_labels(const struct graph *graph);
const struct symbols *graph_types(const struct graph *graph);
const struct symbols *graph_keys(const struct graph *graph);

#endif
