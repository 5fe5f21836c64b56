/* reader_internal: what the formats share. */
#ifndef GATEWAY_GRAPHS_READER_INTERNAL_H
#define GATEWAY_GRAPHS_READER_INTERNAL_H

#include "services/gateway/graphs/reader.h"

enum {
    READER_RECORD_MAX = 4 << 20, /* bytes of a record as it is written */
    READER_TEXT_MAX = 1 << 20,   /* of one value */
};

struct graph_reader_kind {
    size_t size; /* of the struct that begins with a struct graph_reader */
    enum sh_err (*open)(struct graph_reader *reader);
    enum sh_err (*feed)(struct graph_reader *reader, struct sh_bytes piece);
    enum sh_err (*end)(struct graph_reader *reader);
    void (*close)(struct graph_reader *reader);
};
extern const struct graph_reader_kind ndjson_reader, csv_reader, graphml_reader;

struct graph_reader {
    const struct graph_reader_kind *kind;
    struct graph_sink sink;
    struct sh_arena arena; /* of the record in hand */
    enum sh_err err;       /* sticks */
    char why[256];
};

/* Hand out a record, or tell what is wrong with it. Its properties are `properties`
 * (NULL: none) unless it has their text already. Ends what is in the arena. */
void reader_node(struct graph_reader *reader, struct graph_node_put *node,
                 json_t *properties);
void reader_edge(struct graph_reader *reader, struct graph_edge_put *edge,
                 json_t *properties);
/* One line of NDJSON. */
void reader_json(struct graph_reader *reader, struct sh_bytes text, uint64_t line);
/* The record in hand is none. */
__attribute__((format(printf, 4, 5))) void reader_fault(struct graph_reader *reader,
                                                        uint64_t line, const char *field,
                                                        const char *format, ...);
/* The same of what should be JSON and is none; `why` is a sentence. */
void reader_malformed(struct graph_reader *reader, uint64_t line, const char *why);
/* Nothing more can be read. */
__attribute__((format(printf, 2, 3))) enum sh_err
reader_broken(struct graph_reader *reader, const char *format, ...);
enum sh_err reader_no_memory(struct graph_reader *reader);

/* The texts between separators; `escape` 0: none, else a character behind which one
 * stands for itself. In the arena. NULL: out of memory. */
struct sh_bytes *reader_split(struct graph_reader *reader, struct sh_bytes text,
                              char separator, char escape, size_t *count);

/* A value as a text says it. */
enum reader_type {
    READER_STRING,
    READER_INTEGER,
    READER_FLOAT,
    READER_BOOLEAN,
    READER_JSON,
};
/* "int", "long", "boolean" …; false: no such type. */
bool reader_type(struct sh_bytes name, enum reader_type *out);
/* NULL: it is none. */
json_t *reader_value(struct sh_bytes text, enum reader_type type);

#endif
