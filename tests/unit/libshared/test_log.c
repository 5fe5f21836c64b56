#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libshared/src/log_limit.h"
#include "shared/log.h"
#include "shared/mem.h"

enum { TEXT_MAX = 1 << 20 };

struct fixture {
    char dir[64];
    char path[128]; /* takes the place of stdout */
    int real_stdout;
};

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){.dir = "/tmp/cairn-log-XXXXXX"};
    assert_non_null(mkdtemp(f.dir));
    (void)snprintf(f.path, sizeof(f.path), "%s/stdout", f.dir);
    (void)fflush(stdout);
    f.real_stdout = dup(STDOUT_FILENO);
    assert_non_null(freopen(f.path, "w", stdout));
    *state = &f;
    return 0;
}

static void restore_stdout(struct fixture *f)
{
    if (f->real_stdout < 0)
        return;
    (void)fflush(stdout);
    dup2(f->real_stdout, STDOUT_FILENO);
    close(f->real_stdout);
    f->real_stdout = -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[96];
    sh_log_close();
    restore_stdout(f);
    (void)snprintf(command, sizeof(command), "rm -rf %s", f->dir);
    return system(command); /* NOLINT(bugprone-command-processor, cert-env33-c) */
}

static char *slurp(const char *path)
{
    static char text[TEXT_MAX];
    FILE *file = fopen(path, "r");
    size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
    if (file)
        (void)fclose(file);
    text[len] = '\0';
    return text;
}

static size_t lines_in(const char *path)
{
    size_t lines = 0;
    for (const char *at = slurp(path); (at = strchr(at, '\n')); at++)
        lines++;
    return lines;
}

/* The nth line of a file as an object; every byte of the line must belong to it. */
static json_t *line_of(const char *path, size_t n)
{
    char *at = slurp(path);
    for (size_t i = 0; i < n; i++) {
        at = strchr(at, '\n');
        assert_non_null(at++);
    }
    char *end = strchr(at, '\n');
    assert_non_null(end);
    json_t *line = json_loadb(at, (size_t)(end - at), 0, NULL);
    assert_true(json_is_object(line));
    return line;
}

static const char *member(const json_t *line, const char *name)
{
    const char *text = json_string_value(json_object_get(line, name));
    return text ? text : "(none)";
}

static void open_log(struct fixture *f, bool text, const char *dir)
{
    struct sh_log_options options = {"tester", SH_INFO, text, dir};
    assert_int_equal(sh_log_open(&options), SH_OK);
    (void)f;
}

static void line_has_the_promised_members(void **state)
{
    struct fixture *f = *state;
    struct sh_trace trace;
    char parent[56];
    open_log(f, false, NULL);
    sh_trace_start(&trace);
    sh_trace_format(&trace, parent);
    sh_warning(&trace, "took %d ms", 12);

    json_t *line = line_of(f->path, 0);
    assert_string_equal(member(line, "level"), "WARNING");
    assert_string_equal(member(line, "service"), "tester");
    assert_string_equal(member(line, "logger"), "tester");
    assert_string_equal(member(line, "message"), "took 12 ms");
    assert_string_equal(member(line, "module"), "test_log");
    assert_string_equal(member(line, "function"), __func__);
    assert_true(json_integer_value(json_object_get(line, "line")) > 50);
    assert_string_equal(member(line, "request_id"), trace.request_id);
    assert_memory_equal(member(line, "trace_id"), parent + 3, 32);
    assert_memory_equal(member(line, "span_id"), parent + 36, 16);
    assert_int_equal(strlen(member(line, "timestamp")), 24);
    json_decref(line);
}

static void no_text_can_forge_a_line(void **state)
{
    struct fixture *f = *state;
    open_log(f, false, NULL);
    for (int c = 1; c < 256; c++) {
        char text[] = {'a', (char)c, '"', (char)c, '\0'};
        sh_log_event(SH_INFO, &(struct sh_log_site){"a.c", "f", 1}, NULL, text,
                     &(struct sh_log_field){"field", text, 0}, 1);
    }
    sh_info(NULL, "%s", "x\n{\"level\":\"CRITICAL\"}\xe2\x80\xa8\xe2\x80\xaey");
    assert_int_equal(lines_in(f->path), 256);
    for (size_t i = 0; i < 256; i++)
        json_decref(line_of(f->path, i));
    assert_null(strstr(slurp(f->path), "\xe2\x80\xa8"));
    assert_null(strstr(slurp(f->path), "\xe2\x80\xae"));
    assert_non_null(strstr(slurp(f->path), "\\u2028"));
}

static void text_format_escapes_too(void **state)
{
    struct fixture *f = *state;
    open_log(f, true, NULL);
    sh_error(NULL, "two\nlines %s", "\x1b[31m\xff");
    assert_int_equal(lines_in(f->path), 1);
    assert_non_null(strstr(slurp(f->path),
                           " ERROR two\\nlines \\u001b[31m\xef\xbf\xbd [test_log.c:"));
}

static void too_long_messages_are_cut_and_stay_whole(void **state)
{
    struct fixture *f = *state;
    open_log(f, false, NULL);
    char *text = sh_alloc(100001);
    memset(text, '\x01', 100000);
    struct sh_log_field fields[] = {
        {"a", text, 0}, {"b", text, 0},           {"c", text, 0},
        {"d", text, 0}, {"n", NULL, (double)NAN},
    };
    sh_error(NULL, "%s", text);
    sh_log_event(SH_INFO, &(struct sh_log_site){"a.c", "f", 1}, NULL, text, fields, 5);
    sh_free(text);
    assert_int_equal(lines_in(f->path), 2);
    for (size_t i = 0; i < 2; i++) {
        json_t *line = line_of(f->path, i);
        assert_true(strlen(member(line, "message")) > 1000);
        assert_string_equal(member(line, "module"), i == 0 ? "test_log" : "a");
        json_decref(line);
    }
}

static void level_decides_what_is_written(void **state)
{
    struct fixture *f = *state;
    enum sh_log_level level;
    open_log(f, false, NULL);
    sh_debug(NULL, "no");
    sh_log_set_level(SH_ERROR);
    sh_warning(NULL, "no");
    sh_error(NULL, "yes");
    assert_int_equal(lines_in(f->path), 1);
    assert_true(sh_log_level_parse("warning", &level));
    assert_int_equal(level, SH_WARNING);
    assert_false(sh_log_level_parse("LOUD", &level));
}

static void logging_needs_no_memory(void **state)
{
    struct fixture *f = *state;
    open_log(f, false, NULL);
    sh_mem_fail_after(0);
    sh_error(NULL, "out of memory");
    assert_null(sh_alloc(1));
    sh_mem_fail_after(-1);
    assert_int_equal(lines_in(f->path), 1);
}

static void repeats_are_counted(void **state)
{
    struct fixture *f = *state;
    open_log(f, false, NULL);
    for (int i = 0; i < 100; i++)
        sh_info(NULL, "again %d", i);
    assert_int_equal(lines_in(f->path), 20);
    sh_log_flush_repeats(false);
    assert_int_equal(lines_in(f->path), 20);
    sh_log_flush_repeats(true);
    assert_int_equal(lines_in(f->path), 21);
    json_t *line = line_of(f->path, 20);
    assert_int_equal(json_integer_value(json_object_get(line, "repeated")), 80);
    assert_string_equal(member(line, "function"), __func__);
    json_decref(line);
}

static void window_passes_and_more_places_than_room_are_not_limited(void **state)
{
    static const struct sh_log_site sites[4096];
    struct sh_log_repeats owed;
    (void)state;
    for (int i = 0; i < 25; i++)
        assert_int_equal(sh_log_limit_pass(&sites[0], SH_INFO, 1000, &owed), i < 20);
    assert_true(sh_log_limit_pass(&sites[0], SH_INFO, 11000, &owed));
    assert_int_equal(owed.count, 5);
    assert_true(sh_log_limit_pass(&sites[0], SH_INFO, 11000, &owed));
    assert_int_equal(owed.count, 0);
    for (size_t i = 0; i < 4096; i++)
        assert_true(sh_log_limit_pass(&sites[i], SH_INFO, 30000, &owed));
}

static void files_are_made_and_reopened(void **state)
{
    struct fixture *f = *state;
    char dir[128];
    char app[160];
    char errors[160];
    char moved[160];
    (void)snprintf(dir, sizeof(dir), "%s/a/b", f->dir);
    (void)snprintf(app, sizeof(app), "%s/app.log", dir);
    (void)snprintf(errors, sizeof(errors), "%s/errors.log", dir);
    (void)snprintf(moved, sizeof(moved), "%s/app.log.1", dir);
    open_log(f, false, dir);
    sh_info(NULL, "one");
    sh_error(NULL, "two");
    assert_int_equal(lines_in(app), 2);
    assert_int_equal(lines_in(errors), 1);

    assert_int_equal(rename(app, moved), 0);
    sh_log_reopen();
    sh_info(NULL, "three");
    assert_int_equal(lines_in(moved), 2);
    assert_int_equal(lines_in(app), 1);
    assert_int_equal(lines_in(f->path), 3);
}

static void unusable_directory_is_an_error(void **state)
{
    struct fixture *f = *state;
    char dir[160];
    (void)snprintf(dir, sizeof(dir), "%s/stdout/below", f->dir);
    struct sh_log_options options = {"tester", SH_INFO, false, dir};
    assert_int_not_equal(sh_log_open(&options), SH_OK);
}

static void *write_many(void *arg)
{
    static const struct sh_log_site site = {"a.c", "f", 1};
    (void)arg;
    for (int i = 0; i < 200; i++) {
        sh_log_event(SH_INFO, &site, NULL, "event", NULL, 0);
        sh_info(NULL, "limited");
    }
    return NULL;
}

static void threads_do_not_mix_lines(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[4];
    open_log(f, false, NULL);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, NULL), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    size_t lines = lines_in(f->path);
    assert_int_equal(lines, 820);
    for (size_t i = 0; i < lines; i += 41)
        json_decref(line_of(f->path, i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(line_has_the_promised_members, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_text_can_forge_a_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(text_format_escapes_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_long_messages_are_cut_and_stay_whole, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(level_decides_what_is_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(logging_needs_no_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(repeats_are_counted, set_up, tear_down),
        cmocka_unit_test(window_passes_and_more_places_than_room_are_not_limited),
        cmocka_unit_test_setup_teardown(files_are_made_and_reopened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unusable_directory_is_an_error, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(threads_do_not_mix_lines, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
