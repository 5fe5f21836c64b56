/* queries in openCypher: see proto/messages.h. */
#ifndef PROTO_MESSAGES_CYPHER_H
#define PROTO_MESSAGES_CYPHER_H

/* clang-format off */
/* parameters: a msgpack map of values as in a reply's rows; nothing for none. max_rows,
 * timeout_ms: 0 for what the settings say. */
#define CYPHER_QUERY(F)                                                             \
    F(str,   query,             65536, _)                                           \
    F(bytes, parameters,      1048576, _)                                           \
    F(u32,   max_rows,     UINT32_MAX, _)                                           \
    F(u32,   timeout_ms,   UINT32_MAX, _)

/* rows: a msgpack array of rows, each an array with a value for each column. A value is
 * nil, a boolean, an integer, a float, text, binary, an array or a map; extension 1, a
 * node: [number, element id, [labels], {properties}]; extension 2, a relationship:
 * [number, element id, number and element id of its start, of its end, type,
 * {properties}]; extension 3, a path: [[nodes], [relationships], [indexes]], the indexes
 * as Bolt has them. truncated: there would have been more rows. notifications, plan: JSON,
 * or empty. */
#define CYPHER_REPLY(F)                                                             \
    F(strs,  columns,            1024, _)                                           \
    F(bytes, rows,     PROTO_TEXT_MAX, _)                                           \
    F(u64,   row_count,    UINT64_MAX, _)                                           \
    F(flag,  truncated,             0, _)                                           \
    F(json,  notifications,     65536, _)                                           \
    F(json,  plan,            1048576, _)                                           \
    F(f64,   time_ms,               0, _)

#define MESSAGES_CYPHER(M)             \
    M(140, cypher_query, CYPHER_QUERY) \
    M(141, cypher_reply, CYPHER_REPLY)

#define METHODS_CYPHER(X) \
    X(46, GRAPH_QUERY, "graph.query", cypher_query, cypher_reply, "what a query in openCypher finds")
/* clang-format on */

#endif
