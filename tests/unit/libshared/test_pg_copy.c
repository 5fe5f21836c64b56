/* COPY over a connection of its own, with what goes wrong on the way. */
#include "shared/pg_copy.h"
#include "tests/unit/libshared/pg_fixture.h"

#define COPY "COPY things FROM STDIN"

struct copied {
    size_t calls;
    size_t wanted;
    enum sh_err err;
    char message[256];
};

static void on_copied(void *arg, enum sh_err err, const char *message)
{
    struct copied *c = arg;

    c->calls++;
    c->err = err;
    (void)snprintf(c->message, sizeof(c->message), "%s", message);
}

static bool was_called(void *arg)
{
    const struct copied *c = arg;

    return c->calls >= c->wanted;
}

static struct sh_pg_copy *open_copy(struct fixture *f)
{
    struct sh_pg_copy *copy;

    assert_int_equal(sh_pg_copy_open(&f->loop, &f->config, &copy), SH_OK);
    return copy;
}

static void start(struct sh_pg_copy *copy, const char *sql, struct sh_bytes rows,
                  uint64_t ms, struct copied *c)
{
    size_t before = c->calls;

    assert_int_equal(sh_pg_copy_run(copy, sql, rows, sh_now_ms() + ms, on_copied, c),
                     SH_OK);
    assert_int_equal(c->calls, before); /* never from inside */
    c->wanted++;
}

static enum sh_err run(struct fixture *f, struct sh_pg_copy *copy, const char *sql,
                       const char *rows, uint64_t ms)
{
    struct copied c = {0};

    start(copy, sql, sh_bytes_of(rows), ms, &c);
    assert_true(servers_pump(&f->loop, was_called, &c));
    assert_int_equal(c.calls, 1);
    return c.err;
}

static void rows_and_other_statements_are_one_transaction(void **state)
{
    struct fixture *f = *state;
    struct sh_pg_copy *copy = open_copy(f);

    assert_int_equal(run(f, copy, COPY "; INSERT INTO things VALUES (3, 'c')",
                         "1\ta\n2\tb\n", CALL_MS),
                     SH_OK);
    assert_string_equal(servers_sql(f->other,
                                    "SELECT string_agg(id || note, ' ' ORDER BY "
                                    "id) FROM things"),
                        "1a 2b 3c");
    assert_int_equal(
        run(f, copy, COPY "; INSERT INTO things VALUES (3, 'c')", "4\td\n", CALL_MS),
        SH_CONFLICT);
    assert_string_equal(servers_sql(f->other, "SELECT count(*) FROM things"), "3");
    sh_pg_copy_close(&copy);
}

/* What is refused leaves the connection to the next run. */
static void a_refusal_says_why_and_ends_nothing(void **state)
{
    struct fixture *f = *state;
    struct sh_pg_copy *copy = open_copy(f);
    static const char server[] = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE "
                                 "'COPY things%'";

    assert_int_equal(run(f, copy, COPY, "x\ta\n", CALL_MS), SH_INVALID);
    assert_int_equal(run(f, copy, COPY, "1\ta\tb\n", CALL_MS), SH_INVALID);
    assert_int_equal(run(f, copy, COPY, "500\ta\n", CALL_MS), SH_INVALID);
    assert_int_equal(run(f, copy, "COPY nothing FROM STDIN", "1\n", CALL_MS),
                     SH_INTERNAL);
    assert_int_equal(run(f, copy, COPY, "1\ta\n", CALL_MS), SH_OK);
    assert_string_equal(servers_sql(f->other, server), "1");
    assert_string_equal(servers_sql(f->other, "SELECT count(*) FROM things"), "1");
    sh_pg_copy_close(&copy);
}

/* More than any socket takes at once. */
static void many_rows_go_in_pieces(void **state)
{
    struct fixture *f = *state;
    struct sh_pg_copy *copy = open_copy(f);
    struct sh_buffer rows = {0};
    struct copied c = {0};

    servers_sql(f->other, "ALTER TABLE things DROP CONSTRAINT things_id_check");
    for (int i = 0; i < 300000; i++)
        sh_buffer_printf(&rows, "%d\tnote of row %d\n", i, i);
    start(copy, COPY, sh_buffer_bytes(&rows), CALL_MS, &c);
    assert_int_equal(sh_pg_copy_run(copy, COPY, sh_buffer_bytes(&rows),
                                    sh_now_ms() + CALL_MS, on_copied, &c),
                     SH_BUSY);
    assert_true(servers_pump(&f->loop, was_called, &c));
    assert_int_equal(c.err, SH_OK);
    assert_string_equal(servers_sql(f->other, "SELECT count(*) FROM things WHERE note = "
                                              "'note of row ' || id"),
                        "300000");
    sh_buffer_free(&rows);
    sh_pg_copy_close(&copy);
}

static void a_deadline_ends_a_run(void **state)
{
    struct fixture *f = *state;
    struct sh_pg_copy *copy = open_copy(f);

    servers_sql(f->other, "BEGIN; LOCK TABLE things");
    assert_int_equal(run(f, copy, COPY, "1\ta\n", 100), SH_TIMEOUT);
    servers_sql(f->other, "COMMIT");
    assert_int_equal(run(f, copy, COPY, "2\ta\n", CALL_MS), SH_OK);
    sh_pg_copy_close(&copy);
}

static void a_server_that_is_away_is_found_again(void **state)
{
    struct fixture *f = *state;
    struct sh_pg_copy *copy;
    struct sh_pg_config there = f->config;

    f->config.url = "postgresql://nobody@127.0.0.1:1/nothing";
    copy = open_copy(f);
    assert_int_equal(run(f, copy, COPY, "1\ta\n", CALL_MS), SH_UNAVAILABLE);
    assert_int_equal(run(f, copy, COPY, "1\ta\n", CALL_MS), SH_UNAVAILABLE);
    sh_pg_copy_close(&copy);
    f->config = there;
    copy = open_copy(f);
    assert_int_equal(run(f, copy, COPY, "1\ta\n", CALL_MS), SH_OK);
    servers_sql(f->other, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                          "query LIKE 'COPY things%'");
    /* whether its end is heard before the next run or in it */
    enum sh_err err = run(f, copy, COPY, "2\ta\n", CALL_MS);
    assert_true(err == SH_OK || err == SH_UNAVAILABLE);
    assert_int_equal(run(f, copy, COPY, "3\ta\n", CALL_MS), SH_OK);
    sh_pg_copy_close(&copy);
}

static void what_is_under_way_can_be_given_up(void **state)
{
    struct fixture *f = *state;
    struct sh_pg_copy *copy = open_copy(f);
    struct copied c = {0};

    start(copy, COPY, sh_bytes_of("1\ta\n"), CALL_MS, &c);
    sh_pg_copy_close(&copy);
    assert_null(copy);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(c.calls, 0);
    sh_pg_copy_close(&copy);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(rows_and_other_statements_are_one_transaction),
        CASE(a_refusal_says_why_and_ends_nothing),
        CASE(many_rows_go_in_pieces),
        CASE(a_deadline_ends_a_run),
        CASE(a_server_that_is_away_is_found_again),
        CASE(what_is_under_way_can_be_given_up),
    };

    (void)argc;
    servers_ensure(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
