/* run_internal: a part of a query as a line of operators. Each is given rows, one after
 * the other in env->row, and gives rows to the next; who has to see all of them first
 * keeps what it needs and gives at the end. */
#ifndef CYPHER_RUN_INTERNAL_H
#define CYPHER_RUN_INTERNAL_H

#include "services/graph/cypher/eval.h"
#include "services/graph/cypher/run.h"

struct cy_operator {
    struct cy_env *env;
    struct cy_operator *next;
    /* Takes env->row. False: it wants no more, or it failed. */
    bool (*take)(struct cy_operator *self);
    /* No more rows come. May be NULL. What it returns is as with take. */
    bool (*end)(struct cy_operator *self);
};

/* A line that grows at its end. */
struct cy_line {
    struct cy_env *env;
    struct cy_operator *first;
    struct cy_operator *last;
    uint32_t slot_count;
};

/* Zeroed, of `size` bytes, the operator first; at the end of the line. NULL: failed. */
void *cy_add_operator(struct cy_line *line, size_t size,
                      bool (*take)(struct cy_operator *self),
                      bool (*end)(struct cy_operator *self));
static inline bool cy_give(struct cy_operator *self)
{
    return self->next->take(self->next);
}

/* Each adds what a clause does. */
bool cy_add_match(struct cy_line *line, const struct cy_clause *clause);
bool cy_add_unwind(struct cy_line *line, const struct cy_clause *clause);
bool cy_add_procedure(struct cy_line *line, const struct cy_clause *clause);
bool cy_add_filter(struct cy_line *line, const struct cy_expr *where);
bool cy_add_projection(struct cy_line *line, const struct cy_clause *clause);
bool cy_add_group(struct cy_line *line, const struct cy_projection *projection);
bool cy_add_sort(struct cy_line *line, const struct cy_clause *clause, uint64_t most);

/* --- tables of rows, told apart by equivalence (run_table.c) ---------------------- */

struct cy_table { /* width is set, all else zero */
    uint32_t width;
    uint32_t count;
    uint32_t room;           /* of cells, a power of two */
    struct cy_value *values; /* width by row */
    uint32_t value_room;     /* rows */
    uint64_t *hashes;        /* by row */
    uint32_t *cells;         /* row + 1 */
};

/* The row of these values; *added: it is a new one. */
bool cy_table_add(struct cy_env *env, struct cy_table *table,
                  const struct cy_value *values, uint32_t *row, bool *added);

#endif
