/* Happy path: the link is made → the statements are sent → COPY_IN → the rows in pieces,
 * as the socket takes them → the end → results → done. Failure modes: no connection, one
 * that broke, a deadline: the link is closed, made anew by the next run. What PostgreSQL
 * refuses leaves the connection as it was; it says so when all rows were sent. */
#include "shared/pg_copy.h"

#include <stdio.h>

#include "pg_call.h"
#include "pg_link.h"
#include "shared/clock.h"
#include "shared/mem.h"

enum { PIECE = 64 << 10 };

enum state { IDLE, WAITING /* for the link */, SENT, COPYING, ENDED };

struct sh_pg_copy {
    struct pg_link link;
    uv_timer_t timer; /* the deadline; at once where the link cannot be made */
    char *conninfo;
    enum state state;
    const char *sql;
    struct sh_bytes rows;
    size_t sent; /* of the rows */
    sh_pg_copied_fn *done;
    void *arg;
    enum sh_err err;
    char message[256];
};

/* A server that is there but of no use, as a primary that became a replica, is not kept.
 */
static void finish(struct sh_pg_copy *self)
{
    if (self->err == SH_UNAVAILABLE)
        pg_link_close(&self->link);
    self->state = IDLE;
    (void)uv_timer_stop(&self->timer); /* cannot fail */
    self->done(self->arg, self->err, self->message);
}

static void fail(struct sh_pg_copy *self, enum sh_err err, const char *message)
{
    pg_link_close(&self->link);
    if (self->state == IDLE)
        return;
    self->err = err;
    (void)snprintf(self->message, sizeof(self->message), "%s", message);
    finish(self);
}

static void broke(struct sh_pg_copy *self)
{
    char why[256];

    pg_link_error(&self->link, why, sizeof(why));
    fail(self, SH_UNAVAILABLE, *why ? why : "the connection was lost");
}

/* --- sending ---------------------------------------------------------------------- */

static void send_statements(struct sh_pg_copy *self)
{
    self->state = SENT;
    if (!PQsendQuery(self->link.conn, self->sql) || !pg_link_flush(&self->link))
        broke(self);
}

/* As much as goes without waiting. */
static void send_rows(struct sh_pg_copy *self)
{
    int left = PQflush(self->link.conn);

    while (left == 0 && self->sent < self->rows.len) {
        size_t rest = self->rows.len - self->sent;
        int piece = (int)(rest < PIECE ? rest : PIECE);
        const char *at = (const char *)self->rows.data + self->sent;
        if (PQputCopyData(self->link.conn, at, piece) != 1) {
            broke(self);
            return;
        }
        self->sent += (size_t)piece;
        left = PQflush(self->link.conn);
    }
    if (left == 0) {
        self->state = ENDED;
        left = PQputCopyEnd(self->link.conn, NULL) == 1 ? 0 : -1;
    }
    if (left < 0 || !pg_link_flush(&self->link))
        broke(self);
}

/* --- results ---------------------------------------------------------------------- */

static void take_error(struct sh_pg_copy *self, const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    if (self->err != SH_OK)
        return;
    self->err = sqlstate ? pg_err_from_sqlstate(sqlstate) : SH_UNAVAILABLE;
    (void)snprintf(self->message, sizeof(self->message), "%s", message ? message : "");
}

/* False: it is not what should come now. */
static bool take_result(struct sh_pg_copy *self, const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    if (status == PGRES_COPY_IN && self->state == SENT) {
        self->state = COPYING;
        return true;
    }
    if (status == PGRES_FATAL_ERROR)
        take_error(self, result);
    return (status == PGRES_FATAL_ERROR && PQstatus(self->link.conn) == CONNECTION_OK) ||
           status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

static void read_results(struct sh_pg_copy *self)
{
    while (self->state != COPYING && !PQisBusy(self->link.conn)) {
        PGresult *result = PQgetResult(self->link.conn);
        if (!result) {
            finish(self);
            return;
        }
        bool good = take_result(self, result);
        PQclear(result);
        if (!good) {
            broke(self);
            return;
        }
    }
    if (self->state == COPYING)
        send_rows(self);
}

/* --- link events ------------------------------------------------------------------ */

static void on_up(void *arg)
{
    send_statements(arg); /* a link is only made for a run */
}

static void on_ready(void *arg)
{
    struct sh_pg_copy *self = arg;

    bool good = PQconsumeInput(self->link.conn) && pg_link_flush(&self->link);

    if (good && self->state != IDLE)
        read_results(self);
    else if (!good || PQisBusy(self->link.conn) ||
             PQstatus(self->link.conn) != CONNECTION_OK)
        broke(self);
}

static void on_down(void *arg, const char *why)
{
    fail(arg, SH_UNAVAILABLE, why);
}

static void on_timer(uv_timer_t *timer)
{
    struct sh_pg_copy *self = timer->data;

    if (self->state == WAITING && self->link.state == PG_LINK_CLOSED)
        fail(self, SH_UNAVAILABLE, self->link.why);
    else
        fail(self, SH_TIMEOUT, "the deadline passed");
}

/* --- for callers ------------------------------------------------------------------ */

enum sh_err sh_pg_copy_run(struct sh_pg_copy *copy, const char *sql, struct sh_bytes rows,
                           uint64_t deadline_ms, sh_pg_copied_fn *done, void *arg)
{
    uint64_t left_ms = sh_left_ms(deadline_ms);

    if (copy->state != IDLE)
        return SH_BUSY;
    copy->sql = sql;
    copy->rows = rows;
    copy->sent = 0;
    copy->done = done;
    copy->arg = arg;
    copy->err = SH_OK;
    copy->message[0] = '\0';
    copy->state = WAITING;
    /* A link that is up may turn out broken, which must not end in `done` from here. */
    if (copy->link.state == PG_LINK_UP && PQstatus(copy->link.conn) == CONNECTION_OK &&
        PQsendQuery(copy->link.conn, sql) && pg_link_flush(&copy->link)) {
        copy->state = SENT;
    } else {
        pg_link_close(&copy->link);
        if (pg_link_open(&copy->link, copy->conninfo, NULL) != SH_OK)
            left_ms = 0;
    }
    (void)uv_timer_start(&copy->timer, on_timer, left_ms, 0); /* not closing */
    return SH_OK;
}

enum sh_err sh_pg_copy_open(uv_loop_t *loop, const struct sh_pg_config *config,
                            struct sh_pg_copy **out)
{
    static const struct pg_link_events events = {on_up, on_ready, on_down};
    struct sh_pg_copy *self = sh_alloc(sizeof(*self));

    if (!self)
        return SH_NOMEM;
    self->conninfo = sh_pg_conninfo(config, NULL);
    if (!self->conninfo) {
        sh_free(self);
        return SH_NOMEM;
    }
    if (uv_timer_init(loop, &self->timer) != 0) {
        sh_free(self->conninfo);
        sh_free(self);
        return SH_IO;
    }
    self->link.loop = loop;
    self->link.events = &events;
    self->link.arg = self;
    self->timer.data = self;
    *out = self;
    return SH_OK;
}

static void on_closed(uv_handle_t *handle)
{
    struct sh_pg_copy *self = handle->data;

    sh_free(self->conninfo);
    sh_free(self);
}

void sh_pg_copy_close(struct sh_pg_copy **copy)
{
    struct sh_pg_copy *self = *copy;

    *copy = NULL;
    if (!self)
        return;
    self->state = IDLE;
    pg_link_close(&self->link);
    uv_close((uv_handle_t *)&self->timer, on_closed);
}
