/* The promises of filter_sql.h and sql.h: the same documents as oracle_match() takes, by
 * a real PostgreSQL (without the vector extension), and no value ever in the text. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/search/pgvector/filter_sql.h"
#include "shared/date.h"
#include "shared/pg_array.h"
#include "tests/support/migrate.h"
#include "tests/support/servers.h"
#include "tests/unit/search/filter_oracle.h"

struct stored {
    const char *id;
    const char *collection;
    const char *department; /* NULL: none */
    const char *campus;
    unsigned priority; /* 0: none */
    unsigned clearance;
    const char *metadata;
};

static const struct stored documents[] = {
    {"plain", "default", NULL, NULL, 0, 1, "{}"},
    {"it", "policies", "IT", "King's Buildings", 3, 2,
     "{\"lang\":\"en\",\"year\":2020,\"ratio\":0.5,\"open\":true,"
     "\"tags\":[\"a\",\"b\",3],\"none\":null,\"last_reviewed\":\"2024-08-15T10:30:00\","
     "\"position\":{\"lat\":55.95,\"lon\":-3.19},\"deep\":{\"er\":{\"x\":\"y\"}}}"},
    {"hr", "policies", "HR", "kings_buildings", 5, 3,
     "{\"lang\":\"de\",\"year\":2021.0,\"open\":false,\"tags\":[\"b\",true],"
     "\"last_reviewed\":\"2024-02-30\",\"position\":{\"lat\":-10,\"lon\":200},"
     "\"sky\":{\"ra\":296.0033,\"dec\":44.279}}"},
    {"dotted", "x", "IT", "central", 1, 4,
     "{\"a.b\":1,\"a\":{\"b\":2,\"c.d\":{\"e\":\"f\"}},\"position.lat\":55.9,"
     "\"position.lon\":-3.2}"},
    {"odd", "x", "", "", 2, 5,
     "{\"lang\":[[\"en\"]],\"year\":\"2020\",\"tags\":[],\"empty\":{},\"nulls\":[null],"
     "\"hollow\":{\"x\":null},\"last_reviewed\":\"2024-08-15T12:30+02:00\","
     "\"department\":\"ghost\"}"},
    {"numbers", "x", "Library", "Moon", 4, 1,
     "{\"big\":12345678901234567890,\"huge\":1e300,\"tiny\":1e-320,\"year\":[1999,2020],"
     "\"minus\":-0.0,\"third\":0.1,\"last_reviewed\":\"2024-08-15\"}"},
    {"deep", "x", "IT", NULL, 0, 2,
     "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{\"h\":1,\"i\":{\"j\":1}}}}}}}}}"},
    {"hostile'); DROP TABLE documents; --", "it's", "O'Brien\\", "\"", 1, 1,
     "{\"'; DROP TABLE chunks; --\":\"'); DELETE FROM documents; --\","
     "\"lang\":\"\\\\' OR true --\",\"$1\":\"$2\",\"%s\":\"%n\"}"},
    {"dates", "x", "IT", NULL, 0, 1,
     "{\"last_reviewed\":[\"2023-12-31T23:59:60.5Z\",\"2024-08-15 10:30\",\"soon\"]}"},
};

static const char *const filters[] = {
    "",
    "{}",
    "{\"department\":\"IT\"}",
    "{\"department\":\"it\"}",
    "{\"department\":\"\"}",
    "{\"department\":{\"any\":[\"HR\",\"IT\"]}}",
    "{\"department\":{\"none\":[\"HR\",\"IT\"]}}",
    "{\"department\":{\"exists\":true}}",
    "{\"campus\":{\"exists\":false}}",
    "{\"campus\":\"kings_buildings\"}",
    "{\"campus\":\"King's Buildings\"}",
    "{\"campus\":\"Central Campus\"}",
    "{\"campus\":\"Moon\"}",
    "{\"campus\":\"\\\"\"}",
    "{\"min_priority\":0}",
    "{\"min_priority\":3}",
    "{\"max_clearance\":2}",
    "{\"clearance_level\":2}",
    "{\"document_id\":{\"any\":[\"it\",\"hr\"]}}",
    "{\"document_id\":\"hostile'); DROP TABLE documents; --\"}",
    "{\"collection\":\"it's\"}",
    "{\"department\":\"O'Brien\\\\\"}",
    "{\"metadata\":{}}",
    "{\"metadata\":{\"lang\":\"en\"}}",
    "{\"metadata\":{\"lang\":\"\\\\' OR true --\"}}",
    "{\"metadata\":{\"'; DROP TABLE chunks; --\":\"'); DELETE FROM documents; --\"}}",
    "{\"metadata\":{\"$1\":\"$2\"}}",
    "{\"metadata\":{\"%s\":{\"exists\":true}}}",
    "{\"metadata\":{\"year\":2020}}",
    "{\"metadata\":{\"year\":2021}}",
    "{\"metadata\":{\"year\":\"2020\"}}",
    "{\"metadata\":{\"third\":0.1}}",
    "{\"metadata\":{\"third\":0.10000000000000002}}",
    "{\"metadata\":{\"big\":12345678901234567000}}",
    "{\"metadata\":{\"huge\":{\"gt\":1e299}}}",
    "{\"metadata\":{\"minus\":0}}",
    "{\"metadata\":{\"open\":true}}",
    "{\"metadata\":{\"open\":false}}",
    "{\"metadata\":{\"open\":1}}",
    "{\"metadata\":{\"tags\":true}}",
    "{\"metadata\":{\"year\":{\"gte\":2020,\"lt\":2021}}}",
    "{\"metadata\":{\"year\":{\"gt\":2020}}}",
    "{\"metadata\":{\"year\":{\"lte\":2020}}}",
    "{\"metadata\":{\"year\":{\"gte\":2021,\"lte\":2019}}}",
    "{\"metadata\":{\"lang\":{\"gte\":1}}}",
    "{\"metadata\":{\"last_reviewed\":{\"gte\":\"2024-08-15\"}}}",
    "{\"metadata\":{\"last_reviewed\":{\"lt\":\"2024-08-15T10:30:00Z\"}}}",
    "{\"metadata\":{\"last_reviewed\":{\"lte\":\"2024-08-15T12:30+02:00\"}}}",
    ("{\"metadata\":{\"last_reviewed\":{\"gt\":\"2023-12-31T23:59:59\","
     "\"lt\":\"2024-01-01T00:00:01\"}}}"),
    "{\"metadata\":{\"last_reviewed\":\"soon\"}}",
    "{\"metadata\":{\"last_reviewed\":{\"exists\":true}}}",
    "{\"metadata\":{\"tags\":\"b\"}}",
    "{\"metadata\":{\"tags\":3}}",
    "{\"metadata\":{\"tags\":{\"any\":[\"x\",\"a\"]}}}",
    "{\"metadata\":{\"tags\":{\"any\":[]}}}",
    "{\"metadata\":{\"tags\":{\"all\":[\"a\",\"b\"]}}}",
    "{\"metadata\":{\"tags\":{\"none\":[\"x\",\"a\"]}}}",
    "{\"metadata\":{\"tags\":{\"exists\":true}}}",
    "{\"metadata\":{\"none\":{\"exists\":true}}}",
    "{\"metadata\":{\"nulls\":{\"exists\":true}}}",
    "{\"metadata\":{\"empty\":{\"exists\":true}}}",
    "{\"metadata\":{\"hollow\":{\"exists\":true}}}",
    "{\"metadata\":{\"position\":{\"exists\":true}}}",
    "{\"metadata\":{\"pos\":{\"exists\":true}}}",
    "{\"metadata\":{\"position.lat\":{\"exists\":true}}}",
    "{\"metadata\":{\"a\":{\"exists\":true}}}",
    "{\"metadata\":{\"a.b\":1}}",
    "{\"metadata\":{\"a.b\":2}}",
    "{\"metadata\":{\"a.c\":{\"exists\":true}}}",
    "{\"metadata\":{\"a.c.d\":{\"exists\":true}}}",
    "{\"metadata\":{\"a.c.d.e\":\"f\"}}",
    "{\"metadata\":{\"a.b.c.d.e.f.g.h\":1}}",
    "{\"metadata\":{\"a.b.c.d.e.f.g.i.j\":1}}",
    "{\"metadata\":{\"a.b.c.d.e.f.g.i\":{\"exists\":true}}}",
    "{\"metadata\":{\"deep.er.x\":\"y\"}}",
    "{\"metadata\":{\"department\":\"IT\"}}",
    "{\"metadata\":{\"department\":\"ghost\"}}",
    "{\"metadata\":{\"department\":{\"exists\":true}}}",
    "{\"metadata\":{\"priority\":{\"gte\":3}}}",
    "{\"metadata\":{\"clearance_level\":2}}",
    "{\"metadata\":{\"campus\":\"central\"}}",
    ("{\"metadata\":{\"position\":{\"geo\":{\"lat\":55.86,\"lon\":-4.25,"
     "\"radius_km\":70}}}}"),
    ("{\"metadata\":{\"position\":{\"geo\":{\"lat\":55.86,\"lon\":-4.25,"
     "\"radius_km\":60}}}}"),
    ("{\"metadata\":{\"position\":{\"geo\":{\"lat\":-10,\"lon\":-160,"
     "\"radius_km\":1}}}}"),
    "{\"metadata\":{\"lang\":{\"geo\":{\"lat\":0,\"lon\":0,\"radius_km\":9}}}}",
    "{\"metadata\":{\"sky\":{\"cone\":{\"ra\":295,\"dec\":45,\"radius_deg\":1.02}}}}",
    "{\"metadata\":{\"sky\":{\"cone\":{\"ra\":295,\"dec\":45,\"radius_deg\":1.01}}}}",
    "{\"any\":[{\"department\":\"HR\"},{\"min_priority\":2}]}",
    "{\"any\":[]}",
    "{\"all\":[{\"department\":\"IT\"},{\"min_priority\":3}]}",
    "{\"none\":[{\"department\":\"HR\"}]}",
    "{\"none\":[{\"department\":\"IT\",\"min_priority\":3}]}",
    "{\"none\":[]}",
    "{\"any\":[{\"none\":[{\"all\":[{\"department\":\"HR\"}]}]}]}",
};

static const struct caller callers[] = {
    {.clearance = 5, .all_departments = true, .department = {"IT", 2}},
    {.clearance = 0},
    {.clearance = 3, .department = {"HR", 2}},
    {.clearance = 5, .department = {"O'Brien\\", 8}},
    {.clearance = 5},
};

/* --- fixture ---------------------------------------------------------------------- */

static PGconn *db;

static void store(const struct stored *document)
{
    char priority[12];
    char clearance[12];
    const char *values[] = {document->id,
                            document->collection,
                            document->department,
                            document->campus,
                            document->priority > 0 ? priority : NULL,
                            clearance,
                            document->metadata};
    (void)snprintf(priority, sizeof(priority), "%u", document->priority);
    (void)snprintf(clearance, sizeof(clearance), "%u", document->clearance);
    PGresult *result =
        PQexecParams(db,
                     "INSERT INTO documents (id, collection, department, campus, "
                     "priority, clearance_level, metadata) VALUES ($1,$2,$3,$4,$5,$6,$7)",
                     SH_COUNT(values), NULL, values, NULL, NULL, 0);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", document->id, PQresultErrorMessage(result));
    PQclear(result);
}

static int set_up(void **state)
{
    (void)state;
    db = servers_connect();
    migrate_afresh(db);
    for (size_t i = 0; i < SH_COUNT(documents); i++)
        store(&documents[i]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    PQfinish(db);
    return 0;
}

/* The ids that the condition takes, in order, each in brackets. */
static void select_ids(const struct filter *filter, struct sh_buffer *ids)
{
    struct sh_arena arena = {0};
    struct sql sql = {.arena = &arena};
    struct sh_buffer texts = {0};
    struct sh_buffer numbers = {0};

    sql_add(&sql, "SELECT id FROM documents AS d WHERE ");
    filter_sql(filter, &sql);
    /* Both parameters need a type even where the condition has no such value. */
    sql_add(&sql, " AND $1::text[] IS NOT NULL AND $2::float8[] IS NOT NULL ORDER BY id");
    assert_int_equal(sql_end(&sql, &texts, &numbers), SH_OK);
    const char *values[] = {texts.data, numbers.data};
    int lengths[] = {(int)texts.len, (int)numbers.len};
    int formats[] = {1, 1};
    PGresult *result =
        PQexecParams(db, sql.text.data, 2, NULL, values, lengths, formats, 0);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s\n%s", sql.text.data, PQresultErrorMessage(result));
    for (int row = 0; row < PQntuples(result); row++)
        sh_buffer_printf(ids, "[%s]", PQgetvalue(result, row, 0));
    PQclear(result);
    sh_buffer_append(ids, "", 1);
    sql_free(&sql);
    sh_buffer_free(&texts);
    sh_buffer_free(&numbers);
    sh_arena_free(&arena);
}

/* A document's metadata as answers show it, which is what views filter by. */
static struct metadata *shown_metadata(const char *id)
{
    struct metadata *metadata = NULL;
    PGresult *result =
        PQexecParams(db, "SELECT " FILTER_SQL_METADATA " FROM documents d WHERE id = $1",
                     1, NULL, &id, NULL, NULL, 0);

    assert_int_equal(PQntuples(result), 1);
    assert_int_equal(metadata_parse(sh_bytes_of(PQgetvalue(result, 0, 0)), &metadata),
                     SH_OK);
    PQclear(result);
    return metadata;
}

static bool takes(const struct filter *filter, const struct stored *document)
{
    struct metadata *metadata = shown_metadata(document->id);
    struct filter_row row = {.id = sh_bytes_of(document->id),
                             .collection = sh_bytes_of(document->collection),
                             .priority = document->priority,
                             .clearance_level = document->clearance,
                             .metadata = metadata};
    if (document->department)
        row.department = sh_bytes_of(document->department);
    if (document->campus)
        row.campus = sh_bytes_of(document->campus);
    bool taken = oracle_match(filter, &row);
    sh_free(metadata);
    return taken;
}

static enum sh_err compile(const char *json, const struct caller *caller,
                           struct sh_arena *arena, struct filter **filter)
{
    struct filter_problem problem;

    return filter_compile(sh_bytes_of(json), caller, arena, filter, &problem);
}

/* --- tests ------------------------------------------------------------------------ */

static bool is_among(const struct stored *document, const struct sh_buffer *ids)
{
    char needle[128];

    (void)snprintf(needle, sizeof(needle), "[%s]", document->id);
    return strstr(ids->data, needle) != NULL;
}

static size_t compare_ids(const struct filter *filter, const char *json)
{
    struct sh_buffer ids = {0};
    size_t taken = 0;

    select_ids(filter, &ids);
    for (size_t i = 0; i < SH_COUNT(documents); i++) {
        bool found = is_among(&documents[i], &ids);
        if (found != takes(filter, &documents[i]))
            fail_msg("%s: %s must%s be among %s", json, documents[i].id,
                     found ? " not" : "", ids.data);
        taken += found;
    }
    sh_buffer_free(&ids);
    return taken;
}

static size_t compare(const char *json, const struct caller *caller)
{
    struct sh_arena arena = {0};
    struct filter *filter = NULL;
    size_t taken = 0;

    if (compile(json, caller, &arena, &filter) == SH_OK)
        taken = compare_ids(filter, json);
    sh_arena_free(&arena);
    return taken;
}

static void the_database_takes_what_the_filter_takes(void **state)
{
    size_t taken = 0;

    (void)state;
    for (size_t c = 0; c < SH_COUNT(callers); c++) {
        for (size_t i = 0; i < SH_COUNT(filters); i++)
            taken += compare(filters[i], &callers[c]);
    }
    assert_true(taken > SH_COUNT(filters)); /* it is not all empty */
    assert_string_equal(servers_sql(db, "SELECT count(*) FROM documents"), "9");
}

static void dates_are_read_alike(void **state)
{
    static const char *const texts[] = {
        "2024",
        "2024-08-15",
        "2024-08-15T",
        "2024-08-15T10",
        "2024-08-15T10:30",
        "2024-08-15t10:30:00z",
        "2024-08-15 10:30:00.25",
        "2024-08-15T10:30:00.",
        "2024-08-15T10:30.5",
        "2024-08-15T10:30:60Z",
        "2024-08-15T10:30:61Z",
        "2024-08-15T23:59:59+23:59",
        "2024-08-15T23:59:59-0130",
        "2024-08-15T24:00",
        "2024-08-15T10:60",
        "2024-08-15T10:30+24:00",
        "2024-08-15T10:30+01",
        "2024-08-15Z",
        "2024-02-29",
        "2023-02-29",
        "1900-02-29",
        "2000-02-29",
        "0000-01-01",
        "0001-01-01",
        "9999-12-31T23:59:59Z",
        "2024-00-10",
        "2024-13-10",
        "2024-04-31",
        "2024-08-15T10:30:00Z ",
        "20240815T1030",
        "2024-08-15T10:30:00.1234567890123456789012",
    };

    (void)state;
    for (size_t i = 0; i < SH_COUNT(texts); i++) {
        double expected = 0;
        bool dated = sh_date_parse(sh_bytes_of(texts[i]), &expected);
        PGresult *result =
            PQexecParams(db, "SELECT metadata_date(to_jsonb($1::text))::float8", 1, NULL,
                         &texts[i], NULL, NULL, 0);
        assert_int_equal(PQntuples(result), 1);
        if (PQgetisnull(result, 0, 0) == dated)
            fail_msg("%s: not %d", texts[i], dated);
        if (dated)
            assert_true(fabs(strtod(PQgetvalue(result, 0, 0), NULL) - expected) < 1e-6);
        PQclear(result);
    }
}

/* What no view could hold is no error for those who search. */
static void numbers_beyond_all_bounds_are_none(void **state)
{
    (void)state;
    assert_string_equal(servers_sql(db, "SELECT metadata_number('1e400') IS NULL AND "
                                        "metadata_number('-1e400') IS NULL"),
                        "t");
    assert_string_equal(servers_sql(db, "SELECT metadata_number('1e-400')"), "0");
    assert_string_equal(servers_sql(db, "SELECT metadata_number('\"1\"') IS NULL"), "t");
}

static void values_are_never_part_of_the_text(void **state)
{
    static const char hostile[] =
        "{\"metadata\":{\"QQ'QQ\":\"QQ'); DROP TABLE documents; --\",\"QQ.QQ\":{\"any\":"
        "[\"QQ\",7777]},\"QQ\":{\"gte\":7777,\"lt\":\"2024-08-15\"}},"
        "\"department\":\"QQ\",\"campus\":\"QQ\",\"document_id\":{\"none\":[\"QQ\"]}}";
    static const char allowed[] =
        "{\"metadata\":{\"QQ'QQ\":\"QQ'); DROP TABLE documents; --\",\"QQ.QQ\":{\"any\":"
        "[\"QQ\",7777]},\"QQ\":{\"gte\":7777,\"exists\":true},\"Q.Q\":{\"geo\":{\"lat\":"
        "77,\"lon\":77,\"radius_km\":7777}}},"
        "\"department\":\"QQ\",\"campus\":\"QQ\",\"document_id\":{\"none\":[\"QQ\"]}}";
    struct sh_arena arena = {0};
    struct sql sql = {.arena = &arena};
    struct sh_buffer texts = {0};
    struct sh_buffer numbers = {0};
    struct filter *filter = NULL;
    struct caller caller = {.clearance = 3, .department = {"QQ", 2}};

    (void)state;
    assert_int_equal(compile(hostile, &caller, &arena, &filter), SH_INVALID);
    assert_int_equal(compile(allowed, &caller, &arena, &filter), SH_OK);
    filter_sql(filter, &sql);
    assert_int_equal(sql_end(&sql, &texts, &numbers), SH_OK);
    assert_null(strstr(sql.text.data, "QQ"));
    assert_null(strstr(sql.text.data, "77"));
    assert_null(strstr(sql.text.data, "DROP"));
    assert_true(sql.text_count > 8);
    assert_true(sql.number_count > 4);
    sql_free(&sql);
    sh_buffer_free(&texts);
    sh_buffer_free(&numbers);
    sh_arena_free(&arena);
}

static void a_thousand_conditions_are_one_statement(void **state)
{
    struct sh_buffer json = {0};

    (void)state;
    sh_buffer_text(&json, "{\"document_id\":{\"any\":[\"it\"");
    for (int i = 0; i < 1000; i++)
        sh_buffer_printf(&json, ",\"none-%d\"", i);
    sh_buffer_text(&json, "]}}");
    sh_buffer_append(&json, "", 1);
    assert_int_equal(compare(json.data, &callers[0]), 1);
    sh_buffer_free(&json);
}

static void every_failing_allocation_is_told(void **state)
{
    struct sh_arena arena = {0};
    struct filter *filter = NULL;
    int failures = 0;

    (void)state;
    assert_int_equal(compile(filters[5], &callers[2], &arena, &filter), SH_OK);
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        struct sql sql = {.arena = &arena};
        struct sh_buffer texts = {0};
        struct sh_buffer numbers = {0};
        sh_mem_fail_after(failures);
        filter_sql(filter, &sql);
        err = sql_end(&sql, &texts, &numbers);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
        sql_free(&sql);
        sh_buffer_free(&texts);
        sh_buffer_free(&numbers);
    }
    assert_true(failures > 1);
    sh_arena_free(&arena);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_database_takes_what_the_filter_takes),
        cmocka_unit_test(dates_are_read_alike),
        cmocka_unit_test(numbers_beyond_all_bounds_are_none),
        cmocka_unit_test(values_are_never_part_of_the_text),
        cmocka_unit_test(a_thousand_conditions_are_one_statement),
        cmocka_unit_test(every_failing_allocation_is_told),
    };

    (void)argc;
    servers_ensure(argv);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
