#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "services/gateway/maintenance/maintenance.h"
#include "services/gateway/routes/routes.h"
#include "shared/mem.h"

/* What does not read, and goes on all the same: questions by POST, logging in and out,
 * and what ends maintenance. */
static const char *const let_in[] = {"search_documents",
                                     "query_documents",
                                     "embed",
                                     "embeddings",
                                     "openai_embeddings",
                                     "show_model",
                                     "graph_query",
                                     "login",
                                     "logout",
                                     "clear_cache",
                                     "make_backup",
                                     "prune_backups",
                                     "undo_restore",
                                     "cancel_backup_run",
                                     "delete_backup",
                                     "verify_backup",
                                     "drill_backup",
                                     "copy_backup",
                                     "restore_backup",
                                     "enter_maintenance",
                                     "leave_maintenance"};

static const struct route *find(const struct route *routes, size_t count,
                                const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(routes[i].operation, name) == 0)
            return &routes[i];
    return NULL;
}

static void reads_go_on(void **state)
{
    size_t count;
    struct route *routes = routes_all(&count);

    (void)state;
    assert_non_null(routes);
    for (size_t i = 0; i < SH_COUNT(let_in); i++) {
        const struct route *route = find(routes, count, let_in[i]);
        assert_non_null(route);
        assert_false(maintenance_concerns(route));
    }
    for (size_t i = 0; i < count; i++)
        if (routes[i].method == ROUTE_GET)
            assert_false(maintenance_concerns(&routes[i]));
    assert_false(maintenance_concerns(NULL)); /* there is no such route */
    sh_free(routes);
}

static void what_writes_is_refused(void **state)
{
    static const char *const writes[] = {
        "store_document", "store_documents", "delete_document", "define_collection",
        "reindex",        "create_term",     "import_glossary", "create_graph_node",
        "import_graph",   "graph_analysis",  "retry_job",       "change_password",
        "create_api_key", "create_user",     "delete_user",     "activate_generation"};
    size_t count;
    struct route *routes = routes_all(&count);

    (void)state;
    assert_non_null(routes);
    for (size_t i = 0; i < SH_COUNT(writes); i++) {
        const struct route *route = find(routes, count, writes[i]);
        assert_non_null(route);
        assert_true(maintenance_concerns(route));
    }
    sh_free(routes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_go_on),
        cmocka_unit_test(what_writes_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
