#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "services/backup/manifest/manifest.h"
#include "services/backup/manifest/sets.h"

#define GOOD(id, when)                                                                   \
    "{\"id\":\"" id "\",\"kind\":\"full\",\"label\":\"l\",\"created_at\":" when          \
    ",\"size_bytes\":5,\"verified\":true,\"proven\":\"archive\"}"

static enum sh_err parse(const char *json, struct backup_set *set, struct sh_arena *arena)
{
    char fault[128] = "";
    enum sh_err err = manifest_parse(sh_bytes_of(json), "a", arena, set, fault);

    assert_int_equal(err == SH_OK, fault[0] == '\0');
    return err;
}

static void a_manifest_is_understood(void **state)
{
    struct sh_arena arena = {0};
    struct backup_set set;

    (void)state;
    assert_int_equal(parse(GOOD("a", "\"2026-01-31T12:00:00.5Z\""), &set, &arena), SH_OK);
    assert_true(sh_bytes_is(set.id, "a"));
    assert_true(sh_bytes_is(set.kind, "full"));
    assert_true(sh_bytes_is(set.label, "l"));
    assert_true(set.created_at > 1769860800.49 && set.created_at < 1769860800.51);
    assert_int_equal(set.size_bytes, 5);
    assert_true(set.verified);
    assert_true(sh_bytes_is(set.proven, "archive"));
    assert_false(set.safety);
    assert_int_equal(parse(GOOD("a", "17"), &set, &arena), SH_OK);
    assert_true(set.created_at > 16.9 && set.created_at < 17.1);
    sh_arena_free(&arena);
}

static void a_wrong_manifest_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "[]",
        "{}",
        "{\"id\":",
        GOOD("b", "17"),
        GOOD("a", "-1"),
        GOOD("a", "\"2026-01-31\""),
        GOOD("a", "\"2026-01-31T12:00:00+02:00\""),
        "{\"id\":\"a\",\"created_at\":1,\"size_bytes\":5}",
        "{\"id\":\"a\",\"kind\":\"full\",\"created_at\":1,\"size_bytes\":-5}",
        "{\"id\":\"a\",\"kind\":\"f\",\"created_at\":1,\"size_bytes\":5,\"verified\":1}",
        "{\"id\":\"a\",\"kind\":\"f\",\"created_at\":1,\"size_bytes\":5,\"proven\":7}",
        "{\"id\":\"a\",\"kind\":7,\"created_at\":1,\"size_bytes\":5}",
    };
    struct sh_arena arena = {0};
    struct backup_set set;

    (void)state;
    for (size_t i = 0; i < SH_COUNT(wrong); i++)
        assert_int_equal(parse(wrong[i], &set, &arena), SH_INVALID);
    sh_arena_free(&arena);
}

/* --- a directory ------------------------------------------------------------------ */

static char root[64];

static void write_set(const char *name, const char *manifest)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", root, name);
    assert_int_equal(mkdir(path, 0700), 0);
    if (manifest == NULL)
        return;
    (void)snprintf(path, sizeof(path), "%s/%s/manifest.json", root, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(manifest, file);
    (void)fclose(file);
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/cairn-sets.XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", root);
    return system(command); /* NOLINT(cert-env33-c): a path of our own */
}

static void sets_come_newest_first_without_the_unreadable(void **state)
{
    char plain[128];
    struct sets sets;

    (void)state;
    write_set("old", GOOD("old", "100"));
    write_set("new", GOOD("new", "300"));
    write_set("mid", GOOD("mid", "200"));
    write_set("cut", "{\"id\":\"cut\"");
    write_set("none", NULL);
    write_set(".being-written", GOOD(".being-written", "400"));
    (void)snprintf(plain, sizeof(plain), "%s/README", root);
    (void)fclose(fopen(plain, "w"));
    assert_int_equal(sets_read(root, &sets), SH_OK);
    assert_int_equal(sets.count, 3);
    assert_int_equal(sets.unreadable, 2);
    assert_true(sh_bytes_is(sets.list[0].id, "new"));
    assert_true(sh_bytes_is(sets.list[1].id, "mid"));
    assert_true(sh_bytes_is(sets.list[2].id, "old"));
    sets_free(&sets);
}

static void a_huge_manifest_is_not_read(void **state)
{
    char *huge = malloc(MANIFEST_BYTES_MAX + 16);
    struct sets sets;

    (void)state;
    assert_non_null(huge);
    memset(huge, ' ', MANIFEST_BYTES_MAX + 15);
    huge[MANIFEST_BYTES_MAX + 15] = '\0';
    write_set("huge", huge);
    assert_int_equal(sets_read(root, &sets), SH_OK);
    assert_int_equal(sets.unreadable, 1);
    sets_free(&sets);
    free(huge);
}

static void without_a_directory_there_are_no_sets(void **state)
{
    struct sets sets;

    (void)state;
    assert_int_equal(sets_read("/nonexistent/backups", &sets), SH_OK);
    assert_int_equal(sets.count, 0);
    sets_free(&sets);
    assert_int_equal(sets_read("/dev/null", &sets), SH_IO);
    sets_free(&sets);
}

static void a_safety_set_needs_no_proof(void **state)
{
    struct backup_set list[] = {
        {.kind = sh_bytes_of("full"), .safety = true},
        {.kind = sh_bytes_of("config")},
        {.kind = sh_bytes_of("full"), .verified = true},
        {.kind = sh_bytes_of("full")},
    };
    struct sets sets = {.list = list, .count = 4};

    (void)state;
    assert_false(sets_unproven(&sets));
    list[2].verified = false;
    assert_true(sets_unproven(&sets));
    sets.count = 2; /* none but the safety set */
    assert_false(sets_unproven(&sets));
}

static void on_sets(void *arg, enum sh_err err, const struct sets *sets)
{
    assert_int_equal(err, SH_OK);
    *(size_t *)arg = sets->count;
}

static void the_loop_gets_them_from_another_thread(void **state)
{
    uv_loop_t loop;
    size_t count = SIZE_MAX;

    (void)state;
    write_set("one", GOOD("one", "1"));
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(sets_read_later(&loop, root, on_sets, &count), SH_OK);
    assert_int_equal(count, SIZE_MAX);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(count, 1);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manifest_is_understood),
        cmocka_unit_test(a_wrong_manifest_is_refused),
        cmocka_unit_test(a_safety_set_needs_no_proof),
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(sets_come_newest_first_without_the_unreadable),
        TEST(a_huge_manifest_is_not_read),
        TEST(without_a_directory_there_are_no_sets),
        TEST(the_loop_gets_them_from_another_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
