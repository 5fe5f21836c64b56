#include "services/graph/cypher/plan.h"

#include <roaring/roaring.h>

#include "services/graph/cypher/plan_internal.h"
#include "services/graph/cypher/tallied.h"

/* One relationship of the pattern with its ends. */
struct span {
    const struct cy_path *path;
    const struct cy_relationship *relationship;
    uint32_t left; /* slots */
    uint32_t right;
    bool done;
};

struct spans {
    struct span *items;
    uint32_t count;
};

/* --- what there is ---------------------------------------------------------------- */

static void note_slot(struct cy_planner *planner, const struct cy_name *name)
{
    if (planner->states != NULL && planner->states[name->slot] != CY_IS_BOUND)
        planner->states[name->slot] = name->bound ? CY_IS_BOUND : CY_TO_BIND;
    if (name->slot >= planner->slot_end && name->slot != CY_NONE)
        planner->slot_end = name->slot + 1;
}

static void note_slots(struct cy_planner *planner)
{
    for (uint32_t i = 0; i < planner->pattern->path_count; i++) {
        const struct cy_path *path = &planner->pattern->paths[i];
        for (uint32_t j = 0; j <= path->relationship_count; j++) {
            note_slot(planner, &path->nodes[j].variable);
            if (j < path->relationship_count)
                note_slot(planner, &path->relationships[j].variable);
        }
        if (path->variable.slot != CY_NONE)
            note_slot(planner, &path->variable);
    }
}

static bool find_states(struct cy_planner *planner)
{
    note_slots(planner);
    unsigned char *states = cy_alloc(planner->env, planner->slot_end + 1);
    if (states == NULL)
        return false;
    planner->states = states;
    note_slots(planner);
    return true;
}

/* Lists of all nodes and relationships, and room for the steps. */
static bool gather(struct cy_planner *planner, struct spans *spans)
{
    const struct cy_pattern *pattern = planner->pattern;
    struct cy_plan *plan = planner->plan;
    uint32_t nodes = 0;
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        nodes += pattern->paths[i].relationship_count + 1;
        spans->count += pattern->paths[i].relationship_count;
    }
    if (spans->count > CY_RELATIONSHIPS_MAX || pattern->path_count > CY_PATHS_MAX)
        return cy_fail(planner->env, CY_UNSUPPORTED, NULL, pattern->at,
                       "a pattern has at most %d relationships and %d paths",
                       CY_RELATIONSHIPS_MAX, CY_PATHS_MAX);
    spans->items = cy_array(planner->env, spans->count + 1, sizeof(*spans->items));
    plan->nodes = cy_array(planner->env, nodes + 1, sizeof(struct cy_node *));
    plan->steps = cy_array(planner->env, nodes + spans->count + pattern->path_count + 1,
                           sizeof(*plan->steps));
    if (spans->items == NULL || plan->nodes == NULL || plan->steps == NULL)
        return false;
    uint32_t at = 0;
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        const struct cy_path *path = &pattern->paths[i];
        for (uint32_t j = 0; j <= path->relationship_count; j++) {
            plan->nodes[plan->node_count++] = &path->nodes[j];
            if (j < path->relationship_count)
                spans->items[at++] = (struct span){
                    path, &path->relationships[j], path->nodes[j].variable.slot,
                    path->nodes[j + 1].variable.slot, false};
        }
    }
    return true;
}

static bool known(const struct cy_planner *planner, uint32_t slot)
{
    return cy_state(planner, slot) == CY_IS_BOUND;
}

/* --- steps ------------------------------------------------------------------------ */

static bool add_step(struct cy_planner *planner, struct cy_plan_step step)
{
    struct cy_plan_step *added = &planner->plan->steps[planner->plan->step_count++];
    *added = step;
    return cy_take_conditions(planner, &added->filters, &added->filter_count);
}

/* Nodes that were there before the pattern, each once. */
static bool check_bound(struct cy_planner *planner)
{
    const struct cy_plan *plan = planner->plan;
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const struct cy_name *name = &plan->nodes[i]->variable;
        bool again = false;
        for (uint32_t j = 0; j < i && !again; j++)
            again = plan->nodes[j]->variable.slot == name->slot;
        if (name->bound && !again &&
            !add_step(planner,
                      (struct cy_plan_step){.kind = CY_CHECK_NODE, .to = name->slot}))
            return false;
    }
    return true;
}

static enum cy_step_kind kind_of(const struct span *span)
{
    if (span->path->shortest != CY_ALL_PATHS)
        return CY_EXPAND_SHORT;
    if (span->relationship->variable.bound)
        return span->relationship->varies ? CY_FROM_LIST : CY_FROM_BOUND;
    return span->relationship->varies ? CY_EXPAND_MANY : CY_EXPAND;
}

static bool add_span(struct cy_planner *planner, struct span *span)
{
    bool backwards = !known(planner, span->left) && known(planner, span->right);
    enum cy_step_kind kind = kind_of(span);
    if (kind == CY_FROM_BOUND || kind == CY_FROM_LIST)
        backwards = false;
    struct cy_plan_step step = {.kind = kind,
                                .relationship = span->relationship,
                                .path = span->path,
                                .from = backwards ? span->right : span->left,
                                .to = backwards ? span->left : span->right,
                                .backwards = backwards};
    step.from_known = known(planner, step.from);
    step.to_known = known(planner, step.to) || step.to == step.from;
    step.keeps =
        span->relationship->variable.text.len > 0 || span->path->variable.text.len > 0;
    span->done = true;
    planner->states[span->left] = CY_IS_BOUND;
    planner->states[span->right] = CY_IS_BOUND;
    planner->states[span->relationship->variable.slot] = CY_IS_BOUND;
    return add_step(planner, step);
}

/* The lower the sooner; UINT_MAX: not yet. */
static unsigned rank(const struct cy_planner *planner, const struct span *span)
{
    unsigned ends =
        (unsigned)known(planner, span->left) + (unsigned)known(planner, span->right);
    enum cy_step_kind kind = kind_of(span);
    if (kind == CY_FROM_BOUND)
        return 0;
    if (kind == CY_FROM_LIST)
        return 1;
    if (ends == 0 || (kind == CY_EXPAND_SHORT && ends < 2))
        return UINT32_MAX;
    return (kind == CY_EXPAND ? 2U : 4U) + (ends == 2 ? 0U : 1U);
}

static struct span *next_span(const struct cy_planner *planner, struct spans *spans)
{
    struct span *best = NULL;
    unsigned least = UINT32_MAX;
    for (uint32_t i = 0; i < spans->count; i++) {
        unsigned here =
            spans->items[i].done ? UINT32_MAX : rank(planner, &spans->items[i]);
        if (here < least) {
            least = here;
            best = &spans->items[i];
        }
    }
    return best;
}

/* --- where to begin --------------------------------------------------------------- */

/* How many nodes a scan looks at. */
static uint64_t scan_size(const struct cy_env *env, const struct cy_plan_step *step)
{
    if (step->kind != CY_SCAN_LABEL)
        return env->reader->version->node_end;
    const roaring_bitmap_t *const *places =
        step->label == CY_NONE ? NULL
                               : pages_at(&env->reader->version->labels, step->label);
    return places && *places ? roaring_bitmap_get_cardinality(*places) : 0;
}

/* How many nodes one would look at, beginning with this one, and how. Only what the
 * reader sees is counted: what it does not see must not change the order of its rows. */
static uint64_t cost_of(const struct cy_planner *planner, const struct cy_node *node,
                        struct cy_plan_step *step)
{
    const struct cy_env *env = planner->env;
    uint64_t cost = cy_seen_nodes(env);
    *step = (struct cy_plan_step){
        .kind = CY_SCAN_ALL, .to = node->variable.slot, .label = CY_NONE};
    step->key = cy_find_key(planner, node->variable.slot, &step->kind);
    if (step->key != NULL)
        return 0;
    step->kind = CY_SCAN_ALL;
    for (uint32_t i = 0; i < node->labels.count; i++) {
        uint64_t size = cy_seen_of_label(env, node->labels.numbers[i]);
        if (size > cost)
            continue;
        cost = size;
        step->kind = CY_SCAN_LABEL;
        step->label = node->labels.numbers[i];
    }
    uint64_t least = cy_find_value(planner, node->variable.slot, cost, step);
    if (least < cost) {
        step->size = scan_size(env, step);
        step->kind = CY_SEEK_VALUE;
    }
    return least + 1;
}

/* Nodes where nothing is known yet. False with *done: there are none. */
static bool begin_somewhere(struct cy_planner *planner, bool *done)
{
    const struct cy_plan *plan = planner->plan;
    struct cy_plan_step best = {.kind = CY_SCAN_ALL};
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < plan->node_count; i++) {
        struct cy_plan_step step;
        if (known(planner, plan->nodes[i]->variable.slot))
            continue;
        uint64_t cost = cost_of(planner, plan->nodes[i], &step);
        if (cost < least) {
            least = cost;
            best = step;
        }
    }
    *done = least == UINT64_MAX;
    if (*done)
        return true;
    planner->states[best.to] = CY_IS_BOUND;
    return add_step(planner, best);
}

/* --- all -------------------------------------------------------------------------- */

static bool make_steps(struct cy_planner *planner, struct spans *spans)
{
    bool done = false;
    while (!done) {
        struct span *span = next_span(planner, spans);
        if (span != NULL ? !add_span(planner, span) : !begin_somewhere(planner, &done))
            return false;
    }
    for (uint32_t i = 0; i < planner->pattern->path_count; i++) {
        const struct cy_path *path = &planner->pattern->paths[i];
        if (path->variable.slot == CY_NONE)
            continue;
        planner->states[path->variable.slot] = CY_IS_BOUND;
        if (!add_step(planner, (struct cy_plan_step){.kind = CY_MAKE_PATH, .path = path}))
            return false;
    }
    return true;
}

struct cy_plan *cy_plan_pattern(struct cy_env *env, const struct cy_pattern *pattern,
                                const struct cy_expr *where)
{
    struct cy_planner planner = {.env = env, .pattern = pattern};
    struct spans spans = {0};
    planner.plan = cy_alloc(env, sizeof(*planner.plan));
    if (planner.plan == NULL || !find_states(&planner) || !gather(&planner, &spans) ||
        !cy_gather_conditions(&planner, where) ||
        !cy_take_conditions(&planner, &planner.plan->before,
                            &planner.plan->before_count) ||
        !check_bound(&planner) || !make_steps(&planner, &spans))
        return NULL;
    return planner.plan;
}
