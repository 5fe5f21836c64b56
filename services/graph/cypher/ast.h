/* ast: a query as the parser understood it. All of it lies in one arena and borrows its
 * texts from there. The parser fills in what stands in the text; the checker (check.h)
 * fills in slots, symbols and functions. A slot is a place in the row: every variable of
 * a query, also those of comprehensions, has one of its own, so one row serves all. */
#ifndef CYPHER_AST_H
#define CYPHER_AST_H

#include "shared/mem.h"

#define CY_NONE UINT32_MAX /* no slot; no such symbol in the graph */

struct cy_at { /* where in the query; both from 1 */
    uint32_t line;
    uint32_t column;
};

/* A variable, wherever one is introduced. */
struct cy_name {
    struct sh_bytes text; /* empty: it has none */
    struct cy_at at;
    uint32_t slot;
    bool bound; /* in a pattern: it has its value from before */
};

/* Labels or types: any of them where `any` is told, else all. */
struct cy_symbols {
    struct sh_bytes *texts;
    uint32_t *numbers; /* in the graph; CY_NONE: it has none of them */
    uint32_t count;
};

/* --- expressions ------------------------------------------------------------------ */

enum cy_kind {
    CY_NULL,
    CY_BOOLEAN,               /* flag */
    CY_INTEGER,               /* integer */
    CY_FLOAT,                 /* real */
    CY_STRING,                /* text */
    CY_PARAMETER,             /* text: its name */
    CY_VARIABLE,              /* text; slot */
    CY_PROPERTY,              /* a.text; symbol: the key's number in the graph */
    CY_SUBSCRIPT,             /* a[b] */
    CY_SLICE,                 /* a[b..c]; b and c may be NULL */
    CY_LIST,                  /* items */
    CY_MAP,                   /* names: items */
    CY_LIST_COMPREHENSION,    /* [variable IN a WHERE b | c]; b and c may be NULL */
    CY_PATTERN_COMPREHENSION, /* [pattern WHERE b | c]; b may be NULL */
    CY_PATTERN_PREDICATE,     /* pattern: true when there is at least one match; flag:
                                 written as exists() */
    CY_EXISTS,                /* EXISTS { pattern WHERE b }; b may be NULL */
    CY_QUANTIFIER,            /* op; (variable IN a WHERE b) */
    CY_REDUCE,                /* reduce(variable = a, variable2 IN b | c) */
    CY_CASE,      /* CASE a WHEN items[0] THEN items[1] … ELSE b; a, b may be
                     NULL */
    CY_UNARY,     /* op a */
    CY_BINARY,    /* a op b; a < b < c is (a < b) AND (b < c) */
    CY_LABELS,    /* a:symbols, all of them; of a relationship: its type */
    CY_CALL,      /* text(DISTINCT items); function */
    CY_AGGREGATE, /* as CY_CALL, or count(*) with star; slot: where the result
                     lies when what it stands in is evaluated */
};

enum cy_op {
    CY_OP_NONE,
    /* unary */
    CY_NOT,
    CY_PLUS,
    CY_MINUS,
    CY_IS_NULL,
    CY_IS_NOT_NULL,
    /* binary */
    CY_OR,
    CY_XOR,
    CY_AND,
    CY_EQUAL,
    CY_UNEQUAL,
    CY_LESS,
    CY_LESS_EQUAL,
    CY_GREATER,
    CY_GREATER_EQUAL,
    CY_ADD,
    CY_SUBTRACT,
    CY_MULTIPLY,
    CY_DIVIDE,
    CY_MODULO,
    CY_POWER,
    CY_IN,
    CY_STARTS_WITH,
    CY_ENDS_WITH,
    CY_CONTAINS,
    CY_MATCHES, /* =~ */
    /* quantifiers */
    CY_ALL,
    CY_ANY,
    CY_NO, /* none() */
    CY_SINGLE,
};

struct cy_pattern;
struct cy_function; /* functions.h */

struct cy_expr {
    enum cy_kind kind;
    enum cy_op op;
    struct cy_at at;
    uint32_t height; /* of the tree below it; bounded (parse.h) */
    struct sh_bytes text;
    bool flag;
    bool distinct;
    bool star;
    int64_t integer;
    double real;
    uint32_t slot;
    uint32_t symbol;
    struct cy_expr *a;
    struct cy_expr *b;
    struct cy_expr *c;
    struct cy_expr **items;
    struct sh_bytes *names; /* of items, CY_MAP */
    uint32_t item_count;
    struct cy_symbols symbols;
    struct cy_name variable;
    struct cy_name variable2;
    struct cy_pattern *pattern;
    const struct cy_function *function;
};

/* --- patterns --------------------------------------------------------------------- */

struct cy_node {
    struct cy_name variable;
    struct cy_at at;
    struct cy_symbols labels;   /* all of them */
    struct cy_expr *properties; /* CY_MAP or NULL */
};

struct cy_relationship {
    struct cy_name variable; /* a list of relationships where the length varies */
    struct cy_at at;
    struct cy_symbols types; /* any of them; none: all */
    struct cy_expr *properties;
    bool to_right; /* -[]-> ; both or neither: any direction */
    bool to_left;
    bool varies; /* *min..max */
    uint32_t min;
    uint32_t max; /* UINT32_MAX: no end */
};

enum cy_shortest { CY_ALL_PATHS, CY_SHORTEST, CY_ALL_SHORTEST };

/* (nodes[0])-[relationships[0]]-(nodes[1])… */
struct cy_path {
    struct cy_name variable;
    struct cy_at at;
    enum cy_shortest shortest;
    struct cy_node *nodes; /* relationship_count + 1 */
    struct cy_relationship *relationships;
    uint32_t relationship_count;
};

/* Paths that hold together; no relationship stands for two of a pattern. */
struct cy_pattern {
    struct cy_path *paths;
    uint32_t path_count;
    struct cy_at at;
    void *plan; /* plan.h */
};

/* --- clauses ---------------------------------------------------------------------- */

enum cy_clause_kind { CY_MATCH, CY_UNWIND, CY_WITH, CY_RETURN, CY_PROCEDURE };

struct cy_item {
    struct cy_expr *expr;
    struct cy_name variable; /* its alias, or the text of the expression */
    bool aliased;
    bool aggregates; /* it holds an aggregate */
};

struct cy_sort {
    struct cy_expr *expr;
    bool descending;
};

/* WITH, RETURN */
struct cy_projection {
    bool distinct;
    bool star;
    struct cy_item *items;
    uint32_t item_count;
    struct cy_sort *sorts;
    uint32_t sort_count;
    struct cy_expr *skip;        /* NULL: none */
    struct cy_expr *limit;       /* NULL: none */
    struct cy_expr **aggregates; /* every CY_AGGREGATE in items and sorts */
    uint32_t aggregate_count;
};

struct cy_call {
    struct sh_bytes name; /* "db.labels" */
    struct cy_expr **arguments;
    uint32_t argument_count;
    bool has_arguments; /* parentheses were written */
    bool yields;        /* YIELD was written */
    bool star;          /* YIELD * */
    struct sh_bytes *fields;
    struct cy_name *variables; /* by field */
    uint32_t field_count;
    const struct cy_procedure *procedure;
};

struct cy_clause {
    enum cy_clause_kind kind;
    struct cy_at at;
    bool optional;              /* MATCH */
    struct cy_pattern *pattern; /* MATCH */
    struct cy_expr *where;      /* MATCH, WITH, YIELD; may be NULL */
    struct cy_expr *expr;       /* UNWIND */
    struct cy_name variable;    /* UNWIND */
    struct cy_projection projection;
    struct cy_call call;
};

struct cy_single {
    struct cy_clause *clauses;
    uint32_t clause_count;
    bool all;                 /* UNION ALL with what stands before it */
    struct sh_bytes *columns; /* names of what it returns */
    uint32_t *slots;          /* and where that lies */
    uint32_t column_count;
};

struct cy_query {
    struct cy_single *singles; /* joined by UNION */
    uint32_t single_count;
    uint32_t slot_count; /* of the row */
    bool explain;        /* how it would be answered is asked for */
};

#endif
