#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shared/changefeed.h"
#include "shared/clock.h"
#include "tests/support/servers.h"

enum { SEEN_MAX = 4096 };

struct fixture {
    uv_loop_t loop;
    struct sh_pg_config config;
    struct sh_pg *pg;
    struct sh_changefeed *feed;
    PGconn *a;
    PGconn *b;
    struct sh_changefeed_position start;
    unsigned batch;
    bool apply; /* at once, from inside `changes` */
    bool close; /* from inside `changes` or `behind` */
    char seen[SEEN_MAX];
    size_t batches;
    size_t wanted;
    size_t largest;
    bool behind;
};

static void sql(PGconn *conn, const char *text)
{
    const char *answer = servers_sql(conn, text);

    if (strncmp(answer, "error", 5) == 0)
        fail_msg("%s: %s", text, answer);
}

static void load_schema(PGconn *conn)
{
    char command[4200];

    sql(conn, "SET client_min_messages TO warning; DROP SCHEMA public CASCADE;"
              "CREATE SCHEMA public");
    (void)snprintf(
        command, sizeof(command),
        "psql -q -v ON_ERROR_STOP=1 -f '%s/db/migrations/0001_documents.sql' '%s'",
        getenv("TEST_ROOT"), getenv("TEST_DATABASE_URL"));
    assert_int_equal(system(command), 0);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    f->config = (struct sh_pg_config){.url = getenv("TEST_DATABASE_URL"),
                                      .read_hosts = "",
                                      .pool_min = 1,
                                      .pool_max = 2,
                                      .statement_timeout_ms = 60000};
    f->a = servers_connect();
    f->b = servers_connect();
    f->apply = true;
    load_schema(f->a);
    assert_int_equal(sh_pg_create(&f->loop, &f->config, NULL, &f->pg), SH_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    sh_changefeed_close(&f->feed);
    sh_pg_close(&f->pg);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    PQfinish(f->a);
    PQfinish(f->b);
    free(f);
    return 0;
}

static void on_changes(void *arg, const struct sh_change *changes, size_t count)
{
    struct fixture *f = arg;

    f->batches++;
    f->largest = count > f->largest ? count : f->largest;
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(f->seen);
        assert_string_equal(changes[i].entity, "document");
        (void)snprintf(f->seen + len, SEEN_MAX - len, "%s%s:%c", len ? " " : "",
                       changes[i].id, changes[i].op);
    }
    if (f->close)
        sh_changefeed_close(&f->feed);
    else if (f->apply)
        sh_changefeed_applied(f->feed);
}

static void on_behind(void *arg)
{
    struct fixture *f = arg;

    f->behind = true;
    if (f->close)
        sh_changefeed_close(&f->feed);
}

static void open_feed(struct fixture *f)
{
    const struct sh_changefeed_options options = {.pg = f->pg,
                                                  .config = &f->config,
                                                  .outbox = "search_outbox",
                                                  .batch = f->batch,
                                                  .start = f->start,
                                                  .changes = on_changes,
                                                  .behind = on_behind,
                                                  .arg = f};

    assert_int_equal(sh_changefeed_create(&f->loop, &options, &f->feed), SH_OK);
}

static bool enough_seen(void *arg)
{
    const struct fixture *f = arg;
    size_t count = 0;

    for (const char *c = f->seen; *c; c++)
        count += *c == ':';
    return count >= f->wanted;
}

static void expect(struct fixture *f, size_t count, const char *seen)
{
    f->wanted = count;
    assert_true(servers_pump(&f->loop, enough_seen, f));
    assert_string_equal(f->seen, seen);
}

static bool is_current(void *arg)
{
    const struct fixture *f = arg;

    return sh_changefeed_current(f->feed);
}

static bool is_behind(void *arg)
{
    const struct fixture *f = arg;

    return f->behind;
}

static void insert(PGconn *conn, const char *id)
{
    char text[128];

    (void)snprintf(text, sizeof(text), "INSERT INTO documents (id) VALUES ('%s')", id);
    sql(conn, text);
}

static void wait_ms(struct fixture *f, uint64_t ms)
{
    for (uint64_t until = sh_now_ms() + ms; sh_now_ms() < until;)
        uv_run(&f->loop, UV_RUN_ONCE);
}

static void changes_arrive_soon_after_their_commit(void **state)
{
    struct fixture *f = *state;
    uint64_t quickest = UINT64_MAX;

    open_feed(f);
    assert_true(servers_pump(&f->loop, is_current, f));
    for (int i = 0; i < 5 && quickest >= 700; i++) {
        uint64_t started = sh_now_ms();
        sql(f->a, "INSERT INTO documents (id) VALUES ('x') ON CONFLICT (id) DO UPDATE "
                  "SET title = 'again'");
        f->wanted++;
        assert_true(servers_pump(&f->loop, enough_seen, f));
        if (sh_now_ms() - started < quickest)
            quickest = sh_now_ms() - started;
    }
    assert_in_range(quickest, 0, 700); /* not by the poll */
}

static void what_follows_on_the_same_entity_arrives_as_one(void **state)
{
    struct fixture *f = *state;

    insert(f->a, "one");
    sql(f->a, "UPDATE documents SET title = 'x'; DELETE FROM documents");
    insert(f->a, "two");
    open_feed(f);
    expect(f, 2, "one:d two:u");
}

/* `early` takes its sequence number and transaction id first and commits last: a reader
 * that goes by either alone would pass it by. */
static void order_of_commit_does_not_lose_changes(void **state)
{
    struct fixture *f = *state;

    open_feed(f);
    assert_true(servers_pump(&f->loop, is_current, f));
    sql(f->a, "BEGIN");
    insert(f->a, "early");
    insert(f->b, "late");
    wait_ms(f, 100);
    assert_string_equal(f->seen, ""); /* waits for the older one */
    sql(f->a, "COMMIT");
    expect(f, 2, "early:u late:u");
    sql(f->a, "BEGIN");
    insert(f->a, "never");
    insert(f->b, "third");
    sql(f->a, "ROLLBACK");
    expect(f, 3, "early:u late:u third:u");
}

/* A transaction id that was taken early but wrote late, with a later sequence number. */
static void sequence_order_is_not_trusted(void **state)
{
    struct fixture *f = *state;

    open_feed(f);
    assert_true(servers_pump(&f->loop, is_current, f));
    sql(f->a, "BEGIN; SELECT pg_current_xact_id()");
    insert(f->b, "b");
    insert(f->a, "a");
    sql(f->a, "COMMIT");
    expect(f, 2, "a:u b:u");
}

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

static void batches_are_bounded_and_wait_for_the_view(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 7; i++)
        insert(f->a, (char[]){(char)('a' + i), '\0'});
    f->batch = 3;
    f->apply = false;
    open_feed(f);
    expect(f, 3, "a:u b:u c:u");
    wait_ms(f, 50);
    assert_int_equal(f->batches, 1);
    assert_int_equal(sh_changefeed_position(f->feed).xid, 0);
    assert_false(sh_changefeed_current(f->feed));
    sh_changefeed_applied(f->feed);
    expect(f, 6, "a:u b:u c:u d:u e:u f:u");
    assert_false(sh_changefeed_current(f->feed));
    f->apply = true;
    sh_changefeed_applied(f->feed);
    expect(f, 7, "a:u b:u c:u d:u e:u f:u g:u");
    assert_true(servers_pump(&f->loop, is_current, f));
    assert_int_equal(f->largest, 3);
}

/* A batch may end in the middle of a transaction. */
static void one_transaction_may_fill_several_batches(void **state)
{
    struct fixture *f = *state;

    sql(f->a,
        "INSERT INTO documents (id) SELECT 'd' || n FROM generate_series(1, 500) n");
    f->batch = 7;
    open_feed(f);
    assert_true(servers_pump(&f->loop, is_current, f));
    f->wanted = 500;
    assert_true(enough_seen(f));
    assert_in_range(f->batches, 500 / 7, 500);
}

static void a_position_is_where_to_go_on(void **state)
{
    struct fixture *f = *state;

    insert(f->a, "one");
    open_feed(f);
    expect(f, 1, "one:u");
    assert_true(servers_pump(&f->loop, is_current, f));
    f->start = sh_changefeed_position(f->feed);
    sh_changefeed_close(&f->feed);
    insert(f->a, "two");
    f->seen[0] = '\0';
    open_feed(f);
    expect(f, 1, "two:u");
}

static void the_start_position_covers_what_commits_while_reading(void **state)
{
    struct fixture *f = *state;
    PGresult *result;

    insert(f->a, "before");
    sql(f->a, "BEGIN");
    insert(f->a, "during");
    result = PQexec(f->b, SH_CHANGEFEED_START_SQL);
    f->start.xid = sh_pg_u64(result, 0, 0);
    f->start.seq = sh_pg_u64(result, 0, 1);
    PQclear(result);
    sql(f->a, "COMMIT");
    open_feed(f);
    expect(f, 1, "during:u");
}

struct waiting {
    size_t calls;
    size_t wanted;
    enum sh_err err;
};

static void on_waited(void *arg, enum sh_err err)
{
    struct waiting *w = arg;

    w->calls++;
    w->err = err;
}

static bool waited(void *arg)
{
    const struct waiting *w = arg;

    return w->calls >= w->wanted;
}

static uint64_t insert_xid(PGconn *conn, const char *id)
{
    insert(conn, id);
    return strtoull(servers_sql(conn, "SELECT pg_current_xact_id()"), NULL, 10);
}

static void a_writer_can_wait_for_its_change(void **state)
{
    struct fixture *f = *state;
    struct waiting w = {.wanted = 1};
    uint64_t xid;

    open_feed(f);
    assert_true(servers_pump(&f->loop, is_current, f));
    sql(f->a, "BEGIN");
    xid = insert_xid(f->a, "mine");
    assert_int_equal(sh_changefeed_wait(f->feed, xid, sh_now_ms() + 100, on_waited, &w),
                     SH_OK);
    assert_true(servers_pump(&f->loop, waited, &w));
    assert_int_equal(w.err, SH_TIMEOUT);
    sql(f->a, "COMMIT");
    f->apply = false;
    w.wanted = 2;
    assert_int_equal(sh_changefeed_wait(f->feed, xid, SH_NO_DEADLINE, on_waited, &w),
                     SH_OK);
    expect(f, 1, "mine:u");
    wait_ms(f, 30);
    assert_int_equal(w.calls, 1); /* not applied yet */
    sh_changefeed_applied(f->feed);
    assert_true(servers_pump(&f->loop, waited, &w));
    assert_int_equal(w.err, SH_OK);
    w.wanted = 3; /* long applied: at once, but not from inside */
    assert_int_equal(sh_changefeed_wait(f->feed, xid, SH_NO_DEADLINE, on_waited, &w),
                     SH_OK);
    assert_int_equal(w.calls, 2);
    assert_true(servers_pump(&f->loop, waited, &w));
    assert_int_equal(w.err, SH_OK);
}

/* The commit of another transaction releases it, though no notification says so. */
static void a_waiter_need_not_wait_for_the_poll(void **state)
{
    struct fixture *f = *state;
    struct waiting w = {.wanted = 1};
    uint64_t xid;

    open_feed(f);
    assert_true(servers_pump(&f->loop, is_current, f));
    sql(f->b, "BEGIN; SELECT pg_current_xact_id()");
    sql(f->a, "BEGIN");
    xid = insert_xid(f->a, "mine");
    sql(f->a, "COMMIT");
    assert_int_equal(sh_changefeed_wait(f->feed, xid, SH_NO_DEADLINE, on_waited, &w),
                     SH_OK);
    wait_ms(f, 100);
    assert_int_equal(w.calls, 0);
    sql(f->b, "ROLLBACK");
    assert_true(servers_pump(&f->loop, waited, &w));
    assert_int_equal(w.err, SH_OK);
    assert_string_equal(f->seen, "mine:u");
}

static void close_cancels_waiters(void **state)
{
    struct fixture *f = *state;
    struct waiting w = {0};

    open_feed(f);
    assert_int_equal(
        sh_changefeed_wait(f->feed, UINT64_MAX, SH_NO_DEADLINE, on_waited, &w), SH_OK);
    sh_changefeed_close(&f->feed);
    assert_int_equal(w.calls, 1);
    assert_int_equal(w.err, SH_CANCELED);
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

static void a_view_may_close_the_feed(void **state)
{
    struct fixture *f = *state;

    insert(f->a, "one");
    f->close = true;
    open_feed(f);
    expect(f, 1, "one:u");
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

static void a_bad_name_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct sh_changefeed_options options = {
        .pg = f->pg, .config = &f->config, .outbox = "x; DROP", .arg = f};

    assert_int_equal(sh_changefeed_create(&f->loop, &options, &f->feed), SH_INVALID);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(changes_arrive_soon_after_their_commit),
        CASE(what_follows_on_the_same_entity_arrives_as_one),
        CASE(order_of_commit_does_not_lose_changes),
        CASE(sequence_order_is_not_trusted),
        CASE(lost_notifications_are_made_up_for),
        CASE(batches_are_bounded_and_wait_for_the_view),
        CASE(one_transaction_may_fill_several_batches),
        CASE(a_position_is_where_to_go_on),
        CASE(the_start_position_covers_what_commits_while_reading),
        CASE(a_writer_can_wait_for_its_change),
        CASE(a_waiter_need_not_wait_for_the_poll),
        CASE(close_cancels_waiters),
        CASE(a_reader_that_fell_behind_the_trim_is_told),
        CASE(a_reader_that_keeps_up_survives_the_trim),
        CASE(the_feed_trims_by_age),
        CASE(a_position_of_another_database_is_behind),
        CASE(a_view_may_close_the_feed),
        CASE(survives_lost_connections),
        CASE(a_bad_name_is_refused),
    };

    (void)argc;
    servers_ensure(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
