/* When a write is in this replica's view, and who is told so. */
#include "tests/unit/search/service_case.h"

static struct document_put_reply put(const char *id, bool no_wait)
{
    struct section section = {.text = sh_bytes_of("walruses")};
    struct document document = {.id = sh_bytes_of(id),
                                .title = sh_bytes_of("T"),
                                .sections = &section,
                                .sections_count = 1};
    struct document_put message = {
        .document = &document, .document_count = 1, .no_wait = no_wait};
    struct document_put_reply reply;
    struct answer answer;

    ask(&service, METHOD_DOCUMENT_PUT, &everybody, document_put_desc(), &message,
        &answer);
    PUMP(&service, answer.done);
    take(&answer, document_put_reply_desc(), &reply);
    forget(&answer); /* but for numbers and flags, which is all that is looked at */
    return reply;
}

static struct document_gone drop(const char *id, bool no_wait)
{
    const struct document_ref ref = {.id = sh_bytes_of(id), .no_wait = no_wait};
    struct document_gone gone;
    struct answer answer;

    ask(&service, METHOD_DOCUMENT_DELETE, &everybody, document_ref_desc(), &ref, &answer);
    PUMP(&service, answer.done);
    take(&answer, document_gone_desc(), &gone);
    forget(&answer);
    return gone;
}

static void ask_for(uint64_t xid, uint32_t wait_ms, struct answer *answer)
{
    const struct view_wait wait = {.xid = xid, .wait_ms = wait_ms};

    ask(&service, METHOD_VIEW_WAIT, &everybody, view_wait_desc(), &wait, answer);
}

static bool told(struct answer *answer)
{
    struct view_shown shown;

    PUMP(&service, answer->done);
    take(answer, view_shown_desc(), &shown);
    forget(answer);
    return shown.visible;
}

static bool is_shown(uint64_t xid, uint32_t wait_ms)
{
    struct answer answer;

    ask_for(xid, wait_ms, &answer);
    return told(&answer);
}

static void who_waits_is_told_that_it_is_visible(void **state)
{
    (void)state;
    struct document_put_reply reply = put("d", false);
    assert_true(reply.visible);
    assert_true(reply.xid > 0);
    assert_int_equal(service_stats(&service).documents, 1);
    struct document_gone gone = drop("d", false);
    assert_true(gone.visible);
    assert_true(gone.xid > reply.xid);
    assert_int_equal(service_stats(&service).documents, 0);
}

static void who_does_not_wait_may_ask_later(void **state)
{
    (void)state;
    struct document_put_reply reply = put("d", true);
    assert_false(reply.visible);
    assert_true(is_shown(reply.xid, SERVERS_PUMP_MS));
    assert_int_equal(service_stats(&service).documents, 1);
    struct document_gone gone = drop("d", true);
    assert_false(gone.visible);
    assert_true(is_shown(gone.xid, SERVERS_PUMP_MS));
    assert_int_equal(service_stats(&service).documents, 0);
}

/* What was stored by somebody else a moment ago is waited for as well: of the same
 * content again, the transaction that brought it is told. */
static void unchanged_content_names_the_transaction_that_brought_it(void **state)
{
    (void)state;
    struct document_put_reply first = put("d", true);
    for (int i = 0; i < 3; i++) /* ids go on */
        servers_sql(service.db, "SELECT pg_current_xact_id()");
    struct document_put_reply again = put("d", false);
    assert_true(again.unchanged);
    assert_true(again.visible);
    assert_int_equal(again.xid, first.xid);
}

/* An older transaction holds the feed back: its changes come first. */
static void what_is_not_visible_in_time_is_told(void **state)
{
    (void)state;
    struct answer answer;

    servers_sql(service.db, "BEGIN; SELECT pg_current_xact_id()");
    struct document_put_reply reply = put("d", true);
    assert_false(is_shown(reply.xid, 50));
    ask_for(reply.xid, SERVERS_PUMP_MS, &answer);
    servers_sql(service.db, "ROLLBACK");
    assert_true(told(&answer));
    assert_int_equal(service_stats(&service).documents, 1);
}

static void a_reload_of_the_view_is_waited_for(void **state)
{
    struct answer answer;

    (void)state;
    servers_sql(service.db, "BEGIN; SELECT pg_current_xact_id()");
    struct document_put_reply reply = put("d", true);
    ask_for(reply.xid, SERVERS_PUMP_MS, &answer);
    PUMP(&service, feed_current(service.feed));
    feed_rebuild(service.feed); /* cancels what waits for the old one */
    assert_false(feed_current(service.feed));
    servers_sql(service.db, "ROLLBACK");
    assert_true(told(&answer));
    feed_rebuild(service.feed);
    assert_true(is_shown(reply.xid, SERVERS_PUMP_MS)); /* asked in the midst of it */
    assert_int_equal(service_stats(&service).documents, 1);
}

static void a_wait_may_end_while_the_view_is_loaded(void **state)
{
    (void)state;
    struct document_put_reply reply = put("d", false);
    PUMP(&service, feed_current(service.feed));
    servers_sql(service.db, "BEGIN; LOCK TABLE documents"); /* it cannot be loaded */
    feed_rebuild(service.feed);
    assert_false(is_shown(reply.xid, 50));
    servers_sql(service.db, "ROLLBACK");
    assert_true(is_shown(reply.xid, SERVERS_PUMP_MS));
}

static void a_stop_leaves_nobody_waiting(void **state)
{
    struct answer following;
    struct answer loading;

    (void)state;
    ask_for(UINT64_MAX, SERVERS_PUMP_MS, &following);
    uint64_t xid = put("d", false).xid; /* by now the other one waits */
    servers_sql(service.db, "BEGIN; LOCK TABLE documents");
    feed_rebuild(service.feed);
    ask_for(xid, SERVERS_PUMP_MS, &loading);
    assert_false(is_shown(xid, 50));
    servers_sql(service.db, "ROLLBACK");
    service_stop(&service); /* leaks are found by the sanitizer */
    forget(&following);
    forget(&loading);
    service_start(&service); /* for the tear-down */
}

int main(int argc, char **argv)
{
    (void)argc;
    servers_ensure(argv);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(who_waits_is_told_that_it_is_visible),
        TEST(who_does_not_wait_may_ask_later),
        TEST(unchanged_content_names_the_transaction_that_brought_it),
        TEST(what_is_not_visible_in_time_is_told),
        TEST(a_reload_of_the_view_is_waited_for),
        TEST(a_wait_may_end_while_the_view_is_loaded),
        TEST(a_stop_leaves_nobody_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
