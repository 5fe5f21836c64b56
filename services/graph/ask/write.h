/* write: nodes and edges of the graph as messages. */
#ifndef GRAPH_WRITE_H
#define GRAPH_WRITE_H

#include "services/graph/ask/question.h"
#include "services/graph/walk/walk.h"

/* *out borrows from the graph and the question's arena. The place must be visible.
 * Errors: SH_NOMEM. */
SH_CHECK enum sh_err write_node(struct question *question, uint32_t place,
                                struct graph_node *out);
/* Lists of them. Errors: SH_NOMEM. */
SH_CHECK enum sh_err write_nodes(struct question *question, const uint32_t *places,
                                 size_t count, const struct graph_node **out);
SH_CHECK enum sh_err write_edges(struct question *question, const uint32_t *places,
                                 size_t count, const struct graph_edge **out);

/* A way: its nodes in order, and the edges between them. Errors: SH_NOMEM. */
SH_CHECK enum sh_err write_route(struct question *question, const struct walk_path *path,
                                 struct graph_route *out);

/* They will be written soon: what they say may be fetched meanwhile. */
void write_expect_nodes(const struct graph_reader *reader, const uint32_t *places,
                        size_t count);

/* The place of a node. Errors: SH_NOTFOUND with code and message in the question. */
SH_CHECK enum sh_err find_node(struct question *question, struct sh_bytes id,
                               uint32_t *place);
/* A scope from a request: empty texts mean any. False: nothing has such a type or label,
 * so nothing is in scope. */
bool read_scope(const struct question *question, uint32_t direction, struct sh_bytes type,
                struct sh_bytes label, struct walk_scope *out);
/* A walk for the answer, of so many nodes and what is left of the question's time, less
 * what sending the answer takes. Its scope is still to be read. */
struct walk walk_of(struct question *question, size_t nodes);

#endif
