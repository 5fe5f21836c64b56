#include <stdio.h>

#include "pg_pool.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"

/* How a call goes: [set_config] [prepare] query … sync, all sent at once. PostgreSQL runs
 * what is between two syncs as one transaction, so the first error undoes all of it; the
 * sync's own result is the end. Between calls an IDLE connection reads only to notice
 * that the server has gone. */

static const struct sh_pg_statement set_timeout = {
    "cairn_set_timeout", "SELECT set_config('statement_timeout', $1, true)"};

static struct sh_family connections = {.kind = SH_GAUGE,
                                       .name = "cairn_pg_connections",
                                       .help = "Connections to PostgreSQL, by state",
                                       .labels = {"state"}};
static struct sh_family in_use = {.kind = SH_GAUGE,
                                  .name = "vector_search_active_connections",
                                  .help = "Database connections in use"};

static bool works(enum pg_conn_state state)
{
    return state == PG_CONN_BUSY || state == PG_CONN_DRAINING;
}

/* The only place where a connection changes its state. */
static void change_state(struct pg_conn *conn, enum pg_conn_state state)
{
    static const char *const names[] = {"down", "connecting", "idle", "busy", "draining"};
    enum pg_conn_state old = conn->state;

    conn->host->counts[old]--;
    conn->host->counts[state]++;
    conn->state = state;
    conn->since_ms = sh_now_ms();
    if (old != PG_CONN_DOWN)
        sh_series_add(sh_series(&connections, &names[old]), -1);
    if (state != PG_CONN_DOWN)
        sh_series_add(sh_series(&connections, &names[state]), 1);
    if (works(old) != works(state))
        sh_series_add(sh_series(&in_use, NULL), works(state) ? 1 : -1);
}

struct pg_call *pg_conn_close(struct pg_conn *conn)
{
    struct pg_call *call = conn->call;

    conn->call = NULL;
    pg_link_close(&conn->link);
    conn->prepared_count = conn->prepared_confirmed = conn->sent_count = 0;
    conn->useless = false;
    change_state(conn, PG_CONN_DOWN);
    return call;
}

struct pg_call *pg_conn_abandon(struct pg_conn *conn)
{
    struct pg_call *call = conn->call;

    conn->call = NULL;
    change_state(conn, PG_CONN_DRAINING);
    pg_due(conn->host->pg, conn->since_ms + PG_GRACE_MS);
    return call;
}

void pg_conn_free(struct pg_conn *conn)
{
    sh_free(conn->sent);
    sh_free(conn->prepared);
}

static void broke(struct pg_conn *conn)
{
    char why[256];
    struct pg_call *call;

    pg_link_error(&conn->link, why, sizeof(why));
    call = pg_conn_close(conn);
    pg_host_lost(conn->host, call, false, *why ? why : "the connection was lost");
}

/* --- sending ---------------------------------------------------------------------- */

static bool remember(struct pg_conn *conn, const struct pg_sent *sent)
{
    if (conn->sent_count == conn->sent_capacity) {
        size_t capacity = conn->sent_capacity ? 2 * conn->sent_capacity : 16;
        struct pg_sent *grown = sh_realloc(conn->sent, capacity * sizeof(*grown));
        if (!grown)
            return false;
        conn->sent = grown;
        conn->sent_capacity = capacity;
    }
    conn->sent[conn->sent_count++] = *sent;
    return true;
}

static bool is_prepared(const struct pg_conn *conn,
                        const struct sh_pg_statement *statement)
{
    for (size_t i = 0; i < conn->prepared_count; i++) {
        if (conn->prepared[i].statement == statement)
            return true;
    }
    return false;
}

static void statement_name(const struct pg_conn *conn,
                           const struct sh_pg_statement *statement, char out[static 64])
{
    if (conn->generation == 0)
        (void)snprintf(out, 64, "%s", statement->name);
    else
        (void)snprintf(out, 64, "%u.%s", conn->generation, statement->name);
}

static bool send_prepare(struct pg_conn *conn, const struct sh_pg_statement *statement)
{
    struct pg_sent sent = {statement, SIZE_MAX, true};
    char name[64];

    if (conn->prepared_count == conn->prepared_capacity) {
        size_t capacity = conn->prepared_capacity ? 2 * conn->prepared_capacity : 16;
        struct pg_prepared *grown = sh_realloc(conn->prepared, capacity * sizeof(*grown));
        if (!grown)
            return false;
        conn->prepared = grown;
        conn->prepared_capacity = capacity;
    }
    statement_name(conn, statement, name);
    if (!remember(conn, &sent) ||
        !PQsendPrepare(conn->link.conn, name, statement->sql, 0, NULL))
        return false;
    conn->prepared[conn->prepared_count++].statement = statement;
    return true;
}

static bool send_step(struct pg_conn *conn, const struct pg_step *step, size_t index)
{
    struct pg_sent sent = {step->statement, index, false};
    char name[64];

    if (!is_prepared(conn, step->statement) && !send_prepare(conn, step->statement))
        return false;
    statement_name(conn, step->statement, name);
    return remember(conn, &sent) &&
           PQsendQueryPrepared(conn->link.conn, name, step->count, step->values,
                               step->lengths, step->formats, step->result_format);
}

/* As send_step(), for a statement that nobody will run again. */
static bool send_ad_hoc(struct pg_conn *conn, const struct pg_step *step, size_t index)
{
    struct pg_sent sent = {NULL, index, false};

    return remember(conn, &sent) &&
           PQsendQueryParams(conn->link.conn, step->statement->sql, step->count, NULL,
                             step->values, step->lengths, step->formats,
                             step->result_format);
}

/* The server's own limit holds unless the call has less time than that. */
static bool send_timeout(struct pg_conn *conn, const struct pg_call *call)
{
    const struct sh_pg *pg = conn->host->pg;
    uint64_t left = sh_left_ms(call->deadline_ms);
    uint64_t usual = pg->statement_timeout_ms ? pg->statement_timeout_ms : UINT64_MAX;
    char text[24];
    const char *const values[] = {text};
    const struct pg_step step = {&set_timeout, values, NULL, NULL, 1, 0};

    if (left >= usual && !pg->no_options)
        return true;
    left = left < usual ? left : usual;
    if (left > INT32_MAX)
        return true;
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)(left ? left : 1));
    return send_step(conn, &step, SIZE_MAX);
}

static bool send_call(struct pg_conn *conn, const struct pg_call *call)
{
    if (PQstatus(conn->link.conn) != CONNECTION_OK || !send_timeout(conn, call))
        return false;
    for (size_t i = 0; i < call->count; i++) {
        if (call->ad_hoc ? !send_ad_hoc(conn, &call->steps[i], i)
                         : !send_step(conn, &call->steps[i], i))
            return false;
    }
    return PQpipelineSync(conn->link.conn) == 1 && pg_link_flush(&conn->link);
}

bool pg_conn_start(struct pg_conn *conn, struct pg_call *call)
{
    conn->sent_count = conn->answered = 0;
    conn->failed = conn->stale = conn->serial = conn->ended = false;
    conn->call = call;
    change_state(conn, PG_CONN_BUSY);
    pg_due(conn->host->pg, conn->since_ms + PG_ASK_MS);
    if (send_call(conn, call))
        return true;
    pg_link_error(&conn->link, conn->host->why, sizeof(conn->host->why));
    (void)pg_conn_close(conn); /* the caller has it */
    return false;
}

/* --- results ---------------------------------------------------------------------- */

static const char *field(const PGresult *result, int code)
{
    const char *text = PQresultErrorField(result, code);

    return text ? text : "";
}

static void take_error(struct pg_conn *conn, const PGresult *result)
{
    struct pg_call *call = conn->call;
    const char *sqlstate = field(result, PG_DIAG_SQLSTATE);
    const struct pg_sent *sent =
        conn->answered < conn->sent_count ? &conn->sent[conn->answered] : NULL;

    conn->failed = true;
    /* 26000: no such prepared statement. The other is "cached plan must not change result
     * type": a table was altered; the message may be in any language. */
    conn->stale =
        strcmp(sqlstate, "26000") == 0 ||
        strcmp(field(result, PG_DIAG_SOURCE_FUNCTION), "RevalidateCachedQuery") == 0;
    conn->serial = strcmp(sqlstate, "40001") == 0 || strcmp(sqlstate, "40P01") == 0;
    conn->useless = strcmp(sqlstate, "25006") == 0;
    if (!call)
        return;
    call->err = pg_err_from_sqlstate(sqlstate);
    call->failed_step = sent && sent->step != SIZE_MAX ? sent->step : call->count;
    (void)snprintf(call->sqlstate, sizeof(call->sqlstate), "%s", sqlstate);
    (void)snprintf(call->message, sizeof(call->message), "%s",
                   field(result, PG_DIAG_MESSAGE_PRIMARY));
}

static void take_success(struct pg_conn *conn, PGresult *result)
{
    const struct pg_sent *sent = &conn->sent[conn->answered];

    if (sent->prepare)
        conn->prepared_confirmed++;
    if (conn->call && sent->step != SIZE_MAX && !conn->call->results[sent->step])
        conn->call->results[sent->step] = result;
    else
        PQclear(result);
}

/* The sync came back: the transaction is over. */
static void complete(struct pg_conn *conn)
{
    struct pg_host *host = conn->host;
    struct pg_call *call = conn->call;
    bool again = false;

    if (conn->failed)
        conn->prepared_count = conn->prepared_confirmed;
    if (conn->stale) {
        conn->prepared_count = conn->prepared_confirmed = 0;
        conn->generation++;
    }
    if (call && conn->failed)
        again = (conn->stale && call->stale_retries++ < 1) ||
                (conn->serial && call->serial_retries++ < 2);
    conn->call = NULL;
    change_state(conn, PG_CONN_IDLE);
    if (conn->useless) {
        (void)pg_conn_close(conn); /* no call on it any more */
        pg_host_lost(host, NULL, false, "the server became read-only");
    }
    if (again)
        pg_host_again(host, call);
    else if (call)
        pg_call_finish(call);
    pg_host_free(host);
}

/* Everything that is not one of the results a pipeline may give ends the connection. */
static bool take_result(struct pg_conn *conn, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    conn->ended = false;
    if (status == PGRES_PIPELINE_SYNC) {
        PQclear(result);
        complete(conn);
        return true;
    }
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
        if (conn->answered >= conn->sent_count) {
            PQclear(result);
            return false;
        }
        take_success(conn, result);
        return true;
    }
    if (status == PGRES_FATAL_ERROR && !conn->failed)
        take_error(conn, result);
    PQclear(result);
    return status == PGRES_FATAL_ERROR || status == PGRES_PIPELINE_ABORTED;
}

static void read_results(struct pg_conn *conn)
{
    while (works(conn->state)) {
        PGresult *result;

        if (PQstatus(conn->link.conn) != CONNECTION_OK) {
            broke(conn);
            return;
        }
        if (PQisBusy(conn->link.conn))
            return;
        result = PQgetResult(conn->link.conn);
        if (result ? !take_result(conn, result) : conn->ended) {
            broke(conn);
            return;
        }
        if (!result) {
            conn->ended = true;
            conn->answered++;
        }
    }
}

/* --- link events ------------------------------------------------------------------ */

static void on_ready(void *arg)
{
    struct pg_conn *conn = arg;

    conn->host->heard_ms = sh_now_ms();
    if (!PQconsumeInput(conn->link.conn) || !pg_link_flush(&conn->link)) {
        /* What the server said last may be among what was read. */
        broke(conn);
        return;
    }
    if (works(conn->state))
        read_results(conn);
    else if (PQisBusy(conn->link.conn) || PQstatus(conn->link.conn) != CONNECTION_OK)
        broke(conn);
}

static void on_up(void *arg)
{
    struct pg_conn *conn = arg;

    conn->generation = 0;
    conn->host->heard_ms = sh_now_ms();
    if (PQenterPipelineMode(conn->link.conn) != 1) {
        broke(conn);
        return;
    }
    change_state(conn, PG_CONN_IDLE);
    pg_host_up(conn->host);
}

static void on_down(void *arg, const char *why)
{
    struct pg_conn *conn = arg;
    bool connecting = conn->state == PG_CONN_LINKING;

    conn->host->heard_ms = sh_now_ms(); /* a refusal is a word, too */
    pg_host_lost(conn->host, pg_conn_close(conn), connecting, why);
}

void pg_conn_init(struct pg_conn *conn, struct pg_host *host)
{
    (void)sh_series(&in_use, NULL); /* there, at nothing, before the first use */
    static const struct pg_link_events events = {on_up, on_ready, on_down};

    conn->host = host;
    conn->link.loop = host->pg->loop;
    conn->link.events = &events;
    conn->link.arg = conn;
    host->counts[PG_CONN_DOWN]++;
}

void pg_conn_open(struct pg_conn *conn)
{
    const struct sh_pg *pg = conn->host->pg;
    enum sh_err err;

    change_state(conn, PG_CONN_LINKING);
    pg_due(conn->host->pg, conn->since_ms + PG_CONNECT_MS);
    err = pg_link_open(&conn->link, conn->host->conninfo,
                       pg->no_options ? NULL : pg->options);
    if (err != SH_OK) {
        (void)pg_conn_close(conn); /* no call on it yet */
        pg_host_lost(conn->host, NULL, true, conn->link.why);
    }
}
