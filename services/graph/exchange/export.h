/* export: the graph of one version, as one caller sees it, as a text, piece by piece:
 * what gateway's reader (services/gateway/graphs/reader.h) reads again. Nodes first, then
 * the edges between them. Bounded memory; any one thread at a time. */
#ifndef GRAPH_EXPORT_H
#define GRAPH_EXPORT_H

#include "services/graph/view/graph.h"
#include "shared/buffer.h"

enum export_format { EXPORT_NDJSON, EXPORT_CSV, EXPORT_GRAPHML };

struct export_writer;
struct export_columns;

struct export
{
    const struct graph_reader *reader; /* borrowed, as long as this lasts */
    const struct export_writer *writer;
    uint32_t label; /* only nodes that have it; EXPORT_ALL: all */
    unsigned phase;
    uint32_t next;  /* place in this phase */
    uint64_t nodes; /* written */
    uint64_t edges;
    struct export_columns *columns; /* properties by name and type; NULL: not needed */
    struct sh_buffer scratch;
};

#define EXPORT_NONE (UINT32_MAX - 1)
#define EXPORT_ALL  UINT32_MAX

/* `label` EXPORT_NONE: there is nothing of it. export_close() in any case. */
void export_open(struct export *self, const struct graph_reader *reader,
                 enum export_format format, uint32_t label);
/* Append about `most` bytes. *more: there is more to come. Errors: SH_NOMEM. */
SH_CHECK enum sh_err export_fill(struct export *self, size_t most, struct sh_buffer *out,
                                 bool *more);
void export_close(struct export *self);

/* --- formats ---------------------------------------------------------------------- */

struct export_access {
    uint32_t clearance;
    struct sh_bytes department;
};

struct export_writer {
    bool wants_columns;
    void (*head)(struct export *self, struct sh_buffer *out);
    void (*node)(struct export *self, const struct node *node, struct sh_buffer *out);
    void (*edges)(struct export *self, struct sh_buffer *out); /* before the first edge */
    void (*edge)(struct export *self, const struct edge *edge, struct sh_buffer *out);
    void (*tail)(struct export *self, struct sh_buffer *out);
};
extern const struct export_writer export_ndjson, export_csv, export_graphml;

/* A property's name and one of the types that its values have. */
struct export_column {
    uint32_t key;
    uint32_t type; /* export_type */
};
enum export_type { TYPE_BOOLEAN, TYPE_LONG, TYPE_DOUBLE, TYPE_STRING, TYPE_JSON, TYPES };
struct export_columns {
    struct export_column *nodes, *edges; /* owned */
    size_t node_count, edge_count;
};
enum export_type export_type(enum value_type type);
const char *export_type_name(enum export_type type); /* "long" */
/* False: this one has no value of this column. */
bool export_value(struct sh_bytes properties, const struct export_column *column,
                  struct value *out);

struct export_access export_access(const struct export *self, uint32_t access);
struct sh_bytes export_node_id(const struct export *self, uint32_t place);
/* A record as a line of NDJSON has it, without the end of the line. */
void export_write_node(struct export *self, const struct node *node,
                       struct sh_buffer *out);
void export_write_edge(struct export *self, const struct edge *edge,
                       struct sh_buffer *out);

#endif
