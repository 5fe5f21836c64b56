/* changefeed_fixture: a feed on the outbox of documents in a private PostgreSQL, and two
 * sessions that write. What the feed brings is kept as text. Header only. */
#ifndef TESTS_CHANGEFEED_FIXTURE_H
#define TESTS_CHANGEFEED_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shared/changefeed.h"
#include "shared/clock.h"
#include "tests/support/migrate.h"
#include "tests/support/pg_config.h"

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
    uint64_t retention_rows;
    const char *database;
    bool apply; /* at once, from inside `changes` */
    bool close; /* from inside `changes` or `behind` */
    char seen[SEEN_MAX];
    size_t batches;
    size_t wanted;
    size_t largest;
    bool behind;
    struct sh_changefeed_position last; /* positions never go back */
};

static inline void sql(PGconn *conn, const char *text)
{
    const char *answer = servers_sql(conn, text);

    if (strncmp(answer, "error", 5) == 0)
        fail_msg("%s: %s", text, answer);
}

/* What a test that failed left prepared would hold its locks for ever. */
static inline void roll_back_prepared(PGconn *conn)
{
    PGresult *rows = PQexec(conn, "SELECT gid FROM pg_prepared_xacts");
    char text[128];

    for (int i = 0; i < PQntuples(rows); i++) {
        (void)snprintf(text, sizeof(text), "ROLLBACK PREPARED '%s'",
                       PQgetvalue(rows, i, 0));
        sql(conn, text);
    }
    PQclear(rows);
}

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    f->config = pg_config_of(getenv("TEST_DATABASE_URL"));
    f->config.pool_max = 2;
    f->a = servers_connect();
    f->b = servers_connect();
    f->apply = true;
    roll_back_prepared(f->a);
    migrate_afresh(f->a);
    assert_int_equal(sh_pg_create(&f->loop, &f->config, NULL, &f->pg), SH_OK);
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
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

static inline void on_changes(void *arg, const struct sh_change *changes, size_t count)
{
    struct fixture *f = arg;

    f->batches++;
    f->largest = count > f->largest ? count : f->largest;
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(f->seen);
        assert_true(changes[i].xid > f->last.xid ||
                    (changes[i].xid == f->last.xid && changes[i].seq > f->last.seq));
        f->last = (struct sh_changefeed_position){changes[i].xid, changes[i].seq};
        assert_string_equal(changes[i].entity, "document");
        (void)snprintf(f->seen + len, SEEN_MAX - len, "%s%s:%c", len ? " " : "",
                       changes[i].id, changes[i].op);
    }
    if (f->close)
        sh_changefeed_close(&f->feed);
    else if (f->apply)
        sh_changefeed_applied(f->feed);
}

static inline void on_behind(void *arg)
{
    struct fixture *f = arg;

    f->behind = true;
    if (f->close)
        sh_changefeed_close(&f->feed);
}

static inline void open_feed(struct fixture *f)
{
    const struct sh_changefeed_options options = {.pg = f->pg,
                                                  .config = &f->config,
                                                  .outbox = "search_outbox",
                                                  .batch = f->batch,
                                                  .retention_rows = f->retention_rows,
                                                  .database = f->database,
                                                  .start = f->start,
                                                  .changes = on_changes,
                                                  .behind = on_behind,
                                                  .arg = f};

    f->last = f->start;
    f->behind = false;
    assert_int_equal(sh_changefeed_create(&f->loop, &options, &f->feed), SH_OK);
}

static inline bool enough_seen(void *arg)
{
    const struct fixture *f = arg;
    size_t count = 0;

    for (const char *c = f->seen; *c; c++)
        count += *c == ':';
    return count >= f->wanted;
}

static inline void expect(struct fixture *f, size_t count, const char *seen)
{
    f->wanted = count;
    assert_true(servers_pump(&f->loop, enough_seen, f));
    assert_string_equal(f->seen, seen);
}

static inline bool is_current(void *arg)
{
    const struct fixture *f = arg;

    return sh_changefeed_current(f->feed);
}

static inline bool is_behind(void *arg)
{
    const struct fixture *f = arg;

    return f->behind;
}

static inline void insert(PGconn *conn, const char *id)
{
    char text[128];

    (void)snprintf(text, sizeof(text), "INSERT INTO documents (id) VALUES ('%s')", id);
    sql(conn, text);
}

static inline void wait_ms(struct fixture *f, uint64_t ms)
{
    for (uint64_t until = sh_now_ms() + ms; sh_now_ms() < until;)
        uv_run(&f->loop, UV_RUN_ONCE);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
