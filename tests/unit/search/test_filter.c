/* The promises of filter.h and metadata.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/search/filter/campus.h"
#include "services/search/filter/filter.h"
#include "shared/buffer.h"
#include "tests/unit/search/filter_oracle.h"

static const char METADATA[] =
    "{\"lang\":\"en\",\"year\":2020,\"ratio\":0.5,\"open\":true,\"tags\":[\"a\",\"b\",3],"
    "\"none\":null,\"last_reviewed\":\"2024-08-15T10:30:00\","
    "\"position\":{\"lat\":55.95,\"lon\":-3.19},\"sky\":{\"ra\":296.0033,\"dec\":44.279},"
    "\"deep\":{\"er\":{\"x\":\"y\"}}}";

static const struct caller everyone = {
    .clearance = 5, .all_departments = true, .department = {"IT", 2}};

static enum sh_err compile(const char *json, const struct caller *caller,
                           struct sh_arena *arena, struct filter **filter,
                           struct filter_problem *problem)
{
    return filter_compile(sh_bytes_of(json), caller, arena, filter, problem);
}

static bool matches(const char *json)
{
    struct sh_arena arena = {0};
    struct metadata *metadata = NULL;
    struct filter *filter = NULL;
    struct filter_problem problem;
    assert_int_equal(metadata_parse(sh_bytes_of(METADATA), &metadata), SH_OK);
    struct filter_row row = {.id = sh_bytes_of("doc-1"),
                             .collection = sh_bytes_of("policies"),
                             .department = sh_bytes_of("IT"),
                             .campus = sh_bytes_of("King's Buildings"),
                             .priority = 3,
                             .clearance_level = 2,
                             .metadata = metadata};
    if (compile(json, &everyone, &arena, &filter, &problem) != SH_OK)
        fail_msg("%s: %s: %s", json, problem.field, problem.message);
    bool result = oracle_match(filter, &row);
    sh_free(metadata);
    sh_arena_free(&arena);
    return result;
}

static const struct {
    const char *json;
    bool expected;
} conditions[] = {
    {"{}", true},
    {"", true},
    {"{\"department\":\"IT\"}", true},
    {"{\"department\":\"it\"}", false},
    {"{\"department\":{\"any\":[\"HR\",\"IT\"]}}", true},
    {"{\"department\":{\"none\":[\"HR\",\"IT\"]}}", false},
    {"{\"campus\":\"kings_buildings\"}", true},
    {"{\"campus\":\"King's Buildings\"}", true},
    {"{\"campus\":\"central\"}", false},
    {"{\"min_priority\":3}", true},
    {"{\"min_priority\":4}", false},
    {"{\"max_clearance\":2}", true},
    {"{\"max_clearance\":1}", false},
    {"{\"clearance_level\":2}", true},
    {"{\"clearance_level\":3}", false},
    {"{\"document_id\":\"doc-1\",\"collection\":\"policies\"}", true},
    {"{\"document_id\":\"doc-1\",\"collection\":\"other\"}", false},
    {"{\"collection\":{\"exists\":true}}", true},
    {"{\"collection\":{\"exists\":false}}", false},
    {"{\"metadata\":{}}", true},
    {"{\"metadata\":{\"lang\":\"en\"}}", true},
    {"{\"metadata\":{\"lang\":\"de\"}}", false},
    {"{\"metadata\":{\"year\":2020}}", true},
    {"{\"metadata\":{\"year\":2020.0}}", true},
    {"{\"metadata\":{\"year\":\"2020\"}}", false},
    {"{\"metadata\":{\"open\":true}}", true},
    {"{\"metadata\":{\"open\":false}}", false},
    {"{\"metadata\":{\"open\":1}}", false},
    {"{\"metadata\":{\"year\":{\"gte\":2020,\"lt\":2021}}}", true},
    {"{\"metadata\":{\"year\":{\"gt\":2020}}}", false},
    {"{\"metadata\":{\"year\":{\"lte\":2020}}}", true},
    {"{\"metadata\":{\"year\":{\"lt\":2020}}}", false},
    {"{\"metadata\":{\"year\":{\"gte\":2021,\"lte\":2019}}}", false},
    {"{\"metadata\":{\"year\":{\"gte\":2000,\"gt\":2020}}}", false},
    {"{\"metadata\":{\"lang\":{\"gte\":1}}}", false},
    {"{\"metadata\":{\"last_reviewed\":{\"gte\":\"2024-08-15\"}}}", true},
    {"{\"metadata\":{\"last_reviewed\":{\"lt\":\"2024-08-15T10:30:00Z\"}}}", false},
    {"{\"metadata\":{\"last_reviewed\":{\"lte\":\"2024-08-15T12:30+02:00\"}}}", true},
    {"{\"metadata\":{\"tags\":\"b\"}}", true},
    {"{\"metadata\":{\"tags\":3}}", true},
    {"{\"metadata\":{\"tags\":{\"any\":[\"x\",\"a\"]}}}", true},
    {"{\"metadata\":{\"tags\":{\"any\":[]}}}", false},
    {"{\"metadata\":{\"tags\":{\"all\":[\"a\",\"b\"]}}}", true},
    {"{\"metadata\":{\"tags\":{\"all\":[\"a\",\"x\"]}}}", false},
    {"{\"metadata\":{\"tags\":{\"all\":[]}}}", true},
    {"{\"metadata\":{\"tags\":{\"none\":[\"x\"]}}}", true},
    {"{\"metadata\":{\"tags\":{\"none\":[\"x\",\"a\"]}}}", false},
    {"{\"metadata\":{\"tags\":{\"any\":[\"a\"],\"none\":[\"b\"]}}}", false},
    {"{\"metadata\":{\"lang\":{\"exists\":true}}}", true},
    {"{\"metadata\":{\"lang\":{\"exists\":false}}}", false},
    {"{\"metadata\":{\"absent\":{\"exists\":false}}}", true},
    {"{\"metadata\":{\"none\":{\"exists\":true}}}", false},
    {"{\"metadata\":{\"position\":{\"exists\":true}}}", true},
    {"{\"metadata\":{\"pos\":{\"exists\":true}}}", false},
    {"{\"metadata\":{\"deep.er.x\":\"y\"}}", true},
    {"{\"metadata\":{\"position\":{\"geo\":{\"lat\":55.86,\"lon\":-4.25,"
     "\"radius_km\":70}}}}",
     true},
    {"{\"metadata\":{\"position\":{\"geo\":{\"lat\":55.86,\"lon\":-4.25,"
     "\"radius_km\":60}}}}",
     false},
    {"{\"metadata\":{\"lang\":{\"geo\":{\"lat\":0,\"lon\":0,\"radius_km\":9}}}}", false},
    /* Kepler-452 is 1.0146 degrees from there */
    {"{\"metadata\":{\"sky\":{\"cone\":{\"ra\":295,\"dec\":45,\"radius_deg\":1.02}}}}",
     true},
    {"{\"metadata\":{\"sky\":{\"cone\":{\"ra\":295,\"dec\":45,\"radius_deg\":1.01}}}}",
     false},
    {"{\"metadata\":{\"sky\":{\"geo\":{\"lon\":295,\"lat\":45,\"radius_km\":999}}}}",
     false},
    {"{\"metadata\":{\"position\":{\"cone\":{\"ra\":0,\"dec\":0,\"radius_deg\":180}}}}",
     false},
    {"{\"any\":[{\"department\":\"HR\"},{\"min_priority\":2}]}", true},
    {"{\"any\":[{\"department\":\"HR\"},{\"min_priority\":5}]}", false},
    {"{\"any\":[]}", false},
    {"{\"all\":[{\"department\":\"IT\"},{\"min_priority\":5}]}", false},
    {"{\"all\":[]}", true},
    {"{\"none\":[{\"department\":\"HR\"}]}", true},
    {"{\"none\":[{\"department\":\"IT\",\"min_priority\":5}]}", true},
    {"{\"none\":[{\"department\":\"IT\"}]}", false},
    {"{\"any\":[{\"none\":[{\"all\":[{\"department\":\"HR\"}]}]}]}", true},
};

static void every_condition_matches_what_it_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < SH_COUNT(conditions); i++) {
        if (matches(conditions[i].json) != conditions[i].expected)
            fail_msg("%s: not %d", conditions[i].json, conditions[i].expected);
    }
}

static void faults_name_their_field(void **state)
{
    (void)state;
    const struct {
        const char *json;
        const char *field;
        enum sh_err err;
    } cases[] = {
        {"[]", "filters", SH_INVALID},
        {"{\"a\":", "filters", SH_INVALID},
        {"{\"departement\":\"x\"}", "filters.departement", SH_INVALID},
        {"{\"department\":3}", "filters.department", SH_INVALID},
        {"{\"department\":null}", "filters.department", SH_INVALID},
        {"{\"department\":[\"x\"]}", "filters.department", SH_INVALID},
        {"{\"department\":{\"gte\":\"x\"}}", "filters.department", SH_INVALID},
        {"{\"department\":{\"any\":[3]}}", "filters.department.any", SH_INVALID},
        {"{\"min_priority\":\"3\"}", "filters.min_priority", SH_INVALID},
        {"{\"min_priority\":9}", "filters.min_priority", SH_INVALID},
        {"{\"min_priority\":2.5}", "filters.min_priority", SH_INVALID},
        {"{\"max_clearance\":0}", "filters.max_clearance", SH_INVALID},
        {"{\"metadata\":3}", "filters.metadata", SH_INVALID},
        {"{\"metadata\":{\"y\":{\"gtee\":1}}}", "filters.metadata.y.gtee", SH_INVALID},
        {"{\"metadata\":{\"y\":{\"gte\":true}}}", "filters.metadata.y.gte", SH_INVALID},
        {"{\"metadata\":{\"y\":{\"gte\":\"x\"}}}", "filters.metadata.y.gte", SH_INVALID},
        {"{\"metadata\":{\"y\":{\"gte\":1,\"lt\":\"2020-01-01\"}}}",
         "filters.metadata.y.lt", SH_INVALID},
        {"{\"metadata\":{\"y\":{\"any\":1}}}", "filters.metadata.y.any", SH_INVALID},
        {"{\"metadata\":{\"y\":{\"any\":[{}]}}}", "filters.metadata.y.any", SH_INVALID},
        {"{\"metadata\":{\"y\":{\"exists\":1}}}", "filters.metadata.y.exists",
         SH_INVALID},
        {"{\"metadata\":{\"y\":{\"geo\":{\"lat\":91,\"lon\":0,\"radius_km\":1}}}}",
         "filters.metadata.y.geo.lat", SH_INVALID},
        {"{\"metadata\":{\"y\":{\"geo\":{\"lat\":1,\"lon\":0}}}}",
         "filters.metadata.y.geo.radius_km", SH_INVALID},
        {"{\"metadata\":{\"y\":{\"cone\":{\"ra\":361,\"dec\":0,\"radius_deg\":1}}}}",
         "filters.metadata.y.cone.ra", SH_INVALID},
        {"{\"metadata\":{\"y\":{\"cone\":{\"ra\":1,\"dec\":0,\"radius_deg\":181}}}}",
         "filters.metadata.y.cone.radius_deg", SH_INVALID},
        {"{\"metadata\":{\"y\":{\"gte\":\"2026-02-30\"}}}", "filters.metadata.y.gte",
         SH_INVALID},
        {"{\"any\":{}}", "filters.any", SH_INVALID},
        {"{\"any\":[3]}", "filters.any[0]", SH_INVALID},
        {"{\"any\":[{},{\"x\":1}]}", "filters.any[1].x", SH_INVALID},
    };
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        struct sh_arena arena = {0};
        struct filter *filter = NULL;
        struct filter_problem problem = {{0}, {0}};
        assert_int_equal(compile(cases[i].json, &everyone, &arena, &filter, &problem),
                         cases[i].err);
        assert_null(filter);
        assert_string_equal(problem.field, cases[i].field);
        assert_true(strlen(problem.message) > 0);
        sh_arena_free(&arena);
    }
}

static void long_names_keep_the_field_a_text(void **state)
{
    (void)state;
    struct sh_buffer json = {0};
    struct sh_arena arena = {0};
    struct filter *filter = NULL;
    struct filter_problem problem;
    for (size_t shift = 0; shift < 4; shift++) {
        sh_buffer_clear(&json);
        sh_buffer_text(&json, "{\"");
        sh_buffer_append(&json, "xxx", shift);
        for (int i = 0; i < 400; i++)
            sh_buffer_text(&json, "東");
        sh_buffer_text(&json, "\":1}");
        assert_int_equal(
            filter_compile(sh_buffer_bytes(&json), &everyone, &arena, &filter, &problem),
            SH_INVALID);
        size_t len = strlen(problem.field);
        assert_in_range(len, 200, sizeof(problem.field) - 1);
        assert_memory_equal(problem.field + len - 3, "東", 3);
    }
    sh_arena_free(&arena);
    sh_buffer_free(&json);
}

static void campuses_are_known_by_key_and_name(void **state)
{
    (void)state;
    assert_int_equal(campus_find(sh_bytes_of("easter_bush")), CAMPUS_easter_bush);
    assert_int_equal(campus_find(sh_bytes_of("Western General")), CAMPUS_western_general);
    assert_int_equal(campus_find(sh_bytes_of("Mars")), CAMPUS_COUNT);
    assert_true(campus_same(sh_bytes_of("Mars"), sh_bytes_of("Mars")));
    assert_false(campus_same(sh_bytes_of("Mars"), sh_bytes_of("Venus")));
    assert_false(campus_same(sh_bytes_of(""), sh_bytes_of("")));
}

static void hostile_metadata_is_bounded(void **state)
{
    (void)state;
    struct sh_buffer json = {0};
    struct metadata *metadata = NULL;
    for (int i = 0; i < 1000; i++)
        sh_buffer_text(&json, "{\"aaaaaaaaaaaaaaaaaaaa\":");
    sh_buffer_text(&json, "1");
    for (int i = 0; i < 1000; i++)
        sh_buffer_text(&json, "}");
    assert_int_equal(metadata_parse(sh_buffer_bytes(&json), &metadata), SH_OK);
    assert_int_equal(metadata->count, 0);
    sh_free(metadata);
    assert_int_equal(metadata_parse(sh_bytes_of("{\"a\":\"\xff\"}"), &metadata),
                     SH_INVALID);
    assert_int_equal(metadata_parse(sh_bytes_of("7"), &metadata), SH_INVALID);
    assert_int_equal(metadata_parse(sh_bytes_of(""), &metadata), SH_OK);
    sh_free(metadata);
    sh_buffer_free(&json);
}

/* The record writes 1e300 out, which no integer holds. */
static void large_numbers_are_numbers(void **state)
{
    (void)state;
    struct sh_buffer json = {0};
    struct metadata *metadata = NULL;
    sh_buffer_text(&json, "{\"a\":1");
    for (int i = 0; i < 300; i++)
        sh_buffer_text(&json, "0");
    sh_buffer_text(&json, ",\"b\":9223372036854775808}");
    assert_int_equal(metadata_parse(sh_buffer_bytes(&json), &metadata), SH_OK);
    assert_int_equal(metadata->count, 2);
    for (size_t i = 0; i < metadata->count; i++)
        assert_true(metadata->values[i].type == METADATA_NUMBER &&
                    metadata->values[i].number > 9e18);
    sh_free(metadata);
    sh_buffer_free(&json);
}

static void survives_every_allocation_failure(void **state)
{
    (void)state;
    static const char json[] =
        "{\"department\":\"IT\",\"any\":[{\"metadata\":{\"p\":{\"geo\":{\"lat\":1,"
        "\"lon\":2,\"radius_km\":3}},\"t\":{\"any\":[\"a\",\"b\"]}}}]}";
    int failures = 0;
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        struct sh_arena arena = {0};
        struct filter *filter = NULL;
        struct filter_problem problem;
        sh_mem_fail_after(failures);
        err = compile(json, &everyone, &arena, &filter, &problem);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
        sh_arena_free(&arena);
    }
    assert_true(failures > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_condition_matches_what_it_says),
        cmocka_unit_test(faults_name_their_field),
        cmocka_unit_test(long_names_keep_the_field_a_text),
        cmocka_unit_test(campuses_are_known_by_key_and_name),
        cmocka_unit_test(hostile_metadata_is_bounded),
        cmocka_unit_test(large_numbers_are_numbers),
        cmocka_unit_test(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
