/* env: what a running query works with, and how it fails. A function that can fail
 * returns bool: false, and then the env says why. One query, one thread. */
#ifndef CYPHER_ENV_H
#define CYPHER_ENV_H

#include <stdatomic.h>

#include "services/graph/cypher/ast.h"
#include "services/graph/view/graph.h"
#include "shared/err.h"

struct cy_drawn;
struct cy_regex;
struct value_finder; /* find/value_finder.h */
struct cy_value;     /* value.h */

enum cy_code {
    CY_FINE,
    CY_SYNTAX,      /* cypher_syntax: cannot be understood */
    CY_UNSUPPORTED, /* cypher_unsupported: openCypher, but not here */
    CY_WRITE,       /* write_refused */
    CY_TYPE,        /* cypher_type: a value of the wrong type */
    CY_ARGUMENTS,   /* cypher_arguments: a value or parameter that will not do */
    CY_OVER_BUDGET, /* budget_exceeded */
};

/* Why a query failed. */
struct cy_error {
    enum cy_code code;
    const char *detail; /* static: openCypher's name for it, "UndefinedVariable" */
    struct cy_at at;    /* line 0: no particular place */
    char message[256];
};

/* What a query may use. 0: no limit. */
struct cy_budget {
    size_t memory;                 /* bytes of the arena */
    uint64_t touches;              /* nodes and relationships looked at */
    uint64_t deadline_ms;          /* clock.h */
    const _Atomic bool *cancelled; /* may be NULL */
};

struct cy_env {
    const struct graph_reader *reader;
    struct value_finder *values;       /* of that graph; NULL: there are no indexes */
    struct sh_arena *arena;            /* of the query: values stay until its end */
    const struct cy_value *parameters; /* a map, or NULL */
    struct cy_value *row;              /* by slot */
    struct cy_budget budget;
    uint64_t touched;
    uint64_t steps;
    uint32_t depth;         /* of evaluation */
    struct cy_drawn *drawn; /* drawn.h; NULL: nothing yet */
    struct cy_regex *regex; /* regex.c: the last one; NULL: none yet */
    double now;             /* of the query, in seconds since 1970; 0: nobody asked yet */
    uint32_t frames;        /* of matching, within each other */
    enum sh_err err;        /* SH_OK: going well; SH_INVALID: see error */
    struct cy_error error;
};

/* Fails with SH_INVALID and these words; the first failure stays. Always false. */
__attribute__((format(printf, 5, 6))) bool cy_fail(struct cy_env *env, enum cy_code code,
                                                   const char *detail, struct cy_at at,
                                                   const char *format, ...);
/* Fails with SH_NOMEM or whatever else has no place in the query. Always false. */
bool cy_fail_err(struct cy_env *env, enum sh_err err);
/* "cypher_syntax" */
const char *cy_code_name(enum cy_code code);

/* Zeroed, from the query's arena; NULL: failed (out of memory or over the budget). */
void *cy_alloc(struct cy_env *env, size_t size);
void *cy_array(struct cy_env *env, size_t count, size_t size);
/* To be called wherever time goes by: false when the budget is used up or nobody waits
 * for the answer any more. */
bool cy_step(struct cy_env *env);
/* The same, and a node or relationship was looked at. */
bool cy_touch(struct cy_env *env);

#endif
