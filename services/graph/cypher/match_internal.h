/* match_internal: what the files of the matcher share. Each function returns false when
 * nothing more is wanted, or it failed. */
#ifndef CYPHER_MATCH_INTERNAL_H
#define CYPHER_MATCH_INTERNAL_H

#include "services/graph/cypher/eval.h"
#include "services/graph/cypher/match.h"
#include "services/graph/cypher/plan.h"

enum { CY_TRAIL_ROOM = 32, CY_FRAMES_MAX = 5000 };

struct cy_matcher {
    struct cy_env *env;
    const struct cy_plan *plan;
    cy_match_fn *each;
    void *arg;
    uint32_t *trail; /* relationships that stand for one of the pattern */
    uint32_t trail_count;
    uint32_t trail_room;
    uint32_t first_trail[CY_TRAIL_ROOM];
};

/* A relationship that is looked at, from a node to its peer. */
typedef bool cy_link_fn(struct cy_matcher *matcher, const struct link *link, void *arg);

/* The step is done: its conditions, then what comes after it. */
bool cy_arrive(struct cy_matcher *matcher, const struct cy_plan_step *step);
/* `place` is what the slot is bound to, or can be. */
bool cy_node_fits(struct cy_matcher *matcher, uint32_t slot, uint32_t place, bool known);
bool cy_used(const struct cy_matcher *matcher, uint32_t edge);
bool cy_push(struct cy_matcher *matcher, uint32_t edge);
/* One call of itself deeper; each is followed by env->frames--. */
bool cy_enter_frame(struct cy_env *env);

/* Which relationships of a node. */
struct cy_around {
    uint32_t place;
    bool backwards; /* against the step's direction */
    uint32_t peer;  /* CY_NONE: any */
};

/* Every relationship there that the pattern's may be. */
bool cy_each_link(struct cy_matcher *matcher, const struct cy_plan_step *step,
                  struct cy_around around, cy_link_fn *each, void *arg);
bool cy_type_fits(const struct cy_relationship *relationship, uint32_t type);
/* The properties that are written in the pattern, of one of many; *fits tells. */
bool cy_properties_fit(struct cy_matcher *matcher,
                       const struct cy_relationship *relationship, uint32_t edge,
                       bool *fits);

/* A place where the pattern may begin. */
bool cy_begin_with(struct cy_matcher *matcher, const struct cy_plan_step *step,
                   uint32_t place);
bool cy_scan_all(struct cy_matcher *matcher, const struct cy_plan_step *step);
bool cy_scan_label(struct cy_matcher *matcher, const struct cy_plan_step *step);

/* match_many.c, match_bound.c, match_shortest.c, match_path.c, match_values.c: the kinds
 * of steps */
bool cy_seek_value(struct cy_matcher *matcher, const struct cy_plan_step *step);
bool cy_expand_many(struct cy_matcher *matcher, const struct cy_plan_step *step);
bool cy_from_bound(struct cy_matcher *matcher, const struct cy_plan_step *step);
bool cy_from_list(struct cy_matcher *matcher, const struct cy_plan_step *step);
bool cy_expand_short(struct cy_matcher *matcher, const struct cy_plan_step *step);
bool cy_make_path(struct cy_matcher *matcher, const struct cy_plan_step *step);
/* A list of relationships, the other way round where `backwards`. */
bool cy_relationship_list(struct cy_env *env, const uint32_t *edges, uint32_t count,
                          bool backwards, struct cy_value *out);

#endif
