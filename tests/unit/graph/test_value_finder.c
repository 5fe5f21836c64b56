/* What an index of a property finds, compared with looking at every node: the same rows
 * in the same order, on random graphs that change, for readers of several rights and of
 * versions before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/graph/ask/asked.h"
#include "services/graph/cypher/run.h"
#include "services/graph/cypher/value.h"
#include "services/graph/find/value_finder.h"

enum { NODES = 600, BATCH = 12, ROUNDS = 60, QUERIES = 30, ROWS = 40 * NODES };

static const struct caller everything = {.schema = 0};
static const struct caller student = {.role = {"student", 7}, .clearance = 2};

static unsigned draw(unsigned below)
{
    static uint64_t state = 88172645463325252U; /* xorshift64 (Marsaglia 2003) */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % below;
}

/* --- values ----------------------------------------------------------------------- */

/* Few, so that they meet; of all types; whole numbers that no double holds. JSON is
 * openCypher's way of writing these, too. */
static const char *const values[] = {
    "\"\"",
    "\"a\"",
    "\"alpha\"",
    "\"alphabet 1\"",
    "\"alphabet 2\"",
    "\"alphabet\"",
    "\"b\"",
    "\"\xC3\xA4ther\"",
    "\"1\"",
    "\"true\"",
    "0",
    "1",
    "-1",
    "2",
    "1.5",
    "-2.25",
    "1.0",
    "9007199254740993",
    "9007199254740992",
    "-9007199254740993",
    "1e300",
    "-0.0",
    "true",
    "false",
    "[1,2]",
    "[]",
};

static const char *draw_value(void)
{
    return values[draw((unsigned)SH_COUNT(values))];
}

static void write_properties(char *text, size_t room)
{
    size_t len = (size_t)snprintf(text, room, "{\"n\":%u", draw(NODES));
    if (draw(5) > 0)
        len += (size_t)snprintf(text + len, room - len, ",\"p\":%s", draw_value());
    if (draw(2) > 0)
        len += (size_t)snprintf(text + len, room - len, ",\"q\":%s", draw_value());
    (void)snprintf(text + len, room - len, "}");
}

static void put_some(struct graph *graph, unsigned first, unsigned count)
{
    static char names[NODES][8];
    static char texts[NODES][128];
    static struct graph_node_row rows[NODES];
    static const struct sh_bytes labels[] = {{"A", 1}, {"B", 1}};
    for (unsigned i = 0; i < count; i++) {
        unsigned n = count == NODES ? first + i : draw(NODES);
        (void)snprintf(names[i], sizeof(names[i]), "n%u", n);
        write_properties(texts[i], sizeof(texts[i]));
        rows[i] = (struct graph_node_row){.id = sh_bytes_of(names[i]),
                                          .labels = labels + draw(2),
                                          .label_count = draw(8) > 0,
                                          .properties = sh_bytes_of(texts[i]),
                                          .clearance = draw(4) == 0 ? 3 : 1,
                                          .number = n + 1};
    }
    struct graph_changes changes = {.nodes = rows, .node_count = count};
    assert_int_equal(graph_apply(graph, &changes), SH_OK);
}

static void drop_some(struct graph *graph)
{
    char names[BATCH][8];
    struct sh_bytes gone[BATCH];
    for (unsigned i = 0; i < BATCH; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "n%u", draw(NODES));
        gone[i] = sh_bytes_of(names[i]);
    }
    struct graph_changes changes = {.gone_nodes = gone, .gone_node_count = BATCH};
    assert_int_equal(graph_apply(graph, &changes), SH_OK);
}

/* --- queries ---------------------------------------------------------------------- */

struct rows {
    int64_t *numbers;
    size_t count;
};

static bool take(void *arg, const struct cy_value *row, size_t count)
{
    struct rows *rows = arg;
    assert_int_equal(count, 1);
    assert_int_equal(row[0].type, CYV_INTEGER);
    assert_true(rows->count < ROWS);
    rows->numbers[rows->count++] = row[0].integer;
    return true;
}

static struct rows run(const struct graph_reader *reader, struct value_finder *finder,
                       const char *text)
{
    struct sh_arena arena = {0};
    struct cy_env env = {.reader = reader, .values = finder, .arena = &arena};
    struct rows rows = {.numbers = calloc(ROWS, sizeof(int64_t))};
    struct cy_result result;
    assert_non_null(rows.numbers);
    if (!cy_run(&env, sh_bytes_of(text), take, &rows, &result))
        fail_msg("%s: %s", text, env.error.message);
    sh_arena_free(&arena);
    return rows;
}

static void draw_query(char *text, size_t room)
{
    static const char *const ops[] = {"=", "<", "<=", ">", ">=", "STARTS WITH", "IN"};
    static const char *const labels[] = {"", ":A", ":B"};
    const char *label = labels[draw(3)];
    const char *op = ops[draw((unsigned)SH_COUNT(ops))];
    switch (draw(6)) {
    case 0:
        (void)snprintf(text, room, "MATCH (n%s {p: %s}) RETURN id(n)", label,
                       draw_value());
        break;
    case 1:
        (void)snprintf(text, room, "MATCH (n%s) WHERE %s = n.p RETURN id(n) LIMIT 7",
                       label, draw_value());
        break;
    case 2:
        (void)snprintf(text, room,
                       "MATCH (n%s) WHERE n.p >= %s AND n.p < %s AND n.q = %s "
                       "RETURN id(n) SKIP 1",
                       label, draw_value(), draw_value(), draw_value());
        break;
    case 3:
        (void)snprintf(text, room, "MATCH (n%s) WHERE n.p IN [%s, null, %s] RETURN id(n)",
                       label, draw_value(), draw_value());
        break;
    case 4:
        (void)snprintf(text, room,
                       "MATCH (m:A {n: %u}) MATCH (n%s {p: m.q}) RETURN id(n)",
                       draw(NODES), label);
        break;
    default:
        (void)snprintf(text, room, "MATCH (n%s) WHERE n.p %s %s%s%s RETURN id(n)", label,
                       op, op[0] == 'I' ? "[" : "", draw_value(),
                       op[0] == 'I' ? "]" : "");
    }
}

static void same_rows(const struct graph_reader *reader, struct value_finder *finder)
{
    char text[512];
    draw_query(text, sizeof(text));
    struct rows scanned = run(reader, NULL, text);
    struct rows found = run(reader, finder, text);
    if (scanned.count != found.count ||
        memcmp(scanned.numbers, found.numbers, scanned.count * sizeof(int64_t)) != 0)
        fail_msg("%s: %zu rows, %zu by the index", text, scanned.count, found.count);
    free(scanned.numbers);
    free(found.numbers);
}

/* --- pages ------------------------------------------------------------------------ */

static void same_page(struct graph *graph, const struct caller *caller,
                      struct value_finder *finder)
{
    static const char *const texts[] = {
        "1",       "1.0",  "alpha", "true", "", "0", "-0", "a", "9007199254740993",
        "nothing", "[1,2]"};
    struct sh_bytes filters[] = {sh_bytes_of("p"),
                                 sh_bytes_of(texts[draw((unsigned)SH_COUNT(texts))])};
    struct graph_label_query query = {.label = sh_bytes_of(draw(2) ? "A" : "B"),
                                      .filters = filters,
                                      .filters_count = SH_COUNT(filters),
                                      .page = 1,
                                      .per_page = 50};
    struct graph_node_page pages[2] = {{0}};
    struct question questions[2] = {{.values = finder}, {.values = NULL}};
    for (size_t i = 0; i < 2; i++) {
        questions[i].request = &query;
        questions[i].reply = &pages[i];
        assert_int_equal(graph_enter(graph, caller, &questions[i].reader), SH_OK);
        assert_int_equal(label_question.answer(&questions[i]), SH_OK);
    }
    assert_int_equal(pages[0].total, pages[1].total);
    assert_int_equal(pages[0].nodes_count, pages[1].nodes_count);
    for (size_t i = 0; i < pages[0].nodes_count; i++)
        assert_true(sh_bytes_equal(pages[0].nodes[i].id, pages[1].nodes[i].id));
    for (size_t i = 0; i < 2; i++) {
        graph_leave(&questions[i].reader);
        sh_arena_free(&questions[i].arena);
    }
}

/* --- tests ------------------------------------------------------------------------ */

static void an_index_finds_what_a_scan_finds(void **state)
{
    struct graph *graph;
    struct value_finder *finder;
    (void)state;
    assert_int_equal(graph_create(&graph), SH_OK);
    assert_int_equal(value_finder_create(&finder), SH_OK);
    put_some(graph, 0, NODES);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct graph_reader before;
        struct graph_reader all;
        struct graph_reader some;
        assert_int_equal(graph_enter(graph, &student, &before), SH_OK);
        if (draw(3) == 0)
            drop_some(graph);
        put_some(graph, 0, 1 + draw(BATCH));
        assert_int_equal(graph_enter(graph, &everything, &all), SH_OK);
        assert_int_equal(graph_enter(graph, &student, &some), SH_OK);
        for (unsigned i = 0; i < QUERIES; i++) {
            same_rows(&all, finder);
            same_rows(&some, finder);
            same_rows(&before, finder);
            same_page(graph, i % 2 ? &student : &everything, finder);
        }
        graph_leave(&before);
        graph_leave(&all);
        graph_leave(&some);
    }
    value_finder_free(&finder);
    graph_free(&graph);
}

static void count_index(void *arg, struct sh_bytes property, size_t bytes, size_t entries)
{
    size_t *count = arg;
    assert_true(sh_bytes_is(property, "p"));
    assert_true(entries > 0 && bytes >= entries * sizeof(struct value_entry));
    (*count)++;
}

/* The rest of the graph is not looked at. */
static void a_question_makes_the_index_it_needs(void **state)
{
    static const char text[] = "MATCH (n:A) WHERE n.p = 'alphabet 1' RETURN id(n)";
    struct graph *graph;
    struct graph_reader reader;
    struct value_finder *finder;
    struct cy_result result;
    uint64_t touched[2];
    size_t count = 0;
    (void)state;
    assert_int_equal(graph_create(&graph), SH_OK);
    assert_int_equal(value_finder_create(&finder), SH_OK);
    put_some(graph, 0, NODES);
    assert_int_equal(graph_enter(graph, &everything, &reader), SH_OK);
    for (size_t i = 0; i < 2; i++) {
        struct sh_arena arena = {0};
        struct rows rows = {.numbers = calloc(ROWS, sizeof(int64_t))};
        struct cy_env env = {
            .reader = &reader, .values = i == 0 ? NULL : finder, .arena = &arena};
        assert_true(cy_run(&env, sh_bytes_of(text), take, &rows, &result));
        touched[i] = env.touched;
        free(rows.numbers);
        sh_arena_free(&arena);
    }
    assert_true(touched[1] < touched[0] / 4);
    value_finder_each(finder, count_index, &count);
    assert_int_equal(count, 1);
    graph_leave(&reader);
    value_finder_free(&finder);
    graph_free(&graph);
}

static void memory_may_end_anywhere(void **state)
{
    struct graph *graph;
    struct graph_reader reader;
    struct value value = {.type = VALUE_INTEGER, .integer = 1};
    struct value_range range;
    uint32_t key;
    (void)state;
    assert_int_equal(graph_create(&graph), SH_OK);
    put_some(graph, 0, NODES);
    assert_true(symbols_find(graph_keys(graph), sh_bytes_of("p"), &key));
    assert_true(value_range_equal(&value, &range));
    assert_int_equal(graph_enter(graph, &everything, &reader), SH_OK);
    enum sh_err err = SH_NOMEM;
    int failures = 0;
    for (; err != SH_OK; failures++) {
        struct value_finder *finder = NULL;
        struct value_question question = {key, &range, 1, NODES};
        roaring_bitmap_t *places = NULL;
        sh_mem_fail_after(failures);
        err = value_finder_create(&finder);
        if (err == SH_OK)
            err = value_finder_find(finder, &reader, &question, &places);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
        if (places != NULL)
            roaring_bitmap_free(places);
        value_finder_free(&finder);
    }
    assert_true(failures > 3);
    graph_leave(&reader);
    graph_free(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_index_finds_what_a_scan_finds),
        cmocka_unit_test(a_question_makes_the_index_it_needs),
        cmocka_unit_test(memory_may_end_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
