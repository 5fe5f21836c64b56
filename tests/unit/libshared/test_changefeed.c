/* What the feed brings, in which order, and whom it tells when it is there. */
#include "tests/unit/libshared/changefeed_fixture.h"

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

/* What is undone within a transaction never was; the rest comes under the id of the
 * whole. */
static void save_points_are_part_of_their_transaction(void **state)
{
    struct fixture *f = *state;

    open_feed(f);
    assert_true(servers_pump(&f->loop, is_current, f));
    sql(f->a, "BEGIN; SAVEPOINT one");
    insert(f->a, "kept");
    sql(f->a, "RELEASE one; SAVEPOINT two");
    insert(f->a, "undone");
    insert(f->b, "other"); /* its id is above those of the save points */
    sql(f->a, "ROLLBACK TO two; SAVEPOINT three");
    insert(f->a, "late");
    wait_ms(f, 50);
    assert_string_equal(f->seen, "");
    sql(f->a, "COMMIT");
    expect(f, 3, "kept:u late:u other:u");
}

/* PostgreSQL prepares nothing that has notified: who needs two phases does without the
 * trigger, and with the poll. */
static void prepared_transactions_are_waited_for(void **state)
{
    struct fixture *f = *state;

    sql(f->a, "ALTER TABLE search_outbox DISABLE TRIGGER notify");
    open_feed(f);
    assert_true(servers_pump(&f->loop, is_current, f));
    sql(f->a, "BEGIN");
    insert(f->a, "prepared");
    sql(f->a, "PREPARE TRANSACTION 'one'");
    insert(f->b, "other");
    sh_changefeed_wake(f->feed);
    wait_ms(f, 50);
    assert_string_equal(f->seen, "");
    sql(f->b, "COMMIT PREPARED 'one'");
    expect(f, 2, "prepared:u other:u");
    sql(f->a, "BEGIN");
    insert(f->a, "never");
    sql(f->a, "PREPARE TRANSACTION 'two'");
    insert(f->b, "third");
    sql(f->b, "ROLLBACK PREPARED 'two'");
    expect(f, 3, "prepared:u other:u third:u");
}

/* It has no id, and nothing that it could still change. */
static void who_only_reads_holds_nobody_up(void **state)
{
    struct fixture *f = *state;

    open_feed(f);
    sql(f->b, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM documents");
    insert(f->a, "one");
    expect(f, 1, "one:u");
    sql(f->b, "COMMIT");
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
    result = PQexec(f->b, SH_CHANGEFEED_START_SQL("search_outbox"));
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

static void a_view_may_close_the_feed(void **state)
{
    struct fixture *f = *state;

    insert(f->a, "one");
    f->close = true;
    open_feed(f);
    expect(f, 1, "one:u");
    assert_null(f->feed);
}

static void a_bad_name_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct sh_changefeed_options options = {
        .pg = f->pg, .config = &f->config, .outbox = "x; DROP", .arg = f};

    assert_int_equal(sh_changefeed_create(&f->loop, &options, &f->feed), SH_INVALID);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(changes_arrive_soon_after_their_commit),
        CASE(what_follows_on_the_same_entity_arrives_as_one),
        CASE(order_of_commit_does_not_lose_changes),
        CASE(sequence_order_is_not_trusted),
        CASE(save_points_are_part_of_their_transaction),
        CASE(prepared_transactions_are_waited_for),
        CASE(who_only_reads_holds_nobody_up),
        CASE(batches_are_bounded_and_wait_for_the_view),
        CASE(one_transaction_may_fill_several_batches),
        CASE(a_position_is_where_to_go_on),
        CASE(the_start_position_covers_what_commits_while_reading),
        CASE(a_writer_can_wait_for_its_change),
        CASE(a_waiter_need_not_wait_for_the_poll),
        CASE(close_cancels_waiters),
        CASE(a_view_may_close_the_feed),
        CASE(a_bad_name_is_refused),
    };

    (void)argc;
    servers_ensure(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
