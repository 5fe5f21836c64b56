#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/cli/folder.h"

#include "cli/cairn/ingest/walk.h"
#include "shared/mem.h"

static char seen[2048];
static char faults[512];

static void on_fault(void *arg, const char *shown, const char *why)
{
    size_t len = strlen(faults);
    (void)arg;
    (void)snprintf(faults + len, sizeof(faults) - len, "<%s|%s>", shown, why);
}

/* The names below the folder, separated by spaces. */
static const char *walk_over(char *const *roots, size_t count,
                             struct walk_options options)
{
    struct walk walk;
    size_t len = 0;
    options.fault = on_fault;
    faults[0] = seen[0] = '\0';
    assert_true(walk_run(&walk, roots, count, &options));
    for (size_t i = 0; i < walk.count; i++) {
        const char *path = walk.files[i].path;
        assert_int_equal(path[0], '/');
        assert_memory_equal(path, folder, strlen(folder));
        assert_int_equal(walk.files[i].size, 4);
        len += (size_t)snprintf(seen + len, sizeof(seen) - len, "%s%s", i > 0 ? " " : "",
                                path + strlen(folder) + 1);
    }
    walk_free(&walk);
    return seen;
}

static const char *walk_folder(struct walk_options options)
{
    char *roots[] = {folder};
    return walk_over(roots, 1, options);
}

static void fill(void)
{
    folder_write("b.txt", "text");
    folder_write("a.pdf", "text");
    folder_write("sub/c.MD", "text");
    folder_write("sub/deep/d.ndjson", "text");
    folder_write("sub/image.png", "text");
    folder_write(".hidden.txt", "text");
    folder_write(".git/e.txt", "text");
    folder_write("noending", "text");
}

static void known_formats_are_found_in_order(void **state)
{
    (void)state;
    fill();
    assert_string_equal(walk_folder((struct walk_options){0}),
                        "a.pdf b.txt sub/c.MD sub/deep/d.ndjson");
    assert_string_equal(faults, "");
}

static void hidden_ones_only_when_they_are_wanted(void **state)
{
    (void)state;
    fill();
    assert_string_equal(walk_folder((struct walk_options){.hidden = true}),
                        ".git/e.txt .hidden.txt a.pdf b.txt sub/c.MD sub/deep/d.ndjson");
}

static void globs_choose_names_and_paths(void **state)
{
    (void)state;
    static const char *const png[] = {"*.png", "noending", NULL};
    static const char *const deep[] = {"deep", NULL};
    static const char *const below[] = {"sub/*", NULL};
    fill();
    assert_string_equal(walk_folder((struct walk_options){.include = png}),
                        "noending sub/image.png");
    assert_string_equal(walk_folder((struct walk_options){.exclude = deep}),
                        "a.pdf b.txt sub/c.MD");
    assert_string_equal(walk_folder((struct walk_options){.exclude = below}),
                        "a.pdf b.txt");
    assert_true(walk_matches("*.txt", "a/b.txt"));
    assert_false(walk_matches("*.txt", "a.txt/b"));
    assert_true(walk_matches("a/*", "a/b/c.txt"));
    assert_false(walk_matches("b/*", "a/b/c.txt"));
}

static void what_is_named_is_taken_whatever_it_is_called(void **state)
{
    (void)state;
    char hidden[128];
    char image[128];
    char missing[128];
    fill();
    (void)snprintf(hidden, sizeof(hidden), "%s/.git", folder);
    (void)snprintf(image, sizeof(image), "%s/sub/image.png", folder);
    (void)snprintf(missing, sizeof(missing), "%s/missing", folder);
    char *roots[] = {image, missing, hidden};
    assert_string_equal(walk_over(roots, 3, (struct walk_options){0}),
                        ".git/e.txt sub/image.png");
    assert_non_null(strstr(faults, "missing|No such file or directory>"));
}

static void each_file_is_there_once(void **state)
{
    (void)state;
    char sub[128];
    char file[128];
    fill();
    (void)snprintf(sub, sizeof(sub), "%s/sub", folder);
    (void)snprintf(file, sizeof(file), "%s/./sub/../b.txt", folder);
    char *roots[] = {sub, folder, file, sub};
    assert_string_equal(walk_over(roots, 4, (struct walk_options){0}),
                        "a.pdf b.txt sub/c.MD sub/deep/d.ndjson");
}

static void links_are_followed_only_when_wanted_and_never_round(void **state)
{
    (void)state;
    fill();
    char *path = folder_path("sub/loop");
    assert_int_equal(symlink(folder, path), 0);
    assert_int_equal(symlink("../b.txt", folder_path("sub/link.txt")), 0);
    assert_string_equal(walk_folder((struct walk_options){0}),
                        "a.pdf b.txt sub/c.MD sub/deep/d.ndjson");
    assert_string_equal(walk_folder((struct walk_options){.follow = true}),
                        "a.pdf b.txt sub/c.MD sub/deep/d.ndjson sub/link.txt");
    /* named, a link is what it points to */
    char link[128];
    (void)snprintf(link, sizeof(link), "%s/sub/link.txt", folder);
    char *roots[] = {link};
    assert_string_equal(walk_over(roots, 1, (struct walk_options){0}), "b.txt");
}

static void a_directory_that_cannot_be_read_is_told(void **state)
{
    (void)state;
    fill();
    if (geteuid() == 0) /* for whom nothing is unreadable */
        skip();
    assert_int_equal(chmod(folder_path("sub"), 0), 0);
    assert_string_equal(walk_folder((struct walk_options){0}), "a.pdf b.txt");
    assert_non_null(strstr(faults, "sub|Permission denied>"));
    assert_int_equal(chmod(folder_path("sub"), 0755), 0);
}

static void survives_every_allocation_failure(void **state)
{
    (void)state;
    char *roots[] = {folder};
    const struct walk_options options = {.fault = on_fault};
    int failures = 0;
    fill();
    for (bool good = false; !good; failures++) {
        struct walk walk;
        sh_mem_fail_after(failures);
        good = walk_run(&walk, roots, 1, &options);
        sh_mem_fail_after(-1);
        walk_free(&walk);
    }
    assert_true(failures > 5);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(known_formats_are_found_in_order),
        IN_FOLDER(hidden_ones_only_when_they_are_wanted),
        IN_FOLDER(globs_choose_names_and_paths),
        IN_FOLDER(what_is_named_is_taken_whatever_it_is_called),
        IN_FOLDER(each_file_is_there_once),
        IN_FOLDER(links_are_followed_only_when_wanted_and_never_round),
        IN_FOLDER(a_directory_that_cannot_be_read_is_told),
        IN_FOLDER(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
