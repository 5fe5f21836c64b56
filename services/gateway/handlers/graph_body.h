/* graph_body: a node or a relationship as clients send it, and as graph takes it. */
#ifndef GATEWAY_GRAPH_BODY_H
#define GATEWAY_GRAPH_BODY_H

#include "proto/msg.h"
#include "services/gateway/schema.h"

enum { GRAPH_ID_MAX = 256, GRAPH_NAME_MAX = 256 };

struct graph_node_body {
    struct sh_bytes id;
    struct schema_texts labels;
    json_t *properties; /* NULL when absent */
    int64_t clearance_level;
    struct sh_bytes department;
    bool department_said;
};

struct graph_edge_body {
    struct sh_bytes id, type, from, to;
    json_t *properties;
    int64_t clearance_level;
    struct sh_bytes department;
    bool department_said;
};

struct graph_merge_body {
    struct sh_bytes label;
    json_t *key;
    struct graph_node_body node;
};

/* `out` borrows from `body` and `arena`. False: `fault` says why. */
SH_CHECK bool graph_node_fill(const struct graph_node_body *body, struct sh_arena *arena,
                              struct graph_node_put *out, struct schema_fault *fault);
SH_CHECK bool graph_edge_fill(const struct graph_edge_body *body, struct sh_arena *arena,
                              struct graph_edge_put *out, struct schema_fault *fault);
/* What all records must keep to, from whatever they were read: names within bounds.
 * False: `fault` says why. */
SH_CHECK bool graph_node_check(const struct graph_node_put *node,
                               struct schema_fault *fault);
SH_CHECK bool graph_edge_check(const struct graph_edge_put *edge,
                               struct schema_fault *fault);
/* An object as text: keys in order, so that equal ones are equal texts. False: out of
 * memory, or a name is too long. NULL gives "{}". */
SH_CHECK bool graph_properties(json_t *object, struct sh_arena *arena,
                               struct sh_bytes *out, struct schema_fault *fault);

#endif
