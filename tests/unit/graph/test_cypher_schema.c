/* What procedures say about the schema, to somebody who may not see all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/graph/cypher/run.h"
#include "services/graph/cypher/value.h"
#include "services/graph/find/value_finder.h"

static const struct caller everything = {.schema = 0};
static const struct caller student = {.role = {"student", 7}, .clearance = 2};

static bool take(void *arg, const struct cy_value *row, size_t count)
{
    int64_t *number = arg;
    assert_int_equal(count, 1);
    assert_int_equal(row[0].type, CYV_INTEGER);
    *number = row[0].integer;
    return true;
}

static int64_t number_of(const struct graph_reader *reader, struct value_finder *finder,
                         const char *text)
{
    struct sh_arena arena = {0};
    struct cy_env env = {.reader = reader, .values = finder, .arena = &arena};
    struct cy_result result;
    int64_t number = -1;
    if (!cy_run(&env, sh_bytes_of(text), take, &number, &result))
        fail_msg("%s: %s", text, env.error.message);
    sh_arena_free(&arena);
    return number;
}

static void put_secret(struct graph *graph)
{
    static const struct sh_bytes labels[] = {{"Open", 4}, {"Secret", 6}};
    const struct graph_node_row nodes[] = {
        {.id = {"a", 1},
         .labels = labels,
         .label_count = 1,
         .clearance = 1,
         .properties = sh_bytes_of("{\"p\":1}"),
         .number = 1},
        {.id = {"b", 1},
         .labels = labels,
         .label_count = 1,
         .clearance = 1,
         .properties = sh_bytes_of("{\"p\":\"x\",\"q\":1.5}"),
         .number = 2},
        {.id = {"c", 1},
         .labels = labels + 1,
         .label_count = 1,
         .clearance = 3,
         .properties = sh_bytes_of("{\"r\":1}"),
         .number = 3}};
    const struct graph_edge_row edges[] = {{.id = {"e", 1},
                                            .type = {"T", 1},
                                            .from = {"a", 1},
                                            .to = {"b", 1},
                                            .properties = sh_bytes_of("{\"w\":1}"),
                                            .clearance = 1,
                                            .number = 1},
                                           {.id = {"f", 1},
                                            .type = {"U", 1},
                                            .from = {"a", 1},
                                            .to = {"c", 1},
                                            .properties = sh_bytes_of("{\"v\":1}"),
                                            .clearance = 1,
                                            .number = 2}};
    const struct graph_changes changes = {
        .nodes = nodes, .node_count = 3, .edges = edges, .edge_count = 2};
    assert_int_equal(graph_apply(graph, &changes), SH_OK);
}

/* How many rows the student and everybody get. */
static void the_schema_is_of_what_is_seen(void **state)
{
    static const struct {
        const char *text;
        int64_t student;
        int64_t everything;
    } cases[] = {
        {"CALL db.schema.nodeTypeProperties() YIELD propertyName RETURN count(*)", 2, 3},
        {"CALL db.schema.nodeTypeProperties() YIELD propertyName, mandatory "
         "WHERE mandatory AND propertyName = 'p' RETURN count(*)",
         1, 1},
        {"CALL db.schema.nodeTypeProperties() YIELD propertyName, propertyTypes, "
         "nodeType WHERE propertyName = 'p' AND propertyTypes = ['Long', 'String'] AND "
         "nodeType = ':`Open`' RETURN count(*)",
         1, 1},
        {"CALL db.schema.relTypeProperties() YIELD relType RETURN count(*)", 1, 2},
        {"CALL db.schema.visualization() YIELD nodes RETURN size(nodes)", 1, 2},
        {"CALL db.schema.visualization() YIELD relationships RETURN size(relationships)",
         1, 2},
        {"CALL db.schema.visualization() YIELD nodes UNWIND nodes AS n WITH n "
         "WHERE labels(n) = [n.name] AND n['name'] IN ['Open', 'Secret'] AND id(n) < 0 "
         "AND keys(n) = ['constraints', 'indexes', 'name'] RETURN count(DISTINCT n)",
         1, 2},
        {"CALL db.schema.visualization() YIELD relationships UNWIND relationships AS r "
         "WITH r WHERE startNode(r).name = 'Open' AND type(r) = properties(r).name AND "
         "elementId(r) STARTS WITH '-' AND (r.name = 'T') = (endNode(r).name = 'Open') "
         "RETURN count(r)",
         1, 2},
        {"CALL db.schema.visualization() YIELD nodes, relationships UNWIND nodes AS n "
         "UNWIND relationships AS r OPTIONAL MATCH (n)--(m) OPTIONAL MATCH (k)-[r]-() "
         "RETURN count(m) + count(k)",
         0, 0},
        {"CALL db.indexes() YIELD name RETURN count(*)", 0, 1},
        {"SHOW INDEXES YIELD name, state, type WHERE type = 'RANGE' RETURN count(*)", 0,
         1},
    };
    const struct value_range nothing = {.kind = VALUES_TEXTS};
    struct graph *graph;
    struct value_finder *finder;
    struct graph_reader all;
    struct graph_reader some;
    struct value_question question = {.ranges = &nothing, .count = 1};
    roaring_bitmap_t *places;
    (void)state;
    assert_int_equal(graph_create(&graph), SH_OK);
    assert_int_equal(value_finder_create(&finder), SH_OK);
    put_secret(graph);
    assert_int_equal(graph_enter(graph, &everything, &all), SH_OK);
    assert_int_equal(graph_enter(graph, &student, &some), SH_OK);
    assert_true(symbols_find(graph_keys(graph), sh_bytes_of("r"), &question.key));
    assert_int_equal(value_finder_find(finder, &all, &question, &places), SH_OK);
    if (places != NULL)
        roaring_bitmap_free(places);
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        assert_int_equal(number_of(&some, finder, cases[i].text), cases[i].student);
        assert_int_equal(number_of(&all, finder, cases[i].text), cases[i].everything);
    }
    graph_leave(&all);
    graph_leave(&some);
    value_finder_free(&finder);
    graph_free(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_schema_is_of_what_is_seen)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
