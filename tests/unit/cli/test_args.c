#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cairn/args.h"
#include "shared/bytes.h"

enum { WORDS_MAX = 24 };

static char line[1024];
static struct args args;

/* As a shell splits it, at spaces. */
static bool parse(const char *text)
{
    char *words[WORDS_MAX + 1] = {0};
    int count = 0;
    char *rest = line;
    (void)snprintf(line, sizeof(line), "%s", text);
    for (char *word; count < WORDS_MAX && (word = strsep(&rest, " ")) != NULL;)
        words[count++] = word;
    static char *kept[WORDS_MAX + 1];
    memcpy(kept, words, sizeof(kept));
    return args_parse(&args, count, kept);
}

static void options_and_words_stand_in_any_order(void **state)
{
    (void)state;
    assert_true(parse("cairn search reset --mode text -n 3 password --json"));
    assert_string_equal(args.command->name, "search");
    assert_null(args.group);
    assert_int_equal(args.word_count, 2);
    assert_string_equal(args.words[0], "reset");
    assert_string_equal(args.words[1], "password");
    assert_string_equal(args_text(&args, "mode"), "text");
    assert_int_equal(args_number(&args, "max", 10), 3);
    assert_true(args_given(&args, "json"));
    assert_false(args_given(&args, "explain"));
    assert_int_equal(args_number(&args, "offset", 7), 7);
}

static void common_options_may_come_before_the_command(void **state)
{
    (void)state;
    assert_true(parse("cairn --url http://a jobs list --state running --profile p"));
    assert_string_equal(args.group->name, "jobs");
    assert_string_equal(args.command->name, "list");
    assert_string_equal(args_text(&args, "url"), "http://a");
    assert_string_equal(args_text(&args, "profile"), "p");
    assert_int_equal(args.word_count, 0);
}

static void what_follows_two_hyphens_is_no_option(void **state)
{
    (void)state;
    assert_true(parse("cairn search --json -- -excluded --word"));
    assert_int_equal(args.word_count, 2);
    assert_string_equal(args.words[0], "-excluded");
    assert_string_equal(args.words[1], "--word");
}

static void repeated_options_are_all_there_and_the_last_one_counts(void **state)
{
    (void)state;
    size_t at = 0;
    assert_true(parse("cairn ingest d -m a=1 -m b=2 -c x -c y"));
    assert_string_equal(args_next(&args, "metadata", &at), "a=1");
    assert_string_equal(args_next(&args, "metadata", &at), "b=2");
    assert_null(args_next(&args, "metadata", &at));
    assert_string_equal(args_text(&args, "collection"), "y");
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "cairn serch x",
        "cairn jobs stop 1",
        "cairn search",
        "cairn search x --mode both",
        "cairn search x --mode",
        "cairn search x --max 0",
        "cairn search x --max 3x",
        "cairn search x --max 99999999999999999999",
        "cairn search x --no-such",
        "cairn --no-such search x",
        "cairn jobs get",
        "cairn jobs get 1 2",
        "cairn documents list extra",
        "cairn ingest d --clearance 6",
    };
    for (size_t i = 0; i < SH_COUNT(wrong); i++)
        assert_false(parse(wrong[i]));
}

/* `cairn search x` with so many times --json. */
static bool parse_with(int options)
{
    static char texts[][16] = {"cairn", "search", "x", "--json"};
    static char *words[ARGS_VALUES_MAX + 8]; /* getopt moves them about */
    for (int i = 0; i < 3 + options; i++)
        words[i] = texts[i < 3 ? i : 3];
    return args_parse(&args, 3 + options, words);
}

static void too_many_options_are_refused(void **state)
{
    (void)state;
    assert_true(parse_with(ARGS_VALUES_MAX));
    assert_false(parse_with(ARGS_VALUES_MAX + 1));
}

static void help_needs_no_arguments(void **state)
{
    (void)state;
    assert_true(parse("cairn search --help"));
    assert_true(args_given(&args, "help"));
    assert_true(parse("cairn -h"));
    assert_null(args.command);
    assert_true(parse("cairn documents"));
    assert_string_equal(args.command->name, "documents");
    assert_null(args.command->run);
}

/* --- the tables ------------------------------------------------------------------- */

static void check_options(const struct option_row *rows)
{
    for (const struct option_row *row = rows; row && row->name; row++) {
        assert_non_null(row->help);
        assert_int_equal(row->type == OPTION_SWITCH, row->value == NULL);
        assert_int_equal(row->type == OPTION_CHOICE, row->choices != NULL);
        if (row->type == OPTION_NUMBER)
            assert_true(row->least < row->most);
        for (const struct option_row *other = rows; other < row; other++) {
            assert_string_not_equal(other->name, row->name);
            assert_true(row->letter == 0 || other->letter != row->letter);
        }
        for (const struct option_row *other = common_options;
             rows != common_options && other->name; other++) {
            assert_string_not_equal(other->name, row->name);
            assert_true(row->letter == 0 || other->letter != row->letter);
        }
    }
}

static void check_command(const struct command *command)
{
    assert_non_null(command->summary);
    assert_int_not_equal(command->summary[strlen(command->summary) - 1], '.');
    assert_int_equal(command->subs == NULL, command->run != NULL);
    assert_true(command->most < 0 || command->least <= command->most);
    assert_int_equal(command->most != 0, command->arguments != NULL);
    check_options(command->options);
    for (const struct command *sub = command->subs; sub && sub->name; sub++)
        check_command(sub);
}

static void every_row_of_the_tables_is_whole(void **state)
{
    (void)state;
    check_options(common_options);
    for (const struct command *const *at = commands; *at; at++)
        check_command(*at);
}

/* What is refused says so on stderr, which the tests' output need not show. */
static int quiet(void **state)
{
    (void)state;
    static int kept = -1;
    if (kept >= 0) { /* afterwards */
        int rc = dup2(kept, STDERR_FILENO);
        close(kept);
        kept = -1;
        return rc >= 0 ? 0 : -1;
    }
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    kept = dup(STDERR_FILENO);
    return kept >= 0 && null >= 0 && dup2(null, STDERR_FILENO) >= 0 && close(null) == 0
               ? 0
               : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_words_stand_in_any_order),
        cmocka_unit_test(common_options_may_come_before_the_command),
        cmocka_unit_test(what_follows_two_hyphens_is_no_option),
        cmocka_unit_test(repeated_options_are_all_there_and_the_last_one_counts),
        cmocka_unit_test_setup_teardown(what_makes_no_sense_is_refused, quiet, quiet),
        cmocka_unit_test_setup_teardown(too_many_options_are_refused, quiet, quiet),
        cmocka_unit_test(help_needs_no_arguments),
        cmocka_unit_test(every_row_of_the_tables_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
