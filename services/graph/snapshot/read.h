/* read: a snapshot's bytes as a graph; shared by read.c (the frame, symbols, counts),
 * read_items.c (nodes and edges) and read_links.c (what they are joined to). */
#ifndef GRAPH_SNAPSHOT_READ_H
#define GRAPH_SNAPSHOT_READ_H

#include "services/graph/snapshot/format.h"
#include "services/graph/view/graph_internal.h"

struct reader {
    struct graph *graph;
    struct graph_version *version;
    struct sh_bytes sections[KEPT_SECTIONS];
    uint32_t node_count; /* what the sections' lengths say */
    uint32_t edge_count;
    uint32_t label_count;
    uint32_t type_count;
    uint32_t key_count;
    uint32_t class_count;
};

/* Errors: SH_MALFORMED. */
SH_CHECK enum sh_err kept_read_foot(struct sh_bytes bytes, struct kept_foot *foot);

typedef enum sh_err kept_step(struct reader *reader);

/* Nodes and edges, which may be read at the same time; then, as well, what leads out of
 * the nodes and what leads in. Errors: SH_MALFORMED, SH_NOMEM. */
SH_CHECK enum sh_err kept_read_nodes(struct reader *reader);
SH_CHECK enum sh_err kept_read_edges(struct reader *reader);
SH_CHECK enum sh_err kept_read_links_out(struct reader *reader);
SH_CHECK enum sh_err kept_read_links_in(struct reader *reader);

/* Room for `count` items of the first version. False: out of memory. */
bool kept_make_pages(struct pages *pages, uint32_t count);
/* The item, which is there, to be filled. */
static inline void *kept_item(const struct pages *pages, uint32_t index)
{
    return pages->page[index >> PAGE_BITS]->items +
           (size_t)(index & (PAGE_ITEMS - 1)) * pages->item;
}

#endif
