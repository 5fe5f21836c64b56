#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/search/collections/defaults.h"

static const struct defaults full = {.chunk_tokens = 64,
                                     .overlap_said = true,
                                     .language = {"de", 2},
                                     .department = {"Law", 3},
                                     .campus = {"Central", 7},
                                     .clearance_level = 3,
                                     .priority = 4};

static struct record_problem problem;

/* A document with this metadata in a collection that says `defaults`. */
static enum sh_err put(const char *metadata, const struct defaults *defaults,
                       struct sh_arena *arena, struct record *out)
{
    static const struct section section = {.text = {"some text", 9}};
    const struct document document = {.title = sh_bytes_of("Title"),
                                      .metadata = sh_bytes_of(metadata),
                                      .sections = &section,
                                      .sections_count = 1};
    enum sh_err err = record_check(&document, arena, out, &problem);

    assert_int_equal(err, SH_OK);
    err = defaults_fill(defaults, out, &problem);
    return err == SH_OK ? defaults_show(out, arena, &problem) : err;
}

static void what_is_not_said_is_inherited(void **state)
{
    struct sh_arena arena = {0};
    struct record record;

    (void)state;
    assert_int_equal(
        put("{\"x\":1,\"campus\":null,\"department\":\"\"}", &full, &arena, &record),
        SH_OK);
    assert_true(sh_bytes_is(record.department, "Law"));
    assert_true(sh_bytes_is(record.language, "de"));
    assert_int_equal(record.clearance_level, 3);
    assert_int_equal(record.inherited, 31);
    assert_true(sh_bytes_is(record.metadata,
                            "{\"campus\":\"Central\",\"clearance_level\":3,"
                            "\"department\":\"Law\",\"language\":\"de\",\"priority\":4,"
                            "\"x\":1}"));
    sh_arena_free(&arena);
}

static void a_documents_own_word_wins(void **state)
{
    static const char said[] = "{\"campus\":\"K\",\"clearance_level\":4,"
                               "\"department\":\"IT\",\"lang\":\"en\",\"priority\":1}";
    struct sh_arena arena = {0};
    struct record record;

    (void)state;
    assert_int_equal(put(said, &full, &arena, &record), SH_OK);
    assert_int_equal(record.inherited, 0);
    assert_true(sh_bytes_is(record.metadata, said));
    assert_int_equal(record.clearance_level, 4);
    sh_arena_free(&arena);
}

static void nothing_is_stored_below_the_collections_clearance(void **state)
{
    struct sh_arena arena = {0};
    struct record record;

    (void)state;
    assert_int_equal(put("{\"clearance_level\":2}", &full, &arena, &record), SH_INVALID);
    assert_string_equal(problem.field, "metadata.clearance_level");
    assert_int_equal(put("{\"clearance_level\":null}", &full, &arena, &record), SH_OK);
    assert_int_equal(record.clearance_level, 3);
    sh_arena_free(&arena);
}

static void hash_of(const char *metadata, const struct defaults *defaults,
                    char out[static RECORD_HASH_TEXT])
{
    struct sh_arena arena = {0};
    struct record record;

    assert_int_equal(put(metadata, defaults, &arena, &record), SH_OK);
    memcpy(out, record.hash, RECORD_HASH_TEXT);
    sh_arena_free(&arena);
}

static void another_default_is_another_content(void **state)
{
    static const struct defaults none = {0};
    struct defaults other = full;
    char plain[RECORD_HASH_TEXT], a[RECORD_HASH_TEXT], b[RECORD_HASH_TEXT];
    struct sh_arena arena = {0};
    struct record record;
    static const struct section section = {.text = {"some text", 9}};
    const struct document document = {
        .title = sh_bytes_of("Title"), .sections = &section, .sections_count = 1};

    (void)state;
    /* A collection that says nothing leaves the hash as it always was. */
    assert_int_equal(record_check(&document, &arena, &record, &problem), SH_OK);
    hash_of("", &none, plain);
    assert_string_equal(plain, record.hash);
    sh_arena_free(&arena);

    hash_of("", &full, a);
    assert_string_not_equal(a, plain);
    hash_of("", &full, b);
    assert_string_equal(a, b);
    other.department = sh_bytes_of("Lax");
    hash_of("", &other, b);
    assert_string_not_equal(a, b);
    other = full;
    other.chunk_tokens = 65;
    hash_of("", &other, b);
    assert_string_not_equal(a, b);
    /* What does not apply does not count. */
    other = full;
    other.priority = 5;
    hash_of("{\"priority\":2}", &full, a);
    hash_of("{\"priority\":2}", &other, b);
    assert_string_equal(a, b);
}

static void its_documents_are_cut_its_way(void **state)
{
    const struct chunk_options own = {400, 15};
    const struct defaults nothing = {0};
    struct chunk_options options = defaults_chunks(&full, &own);

    (void)state;
    assert_int_equal(options.tokens, 64);
    assert_int_equal(options.overlap_percent, 0);
    options = defaults_chunks(&nothing, &own);
    assert_int_equal(options.tokens, 400);
    assert_int_equal(options.overlap_percent, 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_said_is_inherited),
        cmocka_unit_test(a_documents_own_word_wins),
        cmocka_unit_test(nothing_is_stored_below_the_collections_clearance),
        cmocka_unit_test(another_default_is_another_content),
        cmocka_unit_test(its_documents_are_cut_its_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
