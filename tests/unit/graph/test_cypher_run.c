/* Queries in openCypher: what they mean, what is refused and where, what they may use. */
#include "tests/unit/graph/cypher_fixture.h"

/* --- what is understood ----------------------------------------------------------- */

static const struct {
    const char *text;
    int64_t value;
} numbers[] = {
    {"RETURN 1 + 2 * 3", 7},
    {"RETURN (1 + 2) * 3", 9},
    {"RETURN -9223372036854775808", INT64_MIN},
    {"RETURN 0x1F + 0o17", 46},
    {"RETURN toInteger(2 ^ 3 ^ 2)", 64},
    {"RETURN CASE WHEN 1 < 2 < 3 AND NOT 3 < 2 < 4 THEN 1 ELSE 0 END", 1},
    {"RETURN size([x IN range(1, 10) WHERE x % 2 = 0 | x])", 5},
    {"RETURN reduce(s = 0, x IN [1, 2, 3] | s + x)", 6},
    {"RETURN {a: [1, 2, 3]}.a[-1]", 3},
    {"RETURN size([1, 2, 3, 4][1..3])", 2},
    {"// a comment\nRETURN /* another */ size('a\\u00e9\\'') ;", 3},
    {"UNWIND [3, 1, 2] AS `a ``name` RETURN `a ``name` ORDER BY `a ``name` LIMIT 1", 1},
    {"UNWIND [1, 1, 2] AS x WITH DISTINCT x RETURN count(*)", 2},
    {"UNWIND [1, 1, 2] AS x RETURN sum(DISTINCT x)", 3},
    {"UNWIND range(1, 5000) AS x RETURN x ORDER BY x DESC SKIP 2 LIMIT 1", 4998},
    {"UNWIND [] AS x RETURN count(x)", 0},
    {"WITH 1 AS x WITH x + 1 AS x, x AS y RETURN x * 10 + y", 21},
    {"OPTIONAL MATCH (n:None) RETURN count(n)", 0},
    {"CALL db.ping() YIELD success RETURN count(success)", 1},
    {"MATCH (n) WHERE id(n) = -1 RETURN count(n)", 0},
};

static void expressions_and_clauses_mean_what_they_say(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f);
    for (size_t i = 0; i < SH_COUNT(numbers); i++) {
        int64_t value = number(&f, numbers[i].text);
        if (value != numbers[i].value)
            fail_msg("%s: %lld", numbers[i].text, (long long)value);
    }
    assert_int_equal(ask(&f, "RETURN 1 AS a UNION RETURN 1 AS a").count, 1);
    assert_int_equal(ask(&f, "RETURN 1 AS a UNION ALL RETURN 1 AS a").count, 2);
    end(&f);
}

/* --- what is refused -------------------------------------------------------------- */

static const struct {
    const char *text;
    enum cy_code code;
    const char *detail; /* NULL: none */
    uint32_t line;
    uint32_t column;
} refusals[] = {
    {"", CY_SYNTAX, "UnexpectedSyntax", 1, 1},
    {"RETURN", CY_SYNTAX, "UnexpectedSyntax", 1, 7},
    {"RETURN 1 +\n  *", CY_SYNTAX, "UnexpectedSyntax", 2, 3},
    {"RETURN 'abc", CY_SYNTAX, "UnexpectedSyntax", 1, 8},
    {"RETURN 9223372036854775808", CY_SYNTAX, "IntegerOverflow", 1, 8},
    {"RETURN 12ab", CY_SYNTAX, "InvalidNumberLiteral", 1, 8},
    {"MATCH (n)\nCREATE (m)", CY_WRITE, NULL, 2, 1},
    {"MATCH (n) SET n.x = 1", CY_WRITE, NULL, 1, 11},
    {"MATCH (n) DETACH DELETE n", CY_WRITE, NULL, 1, 11},
    {"MERGE (n)", CY_WRITE, NULL, 1, 1},
    {"MATCH (n) REMOVE n.x", CY_WRITE, NULL, 1, 11},
    {"CALL { RETURN 1 }", CY_UNSUPPORTED, NULL, 1, 6},
    {"MATCH (n:A|B) RETURN n", CY_UNSUPPORTED, NULL, 1, 11},
    {"MATCH (n) RETURN n {.a}", CY_UNSUPPORTED, NULL, 1, 20},
    {"PROFILE RETURN 1", CY_UNSUPPORTED, NULL, 1, 1},
    {"CALL no.such()", CY_UNSUPPORTED, "ProcedureNotFound", 1, 1},
    {"RETURN x", CY_SYNTAX, "UndefinedVariable", 1, 8},
    {"MATCH (a) MATCH (b) WITH a RETURN b", CY_SYNTAX, "UndefinedVariable", 1, 35},
    {"MATCH (a)-[a]->() RETURN a", CY_SYNTAX, "VariableTypeConflict", 1, 12},
    {"MATCH p = (p) RETURN p", CY_SYNTAX, "VariableAlreadyBound", 1, 7},
    {"RETURN no_such(1)", CY_SYNTAX, "UnknownFunction", 1, 8},
    {"RETURN count(count(*))", CY_SYNTAX, "NestedAggregation", 1, 14},
    {"MATCH (n) WHERE count(n) > 1 RETURN n", CY_SYNTAX, "InvalidAggregation", 1, 17},
    {"WITH 1 + 1 RETURN 1", CY_SYNTAX, "NoExpressionAlias", 1, 6},
    {"RETURN 1 AS a, 2 AS a", CY_SYNTAX, "ColumnNameConflict", 1, 21},
    {"RETURN 1 AS a UNION RETURN 2 AS b", CY_SYNTAX, "DifferentColumnsInUnion", 1, 21},
    {"RETURN 1 LIMIT -1", CY_SYNTAX, "NegativeIntegerArgument", 1, 16},
    {"RETURN 1 RETURN 2", CY_SYNTAX, "InvalidClauseComposition", 1, 10},
};

static void what_is_refused_is_named_with_its_place(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f);
    for (size_t i = 0; i < SH_COUNT(refusals); i++) {
        struct cy_env env = {0};
        struct rows rows = {0};
        assert_false(run(&f, &env, refusals[i].text, &rows));
        if (env.err != SH_INVALID || env.error.code != refusals[i].code ||
            env.error.at.line != refusals[i].line ||
            env.error.at.column != refusals[i].column ||
            (refusals[i].detail != NULL &&
             (env.error.detail == NULL ||
              strcmp(env.error.detail, refusals[i].detail) != 0)))
            fail_msg("%s: %s %s at %u:%u", refusals[i].text, cy_code_name(env.error.code),
                     env.error.detail ? env.error.detail : "", env.error.at.line,
                     env.error.at.column);
    }
    end(&f);
}

/* Brackets, prefixes and long chains: refused, and no stack is used up. */
static void nesting_is_bounded(void **state)
{
    static const char *const parts[][2] = {
        {"RETURN ", "("},      {"RETURN ", "["},    {"RETURN ", "{a:"},
        {"RETURN ", "-"},      {"RETURN 1", "+1"},  {"RETURN ", "NOT "},
        {"RETURN ", "[x IN "}, {"RETURN a", ".b"},  {"MATCH (a)", "-->()"},
        {"RETURN ", "CASE "},  {"", "WITH 1 AS x "}};
    static char text[60000];
    struct fixture f;
    (void)state;
    begin(&f);
    for (size_t i = 0; i < SH_COUNT(parts); i++) {
        struct cy_env env = {0};
        struct rows rows = {0};
        size_t len = strlen(parts[i][0]);
        memcpy(text, parts[i][0], len + 1);
        while (len + strlen(parts[i][1]) + 20 < sizeof(text)) {
            memcpy(text + len, parts[i][1], strlen(parts[i][1]) + 1);
            len += strlen(parts[i][1]);
        }
        memcpy(text + len, " RETURN 1", 10);
        assert_false(run(&f, &env, text, &rows));
        assert_int_equal(env.err, SH_INVALID);
    }
    end(&f);
}

/* --- budgets ---------------------------------------------------------------------- */

static void a_query_stops_at_its_budget(void **state)
{
    static const char endless[] =
        "UNWIND range(1, 1000000) AS x UNWIND range(1, 1000000) AS y "
        "WITH x WHERE x < 0 RETURN x";
    struct fixture f;
    struct rows rows = {.most = 3};
    struct cy_env few = {.budget.touches = 10};
    struct cy_env small = {.budget.memory = 1 << 20};
    struct cy_env late = {.budget.deadline_ms = 1};
    _Atomic bool gone = true;
    struct cy_env left = {.budget.cancelled = &gone};
    struct cy_env more = {0};
    (void)state;
    begin(&f);
    assert_false(run(&f, &few, "MATCH (a), (b) RETURN count(*)", &rows));
    assert_int_equal(few.error.code, CY_OVER_BUDGET);
    assert_false(run(&f, &small, "UNWIND range(1, 90000) AS x RETURN collect(x)", &rows));
    assert_int_equal(small.error.code, CY_OVER_BUDGET);
    sh_arena_free(&f.arena);
    assert_false(run(&f, &late, endless, &rows));
    assert_int_equal(late.error.code, CY_OVER_BUDGET);
    assert_false(run(&f, &left, endless, &rows));
    assert_int_equal(left.err, SH_CANCELED);
    assert_true(run(&f, &more, "UNWIND range(1, 9) AS x RETURN x", &rows));
    assert_int_equal(rows.count, 3);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_and_clauses_mean_what_they_say),
        cmocka_unit_test(what_is_refused_is_named_with_its_place),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(a_query_stops_at_its_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
