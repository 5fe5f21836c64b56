/* node_text: the text of a node, of which its vector is made: some of its properties, in
 * a fixed order. Pure. */
#ifndef GRAPH_NODE_TEXT_H
#define GRAPH_NODE_TEXT_H

#include "services/graph/view/graph.h"

enum { NODE_TEXT_KEYS = 16, NODE_TEXT_MAX = 4000 };

struct node_text_keys {
    uint32_t keys[NODE_TEXT_KEYS];
    size_t count;
};

/* The keys of "name,description", as far as the graph has them. */
void node_text_read_keys(const char *names, const struct symbols *symbols,
                         struct node_text_keys *out);
/* Cut at NODE_TEXT_MAX bytes, between characters; empty: it has none. Only values that
 * are texts count. Errors stick in `out`. */
void node_text_write(const struct node *node, const struct node_text_keys *keys,
                     struct sh_buffer *out);

#endif
