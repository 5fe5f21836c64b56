#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "services/gateway/openapi.h"
#include "services/gateway/routes/also.h"
#include "services/gateway/routes/routes.h"
#include "shared/mem.h"

static struct route *routes; /* all of them, while the group runs */
static size_t routes_count;

static int open_routes(void **state)
{
    (void)state;
    routes = routes_all(&routes_count);
    return routes != NULL ? 0 : -1;
}

static int close_routes(void **state)
{
    (void)state;
    sh_free(routes);
    return 0;
}

static int set_up(void **state)
{
    struct sh_buffer text = {0};
    if (openapi_write(routes, routes_count, &text) != SH_OK)
        return -1;
    *state = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    sh_buffer_free(&text);
    return *state != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    json_decref(*state);
    return 0;
}

static json_t *operation(json_t *document, const struct route *route)
{
    static const char *const names[] = {"get", "post", "put", "delete"};
    json_t *paths = json_object_get(document, "paths");
    return json_object_get(json_object_get(paths, route->path), names[route->method]);
}

static void describes_every_route(void **state)
{
    assert_string_equal(json_string_value(json_object_get(*state, "openapi")), "3.1.0");
    for (size_t i = 0; i < routes_count; i++) {
        json_t *json = operation(*state, &routes[i]);
        assert_int_equal(json != NULL, (routes[i].flags & ROUTE_HIDDEN) == 0);
        if (json == NULL)
            continue;
        assert_string_equal(json_string_value(json_object_get(json, "operationId")),
                            routes[i].operation);
        assert_int_equal(json_object_get(json, "requestBody") != NULL,
                         routes[i].body != NULL ||
                             (routes[i].flags & ROUTE_UPLOAD) != 0 ||
                             (routes[i].method == ROUTE_POST &&
                              strchr(routes[i].answer, '/') != NULL));
        assert_true(routes[i].answer != NULL);
        assert_non_null(json_object_get(json_object_get(json, "responses"), "default"));
    }
}

static void says_what_each_route_asks_for(void **state)
{
    json_t *components = json_object_get(*state, "components");
    assert_int_equal(json_object_size(json_object_get(components, "securitySchemes")), 3);
    for (size_t i = 0; i < routes_count; i++) {
        json_t *json = operation(*state, &routes[i]);
        const char *name = json_string_value(json_object_get(json, "x-permission"));
        if (json == NULL)
            continue;
        if (routes[i].permission == PERMIT_PUBLIC)
            assert_int_equal(json_array_size(json_object_get(json, "security")), 0);
        else
            assert_string_equal(name, permission_name(routes[i].permission));
        assert_int_equal(name == NULL, routes[i].permission == PERMIT_PUBLIC);
    }
}

static void follow(json_t *document, json_t *json)
{
    const char *name, *prefix = "#/components/schemas/";
    size_t i;
    json_t *value;

    json_object_foreach(json, name, value)
    {
        if (strcmp(name, "$ref") == 0) {
            const char *to = json_string_value(value);
            assert_int_equal(strncmp(to, prefix, strlen(prefix)), 0);
            json_t *all =
                json_object_get(json_object_get(document, "components"), "schemas");
            assert_non_null(json_object_get(all, to + strlen(prefix)));
        }
        follow(document, value);
    }
    json_array_foreach(json, i, value) follow(document, value);
}

static const char *media_of(const json_t *of)
{
    json_t *content = json_object_get(of, "content");
    return json_object_iter_key(json_object_iter(content));
}

static void files_and_lines_are_described(void **state)
{
    json_t *paths = json_object_get(*state, "paths");
    json_t *import = json_object_get(json_object_get(paths, "/api/graph/import"), "post");
    json_t *good = json_object_get(json_object_get(import, "responses"), "200");
    assert_string_equal(media_of(json_object_get(import, "requestBody")), "*/*");
    assert_string_equal(media_of(good), "application/x-ndjson");
}

static void every_status_is_listed_the_usual_one_first(void **state)
{
    for (size_t i = 0; i < routes_count; i++) {
        json_t *all = json_object_get(operation(*state, &routes[i]), "responses");
        const struct route_also *one = NULL;
        char number[12];
        if (all == NULL)
            continue;
        (void)snprintf(number, sizeof number, "%d", routes[i].success);
        assert_string_equal(json_object_iter_key(json_object_iter(all)), number);
        for (one = routes_also(routes[i].operation, NULL); one != NULL;
             one = routes_also(routes[i].operation, one)) {
            (void)snprintf(number, sizeof number, "%d", one->status);
            json_t *listed = json_object_get(all, number);
            assert_string_equal(json_string_value(json_object_get(listed, "description")),
                                one->help);
            assert_int_equal(json_object_get(listed, "content") != NULL,
                             one->answer != NULL);
            assert_int_not_equal(one->status, routes[i].success);
        }
    }
}

static void further_statuses_are_of_routes(void **state)
{
    size_t count = 0, used = 0;
    (void)state;
    const struct route_also *all = routes_also_all(&count);
    for (size_t i = 0; i < routes_count; i++)
        if ((routes[i].flags & ROUTE_HIDDEN) == 0)
            for (size_t j = 0; j < count; j++)
                used += strcmp(all[j].operation, routes[i].operation) == 0;
    assert_int_equal(used, count);
}

static void every_reference_leads_somewhere(void **state)
{
    follow(*state, *state);
}

static void requests_carry_their_ranges(void **state)
{
    json_t *json = json_object_get(json_object_get(*state, "components"), "schemas");
    json = json_object_get(json_object_get(json, "SearchRequest"), "properties");
    json = json_object_get(json_object_get(json, "config"), "properties");
    json = json_object_get(json, "vector_weight");
    assert_non_null(json);
    assert_true(json_number_value(json_object_get(json, "minimum")) == 0);
    assert_true(json_number_value(json_object_get(json, "maximum")) == 1);
}

static void operations_have_names_of_their_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < routes_count; i++)
        for (size_t j = 0; j < i; j++)
            if (((routes[i].flags | routes[j].flags) & ROUTE_HIDDEN) == 0)
                assert_string_not_equal(routes[i].operation, routes[j].operation);
}

static void the_page_needs_nothing_from_elsewhere(void **state)
{
    struct sh_buffer page = {0};
    (void)state;
    assert_int_equal(openapi_page(routes, routes_count, &page), SH_OK);
    sh_buffer_append(&page, "", 1);
    assert_null(strstr(page.data, "<script"));
    assert_null(strstr(page.data, "src="));
    assert_null(strstr(page.data, "http"));
    assert_non_null(strstr(page.data, "/api/documents/{id}"));
    sh_buffer_free(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(describes_every_route, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_what_each_route_asks_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_and_lines_are_described, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_status_is_listed_the_usual_one_first,
                                        set_up, tear_down),
        cmocka_unit_test(further_statuses_are_of_routes),
        cmocka_unit_test_setup_teardown(every_reference_leads_somewhere, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(requests_carry_their_ranges, set_up, tear_down),
        cmocka_unit_test(operations_have_names_of_their_own),
        cmocka_unit_test(the_page_needs_nothing_from_elsewhere),
    };
    return cmocka_run_group_tests(tests, open_routes, close_routes);
}
