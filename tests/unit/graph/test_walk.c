/* Walks over random graphs, each compared with one that tries everything. */
#include "tests/unit/graph/walk_fixture.h"

/* Distances from a node, as far as they can be improved; `labelled`: by way of nodes that
 * have the label only. */
static void measure_by(const struct fixture *f, unsigned from, bool labelled,
                       unsigned distance[NODES])
{
    for (unsigned n = 0; n < NODES; n++)
        distance[n] = n == from ? 0 : FAR;
    for (unsigned round = 0; round < NODES; round++)
        for (unsigned e = 0; e < EDGES; e++) {
            const struct edge_drawn *edge = &f->edges[e];
            if (!in_scope(f, edge))
                continue;
            if (f->scope.out && distance[edge->from] + 1 < distance[edge->to] &&
                (!labelled || f->labelled[edge->to]))
                distance[edge->to] = distance[edge->from] + 1;
            if (f->scope.in && distance[edge->to] + 1 < distance[edge->from] &&
                (!labelled || f->labelled[edge->from]))
                distance[edge->from] = distance[edge->to] + 1;
        }
}

static void measure(const struct fixture *f, unsigned from, unsigned distance[NODES])
{
    measure_by(f, from, false, distance);
}

/* --- paths
 * -------------------------------------------------------------------------------- */

static void check_path(struct fixture *f, unsigned from, unsigned to, unsigned want,
                       uint32_t max_depth)
{
    struct walk walk = walk_within(f, &plenty);
    struct walk_path path;
    assert_int_equal(
        walk_shortest(&walk, f->places[from], f->places[to], max_depth, &path), SH_OK);
    assert_false(path.truncated);
    assert_int_equal(path.found, want <= max_depth);
    if (!path.found)
        return;
    assert_int_equal(path.length, want);
    assert_int_equal(path.nodes[0], f->places[from]);
    assert_int_equal(path.nodes[path.length], f->places[to]);
    for (size_t i = 0; i < path.length; i++) {
        assert_non_null(graph_node(&f->reader, path.nodes[i]));
        check_step(f, path.nodes[i], path.nodes[i + 1], &path.steps[i]);
    }
}

static void a_path_is_a_shortest_one(void **state)
{
    struct fixture f;
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        unsigned distance[NODES];
        begin(&f);
        unsigned from = draw_seen(&f);
        measure(&f, from, distance);
        for (unsigned to = 0; to < NODES; to++)
            if (f.places[to] != WALK_ANY) {
                check_path(&f, from, to, distance[to], 100);
                check_path(&f, from, to, distance[to], 1 + draw(4));
            }
        end(&f);
    }
}

/* --- neighbours
 * ---------------------------------------------------------------------------- */

static uint64_t count_links(const struct fixture *f, unsigned node, bool outgoing,
                            unsigned type)
{
    uint64_t count = 0;
    for (unsigned e = 0; e < EDGES; e++) {
        const struct edge_drawn *edge = &f->edges[e];
        count += is_open(f, edge) && (outgoing ? edge->from : edge->to) == node &&
                 (type == TYPES || edge->type == type);
    }
    return count;
}

static void check_degrees(struct fixture *f, unsigned node)
{
    struct walk_group *groups;
    size_t count;
    uint64_t sum = 0;
    assert_int_equal(
        walk_degrees(&f->reader, f->places[node], &f->arena, &groups, &count), SH_OK);
    for (size_t i = 0; i < count; i++) {
        struct sh_bytes name = symbols_text(graph_types(f->graph), groups[i].type);
        unsigned type = sh_bytes_is(name, "A") ? 0 : 1;
        assert_int_equal(groups[i].count, count_links(f, node, groups[i].outgoing, type));
        assert_true(groups[i].count > 0);
        sum += groups[i].count;
    }
    assert_int_equal(sum, count_links(f, node, true, TYPES) +
                              count_links(f, node, false, TYPES));
}

static void check_pages(struct fixture *f, unsigned node)
{
    struct walk_step all[2 * EDGES];
    struct walk_step paged[2 * EDGES];
    size_t count =
        walk_neighbours(&f->reader, f->places[node], &f->scope, NULL, SH_COUNT(all), all);
    uint64_t want = 0;
    if (f->scope.out)
        want += count_links(f, node, true, f->type);
    if (f->scope.in)
        want += count_links(f, node, false, f->type);
    assert_int_equal(count, want);
    size_t got = 0;
    for (size_t page = 1; page > 0;) {
        const struct walk_step *after = got > 0 ? &paged[got - 1] : NULL;
        size_t size = 1 + draw(3);
        page = walk_neighbours(&f->reader, f->places[node], &f->scope, after, size,
                               &paged[got]);
        assert_true(page <= size);
        got += page;
    }
    assert_int_equal(got, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(paged[i].link.edge, all[i].link.edge);
}

static void a_label_narrows_the_neighbours(struct fixture *f, unsigned node)
{
    struct walk_step steps[2 * EDGES];
    struct walk_scope scope = f->scope;
    if (!symbols_find(graph_labels(f->graph), sh_bytes_of("Seen"), &scope.label))
        return;
    size_t count = walk_neighbours(&f->reader, f->places[node], &scope, NULL,
                                   SH_COUNT(steps), steps);
    size_t want = 0;
    for (unsigned e = 0; e < EDGES; e++) {
        const struct edge_drawn *edge = &f->edges[e];
        want +=
            in_scope(f, edge) && scope.out && edge->from == node && f->labelled[edge->to];
        want +=
            in_scope(f, edge) && scope.in && edge->to == node && f->labelled[edge->from];
    }
    assert_int_equal(count, want);
    for (size_t i = 0; i < count; i++)
        assert_true(f->labelled[f->numbers[steps[i].link.peer]]);
}

static void neighbours_are_counted_and_paged(void **state)
{
    struct fixture f;
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        begin(&f);
        for (unsigned n = 0; n < NODES; n++)
            if (f.places[n] != WALK_ANY) {
                check_degrees(&f, n);
                check_pages(&f, n);
                a_label_narrows_the_neighbours(&f, n);
            }
        end(&f);
    }
}

/* --- around a node
 * ------------------------------------------------------------------------- */

static void check_around(struct fixture *f, unsigned root, uint32_t depth)
{
    unsigned distance[NODES];
    struct walk_subgraph sub;
    size_t nodes = 0;
    size_t edges = 0;
    struct walk walk = walk_within(f, &plenty);
    measure(f, root, distance);
    for (unsigned n = 0; n < NODES; n++)
        nodes += distance[n] <= depth;
    for (unsigned e = 0; e < EDGES; e++)
        edges += in_scope(f, &f->edges[e]) && distance[f->edges[e].from] <= depth &&
                 distance[f->edges[e].to] <= depth;
    assert_int_equal(walk_around(&walk, f->places[root], depth, 1000, &sub), SH_OK);
    assert_false(sub.truncated);
    assert_int_equal(sub.node_count, nodes);
    assert_int_equal(sub.edge_count, edges);
    for (size_t i = 0; i < sub.node_count; i++) {
        assert_true(distance[f->numbers[sub.nodes[i]]] <= depth);
        if (i > 0) /* nearest first */
            assert_true(distance[f->numbers[sub.nodes[i - 1]]] <=
                        distance[f->numbers[sub.nodes[i]]]);
    }
    const struct walk_budget two = {.nodes = 2};
    struct walk narrow = walk_within(f, &two);
    assert_int_equal(walk_around(&narrow, f->places[root], depth, 1000, &sub), SH_OK);
    assert_int_equal(sub.node_count, nodes < 2 ? nodes : 2);
    assert_int_equal(sub.truncated, nodes > 2);
}

static void what_lies_around_is_found(void **state)
{
    struct fixture f;
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        begin(&f);
        for (uint32_t depth = 0; depth < 4; depth++)
            check_around(&f, draw_seen(&f), depth);
        end(&f);
    }
}

/* Only through nodes of a label: which lie around, and how near. */
static void check_around_label(struct fixture *f, unsigned root, uint32_t depth)
{
    unsigned distance[NODES];
    struct walk_subgraph sub;
    size_t nodes = 0;
    struct walk walk = walk_within(f, &plenty);
    if (!symbols_find(graph_labels(f->graph), sh_bytes_of("Seen"), &walk.scope.label))
        return;
    measure_by(f, root, true, distance);
    for (unsigned n = 0; n < NODES; n++)
        nodes += distance[n] <= depth;
    assert_int_equal(walk_around(&walk, f->places[root], depth, 1000, &sub), SH_OK);
    assert_int_equal(sub.node_count, nodes);
    for (size_t i = 0; i < sub.node_count; i++) {
        assert_true(distance[f->numbers[sub.nodes[i]]] <= depth);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(sub.nodes[j], sub.nodes[i]);
    }
    size_t edges = 0;
    for (unsigned e = 0; e < EDGES; e++)
        edges += in_scope(f, &f->edges[e]) && distance[f->edges[e].from] <= depth &&
                 distance[f->edges[e].to] <= depth;
    assert_int_equal(sub.edge_count, edges);
}

static void a_label_narrows_what_lies_around(void **state)
{
    struct fixture f;
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        begin(&f);
        for (uint32_t depth = 0; depth < 6; depth++)
            check_around_label(&f, draw_seen(&f), depth);
        end(&f);
    }
}

/* --- budgets
 * -------------------------------------------------------------------------------- */

static void a_walk_ends_at_its_budget(void **state)
{
    struct fixture f;
    struct walk_path path;
    unsigned cut = 0;
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        unsigned distance[NODES];
        struct walk_budget small = {.nodes = 4};
        begin(&f);
        unsigned from = draw_seen(&f);
        unsigned to = draw_seen(&f);
        struct walk walk = walk_within(&f, &small);
        measure(&f, from, distance);
        assert_int_equal(walk_shortest(&walk, f.places[from], f.places[to], 100, &path),
                         SH_OK);
        if (path.found)
            assert_int_equal(path.length, distance[to]);
        else
            assert_true(path.truncated || distance[to] == FAR);
        cut += path.truncated;
        end(&f);
    }
    assert_true(cut > 0);
}

/* As many nodes as it may be, or no more than time lets it find: never more than there
 * are without a budget, and what is left out is said. */
static void what_lies_around_ends_at_its_budget(void **state)
{
    struct fixture f;
    struct walk_subgraph all;
    struct walk_subgraph part;
    unsigned cut = 0;
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct walk_budget few = {.nodes = 3};
        struct walk_budget late = {.nodes = 1000, .deadline_ms = 1};
        begin(&f);
        uint32_t root = f.places[draw_seen(&f)];
        struct walk walk = walk_within(&f, &plenty);
        assert_int_equal(walk_around(&walk, root, 6, 1000, &all), SH_OK);
        assert_false(all.truncated);
        walk = walk_within(&f, &few);
        assert_int_equal(walk_around(&walk, root, 6, 1000, &part), SH_OK);
        assert_int_equal(part.node_count, all.node_count < 3 ? all.node_count : 3);
        assert_int_equal(part.truncated, all.node_count > 3);
        cut += part.truncated;
        walk = walk_within(&f, &late);
        assert_int_equal(walk_around(&walk, root, 6, 1000, &part), SH_OK);
        assert_true(part.node_count >= 1 && part.node_count <= all.node_count);
        assert_true(part.truncated || part.node_count == all.node_count);
        end(&f);
    }
    assert_true(cut > 0);
}

static void hidden_nodes_have_no_neighbours(void **state)
{
    struct fixture f;
    struct walk_group *groups;
    struct walk_step step;
    size_t count;
    (void)state;
    begin(&f);
    for (uint32_t place = 0; place < NODES + 1; place++) {
        if (graph_node(&f.reader, place) != NULL)
            continue;
        assert_int_equal(walk_degrees(&f.reader, place, &f.arena, &groups, &count),
                         SH_NOTFOUND);
        assert_int_equal(walk_neighbours(&f.reader, place, &f.scope, NULL, 1, &step), 0);
    }
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_a_shortest_one),
        cmocka_unit_test(neighbours_are_counted_and_paged),
        cmocka_unit_test(what_lies_around_is_found),
        cmocka_unit_test(a_label_narrows_what_lies_around),
        cmocka_unit_test(a_walk_ends_at_its_budget),
        cmocka_unit_test(what_lies_around_ends_at_its_budget),
        cmocka_unit_test(hidden_nodes_have_no_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
