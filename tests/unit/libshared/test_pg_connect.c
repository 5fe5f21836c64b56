/* Whom the pool and listeners connect to, and every way in which that ends early. */
#include "shared/mem.h"
#include "tests/unit/libshared/pg_fixture.h"

static void names_are_resolved(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};

    f->config.url = "postgresql://cairn@localhost:1/cairn";
    open_pool(f);
    run_one(f, &one, &o);
    await(f, &o);
    assert_int_equal(o.err, SH_UNAVAILABLE);
    assert_non_null(strstr(o.message, "refused"));
    sh_pg_close(&f->pg);
    f->config.url = "host=localhost,/nowhere port=1";
    open_pool(f);
    run_one(f, &one, &o);
    await(f, &o);
    assert_non_null(strstr(o.message, "refused"));
    assert_non_null(strstr(o.message, "/nowhere"));
}

static void read_until_answered(struct fixture *f)
{
    struct outcome o = {.err = SH_UNAVAILABLE};
    const struct sh_pg_step step = {&one, NULL, 0, false};
    const struct sh_pg_call call = {&step, 1, true, SH_NO_DEADLINE, NULL};
    uint64_t until = sh_now_ms() + SERVERS_PUMP_MS;

    while (o.err != SH_OK && sh_now_ms() < until) {
        assert_int_equal(sh_pg_run(f->pg, &call, on_done, &o), SH_OK);
        o.wanted++;
        await(f, &o);
    }
    assert_int_equal(o.err, SH_OK);
}

static void reads_go_to_read_hosts_and_fall_back(void **state)
{
    struct fixture *f = *state;

    f->config.read_hosts = "/nowhere"; /* down: the primary answers */
    open_pool(f);
    read_until_answered(f);
    sh_pg_close(&f->pg);
    f->config.url = "postgresql://cairn@/cairn?host=/nowhere"; /* now the reverse */
    f->config.read_hosts = getenv("TEST_SERVERS_DIR");
    open_pool(f);
    read_until_answered(f);
}

struct heard {
    size_t remade;
    size_t notes;
    size_t wanted_remade;
    size_t wanted_notes;
    char last[64];
};

static void on_notified(void *arg, const char *payload)
{
    struct heard *h = arg;

    if (!payload) {
        h->remade++;
        return;
    }
    h->notes++;
    (void)snprintf(h->last, sizeof(h->last), "%s", payload);
}

static bool heard_enough(void *arg)
{
    const struct heard *h = arg;

    return h->remade >= h->wanted_remade && h->notes >= h->wanted_notes;
}

static void a_listener_hears_and_is_made_anew(void **state)
{
    struct fixture *f = *state;
    struct heard h = {.wanted_remade = 1};
    struct sh_pg_listener *listener;

    assert_int_equal(
        sh_pg_listen(&f->loop, &f->config, "Bad;", on_notified, &h, &listener),
        SH_INVALID);
    assert_int_equal(
        sh_pg_listen(&f->loop, &f->config, "some_outbox", on_notified, &h, &listener),
        SH_OK);
    assert_true(servers_pump(&f->loop, heard_enough, &h));
    servers_sql(f->other, "NOTIFY some_outbox, 'hello'");
    h.wanted_notes = 1;
    assert_true(servers_pump(&f->loop, heard_enough, &h));
    assert_string_equal(h.last, "hello");
    servers_sql(f->other, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                          "WHERE query LIKE 'LISTEN%'");
    h.wanted_remade = 2;
    assert_true(servers_pump(&f->loop, heard_enough, &h));
    servers_sql(f->other, "NOTIFY some_outbox, 'again'");
    h.wanted_notes = 2;
    assert_true(servers_pump(&f->loop, heard_enough, &h));
    assert_string_equal(h.last, "again");
    sh_pg_unlisten(&listener);
    assert_null(listener);
}

/* As behind a pooler: nobody is where DB_HOST says, and the listener does not go there.
 */
static void a_listener_has_a_host_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct heard h = {.wanted_remade = 1};
    struct sh_pg_listener *listener;
    char host[256];

    (void)snprintf(host, sizeof(host), "%s:%s", PQhost(f->other), PQport(f->other));
    f->config.url = "";
    f->config.host = "127.0.0.1";
    f->config.port = 1;
    f->config.name = PQdb(f->other);
    f->config.user = PQuser(f->other);
    f->config.password = PQpass(f->other);
    f->config.listen_host = host;
    assert_int_equal(
        sh_pg_listen(&f->loop, &f->config, "things", on_notified, &h, &listener), SH_OK);
    assert_true(servers_pump(&f->loop, heard_enough, &h));
    servers_sql(f->other, "NOTIFY things, 'there'");
    h.wanted_notes = 1;
    assert_true(servers_pump(&f->loop, heard_enough, &h));
    assert_string_equal(h.last, "there");
    sh_pg_unlisten(&listener);
}

/* At whatever point of the connect: by name, by socket, with and without a server. */
static void close_is_possible_at_any_time(void **state)
{
    static const char *const urls[] = {"", "postgresql://cairn@localhost:1/cairn",
                                       "postgresql://cairn@no.such.host.invalid/cairn"};
    struct fixture *f = *state;
    struct sh_pg_listener *listener;
    struct heard h = {0};

    for (int turns = 0; turns < 24; turns++) {
        struct outcome o = {0};
        const char *url = urls[turns % 3];
        f->config.url = *url ? url : getenv("TEST_DATABASE_URL");
        open_pool(f);
        assert_int_equal(
            sh_pg_listen(&f->loop, &f->config, "things", on_notified, &h, &listener),
            SH_OK);
        run_one(f, &one, &o);
        for (int i = 0; i < turns / 3; i++)
            uv_run(&f->loop, UV_RUN_NOWAIT);
        sh_pg_close(&f->pg);
        sh_pg_unlisten(&listener);
        assert_int_equal(o.calls, 1);
        uv_run(&f->loop, UV_RUN_DEFAULT);
    }
}

static void allocations_may_fail(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    struct sh_pg_listener *listener;
    struct heard h = {0};
    enum sh_err err = SH_NOMEM;
    int failures = 0;

    for (; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = sh_pg_create(&f->loop, &f->config, NULL, &f->pg);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
    }
    assert_true(failures > 1);
    for (err = SH_NOMEM, failures = 0; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = sh_pg_listen(&f->loop, &f->config, "things", on_notified, &h, &listener);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
    }
    sh_pg_unlisten(&listener);
    settle(f);
    for (int i = 0; i < 12; i++) { /* at any point of what follows */
        const struct sh_pg_param params[] = {text("1"), text("a")};
        const struct sh_pg_step step = {&insert, params, 2, false};
        const struct sh_pg_call call = {&step, 1, false, sh_now_ms() + CALL_MS, NULL};
        sh_mem_fail_after(i);
        if (sh_pg_run(f->pg, &call, on_done, &o) == SH_OK)
            o.wanted++;
        for (int n = 0; n < 20; n++)
            uv_run(&f->loop, UV_RUN_NOWAIT);
        sh_mem_fail_after(-1);
        await(f, &o);
    }
    settle(f);
}

static void a_bad_url_is_refused(void **state)
{
    struct fixture *f = *state;

    f->config.url = "postgresql://host:port:more/x?nonsense=1";
    assert_int_equal(sh_pg_create(&f->loop, &f->config, NULL, &f->pg), SH_INVALID);
}

static void conninfo_comes_from_url_or_parts(void **state)
{
    struct sh_pg_config config = config_of("");
    char *text_;

    (void)state;
    config.host = "localhost";
    config.name = config.user = "cairn";
    config.password = "it's \\";
    text_ = sh_pg_conninfo(&config, NULL);
    assert_string_equal(text_, "host='localhost' port='5432' dbname='cairn' user='cairn' "
                               "password='it\\'s \\\\'");
    sh_free(text_);
    text_ = sh_pg_conninfo(&config, "[::1]:6000");
    assert_non_null(strstr(text_, "host='::1' port='6000'"));
    sh_free(text_);
    config.url = "postgresql://u:p@primary:6432/db?sslmode=prefer";
    text_ = sh_pg_conninfo(&config, "replica");
    assert_non_null(strstr(text_, "host='replica'"));
    assert_non_null(strstr(text_, "port='6432'"));
    assert_non_null(strstr(text_, "password='p'"));
    assert_null(strstr(text_, "primary"));
    sh_free(text_);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(names_are_resolved),
        CASE(reads_go_to_read_hosts_and_fall_back),
        CASE(a_listener_hears_and_is_made_anew),
        CASE(a_listener_has_a_host_of_its_own),
        CASE(close_is_possible_at_any_time),
        CASE(allocations_may_fail),
        CASE(a_bad_url_is_refused),
        cmocka_unit_test(conninfo_comes_from_url_or_parts),
    };

    (void)argc;
    servers_ensure(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
