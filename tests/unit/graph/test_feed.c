/* The graph in memory follows a real record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "services/graph/feed/lag.h"
#include "shared/clock.h"
#include "tests/support/migrate.h"
#include "tests/support/pg_config.h"
#include "tests/unit/graph/there.h"

struct fixture {
    uv_loop_t loop;
    PGconn *db; /* the test's own session */
    struct sh_pg_config pg_config;
    struct sh_pg *pg;
    struct sh_workers *writer;
    struct feed *feed;
    double lag_s;
    int told; /* of it */
    bool waited;
    enum sh_err outcome;
};

static void ignore(void *arg)
{
    (void)arg;
}

static void start_feed(struct fixture *f)
{
    struct feed_options options = {.pg = f->pg,
                                   .pg_config = &f->pg_config,
                                   .writer = f->writer,
                                   .names = "name",
                                   .state_changed = ignore,
                                   .arg = f};
    assert_int_equal(feed_create(&f->loop, &options, &f->feed), SH_OK);
}

static int set_up(void **state)
{
    struct fixture *f = sh_alloc(sizeof(*f));
    assert_non_null(f);
    f->db = servers_connect();
    migrate_afresh(f->db);
    f->pg_config = pg_config_of(getenv("TEST_DATABASE_URL"));
    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(sh_pg_create(&f->loop, &f->pg_config, NULL, &f->pg), SH_OK);
    assert_int_equal(sh_workers_create(&f->loop, "view", 1, 4, &f->writer), SH_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    feed_close(&f->feed);
    sh_workers_close(&f->writer);
    sh_pg_close(&f->pg);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    PQfinish(f->db);
    sh_free(f);
    return 0;
}

static bool is_current(void *arg)
{
    return feed_current(((struct fixture *)arg)->feed);
}

static void on_shown(void *arg, enum sh_err err)
{
    struct fixture *f = arg;
    f->waited = true;
    f->outcome = err;
}

/* Run the SQL and wait until the graph shows it. */
static void change(struct fixture *f, const char *sql)
{
    char text[4096];
    (void)snprintf(text, sizeof(text), "BEGIN; %s; SELECT pg_current_xact_id()", sql);
    PGresult *result = PQexec(f->db, text);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s", PQresultErrorMessage(result));
    uint64_t xid = sh_pg_u64(result, 0, 0);
    PQclear(result);
    PQclear(PQexec(f->db, "COMMIT"));
    f->waited = false;
    assert_int_equal(feed_wait(f->feed, xid, sh_now_ms() + SERVERS_PUMP_MS, on_shown, f),
                     SH_OK);
    assert_true(servers_pump(&f->loop, servers_is_set, &f->waited));
    assert_int_equal(f->outcome, SH_OK);
}

static uint32_t place_of(const struct graph_reader *reader, const char *id)
{
    uint32_t place;
    if (!graph_find_node(reader, sh_bytes_of(id), &place))
        fail_msg("%s is not in the graph", id);
    return place;
}

static void check_nodes(struct fixture *f, const struct graph_reader *reader)
{
    PGresult *rows =
        PQexec(f->db, "SELECT id, cardinality(labels), (SELECT count(*) "
                      "FROM jsonb_each(properties)), number FROM graph_nodes");
    assert_int_equal(reader->version->node_count, PQntuples(rows));
    for (int i = 0; i < PQntuples(rows); i++) {
        uint32_t place = place_of(reader, PQgetvalue(rows, i, 0));
        const struct node_body *body = node_there(reader, place)->body;
        assert_int_equal(body->label_count, sh_pg_u64(rows, i, 1));
        assert_int_equal(values_count(body->properties), sh_pg_u64(rows, i, 2));
        assert_int_equal(body->number, sh_pg_u64(rows, i, 3));
        uint32_t again;
        assert_true(graph_find_node_number(reader, body->number, &again));
        assert_int_equal(again, place);
    }
    PQclear(rows);
}

static void check_edges(struct fixture *f, const struct graph_reader *reader)
{
    PGresult *rows =
        PQexec(f->db, "SELECT id, type, from_id, to_id, number FROM graph_edges");
    assert_int_equal(reader->version->edge_count, PQntuples(rows));
    for (int i = 0; i < PQntuples(rows); i++) {
        uint32_t place;
        assert_true(graph_find_edge(reader, sh_pg_text(rows, i, 0), &place));
        const struct edge_body *body = edge_there(reader, place)->body;
        assert_true(sh_bytes_equal(symbols_text(graph_types(reader->graph), body->type),
                                   sh_pg_text(rows, i, 1)));
        assert_int_equal(body->from, place_of(reader, PQgetvalue(rows, i, 2)));
        assert_int_equal(body->to, place_of(reader, PQgetvalue(rows, i, 3)));
        assert_int_equal(body->number, sh_pg_u64(rows, i, 4));
        uint32_t again;
        assert_true(graph_find_edge_number(reader, body->number, &again));
        assert_int_equal(again, place);
    }
    PQclear(rows);
}

/* The graph has what the tables have, all of it and nothing else. */
static void check(struct fixture *f)
{
    struct held_graph *held = feed_hold(f->feed);
    struct graph_reader reader;
    const struct caller service = {.schema = 0};
    assert_non_null(held);
    assert_int_equal(graph_enter(held->graph, &service, &reader), SH_OK);
    check_nodes(f, &reader);
    check_edges(f, &reader);
    graph_leave(&reader);
    held_release(held);
}

static void sql(struct fixture *f, const char *text)
{
    assert_string_equal(servers_sql(f->db, text), "");
}

#define MANY_NODES                                                                       \
    "INSERT INTO graph_nodes (id, labels, properties) SELECT 'n' || n, "                 \
    "CASE n % 3 WHEN 0 THEN '{}' WHEN 1 THEN '{A}' ELSE '{A,B}' END::text[], "           \
    "jsonb_build_object('n', n) FROM generate_series(1, 12000) n"
#define MANY_EDGES                                                                       \
    "INSERT INTO graph_edges (id, type, from_id, to_id) SELECT 'e' || n, 'NEXT', "       \
    "'n' || n, 'n' || (n + 1) FROM generate_series(1, 11000) n"

static void everything_is_loaded_then_followed(void **state)
{
    struct fixture *f = *state;
    sql(f, MANY_NODES);
    sql(f, MANY_EDGES);
    start_feed(f);
    assert_null(feed_hold(f->feed));
    assert_true(servers_pump(&f->loop, is_current, f));
    check(f);
    change(f, "INSERT INTO graph_nodes VALUES ('x', '{X}', '{\"a\":[1,{}]}', 3, 'it'),"
              "('y', '{}', '{}', 1, NULL)");
    check(f);
    change(f, "INSERT INTO graph_edges (id, type, from_id, to_id) VALUES "
              "('xy','TO','x','y'), ('yx','TO','y','x'), ('xx','SELF','x','x')");
    check(f);
    change(f, "UPDATE graph_nodes SET labels = '{B,C}' WHERE id IN ('n1', 'x')");
    change(f, "UPDATE graph_edges SET to_id = 'n5', type = 'JUMP' WHERE id = 'xy'");
    check(f);
    change(f, "UPDATE graph_nodes SET id = 'renamed' WHERE id = 'x'");
    check(f);
    change(f, "DELETE FROM graph_nodes WHERE id LIKE 'n1%'");
    check(f);
    change(f, "DELETE FROM graph_edges WHERE id LIKE 'e2%'");
    check(f);
    change(f, "TRUNCATE graph_nodes, graph_edges");
    check(f);
}

static void what_was_trimmed_before_it_was_seen_is_loaded_again(void **state)
{
    struct fixture *f = *state;
    sql(f, "INSERT INTO graph_nodes (id) VALUES ('a'), ('b')");
    start_feed(f);
    assert_true(servers_pump(&f->loop, is_current, f));
    struct held_graph *before = feed_hold(f->feed);
    /* the rows of the outbox go in the transaction that wrote them */
    sql(f, "BEGIN; INSERT INTO graph_nodes (id) VALUES ('c');"
           "INSERT INTO graph_edges (id, type, from_id, to_id) VALUES ('e','T','a','c');"
           "DELETE FROM graph_outbox; INSERT INTO outbox_horizon VALUES ('graph_outbox', "
           "pg_current_xact_id()) ON CONFLICT (outbox) DO UPDATE SET xid = EXCLUDED.xid;"
           "COMMIT");
    struct held_graph *after = before;
    uint64_t until = sh_now_ms() + SERVERS_PUMP_MS;
    while ((after == before || !feed_current(f->feed)) && sh_now_ms() < until) {
        uv_run(&f->loop, UV_RUN_ONCE);
        after = feed_hold(f->feed);
        held_release(after);
    }
    assert_ptr_not_equal(after, before);
    check(f);
    held_release(before); /* it could be read until now */
}

static void on_lag(void *arg, double seconds)
{
    struct fixture *f = arg;
    f->lag_s = seconds;
    f->told++;
}

/* What it is told first. */
static double lag_now(struct fixture *f)
{
    const struct lag_options options = {f->pg, f->feed, on_lag, f};
    struct lag *lag = NULL;
    uint64_t until = sh_now_ms() + SERVERS_PUMP_MS;

    f->told = 0;
    assert_int_equal(lag_open(&f->loop, &options, &lag), SH_OK);
    while (f->told == 0 && sh_now_ms() < until)
        uv_run(&f->loop, UV_RUN_ONCE);
    lag_close(&lag);
    assert_int_equal(f->told, 1);
    return f->lag_s;
}

static void how_far_it_is_behind_is_told(void **state)
{
    struct fixture *f = *state;
    PGconn *slow = servers_connect();

    start_feed(f);
    assert_true(isnan(lag_now(f))); /* nothing is followed yet */
    assert_true(servers_pump(&f->loop, is_current, f));
    assert_true(lag_now(f) == 0);
    /* a transaction that goes on holds back what was committed after its beginning */
    servers_sql(slow, "BEGIN; SELECT pg_current_xact_id()");
    sql(f, "INSERT INTO graph_nodes (id) VALUES ('a')");
    assert_true(lag_now(f) > 0);
    servers_sql(slow, "COMMIT");
    change(f, "INSERT INTO graph_nodes (id) VALUES ('b')");
    assert_true(lag_now(f) == 0);
    PQfinish(slow);
}

static void a_lag_that_nobody_waits_for_ends_cleanly(void **state)
{
    struct fixture *f = *state;
    struct lag *lag = NULL;

    start_feed(f);
    assert_true(servers_pump(&f->loop, is_current, f));
    const struct lag_options options = {f->pg, f->feed, on_lag, f};
    assert_int_equal(lag_open(&f->loop, &options, &lag), SH_OK);
    uv_run(&f->loop, UV_RUN_NOWAIT); /* it has asked, and may have been answered */
    int told = f->told;
    lag_close(&lag);
    lag_close(&lag);
    change(f,
           "INSERT INTO graph_nodes (id) VALUES ('a')"); /* the loop goes on for long */
    assert_int_equal(f->told, told);
}

static void a_close_while_it_loads_ends_cleanly(void **state)
{
    struct fixture *f = *state;
    sql(f, MANY_NODES);
    start_feed(f);
    for (int i = 0; i < 20; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
}

int main(int argc, char **argv)
{
    (void)argc;
    servers_ensure(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_is_loaded_then_followed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            what_was_trimmed_before_it_was_seen_is_loaded_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(how_far_it_is_behind_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lag_that_nobody_waits_for_ends_cleanly, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_close_while_it_loads_ends_cleanly, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
