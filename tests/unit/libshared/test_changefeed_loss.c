/* What may be lost on the way: notifications, connections, the server, the oldest rows,
 * the database itself. */
#include "tests/unit/libshared/changefeed_fixture.h"

static void lost_notifications_are_made_up_for(void **state)
{
    struct fixture *f = *state;

    sql(f->a, "DROP TRIGGER notify ON search_outbox");
    open_feed(f);
    assert_true(servers_pump(&f->loop, is_current, f));
    insert(f->a, "one");
    expect(f, 1, "one:u");
    insert(f->a, "two");
    sh_changefeed_wake(f->feed);
    expect(f, 2, "one:u two:u");
}

static void a_reader_that_fell_behind_the_trim_is_told(void **state)
{
    struct fixture *f = *state;

    insert(f->a, "one");
    insert(f->a, "two");
    assert_string_equal(
        servers_sql(f->a, "SELECT outbox_trim('search_outbox', '1 hour')"), "0");
    assert_string_equal(servers_sql(f->a, "SELECT outbox_trim('search_outbox', '0 s')"),
                        "2");
    insert(f->a, "three");
    open_feed(f);
    assert_true(servers_pump(&f->loop, is_behind, f));
    assert_string_equal(f->seen, "");
}

static void a_reader_that_keeps_up_survives_the_trim(void **state)
{
    struct fixture *f = *state;

    insert(f->a, "one");
    open_feed(f);
    expect(f, 1, "one:u");
    assert_true(servers_pump(&f->loop, is_current, f));
    assert_string_equal(servers_sql(f->a, "SELECT outbox_trim('search_outbox', '0 s')"),
                        "1");
    insert(f->a, "two");
    expect(f, 2, "one:u two:u");
    assert_false(f->behind);
}

static bool is_trimmed(void *arg)
{
    const struct fixture *f = arg;

    return strcmp(servers_sql(f->a, "SELECT count(*) FROM search_outbox"), "1") == 0;
}

static void the_feed_trims_by_age(void **state)
{
    struct fixture *f = *state;

    insert(f->a, "old");
    sql(f->a, "UPDATE search_outbox SET at = now() - interval '8 days'");
    insert(f->a, "new");
    open_feed(f);
    expect(f, 2, "old:u new:u");
    sh_changefeed_trim(f->feed);
    assert_true(servers_pump(&f->loop, is_trimmed, f));
}

static void a_position_of_another_database_is_behind(void **state)
{
    struct fixture *f = *state;

    f->start = (struct sh_changefeed_position){UINT64_C(1) << 40, 1};
    f->close = true;
    open_feed(f);
    assert_true(servers_pump(&f->loop, is_behind, f));
    assert_null(f->feed);
}

static void survives_lost_connections(void **state)
{
    struct fixture *f = *state;

    open_feed(f);
    assert_true(servers_pump(&f->loop, is_current, f));
    for (int i = 0; i < 5; i++) {
        sql(f->a, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                  "WHERE application_name = 'cairn'");
        insert(f->a, (char[]){(char)('a' + i), '\0'});
        wait_ms(f, 20);
    }
    expect(f, 5, "a:u b:u c:u d:u e:u");
}

static size_t outbox_rows(const struct fixture *f)
{
    return strtoul(servers_sql(f->a, "SELECT count(*) FROM search_outbox"), NULL, 10);
}

static bool is_short(void *arg)
{
    return outbox_rows(arg) == 3;
}

static void the_feed_trims_by_size(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 5; i++)
        insert(f->a, (char[]){(char)('a' + i), '\0'});
    f->retention_rows = 3;
    open_feed(f);
    expect(f, 5, "a:u b:u c:u d:u e:u");
    assert_true(servers_pump(&f->loop, is_current, f));
    assert_int_equal(outbox_rows(f), 5);
    sh_changefeed_trim(f->feed);
    assert_true(servers_pump(&f->loop, is_short, f));
    insert(f->a, "f");
    expect(f, 6, "a:u b:u c:u d:u e:u f:u");
    f->seen[0] = '\0';
    sh_changefeed_close(&f->feed); /* another one, which was away */
    open_feed(f);
    assert_true(servers_pump(&f->loop, is_behind, f));
    assert_string_equal(f->seen, "");
}

/* Nothing that a running transaction wrote, and nothing of one that began before it. */
static void a_trim_spares_what_nobody_can_have_read(void **state)
{
    struct fixture *f = *state;

    open_feed(f);
    assert_true(servers_pump(&f->loop, is_current, f));
    sql(f->b, "BEGIN");
    insert(f->b, "early");
    insert(f->a, "late");
    assert_string_equal(
        servers_sql(f->a, "SELECT outbox_trim('search_outbox', '0 s', 0)"), "0");
    sql(f->b, "COMMIT");
    expect(f, 2, "early:u late:u");
}

/* --- connections and the server --------------------------------------------------- */

static void a_deaf_listener_is_made_up_for(void **state)
{
    struct fixture *f = *state;

    open_feed(f);
    assert_true(servers_pump(&f->loop, is_current, f));
    for (int i = 0; i < 5; i++) {
        sql(f->a, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                  "WHERE query LIKE 'LISTEN%'");
        insert(f->b, (char[]){(char)('a' + i), '\0'});
        f->wanted = (size_t)i + 1;
        assert_true(servers_pump(&f->loop, enough_seen, f));
    }
    expect(f, 5, "a:u b:u c:u d:u e:u");
}

static void pg_ctl(struct fixture *f, const char *words)
{
    char command[4200];

    (void)snprintf(command, sizeof(command), "'%s' %s >/dev/null 2>&1",
                   getenv("TEST_PG_CTL"), words);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): our own server */
    if (strncmp(words, "stop", 4) != 0) {
        PQreset(f->a);
        PQreset(f->b);
        sql(f->a, "SET client_min_messages TO warning");
    }
}

static void survives_a_restart_of_the_server(void **state)
{
    struct fixture *f = *state;

    open_feed(f);
    insert(f->a, "one");
    expect(f, 1, "one:u");
    sql(f->b, "BEGIN");
    insert(f->b, "lost");
    pg_ctl(f, "restart -m immediate");
    insert(f->a, "two");
    expect(f, 2, "one:u two:u");
    pg_ctl(f, "restart -m fast");
    insert(f->a, "three");
    expect(f, 3, "one:u two:u three:u");
    assert_false(f->behind);
}

static uint64_t next_xid(PGconn *conn)
{
    return strtoull(servers_sql(conn, "SELECT pg_current_xact_id()"), NULL, 10);
}

struct waiting {
    bool over;
    enum sh_err err;
};

static void on_waited(void *arg, enum sh_err err)
{
    struct waiting *waiting = arg;

    waiting->over = true;
    waiting->err = err;
}

/* Takes ids that leave nothing behind, lets the feed pass them, and crashes the server;
 * true when it gives them once more. */
static bool crash_before_ids_are_safe(struct fixture *f)
{
    struct waiting waiting = {0};
    uint64_t highest = 0;

    for (int i = 0; i < 50; i++)
        highest = next_xid(f->a);
    assert_int_equal(sh_changefeed_wait(f->feed, highest, sh_now_ms() + SERVERS_PUMP_MS,
                                        on_waited, &waiting),
                     SH_OK);
    assert_true(servers_pump(&f->loop, servers_is_set, &waiting.over));
    assert_int_equal(waiting.err, SH_OK);
    pg_ctl(f, "stop -m immediate");
    pg_ctl(f, "start");
    return next_xid(f->a) < highest;
}

/* The log of a transaction that changed nothing need not be on disk when it has ended. */
static void ids_that_a_crash_gives_again_are_read(void **state)
{
    struct fixture *f = *state;
    bool again = false;

    sql(f->a, "ALTER SYSTEM SET wal_writer_delay = '10s'");
    sql(f->a, "SELECT pg_reload_conf()");
    insert(f->a, "one");
    open_feed(f);
    expect(f, 1, "one:u");
    for (int i = 0; i < 10 && !again; i++)
        again = crash_before_ids_are_safe(f);
    assert_true(again);
    for (int i = 0; i < 5; i++)
        insert(f->a, (char[]){(char)('a' + i), '\0'});
    expect(f, 6, "one:u a:u b:u c:u d:u e:u");
    assert_false(f->behind);
    sql(f->a, "ALTER SYSTEM RESET wal_writer_delay");
    sql(f->a, "SELECT pg_reload_conf()");
}

/* --- another database ------------------------------------------------------------- */

static void start_now(struct fixture *f, char *database, size_t size)
{
    PGresult *row = PQexec(f->a, SH_CHANGEFEED_START_SQL("search_outbox"));

    assert_int_equal(PQntuples(row), 1);
    f->start =
        (struct sh_changefeed_position){sh_pg_u64(row, 0, 0), sh_pg_u64(row, 0, 1)};
    (void)snprintf(database, size, "%s", PQgetvalue(row, 0, 2));
    f->database = database;
    PQclear(row);
}

static void a_dump_restored_beneath_the_reader_is_noticed(void **state)
{
    struct fixture *f = *state;
    char database[200];

    insert(f->a, "one");
    start_now(f, database, sizeof(database));
    open_feed(f);
    assert_true(servers_pump(&f->loop, is_current, f));
    migrate_afresh(f->a);
    assert_true(servers_pump(&f->loop, is_behind, f));
    sh_changefeed_close(&f->feed); /* the position is as good as before, but not here */
    open_feed(f);
    assert_true(servers_pump(&f->loop, is_behind, f));
    sh_changefeed_close(&f->feed);
    start_now(f, database, sizeof(database));
    open_feed(f);
    insert(f->a, "two");
    expect(f, 1, "two:u");
    assert_false(f->behind);
}

/* What a standby does that takes over, and a restore to a point in time: the same system
 * and the same tables go on from some place in the log, on another timeline. */
static void take_over(struct fixture *f)
{
    char path[4200];
    FILE *signal;

    sql(f->a, "ALTER SYSTEM SET restore_command = 'false'");
    pg_ctl(f, "stop -m fast");
    (void)snprintf(path, sizeof(path), "%s/data/recovery.signal",
                   getenv("TEST_SERVERS_DIR"));
    signal = fopen(path, "w");
    assert_non_null(signal);
    assert_int_equal(fclose(signal), 0);
    pg_ctl(f, "start");
    sql(f->a, "ALTER SYSTEM RESET restore_command");
}

static bool is_recovered(void *arg)
{
    const struct fixture *f = arg;

    return strcmp(servers_sql(f->a, "SELECT pg_is_in_recovery()"), "f") == 0;
}

static void who_took_over_with_everything_is_followed(void **state)
{
    struct fixture *f = *state;

    insert(f->a, "one");
    open_feed(f);
    expect(f, 1, "one:u");
    take_over(f);
    assert_true(servers_pump(&f->loop, is_recovered, f));
    f->last = (struct sh_changefeed_position){0}; /* what was read last may come again */
    f->seen[0] = '\0';
    insert(f->a, "two");
    f->wanted = 1;
    assert_true(servers_pump(&f->loop, enough_seen, f));
    while (!strstr(f->seen, "two:u")) {
        f->wanted++;
        assert_true(servers_pump(&f->loop, enough_seen, f));
    }
    assert_false(f->behind);
    assert_true(strcmp(f->seen, "two:u") == 0 || strcmp(f->seen, "one:u two:u") == 0);
}

/* Our server cannot lose what it has; it only says so. */
static void who_took_over_without_what_was_seen_is_another(void **state)
{
    struct fixture *f = *state;

    insert(f->a, "one");
    open_feed(f);
    expect(f, 1, "one:u");
    sql(f->a, "CREATE FUNCTION public.pg_last_wal_replay_lsn() RETURNS pg_lsn "
              "LANGUAGE sql AS $$ SELECT '0/1'::pg_lsn $$");
    sql(f->a, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path "
              "TO public, pg_catalog', current_database()); END $$");
    take_over(f);
    assert_true(servers_pump(&f->loop, is_behind, f));
    sql(f->a, "DROP FUNCTION public.pg_last_wal_replay_lsn()");
    sql(f->a, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET search_path', "
              "current_database()); END $$");
}

/* A dump of a cluster that was further on brings its horizon and its rows along. */
static void what_a_dump_brings_from_the_future_means_nothing(void **state)
{
    struct fixture *f = *state;
    char database[200];

    sql(f->a, "INSERT INTO outbox_horizon VALUES ('search_outbox', '1000000000', 5)");
    sql(f->a, "INSERT INTO search_outbox (xid, entity, id, op) "
              "VALUES ('999999999', 'document', 'strange', 'u')");
    insert(f->a, "one");
    start_now(f, database, sizeof(database));
    open_feed(f);
    insert(f->a, "two");
    expect(f, 1, "two:u");
    assert_false(f->behind);
    /* From the first trim on there is a horizon of this cluster's own. */
    assert_string_equal(servers_sql(f->a, "SELECT outbox_trim('search_outbox', '0 s')"),
                        "3");
    assert_true(strtoull(servers_sql(f->a, "SELECT xid FROM outbox_horizon"), NULL, 10) <
                next_xid(f->a));
    insert(f->a, "three");
    expect(f, 2, "two:u three:u");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(lost_notifications_are_made_up_for),
        CASE(a_reader_that_fell_behind_the_trim_is_told),
        CASE(a_reader_that_keeps_up_survives_the_trim),
        CASE(the_feed_trims_by_age),
        CASE(the_feed_trims_by_size),
        CASE(a_trim_spares_what_nobody_can_have_read),
        CASE(a_deaf_listener_is_made_up_for),
        CASE(survives_a_restart_of_the_server),
        CASE(ids_that_a_crash_gives_again_are_read),
        CASE(a_position_of_another_database_is_behind),
        CASE(a_dump_restored_beneath_the_reader_is_noticed),
        CASE(who_took_over_with_everything_is_followed),
        CASE(who_took_over_without_what_was_seen_is_another),
        CASE(what_a_dump_brings_from_the_future_means_nothing),
        CASE(survives_lost_connections),
    };

    (void)argc;
    servers_ensure(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
