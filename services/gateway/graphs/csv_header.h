/* csv_header: the header of a section, as neo4j-admin import has it. Pure. */
#ifndef GATEWAY_GRAPHS_CSV_HEADER_H
#define GATEWAY_GRAPHS_CSV_HEADER_H

#include "services/gateway/graphs/reader_internal.h"

enum csv_role {
    CSV_PROPERTY,
    CSV_ID,
    CSV_LABEL,
    CSV_EDGE_ID,
    CSV_START,
    CSV_END,
    CSV_TYPE,
    CSV_CLEARANCE,
    CSV_DEPARTMENT,
    CSV_IGNORE,
};

struct csv_column {
    enum csv_role role;
    char *name;            /* of a property; an id's, if it is to be one as well; owned */
    struct sh_bytes space; /* of ids; borrowed from `text` */
    char *text;            /* owned */
    enum reader_type type;
    bool list;
};

struct csv_header {
    struct csv_column *columns; /* owned */
    size_t count;
    bool edges;
};

/* Whether a row can be one at all: it names ids. */
bool csv_is_header(const struct sh_bytes *fields, size_t count);
/* Errors: SH_NOMEM; SH_INVALID: *bad is the field that cannot be read. */
SH_CHECK enum sh_err csv_header_read(const struct sh_bytes *fields, size_t count,
                                     struct csv_header *out, size_t *bad);
void csv_header_free(struct csv_header *header);

#endif
