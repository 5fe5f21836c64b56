#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "db/migrate/schema.h"
#include "shared/mem.h"
#include "tests/support/servers.h"

struct fixture {
    char folder[64];
    PGconn *conn;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/cairn-migrations.XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    f->conn = schema_connect(getenv("TEST_DATABASE_URL"), 0);
    assert_non_null(f->conn);
    servers_sql(f->conn, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[128];

    (void)snprintf(command, sizeof(command), "rm -r '%s'", f->folder);
    assert_int_equal(system(command), 0);
    PQfinish(f->conn);
    free(f);
    return 0;
}

static void put(const struct fixture *f, const char *name, const char *sql)
{
    char path[256];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(sql, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static enum sh_err up(const struct fixture *f)
{
    struct migrations migrations;
    enum sh_err err = migrations_read(f->folder, &migrations);

    if (err == SH_OK)
        err = schema_up(f->conn, &migrations);
    migrations_free(&migrations);
    return err;
}

static enum sh_err down_to(const struct fixture *f, unsigned version)
{
    struct migrations migrations;
    enum sh_err err = migrations_read(f->folder, &migrations);

    if (err == SH_OK)
        err = schema_down_to(f->conn, &migrations, version);
    migrations_free(&migrations);
    return err;
}

static const char *applied(const struct fixture *f)
{
    return servers_sql(f->conn, "SELECT string_agg(version::text, ',' ORDER BY version) "
                                "FROM schema_migrations");
}

static void files_are_applied_in_order_and_once(void **state)
{
    struct fixture *f = *state;

    put(f, "0002_second.sql", "INSERT INTO first VALUES (1);");
    put(f, "0001_first.sql", "CREATE TABLE first (n int); CREATE TABLE other (n int);");
    put(f, "README", "not SQL");
    put(f, "12_short.sql", "no migration: nonsense");
    assert_int_equal(up(f), SH_OK);
    assert_int_equal(up(f), SH_OK);
    assert_string_equal(servers_sql(f->conn, "SELECT count(*) FROM first"), "1");
    assert_string_equal(applied(f), "1,2");
}

static void a_file_that_fails_leaves_nothing(void **state)
{
    struct fixture *f = *state;

    put(f, "0001_good.sql", "CREATE TABLE good (n int);");
    put(f, "0002_bad.sql", "CREATE TABLE bad (n int); SELECT nonsense;");
    put(f, "0003_never.sql", "CREATE TABLE never (n int);");
    assert_int_equal(up(f), SH_INVALID);
    assert_string_equal(applied(f), "1");
    assert_string_equal(servers_sql(f->conn, "SELECT to_regclass('bad') IS NULL AND "
                                             "to_regclass('never') IS NULL"),
                        "t");
    put(f, "0002_bad.sql", "CREATE TABLE bad (n int);");
    assert_int_equal(up(f), SH_OK);
    assert_string_equal(applied(f), "1,2,3");
}

static void a_file_may_not_commit(void **state)
{
    struct fixture *f = *state;

    put(f, "0001_commits.sql", "CREATE TABLE t (n int); COMMIT;");
    assert_int_equal(up(f), SH_INVALID);
    assert_string_equal(applied(f), "");
}

static void a_changed_file_is_a_conflict(void **state)
{
    struct fixture *f = *state;

    put(f, "0001_first.sql", "CREATE TABLE first (n int);");
    assert_int_equal(up(f), SH_OK);
    put(f, "0001_first.sql", "CREATE TABLE first (n bigint);");
    put(f, "0002_next.sql", "CREATE TABLE next (n int);");
    assert_int_equal(up(f), SH_CONFLICT);
    assert_string_equal(applied(f), "1");
}

static void two_files_of_one_number_are_refused(void **state)
{
    struct fixture *f = *state;

    put(f, "0001_a.sql", "SELECT 1;");
    put(f, "0001_b.sql", "SELECT 1;");
    assert_int_equal(up(f), SH_INVALID);
}

static void the_way_back_is_whole_or_not_begun(void **state)
{
    struct fixture *f = *state;

    put(f, "0001_a.sql", "CREATE TABLE a (n int);");
    put(f, "0001_a.down.sql", "DROP TABLE a;");
    put(f, "0002_b.sql", "CREATE TABLE b (n int);");
    put(f, "0003_c.sql", "CREATE TABLE c (n int);");
    put(f, "0003_c.down.sql", "DROP TABLE c;");
    assert_int_equal(up(f), SH_OK);
    assert_int_equal(down_to(f, 1), SH_INVALID); /* 0002 has none: 0003 stays too */
    assert_string_equal(applied(f), "1,2,3");
    assert_int_equal(down_to(f, 2), SH_OK);
    assert_string_equal(applied(f), "1,2");
    put(f, "0002_b.down.sql", "DROP TABLE b;");
    assert_int_equal(down_to(f, 0), SH_OK);
    assert_string_equal(applied(f), "");
    assert_int_equal(up(f), SH_OK);
}

/* Each runner sleeps inside the file, so that they surely meet. */
static void runners_at_once_apply_each_file_once(void **state)
{
    enum { RUNNERS = 4 };
    struct fixture *f = *state;
    pid_t pids[RUNNERS];
    int status;

    put(f, "0001_slow.sql", "CREATE TABLE slow (n int); SELECT pg_sleep(0.1);");
    put(f, "0002_slow.sql", "INSERT INTO slow VALUES (1); SELECT pg_sleep(0.1);");
    for (int i = 0; i < RUNNERS; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) {
            struct fixture own = *f;
            own.conn = schema_connect(getenv("TEST_DATABASE_URL"), 0);
            _exit(own.conn && up(&own) == SH_OK ? 0 : 1);
        }
    }
    for (int i = 0; i < RUNNERS; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_string_equal(servers_sql(f->conn, "SELECT count(*) FROM slow"), "1");
}

static void the_projects_own_go_up_and_down(void **state)
{
    struct fixture *f = *state;
    struct migrations migrations;
    char folder[4096];

    (void)snprintf(folder, sizeof(folder), "%s/db/migrations", getenv("TEST_ROOT"));
    assert_int_equal(migrations_read(folder, &migrations), SH_OK);
    assert_true(migrations.count >= 2);
    assert_int_equal(schema_up(f->conn, &migrations), SH_OK);
    assert_int_equal(schema_down(f->conn, &migrations, 1000), SH_OK);
    assert_string_equal(servers_sql(f->conn, "SELECT count(*) FROM pg_class WHERE "
                                             "relnamespace = 'public'::regnamespace AND "
                                             "relname NOT LIKE 'schema_migrations%'"),
                        "0");
    assert_string_equal(servers_sql(f->conn, "SELECT count(*) FROM pg_proc WHERE "
                                             "pronamespace = 'public'::regnamespace"),
                        "0");
    assert_int_equal(schema_up(f->conn, &migrations), SH_OK);
    migrations_free(&migrations);
}

static const char *changes(const struct fixture *f, const char *outbox)
{
    char sql[256];

    (void)snprintf(
        sql, sizeof(sql),
        "WITH gone AS (DELETE FROM %s RETURNING *) SELECT string_agg(concat_ws(':', "
        "entity, id, op), ' ' ORDER BY entity, id, op) FROM gone",
        outbox);
    return servers_sql(f->conn, sql);
}

static void a_change_writes_one_row_an_entity(void **state)
{
    struct fixture *f = *state;
    struct migrations migrations;
    char folder[4096];

    (void)snprintf(folder, sizeof(folder), "%s/db/migrations", getenv("TEST_ROOT"));
    assert_int_equal(migrations_read(folder, &migrations), SH_OK);
    assert_int_equal(schema_up(f->conn, &migrations), SH_OK);
    migrations_free(&migrations);
    servers_sql(f->conn, "INSERT INTO documents (id) VALUES ('a'), ('b')");
    assert_string_equal(changes(f, "search_outbox"), "document:a:u document:b:u");
    servers_sql(
        f->conn,
        "INSERT INTO chunks (id, document_id, ordinal, text) SELECT d || '#' || n, "
        "d, n, 'x' FROM unnest('{a,b}'::text[]) d, generate_series(0, 4) n;"
        "INSERT INTO models VALUES ('f', 'n', 'p', 1, 0.5)");
    assert_string_equal(changes(f, "search_outbox"), "");
    servers_sql(f->conn, "INSERT INTO chunk_vectors SELECT id, 'f', '\\x00000000' "
                         "FROM chunks WHERE document_id = 'b'");
    assert_string_equal(changes(f, "search_outbox"), "document:b:u");
    servers_sql(f->conn, "INSERT INTO documents (id) VALUES ('c');"
                         "INSERT INTO chunks (id, document_id, ordinal, text) "
                         "VALUES ('c#0', 'c', 0, 'x');"
                         "INSERT INTO chunk_vectors SELECT id, 'f', '\\x00000000' "
                         "FROM chunks WHERE document_id IN ('b', 'c') "
                         "ON CONFLICT (chunk_id, fingerprint) DO UPDATE "
                         "SET vector = EXCLUDED.vector");
    assert_string_equal(changes(f, "search_outbox"), "document:b:u document:c:u");
    servers_sql(f->conn, "DELETE FROM documents WHERE id IN ('b', 'c')");
    assert_string_equal(changes(f, "search_outbox"), "document:b:d document:c:d");
    servers_sql(f->conn, "TRUNCATE documents CASCADE");
    assert_string_equal(changes(f, "search_outbox"), "document:a:d");
    servers_sql(f->conn, "INSERT INTO glossary_terms (id, term) VALUES ('t', 'x');"
                         "UPDATE glossary_terms SET id = 's'");
    assert_string_equal(changes(f, "search_outbox"), "term:s:u term:t:d term:t:u");
    servers_sql(f->conn, "INSERT INTO graph_nodes (id) VALUES ('n'), ('m');"
                         "INSERT INTO graph_edges VALUES ('e', 'T', 'n', 'm')");
    assert_string_equal(changes(f, "graph_outbox"), "edge:e:u node:m:u node:n:u");
    servers_sql(f->conn, "DELETE FROM graph_nodes WHERE id = 'n'");
    assert_string_equal(changes(f, "graph_outbox"), "edge:e:d node:n:d");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(files_are_applied_in_order_and_once),
        CASE(a_file_that_fails_leaves_nothing),
        CASE(a_file_may_not_commit),
        CASE(a_changed_file_is_a_conflict),
        CASE(two_files_of_one_number_are_refused),
        CASE(the_way_back_is_whole_or_not_begun),
        CASE(runners_at_once_apply_each_file_once),
        CASE(the_projects_own_go_up_and_down),
        CASE(a_change_writes_one_row_an_entity),
    };

    (void)argc;
    servers_ensure(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
