/* Patterns on random graphs of which not all may be seen, compared with trying
 * everything. */
#include "tests/unit/graph/cypher_fixture.h"

/* A chain of relationships: each of a type (TYPES: any) and a direction. */
struct chain {
    unsigned length;
    unsigned types[3];
    int directions[3]; /* 1 right, -1 left, 0 either */
    bool labelled;     /* the first node */
    bool closed;       /* the last node is the first */
};

static struct chain draw_chain(void)
{
    struct chain chain = {.length = 1 + draw(3), .labelled = draw(2), .closed = !draw(4)};
    for (unsigned i = 0; i < chain.length; i++) {
        chain.types[i] = draw(TYPES + 1);
        chain.directions[i] = (int)draw(3) - 1;
    }
    return chain;
}

static void write_chain(const struct chain *chain, char *text, size_t size)
{
    static const char *const types[] = {":A", ":B", ""};
    size_t len =
        (size_t)snprintf(text, size, "MATCH (a%s)", chain->labelled ? ":Seen" : "");
    for (unsigned i = 0; i < chain->length; i++) {
        bool last = i + 1 == chain->length;
        len += (size_t)snprintf(
            text + len, size - len, "%s-[%s]-%s(%s)", chain->directions[i] < 0 ? "<" : "",
            types[chain->types[i]], chain->directions[i] > 0 ? ">" : "",
            last && chain->closed ? "a" : "");
    }
    (void)snprintf(text + len, size - len, " RETURN count(*)");
}

struct search {
    const struct fixture *f;
    const struct chain *chain;
    unsigned used[8];
    unsigned first;
    unsigned most; /* relationships of a way */
    bool exact;    /* so many, no fewer */
};

static uint64_t count_from(struct search *search, unsigned at, unsigned depth);

/* Ways on from `at` by edge e in one direction. */
static uint64_t count_along(struct search *search, unsigned e, unsigned at, bool forward,
                            unsigned depth)
{
    const struct edge_drawn *edge = &search->f->edges[e];
    if ((forward ? edge->from : edge->to) != at)
        return 0;
    search->used[depth] = e;
    return count_from(search, forward ? edge->to : edge->from, depth + 1);
}

static uint64_t count_from(struct search *search, unsigned at, unsigned depth)
{
    const struct chain *chain = search->chain;
    unsigned most = search->most;
    bool exact = search->exact;
    uint64_t count =
        (!exact || depth == most) && (!chain->closed || at == search->first) ? 1 : 0;
    for (unsigned e = 0; depth < most && e < EDGES; e++) {
        const struct edge_drawn *edge = &search->f->edges[e];
        unsigned step = exact ? depth : 0;
        bool used = false;
        for (unsigned i = 0; i < depth; i++)
            used = used || search->used[i] == e;
        if (used || !is_open(search->f, edge) ||
            (chain->types[step] != TYPES && edge->type != chain->types[step]))
            continue;
        if (chain->directions[step] >= 0)
            count += count_along(search, e, at, true, depth);
        if (chain->directions[step] < 0 ||
            (chain->directions[step] == 0 && edge->from != edge->to))
            count += count_along(search, e, at, false, depth);
    }
    return count;
}

static uint64_t count_all(const struct fixture *f, const struct chain *chain,
                          unsigned most, bool exact)
{
    struct search search = {.f = f, .chain = chain, .most = most, .exact = exact};
    uint64_t count = 0;
    for (unsigned n = 0; n < NODES; n++) {
        search.first = n;
        if (f->places[n] != WALK_ANY && (!chain->labelled || f->labelled[n]))
            count += count_from(&search, n, 0);
    }
    return count;
}

static void chains_are_found_as_often_as_there_are(void **state)
{
    struct fixture f;
    char text[200];
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        begin(&f);
        struct chain chain = draw_chain();
        write_chain(&chain, text, sizeof(text));
        uint64_t found = (uint64_t)number(&f, text);
        if (found != count_all(&f, &chain, chain.length, true))
            fail_msg("%s: %llu", text, (unsigned long long)found);
        end(&f);
    }
}

static void lengths_that_vary_are_all_tried(void **state)
{
    static const char *const types[] = {":A", ":B", ""};
    struct fixture f;
    char text[200];
    (void)state;
    for (int round = 0; round < ROUNDS / 3; round++) {
        begin(&f);
        struct chain chain = draw_chain();
        (void)snprintf(text, sizeof(text),
                       "MATCH p = (a%s)%s-[%s*0..3]-%s(%s) "
                       "WHERE length(p) = size(relationships(p)) RETURN count(p)",
                       chain.labelled ? ":Seen" : "", chain.directions[0] < 0 ? "<" : "",
                       types[chain.types[0]], chain.directions[0] > 0 ? ">" : "",
                       chain.closed ? "a" : "");
        uint64_t found = (uint64_t)number(&f, text);
        if (found != count_all(&f, &chain, 3, false))
            fail_msg("%s: %llu", text, (unsigned long long)found);
        end(&f);
    }
}

/* What is hidden shifts no count, no page and no path. */
static void what_is_hidden_is_not_there(void **state)
{
    struct fixture f;
    (void)state;
    for (int round = 0; round < ROUNDS / 3; round++) {
        int64_t seen = 0;
        int64_t open = 0;
        begin(&f);
        for (unsigned n = 0; n < NODES; n++)
            seen += f.places[n] != WALK_ANY;
        for (unsigned e = 0; e < EDGES; e++)
            open += is_open(&f, &f.edges[e]);
        assert_int_equal(number(&f, "MATCH (n) RETURN count(n)"), seen);
        assert_int_equal(number(&f, "MATCH ()-[r]->() RETURN count(r)"), open);
        assert_int_equal(ask(&f, "MATCH (n) RETURN n ORDER BY elementId(n) SKIP 3").count,
                         seen - 3);
        for (unsigned n = 0; n < NODES; n++) {
            char text[100];
            (void)snprintf(text, sizeof(text),
                           "MATCH (n) WHERE elementId(n) = 'n%u' RETURN count(n)", n);
            assert_int_equal(number(&f, text), f.places[n] != WALK_ANY);
        }
        end(&f);
    }
}

/* As far as the walks of the explorer find them. */
static void shortest_paths_are_shortest(void **state)
{
    struct fixture f;
    (void)state;
    for (int round = 0; round < ROUNDS / 3; round++) {
        char text[200];
        struct walk_path path;
        begin(&f);
        unsigned from = draw_seen(&f);
        unsigned to = draw_seen(&f);
        f.scope = (struct walk_scope){true, false, WALK_ANY, WALK_ANY};
        struct walk walk = walk_within(&f, &plenty);
        assert_int_equal(walk_shortest(&walk, f.places[from], f.places[to], 100, &path),
                         SH_OK);
        (void)snprintf(
            text, sizeof(text),
            "MATCH (a), (b) WHERE elementId(a) = 'n%u' AND elementId(b) = 'n%u' "
            "MATCH p = shortestPath((a)-[*]->(b)) RETURN length(p)",
            from, to);
        struct rows rows = ask(&f, text);
        assert_int_equal(rows.count, from != to && path.found);
        if (rows.count == 1)
            assert_int_equal(rows.first.integer, path.length);
        end(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_are_found_as_often_as_there_are),
        cmocka_unit_test(lengths_that_vary_are_all_tried),
        cmocka_unit_test(what_is_hidden_is_not_there),
        cmocka_unit_test(shortest_paths_are_shortest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
