/* Which sort of act an action is, and how its records are chosen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/gateway/audit/kinds.h"
#include "services/gateway/routes/routes.h"
#include "shared/mem.h"

static const struct route table[] = {
    {.method = ROUTE_GET, .operation = "find", .permission = PERMIT_SEARCH},
    {.method = ROUTE_GET,
     .operation = "guess",
     .permission = PERMIT_READ_DOCUMENTS,
     .flags = ROUTE_AS_SEARCH},
    {.method = ROUTE_GET, .operation = "list", .permission = PERMIT_ADMIN_KEYS},
    {.method = ROUTE_POST, .operation = "cypher", .permission = PERMIT_READ_GRAPH},
    {.method = ROUTE_POST,
     .operation = "enter",
     .permission = PERMIT_PUBLIC,
     .flags = ROUTE_ENTRY},
    {.method = ROUTE_POST, .operation = "make", .permission = PERMIT_ADMIN_KEYS},
    {.method = ROUTE_GET,
     .operation = "probe",
     .permission = PERMIT_PUBLIC,
     .flags = ROUTE_QUIET},
};

static void kinds_are_parsed_whole_or_not_at_all(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",      "reads",       "read,",
                                        ",read", "read, login", "READ"};
    unsigned kinds;

    assert_true(audit_kinds_parse(sh_bytes_of("read"), &kinds));
    assert_int_equal(kinds, AUDIT_LOOKS);
    assert_true(audit_kinds_parse(sh_bytes_of("change,login,denied,login"), &kinds));
    assert_int_equal(kinds, AUDIT_CHANGES | AUDIT_LOGINS | AUDIT_DENIED);
    for (size_t i = 0; i < SH_COUNT(wrong); i++)
        assert_false(audit_kinds_parse(sh_bytes_of(wrong[i]), &kinds));
}

static void check_choice(unsigned kinds, bool without, const char *names)
{
    struct audit_choice choice;

    audit_choose(table, SH_COUNT(table), kinds, &choice);
    assert_int_equal(choice.names.err, SH_OK);
    sh_buffer_append(&choice.names, "", 1);
    assert_string_equal(choice.names.data, names);
    assert_int_equal(choice.without, without);
    sh_buffer_free(&choice.names);
}

static void changes_are_what_nothing_else_is(void **state)
{
    (void)state;
    check_choice(AUDIT_LOGINS, false, "{enter}");
    check_choice(AUDIT_SEARCHES | AUDIT_LOGINS, false, "{find,guess,enter}");
    check_choice(AUDIT_LOOKS, false, "{list,cypher,probe}");
    check_choice(AUDIT_DENIED, false, "{}");
    check_choice(AUDIT_CHANGES, true, "{find,guess,list,cypher,enter,probe}");
    check_choice(AUDIT_CHANGES | AUDIT_LOGINS | AUDIT_DENIED, true,
                 "{find,guess,list,cypher,probe}");
}

static void actions_are_told_by_kind_without_probes(void **state)
{
    (void)state;
    struct sh_buffer out = {0};

    audit_actions_json(table, SH_COUNT(table), &out);
    sh_buffer_append(&out, "", 1);
    assert_string_equal(out.data, "{\"change\":[\"make\",\"audit.start\",\"audit.stop\","
                                  "\"audit.anchor\",\"audit.retention\",\"audit.lost\"],"
                                  "\"login\":[\"enter\"],\"search\":[\"find\",\"guess\"],"
                                  "\"read\":[\"list\",\"cypher\"]}");
    sh_buffer_free(&out);
}

static unsigned kind_of(const struct route *routes, size_t count, const char *operation)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(routes[i].operation, operation) == 0)
            return audit_kind_of(&routes[i]);
    fail_msg("no route %s", operation);
    return 0;
}

static void the_real_routes_are_what_they_do(void **state)
{
    (void)state;
    static const struct {
        const char *operation;
        unsigned kind;
    } cases[] = {
        {"login", AUDIT_LOGINS},
        {"logout", AUDIT_LOGINS},
        {"refresh_login", AUDIT_LOGINS},
        {"change_password", AUDIT_CHANGES},
        {"search_documents", AUDIT_SEARCHES},
        {"suggest", AUDIT_SEARCHES},
        {"list_users", AUDIT_LOOKS},
        {"admin_stats", AUDIT_LOOKS},
        {"list_backups", AUDIT_LOOKS},
        {"graph_query", AUDIT_LOOKS},
        {"query_documents", AUDIT_LOOKS},
        {"create_api_key", AUDIT_CHANGES},
        {"delete_document", AUDIT_CHANGES},
        {"restore_backup", AUDIT_CHANGES},
    };
    size_t count;
    struct route *routes = routes_all(&count);

    assert_non_null(routes);
    for (size_t i = 0; i < SH_COUNT(cases); i++)
        assert_int_equal(kind_of(routes, count, cases[i].operation), cases[i].kind);
    sh_free(routes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_parsed_whole_or_not_at_all),
        cmocka_unit_test(changes_are_what_nothing_else_is),
        cmocka_unit_test(actions_are_told_by_kind_without_probes),
        cmocka_unit_test(the_real_routes_are_what_they_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
