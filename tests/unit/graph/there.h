/* there: what a reader of a graph must see, or the test ends. */
#ifndef TEST_GRAPH_THERE_H
#define TEST_GRAPH_THERE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/graph/view/graph.h"

static inline const struct node *node_there(const struct graph_reader *reader,
                                            uint32_t place)
{
    const struct node *node = graph_node(reader, place);
    assert_non_null(node);
    if (node == NULL || node->body == NULL)
        abort(); /* for the compiler, which does not know that assert_non_null() ends */
    return node;
}

static inline const struct edge *edge_there(const struct graph_reader *reader,
                                            uint32_t place)
{
    const struct edge *edge = graph_edge(reader, place);
    assert_non_null(edge);
    if (edge == NULL || edge->body == NULL)
        abort();
    return edge;
}

#endif
