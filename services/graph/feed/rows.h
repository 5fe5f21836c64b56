/* rows: rows of the record as changes of the graph. The statements that give them are
 * here, too. */
#ifndef GRAPH_ROWS_H
#define GRAPH_ROWS_H

#include "services/graph/view/graph.h"
#include "shared/pg.h"

enum { ROWS_PAGE = 5000 };

extern const struct sh_pg_statement rows_position; /* → xid, seq, database */
/* → identity, xid and seq of the horizon, first transaction that is not yet: note.h */
extern const struct sh_pg_statement rows_record;
/* id to go on after → ROWS_PAGE at most, in order of id */
extern const struct sh_pg_statement rows_nodes_page;
extern const struct sh_pg_statement rows_edges_page;
/* id[] → those that are there */
extern const struct sh_pg_statement rows_nodes_changed;
extern const struct sh_pg_statement rows_edges_changed;

/* A batch of ids that changed; those without a row are gone. */
struct rows_changed {
    struct sh_bytes *nodes; /* these will be sorted */
    size_t node_count;
    struct sh_bytes *edges;
    size_t edge_count;
};

/* Either may be NULL: no rows. *out borrows from the rows, from `changed` and from
 * `arena`. Errors: SH_NOMEM; SH_MALFORMED: labels that are none. */
SH_CHECK enum sh_err rows_changes(const PGresult *nodes, const PGresult *edges,
                                  const struct rows_changed *changed,
                                  struct sh_arena *arena, struct graph_changes *out);

#endif
