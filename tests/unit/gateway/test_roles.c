#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "services/gateway/auth/roles.h"
#include "shared/mem.h"

#define ROLE(permissions)                                                                \
    "{\"clearance\":1,\"requests_per_minute\":30,\"requests_per_hour\":300,"             \
    "\"max_results\":10,\"departments\":\"public\",\"permissions\":[" permissions "]}"
#define GOOD "{\"roles\":{\"anonymous\":" ROLE("\"search\"") "}}"

static int set_up(void **state)
{
    struct roles *roles;
    if (roles_create(&roles) != SH_OK)
        return -1;
    *state = roles;
    return 0;
}

static int tear_down(void **state)
{
    struct roles *roles = *state;
    roles_free(&roles);
    return 0;
}

static const struct role *find(struct roles *roles, const char *name)
{
    return role_find(roles_now(roles), sh_bytes_of(name));
}

static enum sh_err load(struct roles *roles, const char *json)
{
    char why[256] = "";
    enum sh_err err = roles_load(roles, sh_bytes_of(json), why, sizeof why);
    assert_int_equal(err == SH_OK, why[0] == '\0');
    return err;
}

static void the_built_in_table_is_the_documented_one(void **state)
{
    static const struct {
        const char *name;
        uint32_t clearance, minute, hour, results;
        enum role_reach reach;
    } rows[] = {
        {"anonymous", 1, 30, 300, 10, REACH_PUBLIC},
        {"student", 2, 30, 500, 20, REACH_PUBLIC},
        {"staff", 3, 60, 1000, 50, REACH_OWN},
        {"academic", 4, 100, 2000, 100, REACH_ALL},
        {"admin", 5, 200, 5000, 200, REACH_ALL},
    };
    const struct role_table *table = roles_now(*state);
    assert_int_equal(role_count(table), SH_COUNT(rows));
    for (size_t i = 0; i < SH_COUNT(rows); i++) {
        const struct role *role = role_at(table, i);
        assert_string_equal(role->name, rows[i].name);
        assert_int_equal(role->clearance, rows[i].clearance);
        assert_int_equal(role->requests_per_minute, rows[i].minute);
        assert_int_equal(role->requests_per_hour, rows[i].hour);
        assert_int_equal(role->max_results, rows[i].results);
        assert_int_equal(role->departments, rows[i].reach);
    }
    assert_string_equal(role_anonymous(table)->name, "anonymous");
}

static void only_admin_administers(void **state)
{
    static const enum permission kept[] = {
        PERMIT_BACKUPS,    PERMIT_OPERATE,     PERMIT_ADMIN_USERS, PERMIT_ADMIN_KEYS,
        PERMIT_READ_AUDIT, PERMIT_ADMIN_CACHE, PERMIT_IMPERSONATE, PERMIT_ADMIN_MODELS};
    static const char *const others[] = {"anonymous", "student", "staff", "academic"};
    for (size_t i = 0; i < SH_COUNT(kept); i++) {
        assert_true(role_may(find(*state, "admin"), kept[i]));
        for (size_t k = 0; k < SH_COUNT(others); k++)
            assert_false(role_may(find(*state, others[k]), kept[i]));
    }
    for (size_t k = 0; k < 2; k++) {
        assert_false(role_may(find(*state, others[k]), PERMIT_WRITE_DOCUMENTS));
        assert_false(role_may(find(*state, others[k]), PERMIT_WRITE_GRAPH));
    }
    assert_false(role_may(find(*state, "admin"), PERMIT_UNSET));
    for (int i = PERMIT_PUBLIC; i < PERMIT_COUNT; i++)
        assert_true(role_may(role_operator(), (enum permission)i));
}

static void a_file_replaces_the_table(void **state)
{
    const struct role *before = find(*state, "staff");
    uint64_t version = roles_version(*state);
    assert_int_equal(load(*state, GOOD), SH_OK);
    assert_null(find(*state, "staff"));
    assert_true(role_may(find(*state, "anonymous"), PERMIT_SEARCH));
    assert_false(role_may(find(*state, "anonymous"), PERMIT_READ_DOCUMENTS));
    assert_int_not_equal(roles_version(*state), version);
    assert_string_equal(before->name, "staff"); /* requests under way still read it */
}

static void the_same_again_changes_nothing(void **state)
{
    assert_int_equal(load(*state, GOOD), SH_OK);
    const struct role_table *table = roles_now(*state);
    assert_int_equal(load(*state, " " GOOD "\n"), SH_OK);
    assert_ptr_equal(roles_now(*state), table);
}

/* Runs from the root of the tree, as the build's test target does. */
static void the_example_is_the_built_in_table(void **state)
{
    const struct role_table *table = roles_now(*state);
    char why[256] = "";
    assert_int_equal(roles_load_file(*state, "examples/roles.json", why, sizeof why),
                     SH_OK);
    assert_ptr_equal(roles_now(*state), table);
}

static void public_reach_ends_at_level_2(void **state)
{
    const char *json =
        "{\"roles\":{\"anonymous\":{\"clearance\":5,\"requests_per_minute\":1,"
        "\"requests_per_hour\":1,\"max_results\":1,\"departments\":\"public\","
        "\"permissions\":[]}}}";
    assert_int_equal(load(*state, json), SH_OK);
    assert_int_equal(find(*state, "anonymous")->clearance, 2);
}

static void bad_files_change_nothing(void **state)
{
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "{\"roles\":{}}",
        "{\"roles\":[]}",
        "{\"roles\":{\"staff\":" ROLE("") "}}", /* nobody is anonymous */
        "{\"roles\":{\"anonymous\":{}}}",
        "{\"roles\":{\"anonymous\":7}}",
        "{\"roles\":{\"anonymous\":" ROLE("\"sudo\"") "}}",
        "{\"roles\":{\"anonymous\":" ROLE("\"\"") "}}",
        "{\"roles\":{\"anonymous\":" ROLE("\"public\"") "}}",
        "{\"roles\":{\"anonymous\":" ROLE("7") "}}",
        "{\"roles\":{\"anonymous\":" ROLE("\"admin_users\"") "}}",
        "{\"roles\":{\"anonymous\":" ROLE("\"impersonate\"") "}}",
        "{\"roles\":{\"anonymous\":" ROLE("") ",\"anonymous\":" ROLE("") "}}",
        "{\"roles\":{\"anonymous\":" ROLE("") ",\"Root\":" ROLE("") "}}",
        "{\"roles\":{\"anonymous\":" ROLE("") ",\"\":" ROLE("") "}}",
        "{\"roles\":{\"anonymous\":" ROLE("") "},\"more\":1}",
        "{\"roles\":{\"anonymous\":{\"clearance\":6,\"requests_per_minute\":1,"
        "\"requests_per_hour\":1,\"max_results\":1,\"departments\":\"all\","
        "\"permissions\":[]}}}",
        "{\"roles\":{\"anonymous\":{\"clearance\":1,\"requests_per_minute\":1,"
        "\"requests_per_hour\":1,\"max_results\":1,\"departments\":\"every\","
        "\"permissions\":[]}}}",
        "{\"roles\":{\"anonymous\":{\"clearance\":1,\"requests_per_minute\":1,"
        "\"requests_per_hour\":1,\"max_results\":1,\"departments\":\"all\","
        "\"permissions\":[],\"clearence\":5}}}",
        GOOD "x",
    };
    const struct role_table *table = roles_now(*state);
    for (size_t i = 0; i < SH_COUNT(bad); i++) {
        if (load(*state, bad[i]) != SH_INVALID)
            fail_msg("was taken: %s", bad[i]);
        assert_ptr_equal(roles_now(*state), table);
    }
}

static void files_are_read_whole_or_not_at_all(void **state)
{
    char path[] = "/tmp/roles-test-XXXXXX";
    char why[256] = "";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, GOOD, sizeof GOOD - 1), sizeof GOOD - 1);
    assert_int_equal(roles_load_file(*state, path, why, sizeof why), SH_OK);
    assert_null(find(*state, "staff"));
    assert_int_equal(ftruncate(file, 2 << 20), 0);
    assert_int_equal(roles_load_file(*state, path, why, sizeof why), SH_TOOBIG);
    close(file);
    unlink(path);
    assert_int_equal(roles_load_file(*state, path, why, sizeof why), SH_IO);
    assert_int_equal(roles_load_file(*state, "/tmp", why, sizeof why), SH_IO);
}

static void survives_every_allocation_failure(void **state)
{
    enum sh_err err = SH_NOMEM;
    char why[256];
    for (int n = 0; err != SH_OK; n++) {
        sh_mem_fail_after(n);
        err = roles_load(*state, sh_bytes_of(GOOD), why, sizeof why);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_built_in_table_is_the_documented_one),
        T(only_admin_administers),
        T(a_file_replaces_the_table),
        T(the_same_again_changes_nothing),
        T(the_example_is_the_built_in_table),
        T(public_reach_ends_at_level_2),
        T(bad_files_change_nothing),
        T(files_are_read_whole_or_not_at_all),
        T(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
