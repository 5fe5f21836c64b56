/* Cheapest paths and all paths over random graphs, compared with every path that there
 * is. */
#include <stdlib.h>

#include "tests/unit/graph/there.h"
#include "tests/unit/graph/walk_fixture.h"

enum { DEEP = 5, TRUE_MAX = 20000, WANTED = 7 };

struct true_path {
    unsigned length;
    double cost;
};

struct truth {
    const struct fixture *f;
    unsigned to;
    unsigned max_depth;
    bool weighted;
    bool passed[NODES];
    struct true_path paths[TRUE_MAX];
    size_t count;
};

/* --- what is true ----------------------------------------------------------------- */

static void try_all(struct truth *t, unsigned at, struct true_path so_far)
{
    if (at == t->to) {
        assert_true(t->count < TRUE_MAX);
        t->paths[t->count++] = so_far;
        return;
    }
    if (so_far.length == t->max_depth)
        return;
    t->passed[at] = true;
    for (unsigned e = 0; e < EDGES; e++) {
        const struct edge_drawn *edge = &t->f->edges[e];
        struct true_path on = {so_far.length + 1,
                               so_far.cost + (t->weighted ? edge->weight / 2.0 : 1)};
        if (!in_scope(t->f, edge) || (t->weighted && edge->weight < 0))
            continue;
        if (t->f->scope.out && edge->from == at && !t->passed[edge->to])
            try_all(t, edge->to, on);
        if (t->f->scope.in && edge->to == at && !t->passed[edge->from])
            try_all(t, edge->from, on);
    }
    t->passed[at] = false;
}

static int by_cost(const void *left, const void *right)
{
    const struct true_path *a = left;
    const struct true_path *b = right;
    return a->cost < b->cost ? -1 : a->cost > b->cost;
}

static void find_truth(struct truth *t, const struct fixture *f, unsigned from)
{
    t->f = f;
    t->count = 0;
    try_all(t, from, (struct true_path){0, 0});
    qsort(t->paths, t->count, sizeof(t->paths[0]), by_cost);
}

/* --- what is found ---------------------------------------------------------------- */

static double cost_of(const struct fixture *f, const struct walk_path *path,
                      bool weighted)
{
    double cost = 0;
    for (size_t i = 0; i < path->length; i++) {
        const struct edge *edge = edge_there(&f->reader, path->steps[i].link.edge);
        char id[8];
        (void)snprintf(id, sizeof(id), "%.*s", (int)edge->body->id.len,
                       (const char *)edge->body->id.data);
        int weight = f->edges[strtoul(id + 1, NULL, 10)].weight;
        assert_true(!weighted || weight >= 0);
        cost += weighted ? weight / 2.0 : 1;
    }
    return cost;
}

static void is_a_path(const struct fixture *f, const struct walk_path *path,
                      const struct walk_ends *ends)
{
    assert_int_equal(path->nodes[0], ends->from);
    assert_int_equal(path->nodes[path->length], ends->to);
    assert_true(path->length <= ends->max_depth);
    for (size_t i = 0; i < path->length; i++) {
        check_step(f, path->nodes[i], path->nodes[i + 1], &path->steps[i]);
        for (size_t j = 0; j <= i; j++)
            assert_int_not_equal(path->nodes[j], path->nodes[i + 1]);
    }
}

static bool are_equal(const struct walk_path *a, const struct walk_path *b)
{
    bool equal = a->length == b->length;
    for (size_t i = 0; i < a->length && equal; i++)
        equal = a->steps[i].link.edge == b->steps[i].link.edge;
    return equal;
}

static void are_distinct_paths(const struct fixture *f, const struct walk_paths *found,
                               const struct walk_ends *ends)
{
    for (size_t i = 0; i < found->count; i++) {
        is_a_path(f, &found->paths[i], ends);
        for (size_t j = 0; j < i; j++)
            assert_false(are_equal(&found->paths[i], &found->paths[j]));
    }
}

static struct walk_ends draw_ends(const struct fixture *f, unsigned *from, unsigned *to,
                                  bool weighted)
{
    struct walk_ends ends = {.weight = WALK_ANY};
    *from = draw_seen(f);
    *to = draw_seen(f);
    ends.from = f->places[*from];
    ends.to = f->places[*to];
    ends.max_depth = draw(DEEP + 1);
    if (weighted)
        assert_true(
            symbols_find(graph_keys(f->graph), sh_bytes_of("cost"), &ends.weight));
    return ends;
}

static void check_cheapest(struct fixture *f, bool weighted)
{
    static struct truth truth;
    struct walk_paths found;
    unsigned from;
    struct walk walk = walk_within(f, &plenty);
    struct walk_ends ends = draw_ends(f, &from, &truth.to, weighted);
    size_t wanted = 1 + draw(WANTED);
    truth.weighted = weighted;
    truth.max_depth = ends.max_depth;
    find_truth(&truth, f, from);
    assert_int_equal(walk_cheapest(&walk, &ends, wanted, &found), SH_OK);
    assert_false(found.truncated);
    assert_int_equal(found.count, truth.count < wanted ? truth.count : wanted);
    are_distinct_paths(f, &found, &ends);
    for (size_t i = 0; i < found.count; i++) {
        double cost = cost_of(f, &found.paths[i], weighted);
        assert_true(cost >= truth.paths[i].cost && cost <= truth.paths[i].cost);
        assert_true(cost >= found.paths[i].cost && cost <= found.paths[i].cost);
    }
}

static void the_cheapest_are_found_in_order(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * ROUNDS; i++) {
        struct fixture f;
        begin(&f);
        check_cheapest(&f, true);
        check_cheapest(&f, false);
        end(&f);
    }
}

/* As far as they can be improved, whatever the length. */
static void measure_cost(const struct fixture *f, unsigned from, double cost[NODES])
{
    for (unsigned n = 0; n < NODES; n++)
        cost[n] = n == from ? 0 : FAR;
    for (unsigned round = 0; round < NODES; round++)
        for (unsigned e = 0; e < EDGES; e++) {
            const struct edge_drawn *edge = &f->edges[e];
            double weight = edge->weight / 2.0;
            if (!in_scope(f, edge) || weight < 0)
                continue;
            if (f->scope.out && cost[edge->from] + weight < cost[edge->to])
                cost[edge->to] = cost[edge->from] + weight;
            if (f->scope.in && cost[edge->to] + weight < cost[edge->from])
                cost[edge->from] = cost[edge->to] + weight;
        }
}

static void the_cheapest_may_be_long(void **state)
{
    size_t count = 0;
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct fixture f;
        double cost[NODES];
        unsigned from, to;
        struct walk_paths found;
        begin(&f);
        struct walk walk = walk_within(&f, &plenty);
        struct walk_ends ends = draw_ends(&f, &from, &to, true);
        ends.max_depth = 100;
        measure_cost(&f, from, cost);
        assert_int_equal(walk_cheapest(&walk, &ends, 1 + draw(2), &found), SH_OK);
        assert_int_equal(found.count > 0, cost[to] < FAR);
        if (found.count > 0)
            assert_true(found.paths[0].cost >= cost[to] &&
                        found.paths[0].cost <= cost[to]);
        count += found.count;
        end(&f);
    }
    assert_true(count > ROUNDS / 4);
}

static void an_edge_without_a_weight_is_no_way(void **state)
{
    struct fixture f;
    struct walk_paths found;
    unsigned from, to;
    bool said = false;
    (void)state;
    for (int i = 0; i < 20; i++) {
        begin(&f);
        struct walk walk = walk_within(&f, &plenty);
        struct walk_ends ends = draw_ends(&f, &from, &to, true);
        ends.max_depth = 100;
        assert_int_equal(walk_cheapest(&walk, &ends, 1, &found), SH_OK);
        said = said || found.unweighted;
        ends.weight = WALK_NOTHING; /* a property that no edge has */
        assert_int_equal(walk_cheapest(&walk, &ends, 1, &found), SH_OK);
        assert_int_equal(found.count, from == to);
        ends.weight = WALK_ANY;
        assert_int_equal(walk_cheapest(&walk, &ends, 1, &found), SH_OK);
        assert_false(found.unweighted);
        end(&f);
    }
    assert_true(said);
}

/* --- all of them ------------------------------------------------------------------ */

static void check_every(struct fixture *f)
{
    static struct truth truth;
    struct walk_paths found;
    unsigned from;
    struct walk walk = walk_within(f, &plenty);
    struct walk_ends ends = draw_ends(f, &from, &truth.to, false);
    truth.weighted = false;
    truth.max_depth = ends.max_depth;
    find_truth(&truth, f, from);
    assert_int_equal(walk_every(&walk, &ends, 2000, &found), SH_OK);
    assert_false(found.truncated);
    assert_int_equal(found.count, truth.count);
    are_distinct_paths(f, &found, &ends);
    for (size_t i = 0; i < found.count; i++)
        assert_int_equal(found.paths[i].length, truth.paths[i].length);
    size_t few = draw(4);
    assert_int_equal(walk_every(&walk, &ends, few, &found), SH_OK);
    assert_int_equal(found.count, truth.count < few ? truth.count : few);
    assert_int_equal(found.truncated, truth.count > few);
}

static void every_path_is_found_once(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * ROUNDS; i++) {
        struct fixture f;
        begin(&f);
        check_every(&f);
        end(&f);
    }
}

/* --- budgets ---------------------------------------------------------------------- */

static void the_budget_ends_both(void **state)
{
    unsigned cut = 0;
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct fixture f;
        struct walk_paths found;
        const struct walk_budget small = {.nodes = 6};
        unsigned from, to;
        begin(&f);
        struct walk walk = walk_within(&f, &small);
        struct walk_ends ends = draw_ends(&f, &from, &to, false);
        assert_int_equal(walk_cheapest(&walk, &ends, 4, &found), SH_OK);
        are_distinct_paths(&f, &found, &ends);
        cut += found.truncated;
        assert_int_equal(walk_every(&walk, &ends, 100, &found), SH_OK);
        are_distinct_paths(&f, &found, &ends);
        cut += found.truncated;
        end(&f);
    }
    assert_true(cut > 0);
}

static void who_does_not_wait_is_not_searched_for(void **state)
{
    static const _Atomic bool cancelled = true;
    const struct walk_budget none = {.nodes = 1000, .cancelled = &cancelled};
    struct fixture f;
    struct walk_paths found;
    unsigned from, to;
    (void)state;
    begin(&f);
    struct walk walk = walk_within(&f, &none);
    struct walk_ends ends = draw_ends(&f, &from, &to, false);
    assert_int_equal(walk_cheapest(&walk, &ends, 4, &found), SH_CANCELED);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cheapest_are_found_in_order),
        cmocka_unit_test(the_cheapest_may_be_long),
        cmocka_unit_test(an_edge_without_a_weight_is_no_way),
        cmocka_unit_test(every_path_is_found_once),
        cmocka_unit_test(the_budget_ends_both),
        cmocka_unit_test(who_does_not_wait_is_not_searched_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
