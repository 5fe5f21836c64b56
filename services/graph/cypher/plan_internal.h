/* plan_internal: what plan.c and plan_conditions.c share. */
#ifndef CYPHER_PLAN_INTERNAL_H
#define CYPHER_PLAN_INTERNAL_H

#include "services/graph/cypher/plan.h"

enum cy_slot_state {
    CY_ELSEWHERE, /* no variable of this pattern */
    CY_TO_BIND,
    CY_IS_BOUND,
};

struct cy_condition {
    const struct cy_expr *expr;
    bool used;
};

struct cy_planner {
    struct cy_env *env;
    const struct cy_pattern *pattern;
    struct cy_plan *plan;
    unsigned char *states; /* by slot */
    uint32_t slot_end;
    struct cy_condition *conditions;
    uint32_t condition_count;
    uint32_t condition_room;
};

static inline enum cy_slot_state cy_state(const struct cy_planner *planner, uint32_t slot)
{
    return slot < planner->slot_end ? planner->states[slot] : CY_ELSEWHERE;
}

/* From WHERE, part by part, and the properties that stand in the pattern. */
bool cy_gather_conditions(struct cy_planner *planner, const struct cy_expr *where);
/* Nothing in it waits to be bound. */
bool cy_is_ready(const struct cy_planner *planner, const struct cy_expr *expr);
/* All that are ready and not used yet. */
bool cy_take_conditions(struct cy_planner *planner, const struct cy_expr ***out,
                        uint32_t *count);
/* id(n) = key or elementId(n) = key for the node in this slot: its key, or NULL. */
const struct cy_expr *cy_find_key(const struct cy_planner *planner, uint32_t slot,
                                  enum cy_step_kind *kind);
/* Fills in symbol, op and key where an index of a property of the node in this slot leads
 * to fewer nodes than the `size` that a scan looks at (plan_values.c). How many it may
 * lead to; `size`: there is none. */
uint64_t cy_find_value(const struct cy_planner *planner, uint32_t slot, uint64_t size,
                       struct cy_plan_step *step);

#endif
