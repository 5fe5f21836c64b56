/* What is computed of whole graphs, compared with dense matrices, on random graphs of
 * which the reader may not see everything. */
#include <math.h>

#include "services/graph/analysis/measures.h"
#include "tests/unit/graph/walk_fixture.h"

struct picture { /* what is true of the part that is taken */
    unsigned count;
    unsigned node[NODES]; /* its number in the fixture */
    double links[NODES][NODES];
    unsigned edges;
};

struct case_ {
    struct fixture f;
    struct dense graph;
    struct picture truth;
    struct analysis_watch watch;
};

static bool is_taken(const struct fixture *f, unsigned node, bool labelled)
{
    return f->places[node] != WALK_ANY && (!labelled || f->labelled[node]);
}

static void paint(struct picture *truth, const struct fixture *f, bool labelled)
{
    unsigned index[NODES];
    *truth = (struct picture){.count = 0};
    for (unsigned n = 0; n < NODES; n++)
        if (is_taken(f, n, labelled)) {
            index[n] = truth->count;
            truth->node[truth->count++] = n;
        }
    for (unsigned e = 0; e < EDGES; e++) {
        const struct edge_drawn *edge = &f->edges[e];
        if (!in_scope(f, edge) || !is_taken(f, edge->from, labelled) ||
            !is_taken(f, edge->to, labelled))
            continue;
        truth->links[index[edge->from]][index[edge->to]] += 1;
        truth->edges++;
    }
}

static void open_case(struct case_ *c)
{
    bool labelled = draw(3) == 0;
    uint32_t label = WALK_ANY;
    *c = (struct case_){.graph = {0}};
    begin(&c->f);
    if (labelled && !symbols_find(graph_labels(c->f.graph), sh_bytes_of("Seen"), &label))
        labelled = false;
    paint(&c->truth, &c->f, labelled);
    assert_int_equal(
        dense_take(&c->f.reader, label, c->f.scope.type, &c->watch, &c->graph), SH_OK);
}

static void close_case(struct case_ *c)
{
    dense_free(&c->graph);
    end(&c->f);
}

/* --- what is taken ---------------------------------------------------------------- */

static void only_what_is_seen_is_taken(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct case_ c;
        open_case(&c);
        assert_int_equal(c.graph.count, c.truth.count);
        assert_int_equal(c.graph.edge_count, c.truth.edges);
        for (unsigned n = 0; n < c.truth.count; n++) {
            char id[8];
            double links[NODES] = {0};
            (void)snprintf(id, sizeof(id), "n%u", c.truth.node[n]);
            assert_true(sh_bytes_is(c.graph.ids[n], id));
            for (uint32_t j = c.graph.first[n]; j < c.graph.first[n + 1]; j++)
                links[c.graph.target[j]] += 1;
            assert_memory_equal(links, c.truth.links[n], sizeof(links));
        }
        close_case(&c);
    }
}

static void add_up(const struct picture *truth, unsigned node, int *out, int *in)
{
    for (unsigned m = 0; m < truth->count; m++) {
        *out += (int)truth->links[node][m];
        *in += (int)truth->links[m][node];
    }
}

static void degrees_are_sums_of_rows_and_columns(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct case_ c;
        double scores[3][NODES];
        open_case(&c);
        for (unsigned d = 0; d < 3; d++)
            measure_degree(&c.graph, d, scores[d]);
        for (unsigned n = 0; n < c.truth.count; n++) {
            int out = 0, in = 0;
            add_up(&c.truth, n, &out, &in);
            assert_int_equal((int)scores[MEASURE_OUT][n], out);
            assert_int_equal((int)scores[MEASURE_IN][n], in);
            assert_int_equal((int)scores[MEASURE_BOTH][n], in + out);
        }
        close_case(&c);
    }
}

/* --- rank ------------------------------------------------------------------------- */

/* r = d M r + (1 - d) / n by elimination. */
static void solve(const struct picture *truth, double damping, double ranks[NODES])
{
    static double rows[NODES][NODES + 1];
    unsigned count = truth->count;
    for (unsigned m = 0; m < count; m++) {
        double out = 0;
        for (unsigned n = 0; n < count; n++)
            out += truth->links[m][n];
        for (unsigned n = 0; n < count; n++)
            rows[n][m] = (n == m ? 1 : 0) -
                         damping * (out > 0 ? truth->links[m][n] / out : 1.0 / count);
    }
    for (unsigned n = 0; n < count; n++)
        rows[n][count] = (1 - damping) / count;
    for (unsigned p = 0; p < count; p++) /* dominated by its diagonal, by columns */
        for (unsigned n = 0; n < count; n++) {
            double factor = n == p ? 0 : rows[n][p] / rows[p][p];
            for (unsigned m = p; m <= count && n != p; m++)
                rows[n][m] -= factor * rows[p][m];
        }
    for (unsigned n = 0; n < count; n++)
        ranks[n] = rows[n][count] / rows[n][n];
}

static void ranks_solve_their_equation(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct case_ c;
        double ranks[NODES], want[NODES];
        double sum = 0;
        struct rank_options options = {0.85, 1e-12, 1000};
        struct rank_outcome outcome;
        open_case(&c);
        solve(&c.truth, 0.85, want);
        assert_int_equal(measure_rank(&c.graph, &options, &c.watch, ranks, &outcome),
                         SH_OK);
        assert_true(outcome.converged);
        for (unsigned n = 0; n < c.truth.count; n++) {
            assert_true(fabs(ranks[n] - want[n]) < 1e-9);
            sum += ranks[n];
        }
        assert_true(c.truth.count == 0 || fabs(sum - 1) < 1e-9);
        options.iterations = 1;
        options.tolerance = 0;
        assert_int_equal(measure_rank(&c.graph, &options, &c.watch, ranks, &outcome),
                         SH_OK);
        assert_int_equal(outcome.iterations, c.truth.count > 0);
        close_case(&c);
    }
}

/* --- groups ----------------------------------------------------------------------- */

static void groups_are_numbered_by_size(const uint32_t *groups, unsigned count,
                                        uint32_t group_count)
{
    unsigned sizes[NODES + 1] = {0};
    for (unsigned n = 0; n < count; n++) {
        assert_true(groups[n] < group_count);
        sizes[groups[n]]++;
    }
    for (uint32_t g = 0; g < group_count; g++)
        assert_true(sizes[g] > 0 && (g == 0 || sizes[g] <= sizes[g - 1]));
}

static void components_are_what_hangs_together(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct case_ c;
        uint32_t groups[NODES], count;
        bool joined[NODES][NODES];
        open_case(&c);
        unsigned nodes = c.truth.count;
        assert_int_equal(measure_components(&c.graph, &c.watch, groups, &count), SH_OK);
        for (unsigned a = 0; a < nodes; a++)
            for (unsigned b = 0; b < nodes; b++)
                joined[a][b] =
                    a == b || c.truth.links[a][b] > 0 || c.truth.links[b][a] > 0;
        for (unsigned k = 0; k < nodes; k++) /* Warshall */
            for (unsigned a = 0; a < nodes; a++)
                for (unsigned b = 0; b < nodes; b++)
                    joined[a][b] = joined[a][b] || (joined[a][k] && joined[k][b]);
        for (unsigned a = 0; a < nodes; a++)
            for (unsigned b = 0; b < nodes; b++)
                assert_int_equal(groups[a] == groups[b], joined[a][b]);
        groups_are_numbered_by_size(groups, nodes, count);
        close_case(&c);
    }
}

/* Sum over all pairs of one group of what is there less what chance would give. */
static double modularity_of(const struct picture *truth, const uint32_t *groups)
{
    double degree[NODES] = {0};
    double all = 2.0 * truth->edges;
    double sum = 0;
    for (unsigned a = 0; a < truth->count; a++)
        for (unsigned b = 0; b < truth->count; b++)
            degree[a] += truth->links[a][b] + truth->links[b][a];
    for (unsigned a = 0; a < truth->count; a++)
        for (unsigned b = 0; b < truth->count; b++)
            if (groups[a] == groups[b] && all > 0)
                sum += (truth->links[a][b] + truth->links[b][a]) / all -
                       degree[a] * degree[b] / all / all;
    return sum;
}

static void communities_have_the_modularity_that_is_said(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct case_ c;
        uint32_t groups[NODES], again[NODES], single[NODES], count;
        double modularity;
        open_case(&c);
        assert_int_equal(
            measure_communities(&c.graph, 1, &c.watch, groups, &count, &modularity),
            SH_OK);
        assert_true(fabs(modularity - modularity_of(&c.truth, groups)) < 1e-9);
        groups_are_numbered_by_size(groups, c.truth.count, count);
        for (unsigned n = 0; n < c.truth.count; n++)
            single[n] = n;
        assert_true(modularity >= modularity_of(&c.truth, single) - 1e-9);
        assert_int_equal(
            measure_communities(&c.graph, 1, &c.watch, again, &count, &modularity),
            SH_OK);
        assert_memory_equal(groups, again, c.truth.count * sizeof(groups[0]));
        close_case(&c);
    }
}

/* Four rings of complete quarters, one edge from each to the next. */
static void planted_communities_are_found(void **state)
{
    enum { PARTS = 6, SIZE = 5, COUNT = PARTS * SIZE };
    uint32_t first[COUNT + 1], target[COUNT * SIZE], groups[COUNT], count;
    uint32_t edges = 0;
    double modularity;
    struct analysis_watch watch = {0};
    (void)state;
    for (uint32_t i = 0; i < COUNT; i++) {
        first[i] = edges;
        for (uint32_t j = i + 1; j < i - i % SIZE + SIZE; j++)
            target[edges++] = j;
        if (i % SIZE == 0)
            target[edges++] = (i + SIZE) % COUNT;
    }
    first[COUNT] = edges;
    const struct dense graph = {
        .count = COUNT, .edge_count = edges, .first = first, .target = target};
    assert_int_equal(measure_communities(&graph, 1, &watch, groups, &count, &modularity),
                     SH_OK);
    assert_int_equal(count, PARTS);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(groups[i], groups[i - i % SIZE]);
    assert_int_equal(
        measure_communities(&graph, 1e-3, &watch, groups, &count, &modularity), SH_OK);
    assert_true(count < PARTS);
}

static void what_is_cancelled_ends(void **state)
{
    struct case_ c;
    double scores[NODES], modularity;
    uint32_t groups[NODES], count;
    struct dense graph;
    struct rank_options options = {0.85, 0, 1000};
    struct rank_outcome outcome;
    (void)state;
    do {
        open_case(&c);
        if (c.truth.edges > 0)
            break;
        close_case(&c);
    } while (true);
    atomic_store(&c.watch.cancelled, true);
    assert_int_equal(measure_rank(&c.graph, &options, &c.watch, scores, &outcome),
                     SH_CANCELED);
    assert_int_equal(measure_components(&c.graph, &c.watch, groups, &count), SH_CANCELED);
    assert_int_equal(
        measure_communities(&c.graph, 1, &c.watch, groups, &count, &modularity),
        SH_CANCELED);
    assert_int_equal(dense_take(&c.f.reader, WALK_ANY, WALK_ANY, &c.watch, &graph),
                     SH_CANCELED);
    close_case(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_seen_is_taken),
        cmocka_unit_test(degrees_are_sums_of_rows_and_columns),
        cmocka_unit_test(ranks_solve_their_equation),
        cmocka_unit_test(components_are_what_hangs_together),
        cmocka_unit_test(communities_have_the_modularity_that_is_said),
        cmocka_unit_test(planted_communities_are_found),
        cmocka_unit_test(what_is_cancelled_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
