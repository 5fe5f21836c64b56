/* reader: a stream of nodes and relationships, piece by piece, in bounded memory. What is
 * no record is told and passed by; where the format itself is broken, nothing more can be
 * read. One thread.
 *
 * NDJSON   an object a line, as the routes of nodes and edges take them; with
 *          "kind":"node" or "edge", or told apart by "from" and "to". What Neo4j's APOC
 *          writes ("type":"relationship", "start", "end") is read as well.
 * CSV      as neo4j-admin import reads it: a header like `:ID,:LABEL,name,age:int,
 *          tags:string[]` or `:START_ID,:END_ID,:TYPE`. Also `:EDGE_ID`, `:CLEARANCE`,
 *          `:DEPARTMENT`, and the type `json`. An empty line and another header begin
 *          another section.
 * GRAPHML  expat; a document type is refused, so there is nothing to expand. */
#ifndef GATEWAY_GRAPHS_READER_H
#define GATEWAY_GRAPHS_READER_H

#include "services/gateway/handlers/graph_body.h"
#include "shared/buffer.h"

enum graph_format { GRAPH_NDJSON, GRAPH_CSV, GRAPH_GRAPHML };

/* Called from inside graph_reader_feed() and _end(); what is passed is borrowed. `line`
 * of a record: of an NDJSON line or an XML element, or the number of a CSV row. */
struct graph_sink {
    void (*node)(void *arg, const struct graph_node_put *node);
    void (*edge)(void *arg, const struct graph_edge_put *edge);
    /* Its err: SH_INVALID, or SH_MALFORMED: what stands there is no JSON. */
    void (*fault)(void *arg, uint64_t line, const struct schema_fault *fault);
    void *arg;
};

struct graph_reader;

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err graph_reader_open(enum graph_format format,
                                       const struct graph_sink *sink,
                                       struct graph_reader **out);
/* Errors: SH_NOMEM; SH_MALFORMED: nothing more can be read, see graph_reader_why(). */
SH_CHECK enum sh_err graph_reader_feed(struct graph_reader *reader,
                                       struct sh_bytes piece);
/* There is no more. Errors: the same. */
SH_CHECK enum sh_err graph_reader_end(struct graph_reader *reader);
/* Where and why it cannot be read; "" while it can. */
const char *graph_reader_why(const struct graph_reader *reader);
/* NULL is fine; *reader becomes NULL. */
void graph_reader_close(struct graph_reader **reader);

#endif
