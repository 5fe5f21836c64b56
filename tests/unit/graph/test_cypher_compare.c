/* Values in order: what holds of all orders and hashes, on random values; what openCypher
 * says of some, in tables. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/graph/cypher/value.h"

enum { ROOM = 4000, VALUES = 120 };

/* Where random values lie; begun anew by each test. */
static struct cy_value items[ROOM];
static struct cyv_entry entries[ROOM];
static struct cyv_temporal temporals[ROOM];
static struct cyv_path paths[ROOM];
static size_t used;
static uint64_t state = 88172645463325252U;

static unsigned draw(unsigned below)
{
    state ^= state << 13; /* xorshift64 (Marsaglia 2003) */
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % below;
}

static struct cy_value random_value(unsigned depth);

static struct cy_value random_number(void)
{
    static const double reals[] = {0, -0.0, 1, 1.5, -2, 0x1p53, 0x1p63, -0x1p63, 1e300};
    static const int64_t integers[] = {
        0, 1, -2, INT64_MAX, INT64_MIN, (INT64_C(1) << 53) + 1, INT64_C(1) << 53};
    if (draw(9) == 0)
        return cyv_float((double)NAN);
    return draw(2) ? cyv_float(reals[draw(SH_COUNT(reals))])
                   : cyv_integer(integers[draw(SH_COUNT(integers))]);
}

static struct cy_value random_items(unsigned depth)
{
    uint32_t count = draw(4);
    size_t first = used;
    used += count;
    assert_true(used <= ROOM);
    for (uint32_t i = 0; i < count; i++)
        items[first + i] = random_value(depth + 1);
    return (struct cy_value){.type = CYV_LIST, .count = count, .items = &items[first]};
}

static struct cy_value random_map(unsigned depth)
{
    static const char *const keys[] = {"a", "ab", "b"}; /* in order */
    size_t first = used;
    uint32_t count = 0;
    used += SH_COUNT(keys);
    assert_true(used <= ROOM);
    for (size_t i = 0; i < SH_COUNT(keys); i++)
        if (draw(2))
            entries[first + count++] =
                (struct cyv_entry){sh_bytes_of(keys[i]), random_value(depth + 1)};
    return (struct cy_value){.type = CYV_MAP, .count = count, .entries = &entries[first]};
}

static struct cy_value random_temporal(void)
{
    struct cyv_temporal *temporal = &temporals[used++];
    enum cyv_type type = (enum cyv_type)(CYV_DATE + draw(CYV_DURATION - CYV_DATE + 1));
    assert_true(used <= ROOM);
    *temporal =
        (struct cyv_temporal){.days = draw(3), .seconds = (int64_t)draw(3) * 3600};
    if (type == CYV_DURATION)
        temporal->months = draw(2);
    if (type == CYV_TIME || type == CYV_DATETIME)
        temporal->offset = (int32_t)draw(3) * 3600;
    return (struct cy_value){.type = type, .temporal = temporal};
}

static struct cy_value random_path(void)
{
    static const uint32_t places[] = {1, 2, 3, 4, 5, 6};
    struct cyv_path *path = &paths[used++];
    *path = (struct cyv_path){draw(3), &places[draw(2)], &places[draw(2)]};
    return cyv_path(path);
}

static struct cy_value random_value(unsigned depth)
{
    static const char *const texts[] = {"", "a", "ab", "b", "\xc3\xa9"};
    switch (draw(depth > 2 ? 7 : 10)) {
    case 0:
        return cyv_null();
    case 1:
        return cyv_boolean(draw(2));
    case 2:
        return random_number();
    case 3:
        return cyv_string(sh_bytes_of(texts[draw(SH_COUNT(texts))]));
    case 4:
        return draw(2) ? cyv_node(draw(3)) : cyv_relationship(draw(3));
    case 5:
        return random_temporal();
    case 6:
        return random_path();
    case 7:
        return random_map(depth);
    default:
        return random_items(depth);
    }
}

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static void orders_every_value(void **unused)
{
    struct cy_value values[VALUES];
    (void)unused;
    for (unsigned round = 0; round < 20; round++) {
        used = 0;
        for (size_t i = 0; i < VALUES; i++)
            values[i] = random_value(0);
        for (size_t i = 0; i < VALUES; i++)
            for (size_t j = 0; j < VALUES; j++) {
                int order = sign(cyv_sort(values[i], values[j]));
                assert_int_equal(order, -sign(cyv_sort(values[j], values[i])));
                for (size_t k = 0; k < VALUES && order <= 0; k++)
                    if (cyv_sort(values[j], values[k]) <= 0)
                        assert_true(cyv_sort(values[i], values[k]) <= 0);
            }
    }
}

static void hashes_agree_with_equivalence(void **unused)
{
    size_t equivalent = 0;
    (void)unused;
    for (unsigned round = 0; round < 4000; round++) {
        used = 0;
        struct cy_value left = random_value(1);
        struct cy_value right = random_value(1);
        assert_true(cyv_equivalent(left, left));
        if (!cyv_equivalent(left, right))
            continue;
        equivalent++;
        assert_true(cyv_hash(left) == cyv_hash(right));
    }
    assert_true(equivalent > 50);
}

/* What is equal is equivalent, and what is below another one sorts before it. */
static void comparisons_agree(void **unused)
{
    (void)unused;
    for (unsigned round = 0; round < 20000; round++) {
        used = 0;
        struct cy_value left = random_value(1);
        struct cy_value right = random_value(1);
        enum cyv_order order = cyv_compare(left, right);
        if (cyv_equals(left, right) == CYV_TRUE)
            assert_true(cyv_equivalent(left, right));
        if (order == CYV_BELOW)
            assert_true(cyv_sort(left, right) < 0);
        if (order == CYV_ABOVE)
            assert_true(cyv_sort(left, right) > 0);
        assert_true(cyv_equals(left, right) == cyv_equals(right, left));
    }
}

static void integers_and_floats_compare_exactly(void **unused)
{
    (void)unused;
    int64_t beyond = (INT64_C(1) << 53) + 1;
    assert_int_equal(cyv_equals(cyv_integer(1), cyv_float(1)), CYV_TRUE);
    assert_int_equal(cyv_equals(cyv_integer(beyond), cyv_float(0x1p53)), CYV_FALSE);
    assert_int_equal(cyv_compare(cyv_integer(beyond), cyv_float(0x1p53)), CYV_ABOVE);
    assert_int_equal(cyv_compare(cyv_integer(INT64_MAX), cyv_float(0x1p63)), CYV_BELOW);
    assert_int_equal(cyv_compare(cyv_float(-0x1p63), cyv_integer(INT64_MIN)), CYV_SAME);
    assert_int_equal(cyv_compare(cyv_integer(1), cyv_float((double)NAN)), CYV_NEITHER);
    assert_int_equal(cyv_compare(cyv_integer(1), cyv_string(sh_bytes_of("1"))),
                     CYV_OTHER);
}

static void null_makes_equality_unknown(void **unused)
{
    struct cy_value with_null[] = {cyv_integer(1), cyv_null()};
    struct cy_value plain[] = {cyv_integer(1), cyv_integer(2)};
    struct cy_value other[] = {cyv_integer(3), cyv_integer(2)};
    (void)unused;
    struct cy_value lists[] = {
        {.type = CYV_LIST, .count = 2, .items = with_null},
        {.type = CYV_LIST, .count = 2, .items = plain},
        {.type = CYV_LIST, .count = 2, .items = other},
        {.type = CYV_LIST, .count = 1, .items = with_null},
    };
    assert_int_equal(cyv_equals(cyv_null(), cyv_null()), CYV_UNKNOWN);
    assert_int_equal(cyv_equals(lists[0], lists[1]), CYV_UNKNOWN);
    assert_int_equal(cyv_equals(lists[0], lists[2]), CYV_FALSE);
    assert_int_equal(cyv_equals(lists[0], lists[3]), CYV_FALSE);
    assert_int_equal(cyv_equals(lists[1], lists[1]), CYV_TRUE);
    assert_true(cyv_equivalent(lists[0], lists[0]));
    assert_int_equal(cyv_compare(lists[0], lists[1]), CYV_OTHER);
    assert_int_equal(cyv_compare(lists[1], lists[2]), CYV_BELOW);
}

/* Map, node, relationship, list, path, string, boolean, number, NaN, null. */
static void types_are_ordered(void **unused)
{
    static const uint32_t place = 0;
    const struct cyv_path path = {0, &place, NULL};
    const struct cy_value order[] = {
        {.type = CYV_MAP},  cyv_node(0),     cyv_relationship(0),
        {.type = CYV_LIST}, cyv_path(&path), cyv_string(sh_bytes_of("text")),
        cyv_boolean(false), cyv_float(1.5),  cyv_float((double)NAN),
        cyv_null(),
    };
    (void)unused;
    for (size_t i = 0; i + 1 < SH_COUNT(order); i++)
        assert_true(cyv_sort(order[i], order[i + 1]) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_every_value),
        cmocka_unit_test(hashes_agree_with_equivalence),
        cmocka_unit_test(comparisons_agree),
        cmocka_unit_test(integers_and_floats_compare_exactly),
        cmocka_unit_test(null_makes_equality_unknown),
        cmocka_unit_test(types_are_ordered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
