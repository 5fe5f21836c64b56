#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/gateway/router.h"

static const struct route table[] = {
    {.method = ROUTE_GET,
     .path = "/health",
     .operation = "health",
     .permission = PERMIT_SEARCH},
    {.method = ROUTE_POST,
     .path = "/api/documents",
     .operation = "store",
     .permission = PERMIT_SEARCH},
    {.method = ROUTE_GET,
     .path = "/api/documents",
     .operation = "list",
     .permission = PERMIT_SEARCH},
    {.method = ROUTE_POST,
     .path = "/api/documents/batch",
     .operation = "batch",
     .permission = PERMIT_SEARCH},
    {.method = ROUTE_GET,
     .path = "/api/documents/{id}",
     .operation = "get",
     .permission = PERMIT_SEARCH},
    {.method = ROUTE_DELETE,
     .path = "/api/documents/{id}",
     .operation = "delete",
     .permission = PERMIT_SEARCH},
    {.method = ROUTE_GET,
     .path = "/api/documents/{id}/file",
     .operation = "file",
     .permission = PERMIT_SEARCH},
    {.method = ROUTE_POST,
     .path = "/api/documents/{id}/again",
     .operation = "again",
     .permission = PERMIT_SEARCH},
};

static int set_up(void **state)
{
    struct router *router;
    if (router_create(table, SH_COUNT(table), &router) != SH_OK)
        return -1;
    *state = router;
    return 0;
}

static int tear_down(void **state)
{
    struct router *router = *state;
    router_free(&router);
    return 0;
}

static struct router_match find(void **state, const char *method, const char *path)
{
    return router_find(*state, sh_bytes_of(method), sh_bytes_of(path));
}

static const char *operation(void **state, const char *method, const char *path)
{
    struct router_match match = find(state, method, path);
    return match.route != NULL ? match.route->operation : "none";
}

static void finds_by_method_and_path(void **state)
{
    assert_string_equal(operation(state, "GET", "/health"), "health");
    assert_string_equal(operation(state, "POST", "/api/documents"), "store");
    assert_string_equal(operation(state, "GET", "/api/documents"), "list");
    assert_string_equal(operation(state, "GET", "/api/documents/a%2Fb"), "get");
    assert_string_equal(operation(state, "DELETE", "/api/documents/x"), "delete");
}

static void fixed_paths_win_over_parameters(void **state)
{
    assert_string_equal(operation(state, "POST", "/api/documents/batch"), "batch");
    struct router_match match = find(state, "GET", "/api/documents/batch");
    assert_null(match.route);
    assert_string_equal(match.allow, "POST, OPTIONS");
}

static void answers_under_both_prefixes(void **state)
{
    assert_string_equal(operation(state, "POST", "/api/v1/documents"), "store");
    struct router_match match = find(state, "GET", "/api/v1/documents/seven");
    assert_string_equal(match.route->operation, "get");
    assert_true(sh_bytes_is(match.param, "seven"));
    assert_string_equal(operation(state, "GET", "/v1/health"), "none");
}

static void the_parameter_is_one_segment(void **state)
{
    assert_true(sh_bytes_is(find(state, "GET", "/api/documents/12").param, "12"));
    assert_null(find(state, "GET", "/api/documents/").allow);
    assert_null(find(state, "GET", "/api/documents/12/").allow);
    assert_null(find(state, "GET", "/api/documents/12/more").allow);
}

static void a_path_may_go_on_behind_the_parameter(void **state)
{
    struct router_match match = find(state, "GET", "/api/v1/documents/12/file");

    assert_string_equal(match.route->operation, "file");
    assert_true(sh_bytes_is(match.param, "12"));
    assert_string_equal(operation(state, "POST", "/api/documents/12/again"), "again");
    assert_string_equal(find(state, "POST", "/api/documents/12/file").allow,
                        "GET, HEAD, OPTIONS");
    assert_string_equal(operation(state, "GET", "/api/documents/12%2Ffile"), "get");
    assert_null(find(state, "GET", "/api/documents//file").allow);
    assert_null(find(state, "GET", "/api/documents/1/2/file").allow);
    assert_null(find(state, "GET", "/api/documents/12/filed").allow);
}

static void unknown_paths_allow_nothing(void **state)
{
    static const char *const paths[] = {"/",        "/healt", "/health/", "/healthy",
                                        "//health", "*",      "/api",     "/HEALTH"};
    for (size_t i = 0; i < SH_COUNT(paths); i++) {
        struct router_match match = find(state, "GET", paths[i]);
        assert_null(match.route);
        assert_null(match.allow);
    }
    assert_null(find(state, "GET", "").allow);
}

static void other_methods_are_told_what_is_allowed(void **state)
{
    struct router_match match = find(state, "PATCH", "/api/documents");
    assert_null(match.route);
    assert_string_equal(match.allow, "GET, HEAD, POST, OPTIONS");
    match = find(state, "post", "/api/documents");
    assert_null(match.route);
}

static void head_is_get(void **state)
{
    assert_string_equal(operation(state, "HEAD", "/health"), "health");
    assert_null(find(state, "HEAD", "/api/documents/batch").route);
}

static void refuses_a_route_that_stands_twice(void **state)
{
    static const struct route twice[] = {
        {.method = ROUTE_GET,
         .path = "/a/{id}",
         .operation = "one",
         .permission = PERMIT_SEARCH},
        {.method = ROUTE_GET,
         .path = "/a/{name}",
         .operation = "two",
         .permission = PERMIT_SEARCH},
    };
    struct router *router;
    (void)state;
    assert_int_equal(router_create(twice, 2, &router), SH_INVALID);
    assert_null(router);
}

static void refuses_a_route_without_a_permission(void **state)
{
    static const struct route forgotten[] = {
        {.method = ROUTE_GET, .path = "/a", .operation = "one"}};
    static const struct route unknown[] = {{.method = ROUTE_GET,
                                            .path = "/a",
                                            .operation = "one",
                                            .permission = PERMIT_COUNT}};
    struct router *router;
    (void)state;
    assert_int_equal(router_create(forgotten, 1, &router), SH_INVALID);
    assert_int_equal(router_create(unknown, 1, &router), SH_INVALID);
}

static void permissions_have_names_of_their_own(void **state)
{
    (void)state;
    for (int i = PERMIT_PUBLIC; i < PERMIT_COUNT; i++)
        for (int j = PERMIT_UNSET; j < i; j++)
            assert_string_not_equal(permission_name((enum permission)i),
                                    permission_name((enum permission)j));
    assert_string_equal(permission_name(PERMIT_COUNT), "");
}

static void holds_many_routes(void **state)
{
    enum { MANY = 200 };
    static char paths[MANY][32];
    static struct route routes[MANY];
    struct router *router;
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(paths[i], sizeof paths[i], "/api/thing%zu", i);
        routes[i] = (struct route){
            .method = ROUTE_GET, .path = paths[i], .permission = PERMIT_PUBLIC};
    }
    assert_int_equal(router_create(routes, MANY, &router), SH_OK);
    for (size_t i = 0; i < MANY; i++)
        assert_ptr_equal(
            router_find(router, sh_bytes_of("GET"), sh_bytes_of(paths[i])).route,
            &routes[i]);
    router_free(&router);
}

static void survives_every_allocation_failure(void **state)
{
    struct router *router = NULL;
    enum sh_err err = SH_NOMEM;
    (void)state;
    for (int n = 0; err != SH_OK; n++) {
        sh_mem_fail_after(n);
        err = router_create(table, SH_COUNT(table), &router);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || (err == SH_NOMEM && router == NULL));
    }
    router_free(&router);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_by_method_and_path, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fixed_paths_win_over_parameters, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(answers_under_both_prefixes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_parameter_is_one_segment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_path_may_go_on_behind_the_parameter, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(unknown_paths_allow_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_methods_are_told_what_is_allowed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(head_is_get, set_up, tear_down),
        cmocka_unit_test(refuses_a_route_that_stands_twice),
        cmocka_unit_test(refuses_a_route_without_a_permission),
        cmocka_unit_test(permissions_have_names_of_their_own),
        cmocka_unit_test(holds_many_routes),
        cmocka_unit_test(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
