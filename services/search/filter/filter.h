/* filter: the `filters` of a search, compiled to conditions that the columns answer
 * (columns.h); what the caller may read is part of them. Pure: any thread. */
#ifndef SEARCH_FILTER_H
#define SEARCH_FILTER_H

#include "proto/msg.h"
#include "services/search/filter/metadata.h"
#include "shared/err.h"
#include "shared/mem.h"

enum {
    FILTER_DEPTH = 16, /* of any, all and none in each other */
    FILTER_NODES =
        1024, /* conditions, values of lists, lists, groups, objects in groups */
};

struct filter;

struct filter_row { /* a document */
    struct sh_bytes id;
    struct sh_bytes collection;
    struct sh_bytes department;
    struct sh_bytes campus;
    uint32_t priority;
    uint32_t clearance_level;
    const struct metadata *metadata;
};

struct filter_problem {
    char field[256]; /* "filters.metadata.year.gte" */
    char message[512];
};

/* `json` empty: no filter but the right to read. *out lives in `arena`, its texts there;
 * `caller` is borrowed as long. Errors: SH_INVALID (unknown field, wrong type, too deep
 * or too many), SH_FORBIDDEN (a clearance above one's own; 4 or more asked by a caller
 * without a department), SH_NOMEM. */
SH_CHECK enum sh_err filter_compile(struct sh_bytes json, const struct caller *caller,
                                    struct sh_arena *arena, struct filter **out,
                                    struct filter_problem *problem);

#endif
