/* Connections of Bolt: logins, ends, what interrupts them. */
#include "bolt_fixture.h"

static void a_reset_cuts_a_query_short(void **state)
{
    struct fixture *f = *state;

    log_in(f);
    say_run("hold", -1);
    pump_until(f, graph.held != NULL);
    say_plain(BOLT_RESET);
    (void)expect(f, BOLT_IGNORED); /* RUN */
    (void)expect(f, BOLT_IGNORED); /* PULL */
    (void)expect(f, BOLT_SUCCESS);
    pump_until(f, graph.canceled == 1);
    say_run("rows 1", -1);
    (void)expect(f, BOLT_SUCCESS);
    expect_records(f, 0, 1);
    (void)expect(f, BOLT_SUCCESS);
}

static void who_leaves_is_not_worked_for(void **state)
{
    struct fixture *f = *state;

    log_in(f);
    say_run("hold", -1);
    pump_until(f, graph.held != NULL);
    close_talk();
    pump_until(f, graph.canceled == 1);
}

static void logging_off_forgets_who_it_was(void **state)
{
    struct fixture *f = *state;

    log_in(f);
    say_plain(BOLT_LOGOFF);
    (void)expect(f, BOLT_SUCCESS);
    say_run("rows 1", 0);
    expect_failure(f, "Neo.ClientError.Request.Invalid");
    expect_end(f);
    assert_int_equal(graph.queries, 0);
}

static void an_old_driver_says_all_in_hello(void **state)
{
    struct fixture *f = *state;
    struct sh_buffer out = {0};
    struct sh_bytes text = {0};

    call_bolt(f, 4, 4);
    put_map_of_words(&out, BOLT_HELLO, (const char *const[]){"scheme", "none", NULL});
    put_run(&out, "rows 1");
    put_pull(&out, BOLT_PULL, -1, -1);
    send_all(&out);
    sh_buffer_free(&out);
    assert_true(ps_find_text(expect(f, BOLT_SUCCESS), "server", &text));
    assert_true(sh_bytes_is(text, "Neo4j/4.4.0"));
    (void)expect(f, BOLT_SUCCESS);
    expect_records(f, 0, 1);
    (void)expect(f, BOLT_SUCCESS);
}

static void refuse_logon(struct fixture *f, const char *const *words, const char *code)
{
    struct sh_buffer out = {0};

    call_bolt(f, 5, 1);
    put_map_of_words(&out, BOLT_HELLO, no_words);
    put_map_of_words(&out, BOLT_LOGON, words);
    put_run(&out, "rows 1"); /* nobody is let in by being quick */
    send_all(&out);
    sh_buffer_free(&out);
    (void)expect(f, BOLT_SUCCESS);
    expect_failure(f, code);
    expect_end(f);
    assert_int_equal(graph.queries, 0);
}

static void bad_logins_end_the_connection(void **state)
{
    struct fixture *f = *state;

    refuse_logon(f, (const char *const[]){"scheme", "kerberos", "credentials", "x", NULL},
                 "Neo.ClientError.Security.Unauthorized");
    refuse_logon(f, (const char *const[]){"scheme", "basic", "principal", "ann", NULL},
                 "Neo.ClientError.Security.Unauthorized");
    refuse_logon(f,
                 (const char *const[]){"scheme", "bearer", "credentials", "a.b.c", NULL},
                 "Neo.ClientError.Security.Unauthorized");
    /* there is no PostgreSQL: nobody knows */
    refuse_logon(f,
                 (const char *const[]){"scheme", "basic", "principal", "ann",
                                       "credentials", "secret", NULL},
                 "Neo.TransientError.General.DatabaseUnavailable");
}

static void the_only_server_is_where_one_is(void **state)
{
    struct fixture *f = *state;
    struct sh_buffer out = {0};
    struct ps_cursor table;
    struct sh_bytes text = {0};

    log_in(f);
    size_t begin = begin_message(&out, BOLT_ROUTE, 3);
    ps_map(&out, 1);
    ps_word(&out, "address");
    ps_word(&out, "graph.example.org:7687");
    ps_list(&out, 0);
    ps_map(&out, 0);
    chunks_end(&out, begin);
    send_all(&out);
    assert_true(ps_find(expect(f, BOLT_SUCCESS), "rt", &table));
    assert_true(ps_find_text(table, "db", &text) && sh_bytes_is(text, "neo4j"));
    struct sh_bytes whole = sh_buffer_bytes(&talk.chunks.message);
    assert_non_null(memmem(whole.data, whole.len, "graph.example.org:7687", 22));
    sh_buffer_clear(&out);
    begin = begin_message(&out, BOLT_ROUTE, 3);
    ps_map(&out, 0);
    ps_list(&out, 0);
    ps_map(&out, 1);
    ps_word(&out, "db");
    ps_word(&out, "other");
    chunks_end(&out, begin);
    send_all(&out);
    sh_buffer_free(&out);
    expect_failure(f, "Neo.ClientError.Database.DatabaseNotFound");
}

static void what_is_no_bolt_ends_the_connection(void **state)
{
    static const uint8_t nonsense[] = {0, 3, 0xb1, 0x10, 0xc4, 0, 0};
    struct fixture *f = *state;

    log_in(f);
    assert_int_equal(send(talk.fd, nonsense, sizeof nonsense, MSG_NOSIGNAL),
                     sizeof nonsense);
    expect_failure(f, "Neo.ClientError.Request.InvalidFormat");
    expect_end(f);
    log_in(f);
    say_pull(BOLT_PULL, 1, -1); /* of nothing */
    expect_failure(f, "Neo.ClientError.Request.Invalid");
    expect_end(f);
    log_in(f);
    say_run("rows 3", 0);
    say_pull(BOLT_PULL, -2, -1);
    (void)expect(f, BOLT_SUCCESS);
    expect_failure(f, "Neo.ClientError.Request.Invalid");
    expect_end(f);
}

static void a_long_message_is_refused(void **state)
{
    struct fixture *f = *state;
    struct sh_buffer out = {0};

    log_in(f);
    f->gateway.bolt_config.message_bytes = 1024; /* of connections to come */
    log_in(f);
    char *query = malloc(2001);
    assert_non_null(query);
    memset(query, 'x', 2000);
    query[2000] = '\0';
    put_run(&out, query);
    send_all(&out);
    expect_failure(f, "Neo.ClientError.Request.Invalid");
    expect_end(f);
    free(query);
    sh_buffer_free(&out);
}

static void goodbye_ends_the_connection(void **state)
{
    struct fixture *f = *state;

    log_in(f);
    say_plain(BOLT_GOODBYE);
    expect_end(f);
}

static void on_drained(void *arg)
{
    *(bool *)arg = true;
}

/* What is under way is answered; then there is nothing more. */
static void draining_waits_for_the_answer(void **state)
{
    struct fixture *f = *state;
    bool drained = false;

    log_in(f);
    say_run("hold", -1);
    pump_until(f, graph.held != NULL);
    bolt_drain(f->edge.bolt, on_drained, &drained);
    for (int i = 0; i < 100; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_false(drained);
    answer_rows(graph.held, 2);
    graph.held = NULL;
    (void)expect(f, BOLT_SUCCESS);
    expect_records(f, 0, 2);
    (void)expect(f, BOLT_SUCCESS);
    expect_end(f);
    pump_until(f, drained);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
        TEST(a_reset_cuts_a_query_short),          TEST(who_leaves_is_not_worked_for),
        TEST(logging_off_forgets_who_it_was),      TEST(an_old_driver_says_all_in_hello),
        TEST(bad_logins_end_the_connection),       TEST(the_only_server_is_where_one_is),
        TEST(what_is_no_bolt_ends_the_connection), TEST(a_long_message_is_refused),
        TEST(goodbye_ends_the_connection),         TEST(draining_waits_for_the_answer),
    };
    sh_log_set_level(SH_CRITICAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
