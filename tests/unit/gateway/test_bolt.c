/* Queries and transactions over Bolt. */
#include "bolt_fixture.h"

static void a_query_gives_its_rows(void **state)
{
    static const uint8_t parameters[] = {0x81, 0xa1, 'p', 5};
    struct fixture *f = *state;
    struct ps_cursor value;
    struct ps_token token;
    struct sh_bytes text = {0};

    log_in(f);
    say_run("rows 3", -1);
    struct ps_cursor meta = expect(f, BOLT_SUCCESS);
    assert_true(ps_find(meta, "fields", &value));
    assert_true(ps_next(&value, &token));
    assert_int_equal(token.number, 1);
    assert_false(ps_find(meta, "qid", &value)); /* only in a transaction */
    expect_records(f, 0, 3);
    meta = expect(f, BOLT_SUCCESS);
    assert_true(ps_find_text(meta, "type", &text) && sh_bytes_is(text, "r"));
    assert_true(ps_find_text(meta, "db", &text) && sh_bytes_is(text, "neo4j"));
    assert_true(ps_find_text(meta, "bookmark", &text));
    assert_false(ps_find(meta, "notifications", &value));
    assert_string_equal(graph.role, "admin");
    assert_int_equal(graph.timeout_ms, 1234);
    assert_int_equal(graph.parameters_len, sizeof parameters);
    assert_memory_equal(graph.parameters, parameters, sizeof parameters);
}

static void a_result_that_was_cut_says_so(void **state)
{
    struct fixture *f = *state;
    struct ps_cursor value;

    log_in(f);
    say_run("rows 7", -1);
    (void)expect(f, BOLT_SUCCESS);
    expect_records(f, 0, 7);
    assert_true(ps_find(expect(f, BOLT_SUCCESS), "notifications", &value));
}

static void rows_are_pulled_as_many_as_are_asked_for(void **state)
{
    struct fixture *f = *state;

    log_in(f);
    say_run("rows 10", 4);
    (void)expect(f, BOLT_SUCCESS);
    expect_records(f, 0, 4);
    expect_has_more(f, true);
    say_pull(BOLT_DISCARD, 2, -1);
    expect_has_more(f, true);
    say_pull(BOLT_PULL, 1, -1);
    expect_records(f, 6, 1);
    expect_has_more(f, true);
    say_pull(BOLT_DISCARD, -1, -1);
    expect_has_more(f, false);
    say_run("rows 0", -1);
    (void)expect(f, BOLT_SUCCESS);
    expect_has_more(f, false);
}

static void a_large_result_comes_whole(void **state)
{
    struct fixture *f = *state;

    log_in(f);
    say_run("rows 60000", -1);
    (void)expect(f, BOLT_SUCCESS);
    expect_records(f, 0, 60000);
    expect_has_more(f, false);
}

static void a_failure_ignores_until_reset(void **state)
{
    struct fixture *f = *state;
    struct sh_buffer out = {0};

    log_in(f);
    put_run(&out, "syntax");
    put_pull(&out, BOLT_PULL, -1, -1);
    put_run(&out, "rows 1");
    send_all(&out);
    sh_buffer_free(&out);
    expect_failure(f, "Neo.ClientError.Statement.SyntaxError");
    (void)expect(f, BOLT_IGNORED);
    (void)expect(f, BOLT_IGNORED);
    say_plain(BOLT_RESET);
    say_run("rows 1", -1);
    (void)expect(f, BOLT_SUCCESS);
    (void)expect(f, BOLT_SUCCESS);
    expect_records(f, 0, 1);
    (void)expect(f, BOLT_SUCCESS);
}

static void results_of_a_transaction_have_ids(void **state)
{
    struct fixture *f = *state;
    struct sh_bytes text;
    int64_t id = -1;

    log_in(f);
    struct sh_buffer out = {0};
    put_map_of_words(&out, BOLT_BEGIN, no_words);
    put_run(&out, "rows 3");
    put_run(&out, "rows 2");
    send_all(&out);
    sh_buffer_free(&out);
    (void)expect(f, BOLT_SUCCESS);
    assert_true(ps_find_int(expect(f, BOLT_SUCCESS), "qid", &id));
    assert_int_equal(id, 0);
    assert_true(ps_find_int(expect(f, BOLT_SUCCESS), "qid", &id));
    assert_int_equal(id, 1);
    say_pull(BOLT_PULL, 1, 0);
    expect_records(f, 0, 1);
    expect_has_more(f, true);
    say_pull(BOLT_PULL, -1, -1); /* the last one */
    expect_records(f, 0, 2);
    struct ps_cursor meta = expect(f, BOLT_SUCCESS);
    assert_false(ps_find_text(meta, "bookmark", &text)); /* that comes with COMMIT */
    say_pull(BOLT_PULL, -1, 0);
    expect_records(f, 1, 2);
    expect_has_more(f, false);
    say_plain(BOLT_COMMIT);
    assert_true(ps_find_text(expect(f, BOLT_SUCCESS), "bookmark", &text));
    say_run("rows 1", -1); /* by itself again */
    (void)expect(f, BOLT_SUCCESS);
    expect_records(f, 0, 1);
    (void)expect(f, BOLT_SUCCESS);
}

static void too_many_open_results_are_refused(void **state)
{
    struct fixture *f = *state;
    struct sh_buffer out = {0};

    log_in(f);
    put_map_of_words(&out, BOLT_BEGIN, no_words);
    for (int i = 0; i < 17; i++)
        put_run(&out, "rows 3");
    send_all(&out);
    sh_buffer_free(&out);
    for (int i = 0; i < 17; i++)
        (void)expect(f, BOLT_SUCCESS);
    expect_failure(f, "Neo.ClientError.Request.Invalid");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
        TEST(a_query_gives_its_rows),
        TEST(a_result_that_was_cut_says_so),
        TEST(rows_are_pulled_as_many_as_are_asked_for),
        TEST(a_large_result_comes_whole),
        TEST(a_failure_ignores_until_reset),
        TEST(results_of_a_transaction_have_ids),
        TEST(too_many_open_results_are_refused),
    };
    sh_log_set_level(SH_CRITICAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
