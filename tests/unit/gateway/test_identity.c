#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/gateway/identity.h"
#include "services/gateway/settings.h"

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

static void nobody_is_anonymous(void **state)
{
    struct caller caller;
    const struct role *role;
    assert_int_equal(identity_of_user(roles_now(*state), NULL, &caller, &role), SH_OK);
    assert_string_equal(role->name, "anonymous");
    assert_int_equal(caller.clearance, 1);
    assert_false(caller.all_departments);
    assert_int_equal(caller.user_id.len, 0);
}

static void the_role_decides_what_is_allowed(void **state)
{
    static const struct {
        const char *role;
        uint32_t clearance, results;
        bool all;
    } cases[] = {
        {"anonymous", 1, 10, false}, {"student", 2, 20, false}, {"staff", 3, 50, false},
        {"academic", 4, 100, true},  {"admin", 5, 200, true},
    };
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        struct identity_user user = {.user_id = sh_bytes_of("u1"),
                                     .role = sh_bytes_of(cases[i].role),
                                     .department = sh_bytes_of("IT Services")};
        struct caller caller;
        const struct role *role;
        assert_int_equal(identity_of_user(roles_now(*state), &user, &caller, &role),
                         SH_OK);
        assert_int_equal(caller.clearance, cases[i].clearance);
        assert_int_equal(role->max_results, cases[i].results);
        assert_int_equal(caller.all_departments, cases[i].all);
        assert_true(sh_bytes_is(caller.role, cases[i].role));
        assert_true(sh_bytes_is(caller.user_id, "u1"));
        assert_true(sh_bytes_is(caller.department, "IT Services"));
    }
}

static void unknown_roles_are_refused(void **state)
{
    static const char *const roles[] = {"root", "Staff", "staff ", "adminn"};
    for (size_t i = 0; i < SH_COUNT(roles); i++) {
        struct identity_user user = {.role = sh_bytes_of(roles[i])};
        struct caller caller;
        const struct role *role;
        assert_int_equal(identity_of_user(roles_now(*state), &user, &caller, &role),
                         SH_INVALID);
    }
}

static void the_operator_may_do_everything(void **state)
{
    struct caller caller;
    (void)state;
    identity_of_operator(&caller);
    assert_int_equal(caller.clearance, 5);
    assert_true(caller.all_departments);
}

static void the_general_limit_counts_only_when_set(void **state)
{
    struct gateway_config config = {.max_results_per_query = 50};
    (void)state;
    unsetenv("MAX_RESULTS_PER_QUERY");
    assert_int_equal(settings_result_limit(&config, 200), 200);
    assert_int_equal(settings_result_limit(&config, 10), 10);
    setenv("MAX_RESULTS_PER_QUERY", "50", 1);
    assert_int_equal(settings_result_limit(&config, 200), 50);
    assert_int_equal(settings_result_limit(&config, 10), 10);
    unsetenv("MAX_RESULTS_PER_QUERY");
    config.max_results_per_query = 5;
    assert_int_equal(settings_result_limit(&config, 10), 5);
}

static void trust_ends_at_loopback(void **state)
{
    static const struct {
        const char *host, *workers;
        bool good;
    } cases[] = {
        {"127.0.0.1", "auto", true}, {"127.9.9.9", "1", true},
        {"::1", "64", true},         {"localhost", "4", true},
        {"0.0.0.0", "1", false},     {"::", "1", false},
        {"10.0.0.1", "1", false},    {"example.org", "1", false},
        {"127.0.0.1", "0", false},   {"127.0.0.1", "65", false},
        {"127.0.0.1", "2x", false},  {"127.0.0.1", "", false},
    };
    (void)state;
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        struct gateway_config config = {.api_host = cases[i].host,
                                        .workers = cases[i].workers,
                                        .auth_mode = "trusted"};
        char why[256] = "";
        assert_int_equal(settings_check(&config, why, sizeof why), cases[i].good);
        assert_int_equal(why[0] == '\0', cases[i].good);
    }
}

static void with_tokens_the_gateway_may_be_anywhere(void **state)
{
    struct gateway_config config = {
        .api_host = "0.0.0.0", .workers = "1", .auth_mode = "jwt"};
    char why[256] = "";
    (void)state;
    assert_true(settings_check(&config, why, sizeof why));
    assert_true(settings_want_tokens(&config));
    config.auth_mode = "trusted";
    assert_false(settings_check(&config, why, sizeof why));
}

static void production_waits_for_load_balancers(void **state)
{
    struct gateway_config config = {.drain_delay_s = -1};
    (void)state;
    assert_int_equal(settings_drain_delay_ms(&config, "production"), 5000);
    assert_int_equal(settings_drain_delay_ms(&config, "development"), 0);
    config.drain_delay_s = 0.25;
    assert_int_equal(settings_drain_delay_ms(&config, "production"), 250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_is_anonymous, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_role_decides_what_is_allowed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(unknown_roles_are_refused, set_up, tear_down),
        cmocka_unit_test(the_operator_may_do_everything),
        cmocka_unit_test(the_general_limit_counts_only_when_set),
        cmocka_unit_test(trust_ends_at_loopback),
        cmocka_unit_test(with_tokens_the_gateway_may_be_anywhere),
        cmocka_unit_test(production_waits_for_load_balancers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
