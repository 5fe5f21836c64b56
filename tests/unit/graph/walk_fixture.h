/* walk_fixture: random graphs of which the reader may not see everything, and what is
 * true of them by trying everything. */
#ifndef TEST_WALK_FIXTURE_H
#define TEST_WALK_FIXTURE_H

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
    int weight; /* in halves; negative: none that can be used */
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

static void weigh(const struct edge_drawn *edge, char *out, size_t room)
{
    static const char *const unusable[] = {"{}", "{\"cost\":-1}", "{\"cost\":\"2\"}"};
    if (edge->weight < 0)
        (void)snprintf(out, room, "%s", unusable[-edge->weight % 3]);
    else if (edge->weight % 2 == 0)
        (void)snprintf(out, room, "{\"cost\":%d}", edge->weight / 2);
    else
        (void)snprintf(out, room, "{\"cost\":%d.5}", edge->weight / 2);
}

static void put(struct fixture *f)
{
    static char names[NODES + EDGES][8];
    static const struct sh_bytes label = {"Seen", 4};
    static const char *const types[TYPES] = {"A", "B"};
    struct graph_node_row nodes[NODES];
    static char weights[EDGES][32];
    struct graph_edge_row edges[EDGES];
    for (unsigned n = 0; n < NODES; n++) {
        (void)snprintf(names[n], sizeof(names[n]), "n%u", n);
        nodes[n] = (struct graph_node_row){.id = sh_bytes_of(names[n]),
                                           .labels = &label,
                                           .label_count = f->labelled[n],
                                           .properties = sh_bytes_of("{}"),
                                           .clearance = f->clearance[n],
                                           .number = n + 1};
    }
    for (unsigned e = 0; e < EDGES; e++) {
        (void)snprintf(names[NODES + e], sizeof(names[0]), "e%u", e);
        weigh(&f->edges[e], weights[e], sizeof(weights[e]));
        edges[e] = (struct graph_edge_row){.id = sh_bytes_of(names[NODES + e]),
                                           .type = sh_bytes_of(types[f->edges[e].type]),
                                           .from = sh_bytes_of(names[f->edges[e].from]),
                                           .to = sh_bytes_of(names[f->edges[e].to]),
                                           .properties = sh_bytes_of(weights[e]),
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
                                          draw(6) == 0 ? 3 : 1, (int)draw(22) - 3};
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

static inline bool is_open(const struct fixture *f, const struct edge_drawn *edge)
{
    return edge->clearance <= 2 && f->places[edge->from] != WALK_ANY &&
           f->places[edge->to] != WALK_ANY;
}

static inline bool in_scope(const struct fixture *f, const struct edge_drawn *edge)
{
    return is_open(f, edge) && (f->type == TYPES || edge->type == f->type);
}

/* A node that can be seen; NODES: there is none. */
static inline unsigned draw_seen(const struct fixture *f)
{
    for (unsigned tries = 0; tries < 1000; tries++) {
        unsigned n = draw(NODES);
        if (f->places[n] != WALK_ANY)
            return n;
    }
    return NODES;
}

static inline struct walk walk_within(struct fixture *f, const struct walk_budget *budget)
{
    return (struct walk){&f->reader, f->scope, *budget, &f->arena};
}

static const struct walk_budget plenty = {.nodes = 1000000};

static inline void check_step(const struct fixture *f, uint32_t from, uint32_t to,
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

#endif
