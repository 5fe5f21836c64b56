/* eval_internal: what the files of eval share. */
#ifndef CYPHER_EVAL_INTERNAL_H
#define CYPHER_EVAL_INTERNAL_H

#include "services/graph/cypher/eval.h"

/* eval_math.c: of evaluated operands */
bool eval_arithmetic(struct cy_env *env, const struct cy_expr *expr, struct cy_value left,
                     struct cy_value right, struct cy_value *out);
bool eval_negative(struct cy_env *env, const struct cy_expr *expr, struct cy_value value,
                   struct cy_value *out);

/* eval_logic.c */
bool eval_logic(struct cy_env *env, const struct cy_expr *expr, struct cy_value *out);
bool eval_not(struct cy_env *env, const struct cy_expr *expr, struct cy_value value,
              struct cy_value *out);
struct cy_value eval_comparison(enum cy_op op, struct cy_value left,
                                struct cy_value right);
bool eval_in(struct cy_env *env, const struct cy_expr *expr, struct cy_value item,
             struct cy_value list, struct cy_value *out);
struct cy_value eval_text_test(enum cy_op op, struct cy_value text, struct cy_value part);
/* A condition's value. Fails on what is neither a boolean nor null. */
bool eval_truth(struct cy_env *env, const struct cy_expr *expr, enum cyv_truth *out);

/* eval_access.c */
bool eval_property(struct cy_env *env, const struct cy_expr *expr, struct cy_value *out);
bool eval_subscript(struct cy_env *env, const struct cy_expr *expr, struct cy_value *out);
bool eval_slice(struct cy_env *env, const struct cy_expr *expr, struct cy_value *out);

/* eval_list.c */
bool eval_list_comprehension(struct cy_env *env, const struct cy_expr *expr,
                             struct cy_value *out);
bool eval_quantifier(struct cy_env *env, const struct cy_expr *expr,
                     struct cy_value *out);
bool eval_reduce(struct cy_env *env, const struct cy_expr *expr, struct cy_value *out);

/* eval_pattern.c */
bool eval_pattern_comprehension(struct cy_env *env, const struct cy_expr *expr,
                                struct cy_value *out);
bool eval_pattern_exists(struct cy_env *env, const struct cy_expr *expr,
                         struct cy_value *out);

/* regex.c: =~ */
bool eval_regex(struct cy_env *env, const struct cy_expr *expr, struct cy_value text,
                struct cy_value pattern, struct cy_value *out);

#endif
