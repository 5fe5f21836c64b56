/* Walks over random graphs, each compared with one that tries everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/access.h"
#include "services/graph/walk/walk.h"

enum { NODES = 30, EDGES = 70, TYPES = 2, ROUNDS = 150, FAR = 1000 };

struct edge_drawn {
    unsigned from;
    unsigned to;
    unsigned type;
    uint32_t clearance;
};

struct fixture {
    struct graph *graph;
    struct graph_reader reader;
    struct sh_arena arena;
    uint32_t clearance[NODES];
    bool labelled[NODES];
    struct edge_drawn edges[EDGES];
    uint32_t places[NODES];      /* WALK_ANY: hidden */
    unsigned numbers[NODES + 1]; /* of the places */
    struct walk_scope scope;
    unsigned type; /* of the scope; TYPES: any */
};

static unsigned draw(unsigned below)
{
    static uint64_t state = 2463534242U; /* xorshift64 (Marsaglia 2003) */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % below;
}

/* --- a graph and its reader
 * ------------------------------------------------------------- */

static const struct caller reader_of_level_2 = {.role = {"student", 7}, .clearance = 2};

static void put(struct fixture *f)
{
    static char names[NODES + EDGES][8];
    static const struct sh_bytes label = {"Seen", 4};
    static const char *const types[TYPES] = {"A", "B"};
    struct graph_node_row nodes[NODES];
    struct graph_edge_row edges[EDGES];
    for (unsigned n = 0; n < NODES; n++) {
        (void)snprintf(names[n], sizeof(names[n]), "n%u", n);
        nodes[n] = (struct graph_node_row){.id = sh_bytes_of(names[n]),
                                           .labels = &label,
                                           .label_count = f->labelled[n],
                                           .properties = sh_bytes_of("{}"),
                                           .clearance = f->clearance[n]};
    }
    for (unsigned e = 0; e < EDGES; e++) {
        (void)snprintf(names[NODES + e], sizeof(names[0]), "e%u", e);
        edges[e] = (struct graph_edge_row){.id = sh_bytes_of(names[NODES + e]),
                                           .type = sh_bytes_of(types[f->edges[e].type]),
                                           .from = sh_bytes_of(names[f->edges[e].from]),
                                           .to = sh_bytes_of(names[f->edges[e].to]),
                                           .properties = sh_bytes_of("{}"),
                                           .clearance = f->edges[e].clearance};
    }
    struct graph_changes changes = {
        .nodes = nodes, .node_count = NODES, .edges = edges, .edge_count = EDGES};
    assert_int_equal(graph_apply(f->graph, &changes), SH_OK);
}

static void find_places(struct fixture *f)
{
    for (unsigned n = 0; n < NODES; n++) {
        char id[8];
        (void)snprintf(id, sizeof(id), "n%u", n);
        bool seen = graph_find_node(&f->reader, sh_bytes_of(id), &f->places[n]);
        assert_int_equal(seen, f->clearance[n] <= 2);
        if (!seen)
            f->places[n] = WALK_ANY;
        else
            f->numbers[f->places[n]] = n;
    }
}

static void begin(struct fixture *f)
{
    *f = (struct fixture){.type = draw(TYPES + 1)};
    for (unsigned n = 0; n < NODES; n++) {
        f->clearance[n] = draw(6) == 0 ? 3 : 1;
        f->labelled[n] = draw(2) == 0;
    }
    for (unsigned e = 0; e < EDGES; e++)
        f->edges[e] = (struct edge_drawn){draw(NODES), draw(NODES), draw(TYPES),
                                          draw(6) == 0 ? 3 : 1};
    assert_int_equal(graph_create(&f->graph), SH_OK);
    put(f);
    assert_int_equal(graph_enter(f->graph, &reader_of_level_2, &f->reader), SH_OK);
    find_places(f);
    f->scope = (struct walk_scope){true, draw(2) == 0, WALK_ANY, WALK_ANY};
    if (draw(4) == 0)
        f->scope = (struct walk_scope){false, true, WALK_ANY, WALK_ANY};
    if (f->type < TYPES)
        assert_true(symbols_find(graph_types(f->graph),
                                 sh_bytes_of(f->type == 0 ? "A" : "B"), &f->scope.type));
}

static void end(struct fixture *f)
{
    sh_arena_free(&f->arena);
    graph_leave(&f->reader);
    graph_free(&f->graph);
}

/* --- what is true
 * ------------------------------------------------------------------------ */

static bool is_open(const struct fixture *f, const struct edge_drawn *edge)
{
    return edge->clearance <= 2 && f->places[edge->from] != WALK_ANY &&
           f->places[edge->to] != WALK_ANY;
}

static bool in_scope(const struct fixture *f, const struct edge_drawn *edge)
{
    return is_open(f, edge) && (f->type == TYPES || edge->type == f->type);
}

/* Distances from a node, as far as they can be improved. */
static void measure(const struct fixture *f, unsigned from, unsigned distance[NODES])
{
    for (unsigned n = 0; n < NODES; n++)
        distance[n] = n == from ? 0 : FAR;
    for (unsigned round = 0; round < NODES; round++)
        for (unsigned e = 0; e < EDGES; e++) {
            const struct edge_drawn *edge = &f->edges[e];
            if (!in_scope(f, edge))
                continue;
            if (f->scope.out && distance[edge->from] + 1 < distance[edge->to])
                distance[edge->to] = distance[edge->from] + 1;
            if (f->scope.in && distance[edge->to] + 1 < distance[edge->from])
                distance[edge->from] = distance[edge->to] + 1;
        }
}

/* A node that can be seen; NODES: there is none. */
static unsigned draw_seen(const struct fixture *f)
{
    for (unsigned tries = 0; tries < 1000; tries++) {
        unsigned n = draw(NODES);
        if (f->places[n] != WALK_ANY)
            return n;
    }
    return NODES;
}

static struct walk walk_within(struct fixture *f, const struct walk_budget *budget)
{
    return (struct walk){&f->reader, f->scope, *budget, &f->arena};
}

static const struct walk_budget plenty = {.nodes = 1000000};

/* --- paths
 * -------------------------------------------------------------------------------- */

static void check_step(const struct fixture *f, uint32_t from, uint32_t to,
                       const struct walk_step *step)
{
    const struct edge *edge = graph_edge(&f->reader, step->link.edge);
    assert_non_null(edge);
    assert_int_equal(step->outgoing ? edge->body->from : edge->body->to, from);
    assert_int_equal(step->outgoing ? edge->body->to : edge->body->from, to);
    assert_int_equal(edge->body->type, step->type);
    assert_true(step->outgoing ? f->scope.out : f->scope.in);
    if (f->scope.type != WALK_ANY)
        assert_int_equal(step->type, f->scope.type);
}

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
        cmocka_unit_test(a_walk_ends_at_its_budget),
        cmocka_unit_test(hidden_nodes_have_no_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
