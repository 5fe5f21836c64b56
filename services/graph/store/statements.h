/* statements: the SQL that changes the graph's record. Rights are the parameters $2 to $5
 * of each, as proto/readable.h says. */
#ifndef GRAPH_STORE_STATEMENTS_H
#define GRAPH_STORE_STATEMENTS_H

#include "shared/pg.h"

/* mode, rights, merge, version, then arrays: id, labels (each an array's text),
 * properties, clearance (0: not said), department, whether said. */
extern const struct sh_pg_statement store_nodes_put;
/* The same with: id, type, from, to, properties, clearance, department, whether said. */
extern const struct sh_pg_statement store_edges_put;
enum { STORE_NODE_PARAMS = 13, STORE_EDGE_PARAMS = 15 };

/* text: those who merge by the same wait for each other */
extern const struct sh_pg_statement store_key_lock;
/* label, rights, key, then of the node: id if it is new, labels, properties, clearance,
 * department, whether said. */
extern const struct sh_pg_statement store_node_merge;
enum { STORE_MERGE_PARAMS = 12 };

/* One row. */
enum stored_column {
    STORED_XID,
    STORED_CREATED,
    STORED_REPLACED,
    STORED_SAME,
    STORED_VERSION,
    STORED_ID,      /* the first of them */
    STORED_REFUSED, /* "17 forbidden,23 from": place from 1, verdict; NULL: none */
};

/* id, rights, detach, version → one row; also by id, rights, (nothing), version */
extern const struct sh_pg_statement store_node_delete;
extern const struct sh_pg_statement store_edge_delete;
enum { STORE_DELETE_PARAMS = 7 };
enum gone_column {
    GONE_XID,
    GONE_VERDICT, /* "", or why not: missing, changed, edges, forbidden */
    GONE_EDGES,
};

#endif
