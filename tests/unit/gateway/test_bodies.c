/* Bodies that were read before: the very same bytes, for the same schema, and no longer
 * than they are worth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/gateway/bodies.h"

struct thing {
    struct sh_bytes name;
    int64_t number;
};
static const struct schema_field fields[] = {
    {.name = "name", .type = SCHEMA_TEXT, .offset = offsetof(struct thing, name)},
    {.name = "number",
     .type = SCHEMA_INTEGER,
     .offset = offsetof(struct thing, number),
     .least = 0,
     .most = 1e6,
     .fallback = "7"},
};
static const struct schema schema = {"Thing", "", sizeof(struct thing), fields,
                                     SH_COUNT(fields)};
static const struct schema another = {"Other", "", sizeof(struct thing), fields,
                                      SH_COUNT(fields)};

static void keep(struct bodies *bodies, const char *text)
{
    struct sh_bytes bytes = sh_bytes_of(text);
    struct sh_arena arena = {0};
    struct schema_fault fault;
    struct thing thing;
    json_t *json = json_loadb(bytes.data, bytes.len, 0, NULL);

    assert_int_equal(schema_read(&schema, json, &arena, &thing, &fault), SH_OK);
    bodies_keep(bodies, &schema, bytes, json, &thing);
    json_decref(json);
    sh_arena_free(&arena);
}

static void the_very_same_bytes_say_the_same(void **state)
{
    struct bodies *bodies = bodies_create();
    struct thing thing = {0};

    (void)state;
    assert_non_null(bodies);
    keep(bodies, "{\"name\":\"x\"}");
    assert_null(bodies_find(bodies, &schema, sh_bytes_of("{\"name\":\"y\"}"), &thing));
    assert_null(bodies_find(bodies, &schema, sh_bytes_of("{\"name\":\"x\"} "), &thing));
    assert_null(bodies_find(bodies, &another, sh_bytes_of("{\"name\":\"x\"}"), &thing));
    json_t *json = bodies_find(bodies, &schema, sh_bytes_of("{\"name\":\"x\"}"), &thing);
    assert_non_null(json);
    bodies_free(&bodies); /* who has it keeps it */
    assert_true(sh_bytes_is(thing.name, "x"));
    assert_int_equal(thing.number, 7);
    json_decref(json);
    bodies_free(&bodies);
}

/* A search for facets borrowed from a request that had ended. */
static void what_holds_an_array_is_read_each_time(void **state)
{
    struct inner {
        struct schema_texts names;
    };
    struct outer {
        struct inner inner;
    };
    static const struct schema_field inner_fields[] = {
        {.name = "names",
         .type = SCHEMA_TEXTS,
         .offset = offsetof(struct inner, names),
         .most = 3}};
    static const struct schema inner_schema = {"Inner", "", sizeof(struct inner),
                                               inner_fields, SH_COUNT(inner_fields)};
    static const struct schema_field outer_fields[] = {
        {.name = "inner",
         .type = SCHEMA_OBJECT,
         .offset = offsetof(struct outer, inner),
         .of = &inner_schema}};
    static const struct schema outer_schema = {"Outer", "", sizeof(struct outer),
                                               outer_fields, SH_COUNT(outer_fields)};
    static const struct {
        const char *text;
        bool kept;
    } rows[] = {{"{}", true}, {"{\"inner\":{\"names\":[\"a\",\"b\"]}}", false}};
    struct bodies *bodies = bodies_create();

    (void)state;
    for (size_t i = 0; i < SH_COUNT(rows); i++) {
        struct sh_bytes bytes = sh_bytes_of(rows[i].text);
        struct sh_arena arena = {0};
        struct schema_fault fault;
        struct outer outer;
        json_t *json = json_loadb(bytes.data, bytes.len, 0, NULL);
        assert_int_equal(schema_read(&outer_schema, json, &arena, &outer, &fault), SH_OK);
        bodies_keep(bodies, &outer_schema, bytes, json, &outer);
        json_t *known = bodies_find(bodies, &outer_schema, bytes, &outer);
        assert_true((known != NULL) == rows[i].kept);
        json_decref(known);
        json_decref(json);
        sh_arena_free(&arena);
    }
    bodies_free(&bodies);
}

static void many_take_each_others_place(void **state)
{
    struct bodies *bodies = bodies_create();
    struct thing thing;
    size_t found = 0;

    (void)state;
    for (int i = 0; i < 10 * BODIES_COUNT; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "{\"number\":%d}", i);
        keep(bodies, text);
        json_t *json = bodies_find(bodies, &schema, sh_bytes_of(text), &thing);
        assert_non_null(json);
        assert_int_equal(thing.number, i);
        json_decref(json);
    }
    for (int i = 0; i < 10 * BODIES_COUNT; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "{\"number\":%d}", i);
        json_t *json = bodies_find(bodies, &schema, sh_bytes_of(text), &thing);
        found += json != NULL;
        json_decref(json);
    }
    assert_true(found > 0 && found <= BODIES_COUNT);
    bodies_free(&bodies);
}

static void what_is_long_is_read_each_time(void **state)
{
    struct bodies *bodies = bodies_create();
    char text[BODIES_BYTES + 64];
    struct thing thing;

    (void)state;
    (void)snprintf(text, sizeof text, "{\"number\":1%*s}", BODIES_BYTES, "");
    keep(bodies, text);
    assert_null(bodies_find(bodies, &schema, sh_bytes_of(text), &thing));
    assert_null(bodies_find(NULL, &schema, sh_bytes_of("{}"), &thing));
    keep(NULL, "{}");
    bodies_free(&bodies);
}

static void without_memory_it_is_read_each_time(void **state)
{
    struct bodies *bodies = bodies_create();
    struct thing thing;
    json_t *json = json_object();

    (void)state;
    sh_mem_fail_after(0);
    bodies_keep(bodies, &schema, sh_bytes_of("{}"), json, &(struct thing){0});
    sh_mem_fail_after(0);
    assert_null(bodies_create());
    sh_mem_fail_after(-1);
    assert_null(bodies_find(bodies, &schema, sh_bytes_of("{}"), &thing));
    json_decref(json);
    bodies_free(&bodies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_very_same_bytes_say_the_same),
        cmocka_unit_test(what_holds_an_array_is_read_each_time),
        cmocka_unit_test(many_take_each_others_place),
        cmocka_unit_test(what_is_long_is_read_each_time),
        cmocka_unit_test(without_memory_it_is_read_each_time),
    };
    return cmocka_run_group_tests_name("bodies", tests, NULL, NULL);
}
