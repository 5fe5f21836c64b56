/* Sessions write as they like: transactions that overlap, save points, roll-backs,
 * prepared transactions, crashes of the server; the outbox is trimmed, connections break,
 * the reader dies and starts from what it had kept. In the end its view must be what the
 * tables hold. TEST_SEED repeats a run. */
#include "shared/log.h"
#include "tests/unit/libshared/changefeed_fixture.h"

enum { SESSIONS = 6, IDS = 8, STEPS = 700, RUNS = 4, SLOTS = SESSIONS * IDS };

enum phase { OUTSIDE, INSIDE, PREPARED };

struct session {
    PGconn *conn;
    enum phase phase;
    unsigned number;
    bool saved; /* there is a save point */
};

/* What a view keeps: the title of each document, 0 when it is not there. */
struct view {
    uint64_t titles[SLOTS];
};

struct world {
    struct fixture *f;
    struct session sessions[SESSIONS];
    uint64_t random;
    uint64_t titles; /* given so far: each write has its own */
    struct view view;
    struct view kept; /* as a snapshot file would */
    struct sh_changefeed_position kept_position;
    struct sh_changefeed_position last;
    char kept_database[200];
    bool has_kept;
    bool trims;
    bool silent;   /* nobody is notified; what notifies cannot be prepared */
    uint64_t owed; /* changes that were delivered and not applied yet */
    bool rebuild;
    size_t rebuilt;
    size_t restarted;
};

static uint64_t draw(struct world *w, uint64_t below)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return w->random % below;
}

static void run(PGconn *conn, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    sql(conn, text);
}

/* --- the view --------------------------------------------------------------------- */

static size_t slot_of(const char *id)
{
    char *rest;
    size_t session = strtoul(id + 1, &rest, 10);

    return session * IDS + strtoul(rest + 1, NULL, 10);
}

/* As the search service does it: a change only says where to look. */
static void on_change(void *arg, const struct sh_change *changes, size_t count)
{
    struct world *w = arg;
    char text[128];

    for (size_t i = 0; i < count; i++) {
        const struct sh_change *c = &changes[i];
        assert_true(c->xid > w->last.xid ||
                    (c->xid == w->last.xid && c->seq > w->last.seq));
        w->last = (struct sh_changefeed_position){c->xid, c->seq};
        (void)snprintf(text, sizeof(text), "SELECT title FROM documents WHERE id = '%s'",
                       c->id);
        w->view.titles[slot_of(c->id)] = strtoull(servers_sql(w->f->b, text), NULL, 10);
    }
    if (draw(w, 3) > 0)
        sh_changefeed_applied(w->f->feed);
    else
        w->owed = 1 + draw(w, 20); /* steps */
}

static void on_fallen_behind(void *arg)
{
    struct world *w = arg;

    w->rebuild = true;
}

static void follow(struct world *w, struct sh_changefeed_position start,
                   const char *database)
{
    const struct sh_changefeed_options options = {.pg = w->f->pg,
                                                  .config = &w->f->config,
                                                  .outbox = "search_outbox",
                                                  .batch = 1 + (unsigned)draw(w, 9),
                                                  .start = start,
                                                  .database = database,
                                                  .changes = on_change,
                                                  .behind = on_fallen_behind,
                                                  .arg = w};

    sh_changefeed_close(&w->f->feed);
    w->rebuild = false;
    w->owed = 0;
    w->last = start;
    assert_int_equal(sh_changefeed_create(&w->f->loop, &options, &w->f->feed), SH_OK);
}

static void load(PGconn *conn, struct view *view)
{
    PGresult *rows = PQexec(conn, "SELECT id, title FROM documents");

    assert_int_equal(PQresultStatus(rows), PGRES_TUPLES_OK);
    memset(view, 0, sizeof(*view));
    for (int i = 0; i < PQntuples(rows); i++)
        view->titles[slot_of(PQgetvalue(rows, i, 0))] =
            strtoull(PQgetvalue(rows, i, 1), NULL, 10);
    PQclear(rows);
}

static void rebuild(struct world *w)
{
    PGresult *row = PQexec(w->f->b, SH_CHANGEFEED_START_SQL("search_outbox"));
    struct sh_changefeed_position start = {sh_pg_u64(row, 0, 0), sh_pg_u64(row, 0, 1)};
    char database[200];

    assert_int_equal(PQntuples(row), 1);
    (void)snprintf(database, sizeof(database), "%s", PQgetvalue(row, 0, 2));
    PQclear(row);
    load(w->f->b, &w->view);
    w->rebuilt++;
    follow(w, start, database);
    (void)snprintf(w->kept_database, sizeof(w->kept_database), "%s", database);
}

/* --- what happens ----------------------------------------------------------------- */

static void write_something(struct world *w, struct session *s)
{
    unsigned id = (unsigned)draw(w, IDS);
    unsigned long long title = ++w->titles;

    if (draw(w, 4) == 0)
        run(s->conn, "DELETE FROM documents WHERE id = 's%u-%u'", s->number, id);
    else
        run(s->conn,
            "INSERT INTO documents (id, title) VALUES ('s%u-%u', '%llu') "
            "ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title",
            s->number, id, title);
}

static void end(struct world *w, struct session *s)
{
    bool may_prepare = w->silent && s->number < 2; /* the server has room for two */

    s->saved = false;
    s->phase = OUTSIDE;
    switch (draw(w, may_prepare ? 5 : 4)) {
    case 0:
        run(s->conn, "ROLLBACK");
        return;
    case 4:
        run(s->conn, "PREPARE TRANSACTION 'p%u'", s->number);
        s->phase = PREPARED;
        return;
    default:
        run(s->conn, "COMMIT");
    }
}

static void go_on(struct world *w, struct session *s)
{
    switch (draw(w, 6)) {
    case 0:
        end(w, s);
        return;
    case 1:
        run(s->conn, s->saved ? "ROLLBACK TO here" : "SAVEPOINT here");
        s->saved = true;
        return;
    default:
        write_something(w, s);
    }
}

static void act(struct world *w)
{
    struct session *s = &w->sessions[draw(w, SESSIONS)];

    if (s->phase == INSIDE) {
        go_on(w, s);
    } else if (s->phase == PREPARED) {
        run(s->conn, "%s PREPARED 'p%u'", draw(w, 3) > 0 ? "COMMIT" : "ROLLBACK",
            s->number);
        s->phase = OUTSIDE;
    } else if (draw(w, 2) == 0) {
        write_something(w, s);
    } else {
        run(s->conn, draw(w, 2) == 0 ? "BEGIN" : "BEGIN; SELECT pg_current_xact_id()");
        s->phase = INSIDE;
    }
}

static void keep(struct world *w)
{
    /* A snapshot may be newer than the position beside it, never older. */
    if (w->f->feed && !w->rebuild)
        w->kept_position = sh_changefeed_position(w->f->feed);
    w->kept = w->view;
    w->has_kept = true;
}

static void die_and_come_back(struct world *w)
{
    struct sh_changefeed_position position = w->kept_position;

    if (!w->has_kept)
        return;
    w->view = w->kept;
    w->restarted++;
    follow(w, position, w->kept_database);
}

static void crash(struct world *w)
{
    char command[4200];

    (void)snprintf(command, sizeof(command), "'%s' restart -m immediate >/dev/null 2>&1",
                   getenv("TEST_PG_CTL"));
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): our own server */
    PQreset(w->f->a);
    PQreset(w->f->b);
    for (size_t i = 0; i < SESSIONS; i++) {
        PQreset(w->sessions[i].conn);
        w->sessions[i].saved = false;
        if (w->sessions[i].phase == INSIDE)
            w->sessions[i].phase = OUTSIDE;
    }
}

static void disturb(struct world *w)
{
    switch (draw(w, 9)) {
    case 0:
        if (w->trims)
            run(w->f->a, "SELECT outbox_trim('search_outbox', '0 s')");
        break;
    case 1:
        if (w->trims)
            run(w->f->a, "SELECT outbox_trim('search_outbox', '1 h', %llu)",
                (unsigned long long)draw(w, 30));
        break;
    case 2:
        run(w->f->a, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                     "WHERE application_name = 'cairn'");
        break;
    case 3:
    case 4:
        keep(w);
        break;
    case 5:
        die_and_come_back(w);
        break;
    default:
        sh_changefeed_wake(w->f->feed);
    }
}

static void turn(struct world *w)
{
    uv_run(&w->f->loop, UV_RUN_NOWAIT);
    if (w->owed > 0 && --w->owed == 0)
        sh_changefeed_applied(w->f->feed);
    if (w->rebuild)
        rebuild(w);
}

/* --- the end ---------------------------------------------------------------------- */

struct waiting {
    bool over;
    enum sh_err err;
};

static void on_shown(void *arg, enum sh_err err)
{
    struct waiting *waiting = arg;

    waiting->over = true;
    waiting->err = err;
}

static void settle(struct world *w)
{
    uint64_t until = sh_now_ms() + SERVERS_PUMP_MS;
    struct waiting waiting = {.err = SH_CANCELED};

    for (size_t i = 0; i < SESSIONS; i++) {
        struct session *s = &w->sessions[i];
        if (s->phase == INSIDE)
            run(s->conn, "COMMIT");
        if (s->phase == PREPARED)
            run(s->conn, "COMMIT PREPARED 'p%u'", s->number);
    }
    uint64_t xid =
        strtoull(servers_sql(w->f->a, "SELECT pg_current_xact_id()"), NULL, 10);
    while (waiting.err != SH_OK && sh_now_ms() < until) {
        waiting = (struct waiting){0};
        assert_int_equal(sh_changefeed_wait(w->f->feed, xid, until, on_shown, &waiting),
                         SH_OK);
        while (!waiting.over)
            turn(w); /* a rebuild cancels it */
    }
    assert_int_equal(waiting.err, SH_OK);
}

static void compare(struct world *w)
{
    struct view tables;

    load(w->f->a, &tables);
    for (size_t i = 0; i < SLOTS; i++)
        if (tables.titles[i] != w->view.titles[i])
            fail_msg("s%zu-%zu is %llu in the tables and %llu in the view", i / IDS,
                     i % IDS, (unsigned long long)tables.titles[i],
                     (unsigned long long)w->view.titles[i]);
}

static void set_notifying(struct fixture *f, bool on)
{
    sql(f->a, on ? "ALTER TABLE search_outbox ENABLE TRIGGER notify"
                 : "ALTER TABLE search_outbox DISABLE TRIGGER notify");
}

static void play(struct fixture *f, uint64_t seed)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    print_message("TEST_SEED=%llu\n", (unsigned long long)seed);
    *w = (struct world){.f = f,
                        .random = seed * 2654435761 + 1,
                        .silent = seed % 2 == 1,
                        .trims = seed % 4 < 2};
    set_notifying(f, !w->silent);
    for (unsigned i = 0; i < SESSIONS; i++)
        w->sessions[i] = (struct session){servers_connect(), OUTSIDE, i, false};
    rebuild(w);
    for (int step = 0; step < STEPS; step++) {
        act(w);
        if (draw(w, 12) == 0)
            disturb(w);
        if (draw(w, STEPS) == 0)
            crash(w);
        if (draw(w, 2) == 0)
            turn(w);
    }
    settle(w);
    compare(w);
    print_message("rebuilt %zu times, restarted %zu times\n", w->rebuilt, w->restarted);
    sh_changefeed_close(&f->feed);
    for (size_t i = 0; i < SESSIONS; i++)
        PQfinish(w->sessions[i].conn);
    free(w);
}

static void the_view_is_what_the_tables_hold(void **state)
{
    struct fixture *f = *state;
    const char *given = getenv("TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : sh_now_us() % 1000000;

    for (uint64_t i = 0; i < (given ? 1 : RUNS); i++) {
        play(f, seed + i);
        sql(f->a, "DELETE FROM documents");
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(the_view_is_what_the_tables_hold)};

    (void)argc;
    servers_ensure(argv);
    sh_log_set_level(SH_CRITICAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
