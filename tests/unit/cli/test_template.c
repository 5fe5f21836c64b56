#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cairn/rows/template.h"

static struct template_row row_of(void)
{
    static struct sh_bytes names[7];
    static struct sh_bytes cells[7];
    static const char *const all[][2] = {
        {"name", "Kepler-452 b"}, {"ra", "296.00"},     {"year", "2015"}, {"mass", ""},
        {"lists", "a; b;; c "},   {"confirmed", "Yes"}, {"bad", "\xff"}};

    for (size_t i = 0; i < SH_COUNT(all); i++) {
        names[i] = sh_bytes_of(all[i][0]);
        cells[i] = sh_bytes_of(all[i][1]);
    }
    return (struct template_row){.names = names, .cells = cells, .count = SH_COUNT(all)};
}

static void hold(const char *template, const char *expected)
{
    struct template_row row = row_of();
    json_t *parsed = json_loads(template, JSON_DECODE_ANY, NULL);
    json_t *value = template_fill(parsed, &row);
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    assert_non_null(parsed);
    assert_string_equal(text ? text : row.problem, expected);
    free(text);
    json_decref(value);
    json_decref(parsed);
}

static void columns_become_values_of_their_types(void **state)
{
    (void)state;
    hold("\"{name}\"", "\"Kepler-452 b\"");
    hold("\"{ra:number}\"", "296.0");
    hold("\"{year:number}\"", "2015");
    hold("\"{year}\"", "\"2015\"");
    hold("\"{confirmed:flag}\"", "true");
    hold("\"{lists:list}\"", "[\"a\",\"b\",\"c\"]");
    hold("\"in {year}: {name}, {mass}\"", "\"in 2015: Kepler-452 b,\"");
    hold("\"{{name} {name\"", "\"{name} {name\"");
    hold("[7,true,null,\"x\"]", "[7,true,null,\"x\"]");
}

static void what_is_empty_is_left_out(void **state)
{
    (void)state;
    hold("{\"m\":\"{mass:number}\",\"y\":\"{year:number}\",\"s\":{\"m\":\"{mass}\"},"
         "\"l\":[\"{mass}\"]}",
         "{\"y\":2015}");
    hold("{\"m\":\"{mass}\"}", "");
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    hold("{\"x\":\"{absent}\"}", "there is no such column: absent");
    hold("\"about {absent}\"", "there is no such column: absent");
    hold("\"{name:number}\"", "not a number: Kepler-452 b");
    hold("\"{name:flag}\"", "neither true nor false: Kepler-452 b");
    hold("\"{name:date}\"", "there is no such type: date");
    hold("\"{bad}\"", "not UTF-8: bad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_become_values_of_their_types),
        cmocka_unit_test(what_is_empty_is_left_out),
        cmocka_unit_test(what_is_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
