/* EXPLAIN: the steps of a query, none of which is taken, and which do not depend on what
 * the reader may not see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/graph/cypher/run.h"
#include "services/graph/cypher/value.h"
#include "services/graph/find/value_finder.h"

enum { NODES = 400, PLAN = 4096 };

static const struct caller student = {.role = {"student", 7}, .clearance = 2};

struct fixture {
    struct graph *graph;
    struct value_finder *finder;
    struct graph_reader reader;
};

/* `open` is of 300 nodes that everybody sees, `few` of 100; `few` of 300 more that are
 * hidden where `hides`. */
static void fill(struct fixture *f, bool hides)
{
    static const struct sh_bytes labels[] = {{"Open", 4}, {"Few", 3}};
    static struct graph_node_row rows[NODES + 300];
    static char texts[NODES + 300][2][32];
    size_t count = hides ? NODES + 300 : NODES;
    for (size_t i = 0; i < count; i++) {
        int id = snprintf(texts[i][0], sizeof(texts[i][0]), "n%zu", i);
        int properties = snprintf(texts[i][1], sizeof(texts[i][1]), "{\"p\":%zu}", i);
        rows[i] = (struct graph_node_row){.id = {texts[i][0], (size_t)id},
                                          .labels = &labels[i >= 300],
                                          .label_count = 1,
                                          .properties = {texts[i][1], (size_t)properties},
                                          .clearance = i < NODES ? 1 : 3,
                                          .number = i + 1};
    }
    const struct graph_changes changes = {.nodes = rows, .node_count = count};
    assert_int_equal(graph_apply(f->graph, &changes), SH_OK);
}

static void setup(struct fixture *f, bool hides)
{
    assert_int_equal(graph_create(&f->graph), SH_OK);
    assert_int_equal(value_finder_create(&f->finder), SH_OK);
    fill(f, hides);
    assert_int_equal(graph_enter(f->graph, &student, &f->reader), SH_OK);
}

static void teardown(struct fixture *f)
{
    graph_leave(&f->reader);
    value_finder_free(&f->finder);
    graph_free(&f->graph);
}

/* "operator details;" */
static bool take(void *arg, const struct cy_value *row, size_t count)
{
    char *plan = arg;
    size_t len = strlen(plan);
    assert_int_equal(count, 3);
    assert_int_equal(row[0].type, CYV_INTEGER);
    int written = snprintf(plan + len, PLAN - len, "%.*s %.*s;", (int)row[1].count,
                           row[1].text, (int)row[2].count, row[2].text);
    assert_true(written > 0 && (size_t)written < PLAN - len);
    return true;
}

static void explain(const struct fixture *f, const char *query, char *plan)
{
    struct sh_arena arena = {0};
    struct cy_env env = {.reader = &f->reader, .values = f->finder, .arena = &arena};
    struct cy_result result;
    plan[0] = '\0';
    if (!cy_run(&env, sh_bytes_of(query), take, plan, &result))
        fail_msg("%s: %s", query, env.error.message);
    assert_int_equal(result.column_count, 3);
    assert_false(result.truncated);
    assert_int_equal(env.touched, 0);
    sh_arena_free(&arena);
}

static void a_plan_is_told_and_not_followed(void **state)
{
    static const struct {
        const char *query;
        const char *plan;
    } cases[] = {
        {"EXPLAIN MATCH (n:Open) RETURN n.p ORDER BY n.p LIMIT 3",
         "NodeByLabelScan (n:Open);Projection n.p;Top 1 key;Limit ;ProduceResults n.p;"},
        {"EXPLAIN MATCH (n:Open {p: $p}) RETURN count(*) AS c",
         "NodeIndexSeek (n:Open) p =;Filter 1 condition;EagerAggregation c;"
         "ProduceResults c;"},
        {"EXPLAIN MATCH (n) WHERE 3 < n.p RETURN DISTINCT n",
         "NodeIndexSeekByRange (n) p >;Filter 1 condition;Projection n;Distinct ;"
         "ProduceResults n;"},
        {"EXPLAIN MATCH (a:Open)-[r:X|Y*1..3]->(b:Few) OPTIONAL MATCH (b)<--(c) RETURN c",
         "NodeByLabelScan (b:Few);VarLengthExpand(All) (b)<-[r:X|Y*1..3]-(a);"
         "Argument (b);Expand(All) (b)<-[]-(c);Optional ;Projection c;"
         "ProduceResults c;"},
        {"EXPLAIN MATCH (n) WHERE elementId(n) = 'x' UNWIND [1] AS i RETURN i "
         "UNION CALL db.labels() YIELD label AS i RETURN i",
         "NodeByElementIdSeek (n);Filter 1 condition;Unwind i;Projection i;"
         "ProcedureCall db.labels;Projection i;Union ;Distinct ;ProduceResults i;"},
        {"EXPLAIN SHOW INDEXES YIELD name WHERE name = 'x'",
         "ProcedureCall db.indexes;Filter 1 condition;ProduceResults name;"},
    };
    struct fixture f;
    char plan[PLAN];
    (void)state;
    setup(&f, false);
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        explain(&f, cases[i].query, plan);
        assert_string_equal(plan, cases[i].plan);
    }
    teardown(&f);
}

/* There are more hidden nodes of the rarer label than open ones of the other. */
static void what_is_hidden_does_not_shift_a_plan(void **state)
{
    static const char *const queries[] = {
        "EXPLAIN MATCH (a:Open)-->(b:Few) RETURN a, b",
        "EXPLAIN MATCH (a:Open)-->(b) WHERE b.p = 7 RETURN a",
        "EXPLAIN MATCH (n:Open:Few) RETURN n",
    };
    struct fixture with;
    struct fixture without;
    char plans[2][PLAN];
    (void)state;
    setup(&with, true);
    setup(&without, false);
    for (size_t i = 0; i < SH_COUNT(queries); i++) {
        explain(&with, queries[i], plans[0]);
        explain(&without, queries[i], plans[1]);
        assert_string_equal(plans[0], plans[1]);
    }
    teardown(&with);
    teardown(&without);
}

static void refused(const struct fixture *f, const char *query)
{
    struct sh_arena arena = {0};
    struct cy_env env = {.reader = &f->reader, .arena = &arena};
    struct cy_result result;
    char plan[PLAN] = "";
    assert_false(cy_run(&env, sh_bytes_of(query), take, plan, &result));
    assert_int_equal(env.err, SH_INVALID);
    sh_arena_free(&arena);
}

static void what_cannot_run_is_not_explained(void **state)
{
    struct fixture f;
    (void)state;
    setup(&f, false);
    refused(&f, "EXPLAIN CREATE (n)");
    refused(&f, "EXPLAIN MATCH (n) RETURN m");
    refused(&f, "EXPLAIN EXPLAIN RETURN 1");
    refused(&f, "PROFILE RETURN 1");
    refused(&f, "SHOW USERS");
    refused(&f, "MATCH (n) SHOW INDEXES");
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_is_told_and_not_followed),
        cmocka_unit_test(what_is_hidden_does_not_shift_a_plan),
        cmocka_unit_test(what_cannot_run_is_not_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
