/* Logging in against a real PostgreSQL: what is counted, locked and told, over two
 * gateways that know of each other by it alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/gateway/auth/first_admin.h"
#include "services/gateway/auth/login.h"
#include "services/gateway/auth/password.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/metrics.h"
#include "tests/support/migrate.h"

enum { GATEWAYS = 2, LOGINS_MAX = 32, CALL_MS = 3 * SERVERS_PUMP_MS };

#define GOOD "Correct-Horse-7"
#define BAD  "Wrong-Horse-77"

struct fixture {
    uv_loop_t loop;
    struct gateway gateway;
    struct edge edges[GATEWAYS];
    PGconn *db;
    char hash[PASSWORD_HASH];
    size_t ended;
    size_t results[LOGIN_UNKNOWN + 1];
    struct login_outcome last;
    char user[128]; /* who got in */
};

static void open_edge(struct fixture *f, struct edge *edge)
{
    *edge = (struct edge){.gateway = &f->gateway, .loop = &f->loop};
    assert_int_equal(sh_pg_create(&f->loop, &f->gateway.pg_config, NULL, &edge->pg),
                     SH_OK);
    assert_int_equal(sh_workers_create(&f->loop, "hash", 2, LOGINS_MAX, &edge->workers),
                     SH_OK);
}

static bool has_connections(void *arg)
{
    struct fixture *f = arg;

    for (size_t i = 0; i < GATEWAYS; i++)
        if (sh_pg_size(f->edges[i].pg) == 0)
            return false;
    return true;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    *state = f;
    f->db = servers_connect();
    migrate_afresh(f->db);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    f->gateway.config.write_timeout_ms = CALL_MS;
    f->gateway.ldap_config.url = ""; /* no directory */
    f->gateway.account_config = (struct account_config){.lockout_failures = 5,
                                                        .lockout_s = 900,
                                                        .admin_username = "",
                                                        .admin_password = ""};
    f->gateway.pg_config = (struct sh_pg_config){.url = getenv("TEST_DATABASE_URL"),
                                                 .read_hosts = "",
                                                 .pool_min = 2,
                                                 .pool_max = 4,
                                                 .statement_timeout_ms = CALL_MS};
    for (size_t i = 0; i < GATEWAYS; i++)
        open_edge(f, &f->edges[i]);
    assert_true(servers_pump(&f->loop, has_connections, f));
    assert_int_equal(password_hash(sh_bytes_of(GOOD), f->hash), SH_OK);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < GATEWAYS; i++) {
        sh_workers_close(&f->edges[i].workers);
        sh_pg_close(&f->edges[i].pg);
    }
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    PQfinish(f->db);
    free(f);
    return 0;
}

static const char *sql(struct fixture *f, const char *text)
{
    const char *answer = servers_sql(f->db, text);
    if (strncmp(answer, "error", 5) == 0)
        fail_msg("%s", answer);
    return answer;
}

static void add(struct fixture *f, const char *name, const char *role, const char *hash)
{
    char text[1024];

    (void)snprintf(text, sizeof text,
                   "INSERT INTO users (username, username_key, password_hash, role) "
                   "VALUES ('%s', lower('%s'), '%s', '%s')",
                   name, name, hash, role);
    sql(f, text);
}

static void on_done(void *arg, const struct login_outcome *outcome)
{
    struct fixture *f = arg;

    f->ended++;
    f->results[outcome->result]++;
    f->last = *outcome;
    f->user[0] = '\0';
    if (outcome->user != NULL)
        (void)snprintf(
            f->user, sizeof f->user, "%.*s %.*s %llu", (int)outcome->user->username.len,
            (const char *)outcome->user->username.data, (int)outcome->user->role.len,
            (const char *)outcome->user->role.data,
            (unsigned long long)outcome->user->epoch);
}

static void begin(struct fixture *f, size_t gateway, const char *name,
                  const char *password)
{
    struct login *login;

    assert_int_equal(login_begin(&f->edges[gateway], sh_bytes_of(name),
                                 sh_bytes_of(password), on_done, f, &login),
                     SH_OK);
    assert_non_null(login);
}

struct wanted {
    struct fixture *f;
    size_t ended;
};

static bool have_ended(void *arg)
{
    const struct wanted *wanted = arg;
    return wanted->f->ended >= wanted->ended;
}

static void await(struct fixture *f, size_t ended)
{
    assert_true(servers_pump(&f->loop, have_ended, &(struct wanted){f, ended}));
}

static enum login_result attempt(struct fixture *f, size_t gateway, const char *name,
                                 const char *password)
{
    size_t before = f->ended;

    begin(f, gateway, name, password);
    assert_int_equal(f->ended, before); /* never from inside */
    await(f, before + 1);
    return f->last.result;
}

static double figure(const char *name)
{
    struct sh_buffer out = {0};
    double value = 0;

    sh_metrics_render(&out, false);
    sh_buffer_append(&out, "", 1);
    for (const char *at = out.data; (at = strstr(at, name)) != NULL; at++)
        if (at[-1] == '\n')
            value = strtod(at + strlen(name), NULL);
    sh_buffer_free(&out);
    return value;
}

#define CHECKS "cairn_gateway_password_checks_total "

/* --- good and bad ----------------------------------------------------------------- */

static void the_right_password_lets_in(void **state)
{
    struct fixture *f = *state;

    add(f, "Ann", "staff", f->hash);
    assert_int_equal(attempt(f, 0, "ann", GOOD), LOGIN_GOOD);
    assert_string_equal(f->user, "Ann staff 1");
    assert_int_equal(attempt(f, 1, "\xef\xbc\xa1NN", GOOD), LOGIN_GOOD); /* wide A */
    assert_string_equal(sql(f, "SELECT count(*) FROM users WHERE last_login_at IS NOT "
                               "NULL"),
                        "1");
    assert_string_equal(sql(f, "SELECT count(*) FROM login_lockouts"), "0");
}

static void wrong_and_unknown_are_the_same(void **state)
{
    struct fixture *f = *state;
    double before = figure(CHECKS);

    add(f, "ann", "staff", f->hash);
    assert_int_equal(attempt(f, 0, "ann", BAD), LOGIN_WRONG);
    assert_true(figure(CHECKS) == before + 1);
    assert_int_equal(attempt(f, 0, "nobody", BAD), LOGIN_WRONG);
    assert_true(figure(CHECKS) == before + 2); /* it costs a hash, too */
    assert_int_equal(attempt(f, 0, "\x01\xff", BAD), LOGIN_WRONG); /* nobody's name */
    assert_true(figure(CHECKS) == before + 3);
    assert_string_equal(
        sql(f, "SELECT string_agg(failed_login_attempts::text, ',') FROM login_lockouts"),
        "1,1,1");
}

static void who_is_not_active_is_unknown(void **state)
{
    struct fixture *f = *state;

    add(f, "ann", "staff", f->hash);
    sql(f, "UPDATE users SET active = false");
    assert_int_equal(attempt(f, 0, "ann", GOOD), LOGIN_WRONG);
}

static void old_hashes_are_made_new(void **state)
{
    /* werkzeug.security.generate_password_hash("Correct-Horse-7", "pbkdf2:sha256:1000")
     */
    static const char old[] =
        "pbkdf2:sha256:1000$saltsaltsaltsalt$"
        "119a743f1b9bd01eb31fd51509ffec18b3fd4a3c6a918672661e5293ea9aef0a";
    struct fixture *f = *state;

    add(f, "ann", "staff", old);
    assert_int_equal(attempt(f, 0, "ann", BAD), LOGIN_WRONG);
    assert_string_equal(sql(f, "SELECT left(password_hash, 6) FROM users"), "pbkdf2");
    assert_int_equal(attempt(f, 0, "ann", GOOD), LOGIN_GOOD);
    assert_string_equal(sql(f, "SELECT left(password_hash, 10) FROM users"),
                        "$argon2id$");
    assert_int_equal(attempt(f, 0, "ann", GOOD), LOGIN_GOOD);
}

static void without_postgresql_nobody_gets_in(void **state)
{
    struct fixture *f = *state;
    struct login *login;

    add(f, "ann", "staff", f->hash);
    assert_int_equal(login_begin(&f->edges[0], sh_bytes_of("ann"), sh_bytes_of(GOOD),
                                 on_done, f, &login),
                     SH_OK);
    sql(f, "DROP TABLE users");
    await(f, 1);
    assert_int_equal(attempt(f, 0, "ann", GOOD), LOGIN_UNKNOWN);
    assert_int_not_equal(f->last.err, SH_OK);
}

/* --- locks ------------------------------------------------------------------------ */

static void five_failures_lock_a_name(void **state)
{
    static const char *const names[] = {"ann", "nobody"};
    struct fixture *f = *state;

    add(f, "ann", "staff", f->hash);
    for (size_t n = 0; n < SH_COUNT(names); n++) {
        for (size_t i = 0; i < 5; i++)
            assert_int_equal(attempt(f, i % GATEWAYS, names[n], BAD), LOGIN_WRONG);
        double before = figure(CHECKS);
        for (size_t i = 0; i < GATEWAYS; i++) {
            assert_int_equal(attempt(f, i, names[n], BAD), LOGIN_LOCKED);
            assert_int_equal(attempt(f, i, names[n], GOOD), LOGIN_LOCKED);
            assert_in_range(f->last.locked_s, 1, 900);
        }
        assert_true(figure(CHECKS) == before); /* a lock costs nothing */
    }
    assert_string_equal(sql(f, "SELECT count(*) FROM login_lockouts WHERE locked_until > "
                               "now() + interval '10 minutes'"),
                        "2");
    assert_string_equal(sql(f, "SELECT count(*) FROM login_lockouts l, users u "
                               "WHERE l.name_hash = login_name_hash(u.username_key)"),
                        "1");
}

/* However many guess at the same time, no more than five learn anything. */
static void guesses_at_the_same_time_are_counted_too(void **state)
{
    struct fixture *f = *state;

    add(f, "ann", "staff", f->hash);
    for (size_t i = 0; i < LOGINS_MAX; i++)
        begin(f, i % GATEWAYS, "ann", BAD);
    await(f, LOGINS_MAX);
    assert_int_equal(f->results[LOGIN_WRONG], 5);
    assert_int_equal(f->results[LOGIN_LOCKED], LOGINS_MAX - 5);
    assert_int_equal(attempt(f, 0, "ann", GOOD), LOGIN_LOCKED);
}

static void good_ones_at_the_same_time_all_get_in(void **state)
{
    struct fixture *f = *state;

    add(f, "ann", "staff", f->hash);
    for (size_t i = 0; i < LOGINS_MAX / 2; i++)
        begin(f, i % GATEWAYS, "ann", GOOD);
    await(f, LOGINS_MAX / 2);
    assert_int_equal(f->results[LOGIN_GOOD], LOGINS_MAX / 2);
}

static void success_begins_anew(void **state)
{
    struct fixture *f = *state;

    add(f, "ann", "staff", f->hash);
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(attempt(f, 0, "ann", BAD), LOGIN_WRONG);
        assert_int_equal(attempt(f, 0, "ann", GOOD), LOGIN_GOOD);
    }
}

static void a_lock_ends(void **state)
{
    struct fixture *f = *state;

    add(f, "ann", "staff", f->hash);
    for (size_t i = 0; i < 5; i++)
        (void)attempt(f, 0, "ann", BAD);
    assert_int_equal(attempt(f, 0, "ann", GOOD), LOGIN_LOCKED);
    sql(f, "UPDATE login_lockouts SET locked_until = now() - interval '1 second'");
    assert_int_equal(attempt(f, 0, "ann", BAD), LOGIN_WRONG); /* the first of five */
    assert_string_equal(
        sql(f, "SELECT failed_login_attempts || coalesce(locked_until::text, '') FROM "
               "login_lockouts"),
        "1");
    assert_int_equal(attempt(f, 0, "ann", GOOD), LOGIN_GOOD);
}

static void old_failures_do_not_pile_up(void **state)
{
    struct fixture *f = *state;

    sql(f, "INSERT INTO login_lockouts SELECT sha256(n::text::bytea), 1, NULL, "
           "now() - interval '2 days' FROM generate_series(1, 12) n");
    sql(f,
        "INSERT INTO login_lockouts SELECT sha256('kept'), 5, now() + interval '1 day', "
        "now() - interval '2 days'");
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(attempt(f, 0, "nobody", BAD), LOGIN_WRONG);
    assert_string_equal(sql(f, "SELECT count(*) FROM login_lockouts"), "2");
}

static bool is_counted(void *arg)
{
    return strcmp(servers_sql(arg, "SELECT count(*) FROM login_lockouts"), "1") == 0;
}

static void a_failure_counts_though_nobody_waits(void **state)
{
    struct fixture *f = *state;
    struct login *login;

    assert_int_equal(login_begin(&f->edges[0], sh_bytes_of("ann"), sh_bytes_of(BAD),
                                 on_done, f, &login),
                     SH_OK);
    login_cancel(&login);
    assert_null(login);
    assert_true(servers_pump(&f->loop, is_counted, f->db));
    assert_int_equal(f->ended, 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(attempt(f, 0, "ann", BAD), LOGIN_WRONG);
    assert_int_equal(attempt(f, 0, "ann", BAD), LOGIN_LOCKED);
}

static void the_end_waits_for_nobody(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < LOGINS_MAX / 2; i++)
        begin(f, i % GATEWAYS, "ann", BAD); /* tear_down closes what they wait for */
}

/* --- the table -------------------------------------------------------------------- */

static void the_last_admin_stays(void **state)
{
    static const char *const attacks[] = {
        "DELETE FROM users WHERE username = 'root'", "DELETE FROM users",
        "UPDATE users SET active = false", "UPDATE users SET role = 'staff'"};
    struct fixture *f = *state;

    add(f, "root", "admin", f->hash);
    add(f, "ann", "staff", f->hash);
    for (size_t i = 0; i < SH_COUNT(attacks); i++) {
        assert_non_null(strstr(servers_sql(f->db, attacks[i]), "last admin"));
        assert_string_equal(sql(f, "SELECT count(*) FROM users"), "2");
    }
    add(f, "other", "admin", f->hash);
    sql(f, attacks[0]);
    assert_non_null(strstr(servers_sql(f->db, "DELETE FROM users"), "last admin"));
}

/* Each takes the role from the other, at the same time. */
static void two_admins_cannot_remove_each_other(void **state)
{
    struct fixture *f = *state;
    PGconn *other = servers_connect();

    add(f, "a", "admin", f->hash);
    add(f, "b", "admin", f->hash);
    sql(f, "BEGIN");
    sql(f, "UPDATE users SET role = 'staff' WHERE username = 'a'");
    assert_int_equal(
        PQsendQuery(other, "UPDATE users SET role = 'staff' WHERE username = 'b'"), 1);
    sql(f, "COMMIT");
    PGresult *result = PQgetResult(other);
    assert_int_equal(PQresultStatus(result), PGRES_FATAL_ERROR);
    assert_string_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "23001");
    PQclear(result);
    assert_null(PQgetResult(other));
    PQfinish(other);
    assert_string_equal(sql(f, "SELECT username FROM users WHERE role = 'admin'"), "b");
}

static void the_migration_goes_back(void **state)
{
    struct fixture *f = *state;
    char *down = migrate_read("db/migrations/0006_users.down.sql");
    char *up = migrate_read("db/migrations/0006_users.sql");

    for (int i = 0; i < 2; i++) {
        sql(f, down);
        assert_string_equal(sql(f, "SELECT count(*) FROM pg_class WHERE relname IN "
                                   "('users', 'login_lockouts')"),
                            "0");
        assert_string_equal(
            sql(f, "SELECT count(*) FROM pg_proc WHERE proname LIKE 'login%' OR "
                   "proname LIKE 'users%'"),
            "0");
        sql(f, up);
    }
    free(down);
    free(up);
}

/* --- the first admin -------------------------------------------------------------- */

static bool has_users(void *arg)
{
    return strcmp(servers_sql(arg, "SELECT count(*) > 0 FROM users"), "t") == 0;
}

static void an_admin_is_made_where_there_is_none(void **state)
{
    struct first_admin *admins[GATEWAYS];
    struct fixture *f = *state;

    f->gateway.account_config.admin_username = "Root";
    f->gateway.account_config.admin_password = GOOD;
    for (size_t i = 0; i < GATEWAYS; i++)
        assert_int_equal(first_admin_open(&f->edges[i], &admins[i]), SH_OK);
    assert_true(servers_pump(&f->loop, has_users, f->db));
    assert_int_equal(attempt(f, 0, "root", GOOD), LOGIN_GOOD);
    assert_string_equal(f->user, "Root admin 1");
    for (size_t i = 0; i < GATEWAYS; i++)
        first_admin_close(&admins[i]);
    assert_string_equal(sql(f, "SELECT count(*) FROM users"), "1");
}

static void an_admin_there_is_left_alone(void **state)
{
    struct first_admin *admin;
    struct fixture *f = *state;

    add(f, "boss", "admin", f->hash);
    f->gateway.account_config.admin_username = "root";
    f->gateway.account_config.admin_password = GOOD;
    assert_int_equal(first_admin_open(&f->edges[0], &admin), SH_OK);
    assert_int_equal(attempt(f, 0, "boss", GOOD), LOGIN_GOOD); /* asked after it */
    assert_string_equal(sql(f, "SELECT string_agg(username, ',') FROM users"), "boss");
    first_admin_close(&admin);
    assert_int_equal(first_admin_open(&f->edges[0], &admin), SH_OK);
    first_admin_close(&admin); /* while it is looking */
}

/* --- names ------------------------------------------------------------------------ */

static void names_are_letters_and_few_signs(void **state)
{
    static const char *const good[] = {"a",
                                       "john.smith",
                                       "a_b-c@d.e+f",
                                       "J\xc3\xb6rg",
                                       "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd",
                                       "4711"};
    static const char *const bad[] = {"",
                                      " ",
                                      "a b",
                                      "a\n",
                                      "a/b",
                                      "<a>",
                                      "a\"",
                                      "a;b",
                                      "\xff",
                                      ("a\xe2\x80\xae"
                                       "b"),
                                      "\xf0\x9f\x98\x80"};
    char long_name[66];
    (void)state;
    for (size_t i = 0; i < SH_COUNT(good); i++)
        assert_true(username_valid(sh_bytes_of(good[i])));
    for (size_t i = 0; i < SH_COUNT(bad); i++)
        assert_false(username_valid(sh_bytes_of(bad[i])));
    memset(long_name, 'a', sizeof long_name);
    assert_true(username_valid((struct sh_bytes){long_name, 64}));
    assert_false(username_valid((struct sh_bytes){long_name, 65}));
    assert_false(username_valid((struct sh_bytes){"a\0b", 3}));
}

static void one_name_is_one_user_however_written(void **state)
{
    char one[USER_KEY], other[USER_KEY];
    (void)state;
    assert_true(username_fold(sh_bytes_of("J\xc3\x96RG"), one));
    assert_true(username_fold(sh_bytes_of("jo\xcc\x88rg"), other));
    assert_string_equal(one, other);
    assert_false(username_fold(sh_bytes_of(""), one));
    assert_false(username_fold(sh_bytes_of("\xc3"), one));
    assert_false(username_fold((struct sh_bytes){"a\0b", 3}, one));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(the_right_password_lets_in),
        CASE(wrong_and_unknown_are_the_same),
        CASE(who_is_not_active_is_unknown),
        CASE(old_hashes_are_made_new),
        CASE(without_postgresql_nobody_gets_in),
        CASE(five_failures_lock_a_name),
        CASE(guesses_at_the_same_time_are_counted_too),
        CASE(good_ones_at_the_same_time_all_get_in),
        CASE(success_begins_anew),
        CASE(a_lock_ends),
        CASE(old_failures_do_not_pile_up),
        CASE(a_failure_counts_though_nobody_waits),
        CASE(the_end_waits_for_nobody),
        CASE(the_last_admin_stays),
        CASE(two_admins_cannot_remove_each_other),
        CASE(the_migration_goes_back),
        CASE(an_admin_is_made_where_there_is_none),
        CASE(an_admin_there_is_left_alone),
        cmocka_unit_test(names_are_letters_and_few_signs),
        cmocka_unit_test(one_name_is_one_user_however_written),
    };
    (void)argc;
    servers_ensure(argv);
    if (password_start() != SH_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
