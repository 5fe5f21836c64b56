#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/search/ingest/moment.h"
#include "services/search/ingest/prepare.h"
#include "services/search/ingest/record.h"
#include "shared/buffer.h"

static struct record_problem problem;

/* Checks a document of one section; what it leaves lives in `arena`. */
static enum sh_err check(const char *metadata, struct sh_arena *arena, struct record *out)
{
    const struct section section = {.text = sh_bytes_of("some text")};
    struct section *sections = sh_arena_alloc(arena, sizeof(section));
    struct document document = {.id = sh_bytes_of("d1"),
                                .title = sh_bytes_of("Title"),
                                .metadata = sh_bytes_of(metadata),
                                .sections = sections,
                                .sections_count = 1};

    *sections = section;
    memset(&problem, 0, sizeof(problem));
    return record_check(&document, arena, out, &problem);
}

static void expect_wrong(const char *metadata, const char *field)
{
    struct sh_arena arena = {0};
    struct record record;

    assert_int_equal(check(metadata, &arena, &record), SH_INVALID);
    assert_string_equal(problem.field, field);
    assert_true(problem.message[0] != '\0');
    sh_arena_free(&arena);
}

static void columns_come_out_of_the_metadata(void **state)
{
    struct sh_arena arena = {0};
    struct record record;

    (void)state;
    assert_int_equal(check("{\"priority\":4,\"department\":\"IT\",\"campus\":\"K\","
                           "\"clearance_level\":3,\"lang\":\"en\",\"x\":[1],"
                           "\"last_reviewed\":\"2024-08-15T10:30:00\"}",
                           &arena, &record),
                     SH_OK);
    assert_true(sh_bytes_is(record.department, "IT"));
    assert_true(sh_bytes_is(record.campus, "K"));
    assert_true(sh_bytes_is(record.language, "en"));
    assert_true(sh_bytes_is(record.last_reviewed, "2024-08-15T10:30:00Z"));
    assert_int_equal(record.priority, 4);
    assert_int_equal(record.clearance_level, 3);
    assert_true(sh_bytes_is(
        record.metadata, "{\"campus\":\"K\",\"clearance_level\":3,\"department\":\"IT\","
                         "\"lang\":\"en\",\"last_reviewed\":\"2024-08-15T10:30:00\","
                         "\"priority\":4,\"x\":[1]}"));
    sh_arena_free(&arena);
}

static void without_metadata_a_document_is_public(void **state)
{
    struct sh_arena arena = {0};
    struct record record;

    (void)state;
    assert_int_equal(check("", &arena, &record), SH_OK);
    assert_int_equal(record.clearance_level, 1);
    assert_int_equal(record.priority, 0);
    assert_int_equal(record.department.len, 0);
    assert_true(sh_bytes_is(record.metadata, "{}"));
    assert_true(sh_bytes_is(record.collection, "default"));
    sh_arena_free(&arena);
}

static void wrong_types_are_named(void **state)
{
    (void)state;
    expect_wrong("[]", "metadata");
    expect_wrong("{", "metadata");
    expect_wrong("{} x", "metadata");
    expect_wrong("{\"a\":\"\\u0000\"}", "metadata");
    expect_wrong("{\"priority\":\"high\"}", "metadata.priority");
    expect_wrong("{\"priority\":0}", "metadata.priority");
    expect_wrong("{\"priority\":6}", "metadata.priority");
    expect_wrong("{\"priority\":2.5}", "metadata.priority");
    expect_wrong("{\"clearance_level\":true}", "metadata.clearance_level");
    expect_wrong("{\"department\":7}", "metadata.department");
    expect_wrong("{\"campus\":{}}", "metadata.campus");
    expect_wrong("{\"language\":1}", "metadata.language");
    expect_wrong("{\"last_reviewed\":\"yesterday\"}", "metadata.last_reviewed");
    expect_wrong("{\"last_reviewed\":12}", "metadata.last_reviewed");
}

/* An object of one list of `count` times `item`. */
static enum sh_err check_list(const char *item, size_t count)
{
    struct sh_arena arena = {0};
    struct record record;
    struct sh_buffer json = {0};

    sh_buffer_text(&json, "{\"a\":[");
    for (size_t i = 0; i < count; i++)
        sh_buffer_printf(&json, "%s%s", i > 0 ? "," : "", item);
    sh_buffer_append(&json, "]}", 3);
    enum sh_err err = check((const char *)json.data, &arena, &record);
    sh_buffer_free(&json);
    sh_arena_free(&arena);
    return err;
}

/* The record spaces lists and writes numbers out: what it gives back must still fit. */
static void metadata_is_measured_as_it_comes_back(void **state)
{
    (void)state;
    assert_int_equal(check_list("1", 21800), SH_OK);
    assert_int_equal(check_list("1", 22000), SH_INVALID);
    assert_string_equal(problem.field, "metadata");
    assert_int_equal(check_list("1e300", 190), SH_OK);
    assert_int_equal(check_list("1e300", 220), SH_INVALID);
    assert_int_equal(check_list("1e-300", 220), SH_INVALID);
    assert_int_equal(check_list("\"1e300,:\\\"\"", 3600), SH_OK);
    assert_int_equal(check_list("true", 10900), SH_OK);
}

static void problems_are_sentences(void **state)
{
    (void)state;
    expect_wrong("{\"department\":7}", "metadata.department");
    assert_string_equal(problem.message, "metadata.department must be a text");
}

static enum sh_err check_id(const char *id, size_t len)
{
    struct sh_arena arena = {0};
    struct record record;
    struct document document = {.id = {id, len}, .title = sh_bytes_of("Title")};
    enum sh_err err = record_check(&document, &arena, &record, &problem);

    sh_arena_free(&arena);
    return err;
}

static void ids_have_no_control_characters(void **state)
{
    char longest[257];

    (void)state;
    memset(longest, 'x', sizeof(longest));
    assert_int_equal(check_id(longest, 256), SH_OK);
    assert_int_equal(check_id(longest, 257), SH_INVALID);
    assert_int_equal(check_id("a\nb", 3), SH_INVALID);
    assert_int_equal(check_id("a\0b", 3), SH_INVALID);
    assert_int_equal(check_id("a\x7f", 2), SH_INVALID);
    assert_int_equal(check_id("a\xc2\x85", 3), SH_INVALID);
    assert_string_equal(problem.field, "id");
    assert_int_equal(check_id("\xc3\xa9\xc2\xa0/#?", 7), SH_OK);
}

static void a_document_says_something(void **state)
{
    struct sh_arena arena = {0};
    struct record record;
    const struct section blank = {.text = sh_bytes_of(" \n\t")};
    const struct section nul = {.text = {"a\0b", 3}};
    struct document document = {.sections = &blank, .sections_count = 1};

    (void)state;
    assert_int_equal(record_check(&document, &arena, &record, &problem), SH_INVALID);
    assert_string_equal(problem.field, "text");
    document.title = sh_bytes_of("T");
    assert_int_equal(record_check(&document, &arena, &record, &problem), SH_OK);
    document.sections = &nul;
    assert_int_equal(record_check(&document, &arena, &record, &problem), SH_INVALID);
    assert_string_equal(problem.field, "sections");
    sh_arena_free(&arena);
}

/* --- the hash --------------------------------------------------------------------- */

static void hash_of(struct document document, char out[static RECORD_HASH_TEXT])
{
    struct sh_arena arena = {0};
    struct record record;

    assert_int_equal(record_check(&document, &arena, &record, &problem), SH_OK);
    memcpy(out, record.hash, RECORD_HASH_TEXT);
    assert_int_equal(strlen(out), 64);
    sh_arena_free(&arena);
}

static void equal_content_hashes_alike(void **state)
{
    char first[RECORD_HASH_TEXT];
    char second[RECORD_HASH_TEXT];
    struct section ab[] = {{.text = sh_bytes_of("ab")}, {.text = sh_bytes_of("c")}};
    struct section a_bc[] = {{.text = sh_bytes_of("a")}, {.text = sh_bytes_of("bc")}};
    struct document document = {.id = sh_bytes_of("one"),
                                .title = sh_bytes_of("T"),
                                .metadata = sh_bytes_of("{\"a\": 1, \"b\":2}"),
                                .sections = ab,
                                .sections_count = 2};

    (void)state;
    hash_of(document, first);
    document.id = sh_bytes_of("two");
    document.metadata = sh_bytes_of("{\"b\":2,\"a\":1}");
    document.collection = sh_bytes_of("default");
    hash_of(document, second);
    assert_string_equal(first, second);

    document.sections = a_bc;
    hash_of(document, second);
    assert_string_not_equal(first, second);
    document.sections = ab;
    ab[1].page_number = 4;
    hash_of(document, second);
    assert_string_not_equal(first, second);
    ab[1].page_number = 0;
    document.collection = sh_bytes_of("other");
    hash_of(document, second);
    assert_string_not_equal(first, second);
}

static void new_ids_sort_by_time_and_differ(void **state)
{
    char first[64];
    char second[64];

    (void)state;
    record_new_id(first);
    record_new_id(second);
    assert_int_equal(strlen(first), 4 + 36);
    assert_int_equal(first[4 + 14], '7');
    assert_string_not_equal(first, second);
    assert_true(memcmp(first, second, 4 + 12) <= 0);
    assert_true(record_id_ok(sh_bytes_of(first)));
}

/* --- dates ------------------------------------------------------------------------ */

static void expect_moment(const char *text, const char *expected)
{
    char out[MOMENT_TEXT] = "";

    assert_int_equal(moment_parse(sh_bytes_of(text), out), expected != NULL);
    if (expected != NULL)
        assert_string_equal(out, expected);
}

static void dates_and_times_are_understood(void **state)
{
    (void)state;
    expect_moment("2024-02-29", "2024-02-29T00:00:00Z");
    expect_moment("2024-08-15T10:30:00", "2024-08-15T10:30:00Z");
    expect_moment("2024-08-15 10:30", "2024-08-15 10:30Z");
    expect_moment("2024-08-15T10:30:00.123+05:30", "2024-08-15T10:30:00.123+05:30");
    expect_moment("2024-08-15T10:30:00Z", "2024-08-15T10:30:00Z");
    expect_moment("2023-02-29", NULL);
    expect_moment("1900-02-29", NULL);
    expect_moment("2024-13-01", NULL);
    expect_moment("2024-00-01", NULL);
    expect_moment("0000-01-01", NULL);
    expect_moment("2024-1-1", NULL);
    expect_moment("2024-08-15T25:00", NULL);
    expect_moment("2024-08-15T", NULL);
    expect_moment("2024-08-15T10:30:00.Z", NULL);
    expect_moment("2024-08-15T10:30:00+0530", NULL);
    expect_moment("2024-08-15T10:30:00Z trailing", NULL);
    expect_moment("2024-08-15T10:30:00.1234567890123456789012345678", NULL);
    expect_moment("", NULL);
}

/* --- the whole preparation -------------------------------------------------------- */

static void prepare(const struct document *document, struct sh_arena *arena,
                    struct sh_buffer *wire, struct prepared *out, enum sh_err expected)
{
    struct document_put put = {.document = document, .document_count = document != NULL};
    struct chunk_options options = {.tokens = 40, .overlap_percent = 0};

    assert_int_equal(msg_encode(document_put_desc(), &put, wire), SH_OK);
    enum sh_err err = prepare_put(sh_buffer_bytes(wire), arena, out);
    if (err == SH_OK)
        err = prepare_cut(&options, arena, out);
    assert_int_equal(err, expected);
}

static void a_document_is_cut_and_hashed(void **state)
{
    struct sh_arena arena = {0};
    struct sh_buffer wire = {0};
    struct prepared doc;
    struct sh_buffer text = {0};

    (void)state;
    for (int i = 0; i < 30; i++)
        sh_buffer_printf(&text, "Sentence number %d is about something else.\n\n", i);
    const struct section section = {.title = sh_bytes_of("Part"),
                                    .text = sh_buffer_bytes(&text)};
    const struct document document = {
        .title = sh_bytes_of("Book"), .sections = &section, .sections_count = 1};
    prepare(&document, &arena, &wire, &doc, SH_OK);
    assert_true(doc.chunk_count > 3);
    assert_true(record_id_ok(doc.id));
    for (size_t i = 0; i < doc.chunk_count; i++) {
        const struct chunk *chunk = &doc.chunks[i];
        assert_int_equal(chunk->ordinal, i);
        /* What the record keeps in front of a passage gives its embedded text again. */
        assert_true(chunk->embed_text.len >= chunk->text.len);
        assert_memory_equal((const char *)chunk->embed_text.data + chunk->embed_text.len -
                                chunk->text.len,
                            chunk->text.data, chunk->text.len);
        if (i > 0)
            assert_memory_not_equal(doc.hashes, doc.hashes + i * 32, 32);
    }
    sh_buffer_free(&text);
    sh_buffer_free(&wire);
    sh_arena_free(&arena);
}

static void nonsense_is_refused(void **state)
{
    struct sh_arena arena = {0};
    struct sh_buffer wire = {0};
    struct prepared doc;

    (void)state;
    prepare(NULL, &arena, &wire, &doc, SH_INVALID);
    assert_true(doc.problem.message[0] != '\0');
    wire.len--;
    assert_int_equal(prepare_put(sh_buffer_bytes(&wire), &arena, &doc), SH_INVALID);
    assert_true(doc.problem.message[0] != '\0');
    sh_buffer_free(&wire);
    sh_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_come_out_of_the_metadata),
        cmocka_unit_test(without_metadata_a_document_is_public),
        cmocka_unit_test(wrong_types_are_named),
        cmocka_unit_test(metadata_is_measured_as_it_comes_back),
        cmocka_unit_test(problems_are_sentences),
        cmocka_unit_test(ids_have_no_control_characters),
        cmocka_unit_test(a_document_says_something),
        cmocka_unit_test(equal_content_hashes_alike),
        cmocka_unit_test(new_ids_sort_by_time_and_differ),
        cmocka_unit_test(dates_and_times_are_understood),
        cmocka_unit_test(a_document_is_cut_and_hashed),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
