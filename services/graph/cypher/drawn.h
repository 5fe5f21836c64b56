/* drawn: nodes and relationships that a procedure draws of the schema, as drivers expect
 * them: a node for each label, a relationship for each type between two labels. They lie
 * in no graph, no pattern finds them, and their numbers are below 0. */
#ifndef CYPHER_DRAWN_H
#define CYPHER_DRAWN_H

#include "services/graph/cypher/env.h"
#include "services/graph/cypher/value.h"

/* Places of values from here on are drawn: no graph has so many. */
#define CY_DRAWN_PLACES (UINT32_C(1) << 31)

struct cy_drawn_node {
    struct cy_value properties;
    const struct node_body *body; /* its properties are empty */
};

struct cy_drawn_edge {
    struct cy_value properties;
    struct edge_body body;
};

struct cy_drawn {
    struct cy_drawn_node *nodes;
    struct cy_drawn_edge *edges;
    uint32_t node_count;
    uint32_t edge_count;
};

/* What the reader sees of the schema; drawn once a query, in its arena. False: failed. */
bool cy_draw_schema(struct cy_env *env);

/* NULL: this is nothing that was drawn. */
const struct cy_drawn_node *cy_drawn_node(const struct cy_env *env, uint32_t place);
const struct cy_drawn_edge *cy_drawn_edge(const struct cy_env *env, uint32_t place);

#endif
