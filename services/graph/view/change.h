/* change: one batch of changes on its way to the next version; shared by change.c (the
 * whole), change_nodes.c, change_edges.c, change_count.c (what is counted), change_lay.c
 * (what is laid out at the end) and change_parts.c (what all of them need). */
#ifndef GRAPH_CHANGE_H
#define GRAPH_CHANGE_H

#include "services/graph/view/graph_internal.h"
#include "shared/buffer.h"

struct label_change {
    uint32_t label;
    uint32_t place;
    bool added;
};

struct list { /* of any items */
    void *items;
    size_t count;
    size_t capacity;
};

struct change {
    struct graph *graph;
    struct graph_version *before;
    struct graph_version *next;
    struct leftover *leftover;
    struct change_memory memory;
    struct tally tally;
    struct list edges;  /* uint32_t: those to be counted out and in */
    struct list links;  /* struct link_change */
    struct list labels; /* struct label_change */
    struct list freed_nodes;
    struct list freed_edges;
    size_t free_nodes; /* what is left of the graph's */
    size_t free_edges;
    struct sh_buffer packed;
};

/* --- the steps, in this order (change.c) ------------------------------------------ */

/* Count out the edges whose counts may change, as they are before. */
SH_CHECK enum sh_err change_count_out(struct change *change,
                                      const struct graph_changes *changes);
SH_CHECK enum sh_err change_drop_edges(struct change *change,
                                       const struct graph_changes *changes);
SH_CHECK enum sh_err change_drop_nodes(struct change *change,
                                       const struct graph_changes *changes);
SH_CHECK enum sh_err change_put_nodes(struct change *change,
                                      const struct graph_changes *changes);
SH_CHECK enum sh_err change_put_edges(struct change *change,
                                      const struct graph_changes *changes);
SH_CHECK enum sh_err change_lay_links(struct change *change);
/* Count those edges, and new ones, by 1 or -1 as they are now. */
SH_CHECK enum sh_err change_count_touched(struct change *change, int by);
SH_CHECK enum sh_err change_lay_labels(struct change *change);
SH_CHECK enum sh_err change_lay_tally(struct change *change);

/* --- between them ----------------------------------------------------------------- */

SH_CHECK enum sh_err change_count_node(struct change *change, const struct node *node,
                                       int by);
/* The edge in that place is to be counted. */
SH_CHECK enum sh_err change_touch(struct change *change, uint32_t place);
/* The edges of these links go. */
SH_CHECK enum sh_err change_drop_links(struct change *change, const struct links *links);

/* --- parts ------------------------------------------------------------------------ */

SH_CHECK enum sh_err change_push(struct list *list, const void *item, size_t size);
/* For qsort() of uint32_t. */
int change_compare_numbers(const void *left, const void *right);
/* Zeroed memory of the next version. */
void *change_make(struct change *change, size_t size);
/* The next version has it no more; NULL is fine. */
SH_CHECK enum sh_err change_replace(struct change *change, void *memory);
/* NULL: out of memory. */
struct node *change_edit_node(struct change *change, uint32_t place);
struct edge *change_edit_edge(struct change *change, uint32_t place);
/* NULL: the place was never used. */
const struct node *change_node(const struct change *change, uint32_t place);
const struct edge *change_edge(const struct change *change, uint32_t place);
/* The number of the class of access. */
SH_CHECK enum sh_err change_class(struct change *change, uint32_t clearance,
                                  struct sh_bytes department, uint32_t *class);
/* Copy a text to *end, which moves on. */
struct sh_bytes change_place_text(char **end, struct sh_bytes text);
/* JSON to change->packed; what cannot be read is left out, and logged under the id. */
SH_CHECK enum sh_err change_pack(struct change *change, struct sh_bytes id,
                                 struct sh_bytes properties);
/* A place for one more: one that became free in an earlier version, or a new one. */
uint32_t change_take_place(const struct freed *freed, size_t *left, uint32_t *end);
SH_CHECK enum sh_err change_file_id(struct change *change, struct sh_bytes id,
                                    uint32_t place, bool node);
/* 0 is filed nowhere. */
SH_CHECK enum sh_err change_file_number(struct change *change, uint64_t number,
                                        uint32_t place, bool node);

#endif
