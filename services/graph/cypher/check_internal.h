/* check_internal: what the files of the checker share. */
#ifndef CYPHER_CHECK_INTERNAL_H
#define CYPHER_CHECK_INTERNAL_H

#include "services/graph/cypher/check.h"

/* What is known of a variable before anything runs. */
enum cy_known {
    CY_K_ANY,
    CY_K_NODE,
    CY_K_RELATIONSHIP,
    CY_K_RELATIONSHIPS,
    CY_K_PATH,
    CY_K_OTHER, /* a value that is none of these, nor true or false */
};

struct cy_variable {
    struct sh_bytes text;
    uint32_t slot;
    enum cy_known known;
};

struct cy_checker {
    struct cy_env *env;
    struct cy_query *query;
    struct cy_variable *scope; /* what can be seen; the last of a name counts */
    uint32_t count;
    uint32_t room;
    struct cy_projection *projection; /* where aggregates may stand; NULL: nowhere */
    uint32_t aggregate_room;
    bool in_aggregate;
};

/* --- scopes (check_scope.c) ------------------------------------------------------- */

uint32_t cy_new_slot(struct cy_checker *checker);
/* NULL: there is none. */
struct cy_variable *cy_find_variable(const struct cy_checker *checker,
                                     struct sh_bytes text);
/* A new one, with a slot of its own unless it has one. */
bool cy_declare(struct cy_checker *checker, struct cy_name *name, enum cy_known known);
/* The same, but it is an error when there is one of that name. */
bool cy_declare_new(struct cy_checker *checker, struct cy_name *name,
                    enum cy_known known);

/* --- expressions (check_expr.c) --------------------------------------------------- */

bool cy_check_expr(struct cy_checker *checker, struct cy_expr *expr);
/* One that is to be true or false. */
bool cy_check_condition(struct cy_checker *checker, struct cy_expr *expr);
/* The same expression, written twice. */
bool cy_same_expr(const struct cy_expr *left, const struct cy_expr *right);
/* Its parts: `index` from 0; NULL at the end. */
struct cy_expr *cy_child(const struct cy_expr *expr, uint32_t index);
/* A function is called with arguments that it can take. */
bool cy_check_call(struct cy_checker *checker, struct cy_expr *call);

/* --- patterns (check_pattern.c) --------------------------------------------------- */

/* Its variables are declared; where `closed`, all named ones have to be there already. */
bool cy_check_pattern(struct cy_checker *checker, struct cy_pattern *pattern,
                      bool closed);

/* --- projections (check_projection.c) --------------------------------------------- */

/* The scope becomes what it leaves over. */
bool cy_check_projection(struct cy_checker *checker, struct cy_clause *clause);

#endif
