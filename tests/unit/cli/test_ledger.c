#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>

#include "tests/unit/cli/folder.h"

#include "cli/cairn/ingest/ledger.h"

static const char server[] = "http://127.0.0.1:8080";

static struct ledger *open_one(void)
{
    struct ledger *ledger = ledger_open(folder, server);
    assert_non_null(ledger);
    return ledger;
}

static struct ledger_entry entry_of(uint64_t size)
{
    struct ledger_entry entry = {.size = size, .mtime_ns = 1700000000123456789};
    (void)snprintf(entry.as, sizeof(entry.as), "as");
    (void)snprintf(entry.sha256, sizeof(entry.sha256), "%064d", 7);
    (void)snprintf(entry.document, sizeof(entry.document), "d\"\\\xc3\xa4");
    (void)snprintf(entry.job, sizeof(entry.job), "j1");
    entry.pending = size == 2;
    return entry;
}

static void add(struct ledger *ledger, const char *id, uint64_t size)
{
    struct ledger_entry entry = entry_of(size);
    assert_true(ledger_add(ledger, id, "a path \xff", &entry));
}

/* The file that holds it. */
static const char *file(void)
{
    static char path[256];
    char pattern[128];
    glob_t found;
    (void)snprintf(pattern, sizeof(pattern), "%s/*.ndjson", folder);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 1);
    (void)snprintf(path, sizeof(path), "%s", found.gl_pathv[0]);
    globfree(&found);
    return path;
}

static off_t size_of(const char *path)
{
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    return found.st_size;
}

static void assert_has(struct ledger *ledger, const char *id, uint64_t size)
{
    struct ledger_entry entry;
    struct ledger_entry expected = entry_of(size);
    assert_true(ledger_find(ledger, id, &entry));
    assert_string_equal(entry.as, expected.as);
    assert_string_equal(entry.sha256, expected.sha256);
    assert_string_equal(entry.document, expected.document);
    assert_string_equal(entry.job, expected.job);
    assert_int_equal(entry.pending, expected.pending);
    assert_int_equal(entry.size, size);
    assert_true(entry.mtime_ns == expected.mtime_ns);
}

static void what_was_added_is_known_to_the_next_run(void **state)
{
    (void)state;
    struct ledger_entry entry;
    struct ledger *ledger = open_one();
    assert_false(ledger_find(ledger, "one", &entry));
    add(ledger, "one", 1);
    add(ledger, "two", 2);
    assert_has(ledger, "one", 1);
    add(ledger, "one", 3);
    ledger_close(&ledger);
    assert_null(ledger);

    ledger = open_one();
    assert_has(ledger, "one", 3);
    assert_has(ledger, "two", 2);
    assert_false(ledger_find(ledger, "three", &entry));
    ledger_close(&ledger);
    assert_int_equal(size_of(file()) > 0, 1);
    struct stat found;
    assert_int_equal(stat(file(), &found), 0);
    assert_int_equal(found.st_mode & 077, 0);
}

static void each_server_has_its_own(void **state)
{
    (void)state;
    struct ledger_entry entry;
    struct ledger *ledger = open_one();
    struct ledger *other = ledger_open(folder, "https://elsewhere");
    add(ledger, "one", 1);
    assert_false(ledger_find(other, "one", &entry));
    ledger_close(&ledger);
    ledger_close(&other);
}

/* Cut at every byte, as a crash or a full disk leaves it. */
static void a_line_cut_off_costs_no_other(void **state)
{
    (void)state;
    struct ledger *ledger = open_one();
    add(ledger, "one", 1);
    ledger_close(&ledger);
    off_t first = size_of(file());
    ledger = open_one();
    add(ledger, "two", 2);
    ledger_close(&ledger);
    char path[256];
    (void)snprintf(path, sizeof(path), "%s", file());
    for (off_t cut = size_of(path) - 2; cut > first; cut--) {
        assert_int_equal(truncate(path, cut), 0);
        struct ledger_entry entry;
        ledger = open_one();
        assert_has(ledger, "one", 1);
        assert_false(ledger_find(ledger, "two", &entry));
        add(ledger, "two", 2);
        ledger_close(&ledger);
        ledger = open_one();
        assert_has(ledger, "one", 1);
        assert_has(ledger, "two", 2);
        ledger_close(&ledger);
    }
}

/* Also while another run has it open, so that nothing may be cleared away. */
static void a_torn_line_is_ended_before_the_next_one(void **state)
{
    (void)state;
    struct ledger *first = open_one();
    add(first, "one", 1);
    FILE *torn = fopen(file(), "ae");
    assert_non_null(torn);
    assert_true(fputs("{\"id\":\"tw", torn) > 0);
    assert_int_equal(fclose(torn), 0);
    struct ledger *second = open_one();
    add(second, "three", 3);
    ledger_close(&second);
    ledger_close(&first);
    first = open_one();
    assert_has(first, "one", 1);
    assert_has(first, "three", 3);
    ledger_close(&first);
}

static void nonsense_is_passed_over(void **state)
{
    (void)state;
    struct ledger *ledger = open_one();
    add(ledger, "one", 1);
    ledger_close(&ledger);
    FILE *nonsense = fopen(file(), "ae");
    assert_non_null(nonsense);
    assert_true(
        fputs("\n[]\n{\"id\":7}\n{\"id\":\"x\",\"size\":\"y\"}\nnull\n", nonsense) > 0);
    assert_int_equal(fclose(nonsense), 0);
    struct ledger_entry entry;
    ledger = open_one();
    assert_has(ledger, "one", 1);
    assert_true(ledger_find(ledger, "x", &entry));
    assert_int_equal(entry.size, 0);
    assert_string_equal(entry.sha256, "");
    ledger_close(&ledger);
}

static void outdated_lines_are_cleared_away(void **state)
{
    (void)state;
    struct ledger *ledger = open_one();
    for (uint64_t i = 0; i < 3000; i++)
        add(ledger, "one", i);
    add(ledger, "two", 2);
    ledger_close(&ledger);
    off_t before = size_of(file());
    struct ledger *reader = open_one();
    assert_true(size_of(file()) < before / 1000);
    assert_has(reader, "one", 2999);
    assert_has(reader, "two", 2);
    add(reader, "three", 3);
    ledger_close(&reader);
    reader = open_one();
    assert_has(reader, "three", 3);
    ledger_close(&reader);
}

static void what_another_has_open_is_left_as_it_is(void **state)
{
    (void)state;
    struct ledger *ledger = open_one();
    for (uint64_t i = 0; i < 3000; i++)
        add(ledger, "one", i);
    struct ledger *other = open_one();
    add(ledger, "two", 2); /* goes where the next run looks */
    ledger_close(&other);
    ledger_close(&ledger);
    ledger = open_one();
    assert_has(ledger, "two", 2);
    ledger_close(&ledger);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(what_was_added_is_known_to_the_next_run),
        IN_FOLDER(each_server_has_its_own),
        IN_FOLDER(a_line_cut_off_costs_no_other),
        IN_FOLDER(a_torn_line_is_ended_before_the_next_one),
        IN_FOLDER(nonsense_is_passed_over),
        IN_FOLDER(outdated_lines_are_cleared_away),
        IN_FOLDER(what_another_has_open_is_left_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
