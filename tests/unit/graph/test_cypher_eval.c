/* Expressions, run as queries: each is equivalent to what stands beside it, and of its
 * type, or is refused with the code beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/graph/cypher/functions.h"
#include "services/graph/cypher/run.h"

struct fixture {
    struct graph *graph;
    struct graph_reader reader;
    struct sh_arena arena;
    struct cy_env env;
};

struct found {
    size_t rows;
    struct cy_value values[2];
};

static bool on_row(void *arg, const struct cy_value *values, size_t count)
{
    struct found *found = arg;
    found->rows++;
    for (size_t i = 0; i < count && i < SH_COUNT(found->values); i++)
        found->values[i] = values[i];
    return true;
}

static void begin(struct fixture *fixture)
{
    static const struct caller nobody;
    *fixture = (struct fixture){0};
    assert_int_equal(graph_create(&fixture->graph), SH_OK);
    assert_int_equal(graph_enter(fixture->graph, &nobody, &fixture->reader), SH_OK);
    fixture->env = (struct cy_env){.reader = &fixture->reader, .arena = &fixture->arena};
    fixture->env.budget.memory = 8 << 20;
}

static void end(struct fixture *fixture)
{
    sh_arena_free(&fixture->arena);
    graph_leave(&fixture->reader);
    graph_free(&fixture->graph);
}

static void run(struct fixture *fixture, const char *query, struct found *found)
{
    struct cy_result result;
    *found = (struct found){0};
    (void)cy_run(&fixture->env, sh_bytes_of(query), on_row, found, &result);
}

static void check_same(const char *left, const char *right)
{
    char query[600];
    struct fixture fixture;
    struct found found;
    begin(&fixture);
    (void)snprintf(query, sizeof(query), "RETURN %s AS a, %s AS b", left, right);
    run(&fixture, query, &found);
    if (fixture.env.err != SH_OK || found.rows != 1 ||
        found.values[0].type != found.values[1].type ||
        !cyv_equivalent(found.values[0], found.values[1]))
        fail_msg("%s is not %s: %s", left, right, fixture.env.error.message);
    end(&fixture);
}

static void check_refused(const char *expression, enum cy_code code)
{
    char query[600];
    struct fixture fixture;
    struct found found;
    begin(&fixture);
    (void)snprintf(query, sizeof(query), "RETURN %s AS a", expression);
    run(&fixture, query, &found);
    if (fixture.env.err != SH_INVALID || fixture.env.error.code != code)
        fail_msg("%s: %s, not %s: %s", expression, cy_code_name(fixture.env.error.code),
                 cy_code_name(code), fixture.env.error.message);
    end(&fixture);
}

static void check_pairs(const char *const pairs[][2], size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_same(pairs[i][0], pairs[i][1]);
}

/* --- three truths ----------------------------------------------------------------- */

/* Rows: left; columns: right; of true, false, null. */
static void check_table(const char *operator, const char * const results[3][3])
{
    static const char *const names[] = {"true", "false", "null"};
    for (size_t left = 0; left < 3; left++)
        for (size_t right = 0; right < 3; right++) {
            char expression[64];
            (void)snprintf(expression, sizeof(expression), "(%s %s %s)",
                           names[left], operator, names[right]);
            check_same(expression, results[left][right]);
        }
}

static void logic_has_three_truths(void **state)
{
    static const char *const and[3][3] = {{"true", "false", "null"},
                                          {"false", "false", "false"},
                                          {"null", "false", "null"}};
    static const char *const or [3][3] = {
        {"true", "true", "true"}, {"true", "false", "null"}, {"true", "null", "null"}};
    static const char *const xor [3][3] = {
        {"false", "true", "null"}, {"true", "false", "null"}, {"null", "null", "null"}};
    (void)state;
    check_table("AND", and);
    check_table("OR", or);
    check_table("XOR", xor);
    check_same("NOT true", "false");
    check_same("NOT null", "null");
}

static void unknown_stays_unknown(void **state)
{
    static const char *const pairs[][2] = {
        {"null = null", "null"},
        {"1 < 'a'", "null"},
        {"[1, null] = [1, 2]", "null"},
        {"[1, null] = [2, null]", "false"},
        {"1 IN [2, null]", "null"},
        {"1 IN [1, null]", "true"},
        {"null IN []", "false"},
        {"null IS NULL", "true"},
        {"0.0 / 0.0 = 0.0 / 0.0", "false"},
        {"1 < 0.0 / 0.0", "false"},
        {"all(x IN [1, null] WHERE x = 1)", "null"},
        {"all(x IN [2, null] WHERE x = 1)", "false"},
        {"any(x IN [2, null] WHERE x = 1)", "null"},
        {"none(x IN [2, null] WHERE x = 1)", "null"},
        {"single(x IN [1, null] WHERE x = 1)", "null"},
        {"single(x IN [1, 1, null] WHERE x = 1)", "false"},
        {"none(x IN [] WHERE x = 1)", "true"},
    };
    (void)state;
    check_pairs(pairs, SH_COUNT(pairs));
}

/* --- arithmetic ------------------------------------------------------------------- */

static void counts_exactly_or_says_so(void **state)
{
    static const char *const pairs[][2] = {
        {"7 / 2", "3"},
        {"-7 / 2", "-3"},
        {"-7 % 3", "-1"},
        {"7 / 2.0", "3.5"},
        {"2 ^ 3", "8.0"},
        {"1 + 2.5", "3.5"},
        {"'a' + 1", "'a1'"},
        {"[1] + 2", "[1, 2]"},
        {"[1] + [2]", "[1, 2]"},
        {"[1] + null", "null"},
        {"-9223372036854775808 % -1", "0"},
    };
    static const char *const refused[] = {
        "9223372036854775807 + 1",   "-9223372036854775808 - 1",
        "9223372036854775807 * 2",   "1 / 0",
        "-9223372036854775808 / -1", "1 % 0",
        "-(-9223372036854775808)",   "abs(-9223372036854775808)",
    };
    (void)state;
    check_pairs(pairs, SH_COUNT(pairs));
    for (size_t i = 0; i < SH_COUNT(refused); i++)
        check_refused(refused[i], CY_ARGUMENTS);
    check_refused("{} + 1", CY_TYPE);
}

/* --- functions -------------------------------------------------------------------- */

static void functions_of_lists(void **state)
{
    static const char *const pairs[][2] = {
        {"size([1, 2])", "2"},
        {"last([1, 2])", "2"},
        {"tail([1, 2, 3])", "[2, 3]"},
        {"reverse([1, 2])", "[2, 1]"},
        {"range(1, 7, 3)", "[1, 4, 7]"},
        {"range(3, 1, -1)", "[3, 2, 1]"},
        {"range(9223372036854775806, 9223372036854775807)",
         "[9223372036854775806, 9223372036854775807]"},
        {"[1, 2, 3][-1]", "3"},
        {"[1, 2, 3][1..]", "[2, 3]"},
        {"[1, 2, 3][..-1]", "[1, 2]"},
        {"[1, 2, 3][null..]", "null"},
        {"[x IN [1, 2, 3] WHERE x > 1 | x * 2]", "[4, 6]"},
        {"reduce(s = 0, x IN [1, 2, 3] | s + x)", "6"},
        {"keys({b: 1, a: 2})", "['a', 'b']"},
        {"{a: {b: 1}}.a.b", "1"},
        {"{a: 1}['b']", "null"},
        {"coalesce(null, 2, 3)", "2"},
        {"CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END", "'b'"},
        {"CASE WHEN null THEN 1 ELSE 2 END", "2"},
    };
    (void)state;
    check_pairs(pairs, SH_COUNT(pairs));
    check_refused("range(1, 2, 0)", CY_ARGUMENTS);
    check_refused("[1][toFloat(0)]", CY_TYPE);
}

static void functions_of_texts(void **state)
{
    static const char *const pairs[][2] = {
        {"size('caf\xc3\xa9')", "4"},
        {"reverse('a\xc3\xa9')", "'\xc3\xa9"
                                 "a'"},
        {"left('caf\xc3\xa9s', 4)", "'caf\xc3\xa9'"},
        {"right('caf\xc3\xa9', 2)", "'f\xc3\xa9'"},
        {"right('a', 5)", "'a'"},
        {"substring('abcd', 1, 2)", "'bc'"},
        {"substring('abcd', 9)", "''"},
        {"replace('aXbX', 'X', 'yy')", "'ayybyy'"},
        {"split('a,b,', ',')", "['a', 'b', '']"},
        {"split('ab', '')", "['a', 'b']"},
        {"trim('  a b ')", "'a b'"},
        {"ltrim('  a ')", "'a '"},
        {"toUpper('stra\xc3\x9f\x65\xc3\xa9')", "'STRA\xe1\xba\x9e\x45\xc3\x89'"},
        {"toLower('\xc3\x89')", "'\xc3\xa9'"},
        {"'abc' STARTS WITH 'ab'", "true"},
        {"'abc' CONTAINS ''", "true"},
        {"'abc' CONTAINS 1", "null"},
        {"'abc' =~ 'a.c'", "true"},
        {"'abcd' =~ 'a.c'", "false"},
        {"'ABC' =~ '(?i)abc'", "true"},
        {"'abc' =~ null", "null"},
        {"size([x IN range(1, 20000) WHERE toString(x) =~ '1.*9'])", "1111"},
    };
    (void)state;
    check_pairs(pairs, SH_COUNT(pairs));
    check_refused("left('a', -1)", CY_ARGUMENTS);
    check_refused("'a' =~ '('", CY_ARGUMENTS);
}

static void conversions(void **state)
{
    static const char *const pairs[][2] = {
        {"toInteger('12')", "12"},
        {"toInteger('1.9')", "1"},
        {"toInteger('x')", "null"},
        {"toInteger(1e300)", "null"},
        {"toFloat('0x10')", "null"},
        {"toBoolean('TRUE')", "true"},
        {"toString(1.0)", "'1.0'"},
        {"toString(1e21)", "'1.0E21'"},
        {"toString(0.1)", "'0.1'"},
        {"toString(1.5e-7)", "'1.5E-7'"},
        {"toString(123456.75)", "'123456.75'"},
        {"toIntegerOrNull([])", "null"},
        {"abs(-2.5)", "2.5"},
        {"round(2.5)", "3.0"},
        {"round(-1.5)", "-1.0"},
        {"size(randomUUID())", "36"},
    };
    (void)state;
    check_pairs(pairs, SH_COUNT(pairs));
    check_refused("[x IN [[]] | toInteger(x)]", CY_TYPE);
}

static void dates_and_times(void **state)
{
    static const char *const pairs[][2] = {
        {"toString(date('2015-W30-2'))", "'2015-07-21'"},
        {"date({year: 1984, ordinalDay: 202})", "date('1984-07-20')"},
        {"toString(date('-0044-03-15'))", "'-0044-03-15'"},
        {"date('2024-02-29') + duration('P1Y')", "date('2025-02-28')"},
        {"date('2024-01-31') + duration({months: 1})", "date('2024-02-29')"},
        {"localtime('23:00') + duration('PT2H')", "localtime('01:00')"},
        {"toString(datetime('2017-10-29T00:00[Europe/Stockholm]') + duration('P1D'))",
         "'2017-10-30T00:00+01:00[Europe/Stockholm]'"},
        {"datetime('2024-01-01T12:00+02:00') < datetime('2024-01-01T11:00Z')", "true"},
        {"date('2024-01-01') < localtime('12:00')", "null"},
        {"date('2024-12-30').weekYear", "2025"},
        {"duration('PT90M').minutesOfHour", "30"},
        {"toString(duration({days: 1, milliseconds: -1}))", "'P1DT-0.001S'"},
        {"toString(duration('P1M') * 1.5)", "'P1M15DT5H14M33S'"},
        {"duration.between(date('2024-01-31'), date('2024-02-29'))", "duration('P29D')"},
        {"date() = date()", "true"},
        {"date(null)", "null"},
    };
    static const char *const refused[] = {
        "date('2023-02-29')",
        "date({year: 2023, month: 13})",
        "date({month: 1})",
        "time('25:00')",
        "datetime('2024-01-01T00:00[Mars/Olympus]')",
        "duration('P')",
        "duration({parsecs: 1})",
        "date('2024-01-01') + duration({years: 9000000000})",
        "date('+999999999-12-31') + duration('P9Y')",
        "duration({days: 1}) / 0",
        "duration({years: 9223372036854775807})",
    };
    (void)state;
    check_pairs(pairs, SH_COUNT(pairs));
    for (size_t i = 0; i < SH_COUNT(refused); i++)
        check_refused(refused[i], CY_ARGUMENTS);
}

/* --- aggregates ------------------------------------------------------------------- */

static void check_aggregate(const char *list, const char *aggregate, const char *result)
{
    char query[400];
    struct fixture fixture;
    struct found found;
    begin(&fixture);
    (void)snprintf(query, sizeof(query), "UNWIND %s AS x WITH %s AS a RETURN a, %s AS b",
                   list, aggregate, result);
    run(&fixture, query, &found);
    if (fixture.env.err != SH_OK || found.values[0].type != found.values[1].type ||
        !cyv_equivalent(found.values[0], found.values[1]))
        fail_msg("%s of %s is not %s: %s", aggregate, list, result,
                 fixture.env.error.message);
    end(&fixture);
}

static void aggregates(void **state)
{
    static const struct {
        const char *list;
        const char *aggregate;
        const char *result;
    } rows[] = {
        {"[1, 2, null, 2]", "count(x)", "3"},
        {"[1, 2, null, 2]", "count(*)", "4"},
        {"[1, 2, null, 2]", "count(DISTINCT x)", "2"},
        {"[1, 2.5]", "sum(x)", "3.5"},
        {"[]", "sum(x)", "0"},
        {"[]", "collect(x)", "[]"},
        {"[1, 2, 6]", "avg(x)", "3.0"},
        {"[3, 'a', 1]", "min(x)", "'a'"},
        {"[3, 'a', 1]", "max(x)", "3"},
        {"[1, 1.0, null, 2]", "collect(DISTINCT x)", "[1, 2]"},
        {"[2, 4, 4, 4, 5, 5, 7, 9]", "stDevP(x)", "2.0"},
        {"[1]", "stDev(x)", "0.0"},
        {"[10, 20, 30]", "percentileDisc(x, 0.5)", "20"},
        {"[10, 20, 30, 40]", "percentileCont(x, 0.5)", "25.0"},
    };
    (void)state;
    for (size_t i = 0; i < SH_COUNT(rows); i++)
        check_aggregate(rows[i].list, rows[i].aggregate, rows[i].result);
}

/* --- bounds ----------------------------------------------------------------------- */

static void what_grows_is_bounded(void **state)
{
    static const char *const greedy[] = {
        "range(1, 9223372036854775807)",
        "size(range(1, 9000000))",
        "reduce(s = 'aaaaaaaa', x IN range(1, 60) | s + s)",
        "reduce(l = [1], x IN range(1, 60) | l + l)",
        "reduce(l = [], x IN range(1, 1000) | [l])",
        "reduce(s = 'aa', x IN range(1, 60) | replace(s, s, s + s))",
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab' =~ '(a|aa)+'",
    };
    (void)state;
    for (size_t i = 0; i < SH_COUNT(greedy); i++)
        check_refused(greedy[i], CY_OVER_BUDGET);
}

static void names_have_any_case(void **state)
{
    (void)state;
    assert_non_null(cy_function_find(sh_bytes_of("TOUPPER")));
    assert_non_null(cy_function_find(sh_bytes_of("date.truncate")));
    assert_null(cy_function_find(sh_bytes_of("")));
    assert_null(cy_function_find(sh_bytes_of("toUppe")));
    assert_true(cy_function_find(sh_bytes_of("stdevp"))->aggregates);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logic_has_three_truths),
        cmocka_unit_test(unknown_stays_unknown),
        cmocka_unit_test(counts_exactly_or_says_so),
        cmocka_unit_test(functions_of_lists),
        cmocka_unit_test(functions_of_texts),
        cmocka_unit_test(conversions),
        cmocka_unit_test(dates_and_times),
        cmocka_unit_test(aggregates),
        cmocka_unit_test(what_grows_is_bounded),
        cmocka_unit_test(names_have_any_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
