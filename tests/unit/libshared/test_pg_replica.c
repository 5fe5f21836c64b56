/* Reads at a real streaming replica, and what happens when it lags or goes. */
#include <sys/wait.h>

#include "tests/unit/libshared/pg_fixture.h"

static const struct sh_pg_statement where = {"where", "SELECT pg_is_in_recovery()"};

enum { LAG_S = 2, ASK_AGAIN_MS = 20 };

/* A shell command in which $R is the replica's directory; the test fails when it does. */
static void shell(const char *command)
{
    char line[1024];
    int status;

    (void)snprintf(line, sizeof(line),
                   "cd / && R=\"$TEST_SERVERS_DIR/replica\" && { %s; }", command);
    status = system(line); /* NOLINT(cert-env33-c): our own words */
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("%s: %d", command, status);
}

static void start_replica(void)
{
    shell("$TEST_PG_AS \"$TEST_PG_BIN/pg_ctl\" -D \"$R\" -l \"$R.log\" -w -t 60 -s "
          "-o '-c port=5433' start >/dev/null");
}

static int make_replica(void **state)
{
    (void)state;
    shell("$TEST_PG_AS \"$TEST_PG_BIN/pg_basebackup\" -D \"$R\" -R -X stream -c fast "
          "-h \"$TEST_SERVERS_DIR\" -U cairn");
    start_replica();
    return 0;
}

static int stop_replica(void **state)
{
    (void)state;
    shell("$TEST_PG_AS \"$TEST_PG_BIN/pg_ctl\" -D \"$R\" -m immediate -s stop || true");
    return 0;
}

struct reader {
    struct fixture *f;
    uv_timer_t timer;
    bool asking;
    bool closed;
    char at; /* 't': the replica answered last, 'f': the primary; 0: nobody yet */
    size_t failures;
};

static void on_where(void *arg, const struct sh_pg_reply *reply)
{
    struct reader *reader = arg;

    reader->asking = false;
    if (reply->err != SH_OK)
        reader->failures++;
    else
        reader->at = *PQgetvalue(reply->results[0], 0, 0);
}

static void on_again(uv_timer_t *timer)
{
    struct reader *reader = timer->data;
    const struct sh_pg_step step = {.statement = &where};
    const struct sh_pg_call call = {.steps = &step,
                                    .count = 1,
                                    .read_only = true,
                                    .deadline_ms = sh_now_ms() + 30000};

    if (!reader->asking && reader->f->pg)
        reader->asking = sh_pg_run(reader->f->pg, &call, on_where, reader) == SH_OK;
}

static void on_reader_closed(uv_handle_t *handle)
{
    ((struct reader *)handle->data)->closed = true;
}

static bool reads_replica(void *arg)
{
    return ((struct reader *)arg)->at == 't';
}

static bool reads_primary(void *arg)
{
    return ((struct reader *)arg)->at == 'f';
}

static void start_reading(struct fixture *f, struct reader *reader, uint32_t lag_s)
{
    static char replica[512];

    (void)snprintf(replica, sizeof(replica), "%s:5433", getenv("TEST_SERVERS_DIR"));
    f->config.read_hosts = replica;
    f->config.read_lag_s = lag_s;
    assert_int_equal(sh_pg_create(&f->loop, &f->config, NULL, &f->pg), SH_OK);
    *reader = (struct reader){.f = f};
    reader->timer.data = reader;
    uv_timer_init(&f->loop, &reader->timer);
    uv_timer_start(&reader->timer, on_again, 0, ASK_AGAIN_MS);
}

static void stop_reading(struct reader *reader)
{
    sh_pg_close(&reader->f->pg);
    uv_close((uv_handle_t *)&reader->timer, on_reader_closed);
    assert_true(servers_pump(&reader->f->loop, servers_is_set, &reader->closed));
}

static PGconn *replica_session(void)
{
    char conninfo[1024];

    (void)snprintf(conninfo, sizeof(conninfo),
                   "host=%s port=5433 user=cairn dbname=cairn",
                   getenv("TEST_SERVERS_DIR"));
    PGconn *conn = PQconnectdb(conninfo);
    assert_int_equal(PQstatus(conn), CONNECTION_OK);
    return conn;
}

static void a_replica_that_lags_is_left_out_until_it_has_caught_up(void **state)
{
    struct fixture *f = *state;
    struct reader reader;
    PGconn *replica = replica_session();

    start_reading(f, &reader, LAG_S);
    assert_true(servers_pump(&f->loop, reads_replica, &reader));
    assert_string_equal(servers_sql(replica, "SELECT pg_wal_replay_pause()"), "");
    servers_sql(f->other, "INSERT INTO things VALUES (1, 'not seen over there')");
    assert_true(servers_pump(&f->loop, reads_primary, &reader));
    assert_string_equal(servers_sql(replica, "SELECT pg_wal_replay_resume()"), "");
    assert_true(servers_pump(&f->loop, reads_replica, &reader));
    assert_int_equal(reader.failures, 0);
    stop_reading(&reader);
    PQfinish(replica);
}

static void a_replica_that_lags_serves_who_does_not_mind(void **state)
{
    struct fixture *f = *state;
    struct reader reader;

    start_reading(f, &reader, 0);
    assert_true(servers_pump(&f->loop, reads_replica, &reader));
    stop_reading(&reader);
}

static void a_replica_that_is_down_fails_no_read(void **state)
{
    struct fixture *f = *state;
    struct reader reader;

    start_reading(f, &reader, LAG_S);
    assert_true(servers_pump(&f->loop, reads_replica, &reader));
    (void)stop_replica(NULL);
    assert_true(servers_pump(&f->loop, reads_primary, &reader));
    start_replica();
    assert_true(servers_pump(&f->loop, reads_replica, &reader));
    assert_int_equal(reader.failures, 0);
    stop_reading(&reader);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(a_replica_that_lags_is_left_out_until_it_has_caught_up),
        CASE(a_replica_that_lags_serves_who_does_not_mind),
        CASE(a_replica_that_is_down_fails_no_read),
    };

    (void)argc;
    servers_ensure(argv);
    return cmocka_run_group_tests(tests, make_replica, stop_replica);
}
