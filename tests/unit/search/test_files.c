/* Originals and who refers to them: claims, removals, the look through the store, against
 * a real database and a real directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <utime.h>

#include "services/search/files/keeper.h"
#include "shared/clock.h"
#include "tests/support/migrate.h"
#include "tests/support/pg_config.h"
#include "tests/support/servers.h"

enum { PATIENCE_MS = 60000 };

/* SHA-256 of "abc" and of "abd"; the store holds what the tests say it does. */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABD "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9"

struct fixture {
    uv_loop_t loop;
    uv_timer_t wake;
    char dir[64];
    char where[96];
    PGconn *db;
    PGconn *other;
    struct sh_pg_config pg_config;
    struct sh_file_config config;
    struct sh_pg *pg;
    struct sh_file_store *store;
    struct file_keeper *keeper;
};

static void on_wake(uv_timer_t *timer)
{
    (void)timer;
}

#define pump_until(f, condition)                                                         \
    do {                                                                                 \
        uint64_t until_ = sh_now_ms() + PATIENCE_MS;                                     \
        while (!(condition) && sh_now_ms() < until_) {                                   \
            (void)uv_timer_start(&(f)->wake, on_wake, 10, 0);                            \
            uv_run(&(f)->loop, UV_RUN_ONCE);                                             \
        }                                                                                \
        assert_true(condition);                                                          \
    } while (0)

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->db = servers_connect();
    f->other = servers_connect();
    migrate_afresh(f->db);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(uv_timer_init(&f->loop, &f->wake), 0);
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/cairn-keeper.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->where, sizeof(f->where), "dir:%s", f->dir);
    f->config = (struct sh_file_config){.store = f->where, .spool_dir = ""};
    f->pg_config = pg_config_of(getenv("TEST_DATABASE_URL"));
    assert_int_equal(sh_pg_create(&f->loop, &f->pg_config, NULL, &f->pg), SH_OK);
    assert_int_equal(sh_file_store_open(&f->loop, &f->config, NULL, &f->store), SH_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[128];

    file_keeper_close(&f->keeper);
    sh_file_store_close(&f->store);
    sh_pg_close(&f->pg);
    uv_close((uv_handle_t *)&f->wake, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    PQfinish(f->db);
    PQfinish(f->other);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

/* --- what is there
 * ---------------------------------------------------------------------- */

static void path_of(const struct fixture *f, const char *hash, char out[static 256])
{
    (void)snprintf(out, 256, "%s/%.2s/%s", f->dir, hash, hash);
}

static void lay(const struct fixture *f, const char *hash, int age_s)
{
    struct utimbuf then = {time(NULL) - age_s, time(NULL) - age_s};
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%.2s", f->dir, hash);
    (void)mkdir(path, 0700);
    path_of(f, hash, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(utime(path, &then), 0);
}

static bool is_there(const struct fixture *f, const char *hash)
{
    char path[256];

    path_of(f, hash, path);
    return access(path, F_OK) == 0;
}

static void add_document(const struct fixture *f, const char *id, const char *hash)
{
    char sql[256];

    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO documents (id, file_hash) VALUES ('%s', '\\x%s')", id,
                   hash);
    assert_string_equal(servers_sql(f->db, sql), "");
}

static void keep(struct fixture *f)
{
    struct file_keeper_options options = {
        .pg = f->pg, .store = f->store, .orphan_age_s = 3600, .sweep_s = 3600};

    assert_int_equal(file_keeper_create(&f->loop, &options, &f->keeper), SH_OK);
    file_keeper_wake(f->keeper);
}

static bool no_orphans(const struct fixture *f)
{
    return strcmp(servers_sql(f->db, "SELECT count(*) FROM file_orphans"), "0") == 0;
}

/* --- the promises
 * ----------------------------------------------------------------------- */

static void a_file_goes_with_its_last_document(void **state)
{
    struct fixture *f = *state;

    lay(f, ABC, 0);
    add_document(f, "a", ABC);
    add_document(f, "b", ABC);
    keep(f);
    assert_string_equal(servers_sql(f->db, "DELETE FROM documents WHERE id = 'a'"), "");
    file_keeper_wake(f->keeper);
    pump_until(f, no_orphans(f));
    assert_true(is_there(f, ABC));
    assert_string_equal(servers_sql(f->db, "DELETE FROM documents"), "");
    file_keeper_wake(f->keeper);
    pump_until(f, no_orphans(f));
    assert_false(is_there(f, ABC));
}

static void a_document_that_is_replaced_lets_its_file_go(void **state)
{
    struct fixture *f = *state;

    lay(f, ABC, 0);
    lay(f, ABD, 0);
    add_document(f, "a", ABC);
    assert_string_equal(servers_sql(f->db, "UPDATE documents SET title = 'x'"), "");
    assert_true(no_orphans(f)); /* the same file */
    assert_string_equal(
        servers_sql(f->db, "UPDATE documents SET file_hash = '\\x" ABD "'"), "");
    keep(f);
    pump_until(f, no_orphans(f));
    assert_false(is_there(f, ABC));
    assert_true(is_there(f, ABD));
    assert_string_equal(servers_sql(f->db, "UPDATE documents SET file_hash = NULL"), "");
    file_keeper_wake(f->keeper);
    pump_until(f, no_orphans(f));
    assert_false(is_there(f, ABD));
}

static void a_claimed_file_stays_until_the_claim_ends(void **state)
{
    struct fixture *f = *state;

    lay(f, ABC, 0);
    add_document(f, "a", ABC);
    assert_string_equal(servers_sql(f->db, "SELECT file_claim('\\x" ABC "')"), "1");
    assert_string_equal(servers_sql(f->db, "DELETE FROM documents"), "");
    keep(f);
    pump_until(f, no_orphans(f));
    assert_true(is_there(f, ABC));
    assert_string_equal(servers_sql(f->db, "SELECT file_release(1)"), "");
    file_keeper_wake(f->keeper);
    pump_until(f, no_orphans(f));
    assert_false(is_there(f, ABC));
    assert_string_equal(servers_sql(f->db, "SELECT file_release(1)"), ""); /* once more */
    assert_true(no_orphans(f));
}

/* A deletion that has not committed yet has not happened. */
static void a_deletion_that_is_undone_removes_nothing(void **state)
{
    struct fixture *f = *state;

    lay(f, ABC, 0);
    add_document(f, "a", ABC);
    assert_string_equal(servers_sql(f->other, "BEGIN"), "");
    assert_string_equal(servers_sql(f->other, "DELETE FROM documents"), "");
    keep(f);
    assert_string_equal(
        servers_sql(f->db, "INSERT INTO file_orphans (hash) VALUES ('\\x" ABC "')"), "");
    file_keeper_wake(f->keeper);
    pump_until(f, no_orphans(f));
    assert_true(is_there(f, ABC));
    assert_string_equal(servers_sql(f->other, "ROLLBACK"), "");
    assert_true(no_orphans(f));
    assert_true(is_there(f, ABC));
}

/* The bytes come back while they are removed: the upload waits for the removal. */
static void a_claim_waits_for_a_removal(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(
        servers_sql(f->db, "INSERT INTO file_orphans (hash) VALUES ('\\x" ABC "')"), "");
    assert_string_equal(servers_sql(f->db, "SELECT count(*) FROM file_collect(10, 600)"),
                        "1");
    assert_string_equal(servers_sql(f->db, "SELECT count(*) FROM file_collect(10, 600)"),
                        "0"); /* somebody is at it */
    assert_int_equal(PQsendQuery(f->other, "SELECT file_claim('\\x" ABC "')"), 1);
    assert_string_equal(
        servers_sql(f->db, "SELECT file_removed(hash, lease, NULL) FROM file_orphans"),
        "");
    PGresult *result = PQgetResult(f->other);
    assert_string_equal(PQgetvalue(result, 0, 0), "1");
    PQclear(result);
    PQclear(PQgetResult(f->other));
}

static void a_removal_that_does_not_end_refuses_claims(void **state)
{
    struct fixture *f = *state;

    servers_sql(f->db, "INSERT INTO file_orphans (hash) VALUES ('\\x" ABC "')");
    servers_sql(f->db, "SELECT count(*) FROM file_collect(10, 600)");
    assert_string_equal(servers_sql(f->db, "SELECT file_claim('\\x" ABC "') IS NULL"),
                        "t");
    /* who removed it is gone: its lease runs out */
    servers_sql(f->db, "UPDATE file_orphans SET lease = now() - interval '1 second'");
    assert_string_equal(servers_sql(f->db, "SELECT file_claim('\\x" ABC "') IS NULL"),
                        "f");
}

static void another_ones_lease_is_not_struck_off(void **state)
{
    struct fixture *f = *state;

    servers_sql(f->db, "INSERT INTO file_orphans (hash) VALUES ('\\x" ABC "')");
    servers_sql(f->db, "SELECT count(*) FROM file_collect(10, 600)");
    servers_sql(f->db, "SELECT file_removed(hash, lease - interval '1 second', NULL) "
                       "FROM file_orphans");
    assert_false(no_orphans(f));
}

static void old_files_that_nobody_knows_are_found(void **state)
{
    struct fixture *f = *state;

    lay(f, ABC, 7200);
    lay(f, ABD, 0); /* may belong to an upload */
    keep(f);
    pump_until(f, !is_there(f, ABC));
    pump_until(f, no_orphans(f));
    assert_true(is_there(f, ABD));
    assert_string_equal(
        servers_sql(f->db,
                    "SELECT next_at > now() + interval '30 minutes' FROM file_sweeps"),
        "t");
}

static void what_is_known_is_no_orphan_however_old(void **state)
{
    struct fixture *f = *state;

    lay(f, ABC, 7200);
    lay(f, ABD, 7200);
    add_document(f, "a", ABC);
    servers_sql(f->db, "SELECT file_claim('\\x" ABD "')");
    keep(f);
    pump_until(f, strcmp(servers_sql(f->db, "SELECT next_at > now() FROM file_sweeps"),
                         "t") == 0);
    file_keeper_close(&f->keeper); /* ends the sweep */
    keep(f);
    assert_string_equal(
        servers_sql(f->db, "INSERT INTO file_orphans (hash) VALUES ('\\x" ABC "')"), "");
    pump_until(f, no_orphans(f));
    assert_true(is_there(f, ABC));
    assert_true(is_there(f, ABD));
}

static void a_claim_of_an_upload_that_died_ends(void **state)
{
    struct fixture *f = *state;

    lay(f, ABC, 7200);
    servers_sql(f->db, "INSERT INTO file_claims (hash, at) VALUES ('\\x" ABC "', "
                       "now() - interval '2 hours')");
    keep(f);
    pump_until(f, !is_there(f, ABC));
    assert_string_equal(servers_sql(f->db, "SELECT count(*) FROM file_claims"), "0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_goes_with_its_last_document),
        TEST(a_document_that_is_replaced_lets_its_file_go),
        TEST(a_claimed_file_stays_until_the_claim_ends),
        TEST(a_deletion_that_is_undone_removes_nothing),
        TEST(a_claim_waits_for_a_removal),
        TEST(a_removal_that_does_not_end_refuses_claims),
        TEST(another_ones_lease_is_not_struck_off),
        TEST(old_files_that_nobody_knows_are_found),
        TEST(what_is_known_is_no_orphan_however_old),
        TEST(a_claim_of_an_upload_that_died_ends),
    };

    (void)argc;
    servers_ensure(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
