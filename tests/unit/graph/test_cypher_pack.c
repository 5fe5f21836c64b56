/* Values as msgpack: what is written reads back the same; what is no parameters is
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/graph/cypher/env.h"
#include "services/graph/cypher/pack.h"

struct fixture {
    struct sh_arena arena;
    struct cy_env env;
};

static void begin(struct fixture *fixture)
{
    *fixture = (struct fixture){0};
    fixture->env.arena = &fixture->arena;
}

static void reads_back(void **state)
{
    static const int64_t integers[] = {0,     1,         127,    128,         255,
                                       65536, INT64_MAX, -1,     -32,         -33,
                                       -128,  -129,      -32769, -2147483649, INT64_MIN};
    struct fixture fixture;
    struct sh_buffer out = {0};
    struct cy_value items[SH_COUNT(integers) + 4];
    size_t count = 0;
    struct cy_value list;
    struct cy_value map;
    struct cy_value back;
    (void)state;
    begin(&fixture);
    for (; count < SH_COUNT(integers); count++)
        items[count] = cyv_integer(integers[count]);
    items[count++] = cyv_float(-1.5);
    items[count++] = cyv_boolean(true);
    items[count++] = cyv_null();
    items[count++] = cyv_string(sh_bytes_of("caf\xc3\xa9"));
    assert_true(cyv_list(&fixture.env, items, count, &list));
    struct cyv_entry entries[] = {{sh_bytes_of("b"), list}, {sh_bytes_of("a"), items[1]}};
    assert_true(cyv_map(&fixture.env, entries, 2, &map));
    assert_true(cy_pack(&fixture.env, map, &out));
    assert_int_equal(out.err, SH_OK);
    assert_true(cy_unpack_parameters(&fixture.env, sh_buffer_bytes(&out), &back));
    assert_true(cyv_equivalent(map, back));
    for (size_t len = 1; len < out.len; len++) {
        struct sh_bytes cut = {out.data, len};
        fixture.env.err = SH_OK;
        assert_false(cy_unpack_parameters(&fixture.env, cut, &back));
    }
    sh_buffer_free(&out);
    sh_arena_free(&fixture.arena);
}

static void refuses_what_is_no_map_of_values(void **state)
{
    static const struct sh_bytes bad[] = {
        {"\x01", 1},             /* a number */
        {"\x81\x01\x02", 3},     /* a key that is no text */
        {"\x81\xa1\xff\x02", 4}, /* a key that is no UTF-8 */
        {"\x81\xa1x\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 12}, /* beyond 64 bits */
        {"\x81\xa1x\xc4\x01y", 6},                             /* binary */
        {"\x81\xa1x\xd4\x01y", 6},                             /* an extension */
        {"\x81\xa1x\xdd\xff\xff\xff\xff", 8},                  /* a list too long */
        {"\x80\x80", 2},                                       /* two values */
    };
    (void)state;
    for (size_t i = 0; i < SH_COUNT(bad); i++) {
        struct fixture fixture;
        struct cy_value out;
        begin(&fixture);
        assert_false(cy_unpack_parameters(&fixture.env, bad[i], &out));
        assert_int_equal(fixture.env.error.code, CY_ARGUMENTS);
        sh_arena_free(&fixture.arena);
    }
}

static void nothing_is_no_parameters(void **state)
{
    struct fixture fixture;
    struct cy_value out;
    (void)state;
    begin(&fixture);
    assert_true(cy_unpack_parameters(&fixture.env, (struct sh_bytes){0}, &out));
    assert_int_equal(out.type, CYV_MAP);
    assert_int_equal(out.count, 0);
    sh_arena_free(&fixture.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_back),
        cmocka_unit_test(refuses_what_is_no_map_of_values),
        cmocka_unit_test(nothing_is_no_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
