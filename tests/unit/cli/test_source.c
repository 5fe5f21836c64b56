#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/cli/folder.h"

#include "cli/cairn/ingest/source.h"

static const char lines[] = "{\"title\":\"a\",\"collection\":\"own\",\"id\":\"i\"}\n"
                            "not json\n"
                            "\n"
                            "{\"title\":\"b\",\"metadata\":{\"department\":\"X\"}}";
static const char filled[] =
    "{\"title\":\"a\",\"collection\":\"own\",\"id\":\"i\","
    "\"metadata\":{\"department\":\"D\",\"priority\":2}}\n"
    "not json\n"
    "\n"
    "{\"title\":\"b\",\"metadata\":{\"department\":\"X\",\"priority\":2},"
    "\"id\":\"file-1-1f805ad5091e9fd0f1fc8dd502f4738e\",\"collection\":\"c\"}\n";

static char taken[4096];

static size_t take(struct source *source, size_t piece)
{
    size_t len = 0;
    for (size_t n = 1; n > 0; len += n) {
        assert_true(len + piece < sizeof(taken));
        n = source_read(source, taken + len, piece);
    }
    taken[len] = '\0';
    return len;
}

static json_t *defaults(void)
{
    return json_pack("{s:s, s:{s:s, s:i}}", "collection", "c", "metadata", "department",
                     "D", "priority", 2);
}

static void a_file_is_read_as_it_is(void **state)
{
    (void)state;
    char sha256[DIGEST_TEXT];
    char again[DIGEST_TEXT];
    struct source source;
    folder_write("f", lines);
    assert_true(source_open(&source, folder_path("f"), NULL));
    assert_int_equal(source.size, sizeof(lines) - 1);
    assert_int_equal(take(&source, 7), sizeof(lines) - 1);
    assert_string_equal(taken, lines);
    assert_true(source_rewind(&source));
    assert_int_equal(take(&source, 1000), sizeof(lines) - 1);
    assert_true(source_end(&source, sha256));
    assert_true(digest_file(folder_path("f"), again));
    assert_string_equal(sha256, again);
    source_close(&source);
}

static void lines_get_what_they_leave_open(void **state)
{
    (void)state;
    char sha256[DIGEST_TEXT];
    char plain[DIGEST_TEXT];
    struct source source;
    json_t *missing = defaults();
    const struct source_lines rest = {"file-1", missing};
    folder_write("f", lines);
    for (size_t piece = 1; piece < 400; piece += 13) {
        assert_true(source_open(&source, folder_path("f"), &rest));
        (void)take(&source, piece);
        assert_string_equal(taken, filled);
        assert_true(source_rewind(&source));
        (void)take(&source, piece);
        assert_string_equal(taken, filled);
        assert_true(source_end(&source, sha256));
        source_close(&source);
        /* of the bytes of the file, whatever becomes of them */
        assert_true(digest_file(folder_path("f"), plain));
        assert_string_equal(sha256, plain);
    }
    json_decref(missing);
}

static void a_change_while_it_is_read_is_noticed(void **state)
{
    (void)state;
    char sha256[DIGEST_TEXT];
    struct source source;
    folder_write("f", lines);
    assert_true(source_open(&source, folder_path("f"), NULL));
    (void)take(&source, 100);
    folder_write("f", "shorter");
    assert_false(source_end(&source, sha256));
    source_close(&source);
}

static void a_missing_file_is_an_error(void **state)
{
    (void)state;
    struct source source;
    assert_false(source_open(&source, folder_path("none"), NULL));
    source_close(&source);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_file_is_read_as_it_is),
        IN_FOLDER(lines_get_what_they_leave_open),
        IN_FOLDER(a_change_while_it_is_read_is_noticed),
        IN_FOLDER(a_missing_file_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
