/* order: an analysis as it was asked for; kept with the job as JSON. Pure. */
#ifndef GRAPH_ANALYSIS_ORDER_H
#define GRAPH_ANALYSIS_ORDER_H

#include <jansson.h>

#include "proto/msg.h"
#include "shared/bytes.h"

enum { ORDER_NAME_MAX = 1024 };

enum analysis_kind {
    ANALYSIS_DEGREE,
    ANALYSIS_RANK,
    ANALYSIS_COMPONENTS,
    ANALYSIS_COMMUNITIES,
    ANALYSIS_KINDS,
};

struct analysis_order {
    uint32_t kind;
    char label[ORDER_NAME_MAX + 1];    /* "": all */
    char type[ORDER_NAME_MAX + 1];     /* the same */
    char property[ORDER_NAME_MAX + 1]; /* to be written; "": none */
    uint32_t direction;                /* enum measure_direction */
    double damping;
    double tolerance;
    uint32_t iterations;
    double resolution;
    uint32_t top; /* nodes or groups that the result names */
};

/* "pagerank". */
const char *order_kind_name(uint32_t kind);
/* What was asked for; `field` says what is wrong, with SH_INVALID. */
SH_CHECK enum sh_err order_read(const struct graph_analysis *asked,
                                struct analysis_order *out, const char **field);
/* JSON; jansson's memory. NULL: out of memory. */
char *order_write(const struct analysis_order *order);
/* What order_write() wrote. Errors: SH_MALFORMED. */
SH_CHECK enum sh_err order_parse(struct sh_bytes json, struct analysis_order *out);

#endif
