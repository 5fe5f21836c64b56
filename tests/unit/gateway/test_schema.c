#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "services/gateway/json_in.h"
#include "services/gateway/schema.h"

static const char *const colours[] = {"red", "green", NULL};

struct inner {
    int64_t count;
    double share;
    bool on;
    uint32_t colour;
    bool has_share;
};

struct item {
    struct sh_bytes name;
};

struct outer {
    struct sh_bytes title;
    struct inner inner;
    bool has_inner;
    json_t *free;
    struct schema_texts texts;
    struct schema_list items;
};

#define AT(member) offsetof(struct inner, member)
static const struct schema_field inner_fields[] = {
    {.name = "count",
     .type = SCHEMA_INTEGER,
     .offset = AT(count),
     .least = 1,
     .most = 100,
     .fallback = "10"},
    {.name = "share",
     .type = SCHEMA_NUMBER,
     .offset = AT(share),
     .least = 0,
     .most = 1,
     .present = AT(has_share)},
    {.name = "on", .type = SCHEMA_BOOLEAN, .offset = AT(on), .fallback = "true"},
    {.name = "colour",
     .type = SCHEMA_CHOICE,
     .offset = AT(colour),
     .choices = colours,
     .fallback = "\"green\""},
};
#undef AT
static const struct schema inner_schema = {"Inner", "", sizeof(struct inner),
                                           inner_fields, SH_COUNT(inner_fields)};
static const struct schema_field item_fields[] = {
    {.name = "name",
     .type = SCHEMA_TEXT,
     .offset = offsetof(struct item, name),
     .required = true,
     .most = 3},
};
static const struct schema item_schema = {"Item", "", sizeof(struct item), item_fields,
                                          SH_COUNT(item_fields)};
#define AT(member) offsetof(struct outer, member)
static const struct schema_field outer_fields[] = {
    {.name = "title",
     .type = SCHEMA_TEXT,
     .offset = AT(title),
     .required = true,
     .least = 1,
     .most = 4,
     .bytes = 8},
    {.name = "inner",
     .type = SCHEMA_OBJECT,
     .offset = AT(inner),
     .of = &inner_schema,
     .present = AT(has_inner)},
    {.name = "free", .type = SCHEMA_FREEFORM, .offset = AT(free), .most = 20},
    {.name = "texts", .type = SCHEMA_TEXTS, .offset = AT(texts), .most = 2},
    {.name = "items",
     .type = SCHEMA_LIST,
     .offset = AT(items),
     .of = &item_schema,
     .least = 1,
     .most = 2},
};
static const struct schema outer_schema = {"Outer", "", sizeof(struct outer),
                                           outer_fields, SH_COUNT(outer_fields)};

struct fixture {
    struct sh_arena arena;
    json_t *json;
    struct outer out;
    struct schema_fault fault;
};

static int set_up(void **state)
{
    *state = test_calloc(1, sizeof(struct fixture));
    return *state != NULL ? 0 : -1;
}

static void forget(struct fixture *f)
{
    json_decref(f->json);
    f->json = NULL;
    sh_arena_free(&f->arena);
}

static int tear_down(void **state)
{
    forget(*state);
    test_free(*state);
    return 0;
}

static enum sh_err read(struct fixture *f, const char *text)
{
    char why[160];
    forget(f);
    assert_int_equal(json_in(sh_bytes_of(text), &f->json, why, sizeof why), SH_OK);
    return schema_read(&outer_schema, f->json, &f->arena, &f->out, &f->fault);
}

static void fills_the_struct(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read(f, "{\"title\":\"a\",\"inner\":{\"count\":7,\"share\":0.25,"
                             "\"on\":false,\"colour\":\"red\"},\"free\":{\"x\":1},"
                             "\"texts\":[\"p\",\"q\"],\"items\":[{\"name\":\"n\"}]}"),
                     SH_OK);
    assert_true(sh_bytes_is(f->out.title, "a"));
    assert_int_equal(f->out.inner.count, 7);
    assert_true(f->out.inner.share > 0.2 && f->out.inner.share < 0.3);
    assert_true(f->out.inner.has_share);
    assert_true(f->out.has_inner);
    assert_false(f->out.inner.on);
    assert_int_equal(f->out.inner.colour, 0);
    assert_int_equal(json_object_size(f->out.free), 1);
    assert_int_equal(f->out.texts.count, 2);
    assert_true(sh_bytes_is(f->out.texts.items[1], "q"));
    assert_int_equal(f->out.items.count, 1);
    assert_true(sh_bytes_is(((struct item *)f->out.items.items)[0].name, "n"));
}

static void absent_members_get_their_defaults(void **state)
{
    static const char *const bodies[] = {
        "{\"title\":\"a\"}",
        "{\"title\":\"a\",\"inner\":{},\"unknown\":[1,{}]}",
        "{\"title\":\"a\",\"inner\":{\"count\":null,\"share\":null},\"free\":null}",
        "{\"title\":\"a\",\"inner\":null}",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < SH_COUNT(bodies); i++) {
        assert_int_equal(read(f, bodies[i]), SH_OK);
        assert_int_equal(f->out.inner.count, 10);
        assert_true(f->out.inner.on);
        assert_int_equal(f->out.inner.colour, 1);
        assert_false(f->out.inner.has_share);
        assert_null(f->out.free);
        assert_null(f->out.texts.items);
        assert_null(f->out.items.items);
    }
}

static void one_text_stands_for_an_array(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read(f, "{\"title\":\"a\",\"texts\":\"only\"}"), SH_OK);
    assert_true(f->out.texts.single);
    assert_int_equal(f->out.texts.count, 1);
    assert_int_equal(read(f, "{\"title\":\"a\",\"texts\":[]}"), SH_OK);
    assert_int_equal(f->out.texts.count, 0);
    assert_non_null(f->out.texts.items);
}

static void faults_name_the_member(void **state)
{
    static const struct {
        const char *body;
        const char *field;
    } cases[] = {
        {"[]", ""},
        {"{}", "title"},
        {"{\"title\":null}", "title"},
        {"{\"title\":5}", "title"},
        {"{\"title\":\"\"}", "title"},
        {"{\"title\":\"abcde\"}", "title"},
        {"{\"title\":\"\\u20ac\\u20ac\\u20ac\"}", "title"}, /* 3 characters, 9 bytes */
        {"{\"title\":\"a\",\"inner\":[]}", "inner"},
        {"{\"title\":\"a\",\"inner\":{\"count\":0}}", "inner.count"},
        {"{\"title\":\"a\",\"inner\":{\"count\":101}}", "inner.count"},
        {"{\"title\":\"a\",\"inner\":{\"count\":1.5}}", "inner.count"},
        {"{\"title\":\"a\",\"inner\":{\"count\":\"7\"}}", "inner.count"},
        {"{\"title\":\"a\",\"inner\":{\"count\":true}}", "inner.count"},
        {"{\"title\":\"a\",\"inner\":{\"share\":1.01}}", "inner.share"},
        {"{\"title\":\"a\",\"inner\":{\"share\":-0.1}}", "inner.share"},
        {"{\"title\":\"a\",\"inner\":{\"on\":1}}", "inner.on"},
        {"{\"title\":\"a\",\"inner\":{\"colour\":\"blue\"}}", "inner.colour"},
        {"{\"title\":\"a\",\"inner\":{\"colour\":0}}", "inner.colour"},
        {"{\"title\":\"a\",\"free\":[]}", "free"},
        {"{\"title\":\"a\",\"free\":{\"x\":\"01234567890123456789\"}}", "free"},
        {"{\"title\":\"a\",\"texts\":5}", "texts"},
        {"{\"title\":\"a\",\"texts\":[\"a\",\"b\",\"c\"]}", "texts"},
        {"{\"title\":\"a\",\"texts\":[\"a\",5]}", "texts[1]"},
        {"{\"title\":\"a\",\"items\":{}}", "items"},
        {"{\"title\":\"a\",\"items\":[]}", "items"},
        {"{\"title\":\"a\",\"items\":[{\"name\":\"a\"},5]}", "items[1]"},
        {"{\"title\":\"a\",\"items\":[{\"name\":\"a\"},{}]}", "items[1].name"},
        {"{\"title\":\"a\",\"items\":[{\"name\":\"abcd\"}]}", "items[0].name"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        assert_int_equal(read(f, cases[i].body), SH_INVALID);
        assert_string_equal(f->fault.field, cases[i].field);
        assert_int_not_equal(strlen(f->fault.error), 0);
    }
}

static void a_whole_number_may_be_written_as_a_fraction(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read(f, "{\"title\":\"a\",\"inner\":{\"count\":5.0}}"), SH_OK);
    assert_int_equal(f->out.inner.count, 5);
}

static void json_faults_say_where(void **state)
{
    static const struct {
        const char *body;
        const char *say;
    } cases[] = {
        {"", "empty"},
        {"{\"a\":", "too early, line 1 column 5"},
        {"{\n\"a\": x}", "line 2"},
        {"{\"a\":1}x", "follows"},
        {"{\"a\":1,\"a\":2}", "twice"},
        {"{\"a\":\"\\u0000\"}", "NUL"},
        {"{\"a\":\"\xff\"}", "UTF-8"},
        {"5", "not valid JSON"},
    };
    (void)state;
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        json_t *json;
        char why[160] = "";
        assert_int_equal(json_in(sh_bytes_of(cases[i].body), &json, why, sizeof why),
                         SH_MALFORMED);
        assert_null(json);
        assert_non_null(strstr(why, cases[i].say));
    }
}

static void nesting_is_bounded(void **state)
{
    char text[2 * JSON_IN_DEPTH + 8];
    char why[160];
    json_t *json;
    (void)state;
    memset(text, '[', JSON_IN_DEPTH + 1);
    memset(text + JSON_IN_DEPTH + 1, ']', JSON_IN_DEPTH + 1);
    assert_int_equal(json_in((struct sh_bytes){text, 2 * (size_t)JSON_IN_DEPTH + 2},
                             &json, why, sizeof why),
                     SH_MALFORMED);
    assert_non_null(strstr(why, "nested"));
    assert_int_equal(json_in((struct sh_bytes){text + 1, 2 * (size_t)JSON_IN_DEPTH},
                             &json, why, sizeof why),
                     SH_OK);
    json_decref(json);
    const char *quoted = "[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[\"]";
    assert_int_equal(json_in(sh_bytes_of(quoted), &json, why, sizeof why), SH_OK);
    json_decref(json);
}

static void takes_json_by_its_type(void **state)
{
    static const struct {
        const char *type;
        const char *body;
        bool accepts;
    } cases[] = {
        {"application/json", "x", true},
        {"Application/JSON; charset=utf-8", "{", true},
        {NULL, " \n{}", true},
        {NULL, "", true},
        {NULL, "q=1", false},
        {"application/x-www-form-urlencoded", "{\"query\":1}", true},
        {"application/x-www-form-urlencoded", "query=x", false},
        {"application/jsonx", "{}", false},
        {"text/plain", "{}", false},
        {"multipart/form-data; boundary=x", "{}", false},
    };
    (void)state;
    for (size_t i = 0; i < SH_COUNT(cases); i++)
        assert_int_equal(
            json_in_accepts(sh_bytes_of(cases[i].type), sh_bytes_of(cases[i].body)),
            cases[i].accepts);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH(fills_the_struct),
        WITH(absent_members_get_their_defaults),
        WITH(one_text_stands_for_an_array),
        WITH(faults_name_the_member),
        WITH(a_whole_number_may_be_written_as_a_fraction),
        cmocka_unit_test(json_faults_say_where),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(takes_json_by_its_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
