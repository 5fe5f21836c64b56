/* plan: in which order the parts of a pattern are looked for: from what is bound already
 * or from the smallest set of nodes, then along the relationships; every condition as
 * soon as what it speaks of is there. */
#ifndef CYPHER_PLAN_H
#define CYPHER_PLAN_H

#include "services/graph/cypher/env.h"

enum {
    CY_RELATIONSHIPS_MAX = 256, /* of one pattern */
    CY_PATHS_MAX = 256,
};

enum cy_step_kind {
    CY_CHECK_NODE,   /* `to` is bound from before: it must be such a node */
    CY_SCAN_ALL,     /* every node */
    CY_SCAN_LABEL,   /* every node of a label */
    CY_SEEK_NUMBER,  /* the node whose id() is `key` */
    CY_SEEK_ID,      /* the node whose elementId() is `key` */
    CY_SEEK_VALUE,   /* those whose property `symbol` is what `op` and `key` say, by the
                        index of it; or as SCAN_… where that leads to too many */
    CY_FROM_BOUND,   /* the relationship is bound from before: its two nodes */
    CY_FROM_LIST,    /* the same of a list of them */
    CY_EXPAND,       /* from a node along one relationship */
    CY_EXPAND_MANY,  /* along a number of them */
    CY_EXPAND_SHORT, /* along as few as lead to a node that is bound */
    CY_MAKE_PATH,    /* a named path, of what was found */
};

struct cy_plan_step {
    enum cy_step_kind kind;
    const struct cy_relationship *relationship;
    const struct cy_path *path;
    uint32_t from;   /* slot of the node that one comes from */
    uint32_t to;     /* slot of the node that one gets to */
    bool from_known; /* bound by a step before, or from before */
    bool to_known;
    bool backwards;            /* from the right node of the relationship to the left */
    bool keeps;                /* the list of relationships is wanted */
    uint32_t label;            /* SCAN_LABEL; SEEK_VALUE: CY_NONE: any */
    uint32_t symbol;           /* SEEK_VALUE */
    enum cy_op op;             /* SEEK_VALUE: property op key */
    uint64_t size;             /* SEEK_VALUE: nodes that a scan would look at */
    const struct cy_expr *key; /* SEEK_… */
    const struct cy_expr **filters; /* to hold when the step is done */
    uint32_t filter_count;
};

struct cy_plan {
    struct cy_plan_step *steps;
    uint32_t step_count;
    const struct cy_node **nodes; /* all of them; several may share a slot */
    uint32_t node_count;
    const struct cy_expr **before; /* conditions that need nothing of the pattern */
    uint32_t before_count;
};

/* In the env's arena. NULL: failed. */
struct cy_plan *cy_plan_pattern(struct cy_env *env, const struct cy_pattern *pattern,
                                const struct cy_expr *where);

#endif
