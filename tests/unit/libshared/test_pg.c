/* Calls and what they bring. */
#include "tests/unit/libshared/pg_fixture.h"

static void results_come_one_a_step(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    struct sh_pg_param params[] = {text("7"), text("seven")};
    struct sh_pg_step steps[] = {{&insert, params, 2, false}, {&total, NULL, 0, false}};

    open_settled(f);
    run_steps(f, steps, 2, &o);
    params[0].value = sh_bytes_of("8"); /* copied: no influence on the call */
    await(f, &o);
    assert_int_equal(o.err, SH_OK);
    assert_int_equal(o.count, 2);
    assert_string_equal(o.first, "1");
    assert_string_equal(servers_sql(f->other, "SELECT id::text || note FROM things"),
                        "7seven");
}

static void made_for_one_call_it_is_not_prepared(void **state)
{
    struct fixture *f = *state;
    struct sh_pg_statement made = {"made", "SELECT $1::int + 1"};
    struct sh_pg_param param = text("7");
    const struct sh_pg_step steps[] = {{&made, &param, 1, false},
                                       {&made, &param, 1, false}};
    struct sh_pg_call call = {steps, 2, true, SH_NO_DEADLINE, NULL};
    struct outcome o = {.wanted = 1};

    open_settled(f);
    assert_int_equal(sh_pg_run_ad_hoc(f->pg, &call, on_done, &o), SH_OK);
    await(f, &o);
    assert_int_equal(o.err, SH_OK);
    assert_string_equal(o.first, "8");
    made.sql = "SELECT 'as it is now' || $1::text"; /* the same address */
    o = (struct outcome){.wanted = 1};
    assert_int_equal(sh_pg_run_ad_hoc(f->pg, &call, on_done, &o), SH_OK);
    await(f, &o);
    assert_string_equal(o.first, "as it is now7");
    made.sql = "SELECT no such thing";
    o = (struct outcome){.wanted = 1};
    assert_int_equal(sh_pg_run_ad_hoc(f->pg, &call, on_done, &o), SH_OK);
    await(f, &o);
    assert_int_equal(o.err, SH_INTERNAL);
    made.sql = "SELECT 1 / ($1::int - 7)";
    o = (struct outcome){.wanted = 1};
    assert_int_equal(sh_pg_run_ad_hoc(f->pg, &call, on_done, &o), SH_OK);
    await(f, &o);
    assert_int_equal(o.err, SH_INVALID);
}

struct shape {
    bool called;
    bool null;
    size_t length;
    unsigned char head[4];
};

static void on_shape(void *arg, const struct sh_pg_reply *reply)
{
    struct shape *s = arg;
    const PGresult *r = reply->results[0];

    assert_int_equal(reply->err, SH_OK);
    s->called = true;
    s->null = sh_pg_text(r, 0, 0).data == NULL && sh_pg_u64(r, 0, 0) == 0;
    s->length = sh_pg_text(r, 0, 1).len;
    memcpy(s->head, sh_pg_text(r, 0, 1).data, sizeof(s->head));
}

static void nulls_and_binary_values_pass_through(void **state)
{
    static const struct sh_pg_statement echo = {"echo", "SELECT $1::text, $2::bytea"};
    struct fixture *f = *state;
    struct shape shape = {0};
    const unsigned char bytes[] = {0, 1, 0, 255};
    const struct sh_pg_param params[] = {{{NULL, 0}, false}, {{bytes, 4}, true}};
    const struct sh_pg_step step = {&echo, params, 2, true};
    const struct sh_pg_call call = {&step, 1, true, SH_NO_DEADLINE, NULL};

    open_settled(f);
    assert_int_equal(sh_pg_run(f->pg, &call, on_shape, &shape), SH_OK);
    assert_true(servers_pump(&f->loop, servers_is_set, &shape.called));
    assert_true(shape.null);
    assert_int_equal(shape.length, 4);
    assert_memory_equal(shape.head, bytes, 4);
}

static void large_values_go_both_ways(void **state)
{
    static const struct sh_pg_statement twice = {"twice",
                                                 "SELECT length($1), repeat($1, 2)"};
    enum { SIZE = 6 * 1024 * 1024 };
    struct fixture *f = *state;
    struct shape shape = {0};
    char *big = malloc(SIZE);
    const struct sh_pg_param param = {{big, SIZE}, false};
    const struct sh_pg_step step = {&twice, &param, 1, false};
    const struct sh_pg_call call = {&step, 1, false, SH_NO_DEADLINE, NULL};

    assert_non_null(big);
    memset(big, 'x', SIZE);
    open_settled(f);
    assert_int_equal(sh_pg_run(f->pg, &call, on_shape, &shape), SH_OK);
    free(big);
    assert_true(servers_pump(&f->loop, servers_is_set, &shape.called));
    assert_int_equal(shape.length, 2 * SIZE);
}

static void a_failing_step_undoes_the_others(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    const struct sh_pg_param a[] = {text("1"), text("a")};
    const struct sh_pg_step steps[] = {
        {&insert, a, 2, false}, {&insert, a, 2, false}, {&total, NULL, 0, false}};

    open_settled(f);
    run_steps(f, steps, 3, &o);
    await(f, &o);
    assert_int_equal(o.err, SH_CONFLICT);
    assert_int_equal(o.count, 0);
    assert_false(o.maybe_done);
    assert_string_equal(o.sqlstate, "23505");
    assert_string_equal(servers_sql(f->other, "SELECT count(*) FROM things"), "0");
    run_steps(f, steps, 1, &o); /* the connection is as good as before */
    await(f, &o);
    assert_int_equal(o.err, SH_OK);
}

static void faults_in_data_are_the_callers(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    const struct sh_pg_param bad[] = {text("x"), text("a")};
    const struct sh_pg_param large[] = {text("100"), text("a")};
    const struct sh_pg_step steps[] = {{&insert, bad, 2, false},
                                       {&insert, large, 2, false}};

    open_settled(f);
    run_steps(f, &steps[0], 1, &o);
    await(f, &o);
    assert_int_equal(o.err, SH_INVALID);
    run_steps(f, &steps[1], 1, &o);
    await(f, &o);
    assert_int_equal(o.err, SH_INVALID);
    assert_string_equal(o.sqlstate, "23514");
}

static void what_cannot_be_sent_is_refused(void **state)
{
    struct fixture *f = *state;
    struct sh_pg_param params[SH_PG_PARAMS_MAX + 1] = {{{"a\0b", 3}, false}};
    struct sh_pg_step step = {&nap, params, 1, false};
    const struct sh_pg_call call = {&step, 1, false, SH_NO_DEADLINE, NULL};
    const struct sh_pg_call empty = {&step, 0, false, SH_NO_DEADLINE, NULL};

    open_settled(f);
    assert_int_equal(sh_pg_run(f->pg, &call, NULL, NULL), SH_INVALID);
    step.count = SH_PG_PARAMS_MAX + 1;
    assert_int_equal(sh_pg_run(f->pg, &call, NULL, NULL), SH_INVALID);
    assert_int_equal(sh_pg_run(f->pg, &empty, NULL, NULL), SH_INVALID);
}

static void many_calls_share_few_connections(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};

    open_settled(f);
    for (int i = 0; i < 600; i++)
        run_one(f, &one, &o);
    await(f, &o);
    assert_int_equal(o.errs[SH_OK], 600);
    assert_in_range(sh_pg_size(f->pg), 1, 4);
    assert_int_equal(sh_pg_active(f->pg), 0);
}

static void the_queue_is_bounded_and_close_cancels_it(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    const struct sh_pg_param seconds = text("20");
    const struct sh_pg_step step = {&nap, &seconds, 1, false};
    const struct sh_pg_call call = {&step, 1, false, SH_NO_DEADLINE, NULL};
    struct sh_pg *pg;

    f->config.pool_max = 1;
    open_settled(f);
    run_one(f, &one, &o);
    await(f, &o);
    for (int i = 0; i < 1001; i++)
        run_steps(f, &step, 1, &o);
    assert_int_equal(sh_pg_run(f->pg, &call, on_done, &o), SH_BUSY);
    pg = f->pg;
    sh_pg_close(&f->pg);
    assert_null(f->pg);
    assert_int_equal(o.errs[SH_CANCELED], 1001);
    assert_int_equal(sh_pg_run(pg, &call, on_done, &o), SH_CANCELED);
}

static void close_then_run(struct outcome *o)
{
    const struct sh_pg_step step = {&one, NULL, 0, false};
    const struct sh_pg_call call = {&step, 1, false, SH_NO_DEADLINE, NULL};
    struct sh_pg *pg = o->f->pg;

    sh_pg_close(&o->f->pg);
    if (pg)
        assert_int_equal(sh_pg_run(pg, &call, on_done, o), SH_CANCELED);
}

static void a_caller_may_close_the_pool(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {.f = f, .then = close_then_run};

    open_settled(f);
    for (int i = 0; i < 10; i++)
        run_one(f, &one, &o);
    await(f, &o);
    assert_int_equal(o.errs[SH_OK], 1);
    assert_int_equal(o.errs[SH_CANCELED], 9);
}

static void serialisation_failures_are_tried_three_times(void **state)
{
    static const struct sh_pg_statement flaky = {"flaky", "SELECT flaky($1::int)"};
    struct fixture *f = *state;
    struct outcome o = {0};
    struct sh_pg_param needed = text("3");
    const struct sh_pg_step step = {&flaky, &needed, 1, false};

    servers_sql(
        f->other,
        "DROP SEQUENCE IF EXISTS tries; CREATE SEQUENCE tries;"
        "CREATE OR REPLACE FUNCTION flaky(needed int) RETURNS int LANGUAGE plpgsql "
        "AS $$ BEGIN IF nextval('tries') < needed THEN "
        "RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END IF; RETURN 9; END $$");
    open_settled(f);
    run_steps(f, &step, 1, &o);
    await(f, &o);
    assert_int_equal(o.err, SH_OK);
    assert_string_equal(o.first, "9");
    needed = text("1000");
    run_steps(f, &step, 1, &o);
    await(f, &o);
    assert_int_equal(o.err, SH_CONFLICT);
    assert_string_equal(servers_sql(f->other, "SELECT last_value FROM tries"), "6");
}

static void statements_are_prepared_again(void **state)
{
    static const struct sh_pg_statement forget = {"forget", "DEALLOCATE ALL"};
    static const struct sh_pg_statement all = {"all", "SELECT * FROM things"};
    struct fixture *f = *state;
    struct outcome o = {0};

    f->config.pool_max = 1;
    open_settled(f);
    run_one(f, &one, &o);
    run_one(f, &forget, &o);
    run_one(f, &one, &o); /* gone on the server: 26000 */
    run_one(f, &all, &o);
    await(f, &o);
    assert_int_equal(o.errs[SH_OK], 4);
    servers_sql(f->other, "ALTER TABLE things ADD COLUMN more text");
    run_one(f, &all, &o); /* cached plan must not change result type */
    await(f, &o);
    assert_int_equal(o.errs[SH_OK], 5);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(results_come_one_a_step),
        CASE(made_for_one_call_it_is_not_prepared),
        CASE(nulls_and_binary_values_pass_through),
        CASE(large_values_go_both_ways),
        CASE(a_failing_step_undoes_the_others),
        CASE(faults_in_data_are_the_callers),
        CASE(what_cannot_be_sent_is_refused),
        CASE(many_calls_share_few_connections),
        CASE(the_queue_is_bounded_and_close_cancels_it),
        CASE(a_caller_may_close_the_pool),
        CASE(serialisation_failures_are_tried_three_times),
        CASE(statements_are_prepared_again),
    };

    (void)argc;
    servers_ensure(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
