#include <stdio.h>

#include "pg_pool.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/metrics.h"
#include "shared/timer.h"

/* Making and ending a pool, and its two timers: `due` fires at the earliest deadline of
 * anything (calls, connects, back-off), the beat probes and closes what nobody used. */

static struct sh_family pool_size = {.kind = SH_GAUGE,
                                     .name = "cairn_pg_pool_size",
                                     .help = "Connections that there may be"};

/* --- deadlines -------------------------------------------------------------------- */

static void on_due(uv_timer_t *timer);

void pg_due(struct sh_pg *pg, uint64_t when_ms)
{
    if (when_ms >= pg->due_ms || pg->closing)
        return;
    pg->due_ms = when_ms;
    pg->fires_ms = sh_now_ms() + sh_left_ms(when_ms);
    sh_timer_once(&pg->due, on_due, sh_left_ms(when_ms));
}

/* A call that waits: until its deadline, or less when there is no connection at all. */
static uint64_t call_due(const struct pg_host *host, const struct pg_call *call)
{
    uint64_t since = call->queued_ms > host->lost_ms ? call->queued_ms : host->lost_ms;
    uint64_t give_up = since + PG_DOWN_WAIT_MS;

    if (call->doomed)
        return 0;
    if (pg_host_open(host) > 0 || call->deadline_ms < give_up)
        return call->deadline_ms;
    return give_up;
}

static uint64_t conn_due(const struct pg_conn *conn)
{
    switch (conn->state) {
    case PG_CONN_LINKING:
        return conn->since_ms + PG_CONNECT_MS;
    case PG_CONN_BUSY:
        return conn->call->deadline_ms;
    case PG_CONN_DRAINING:
        return conn->since_ms + PG_GRACE_MS;
    case PG_CONN_DOWN:
    case PG_CONN_IDLE:
    case PG_CONN_STATE_COUNT:
        break;
    }
    return UINT64_MAX;
}

struct expiry {
    const struct pg_host *host;
    uint64_t now_ms;
};

static bool expired(void *arg, struct pg_call *call)
{
    const struct expiry *expiry = arg;

    if (call_due(expiry->host, call) > expiry->now_ms)
        return false;
    if (call->deadline_ms <= expiry->now_ms)
        pg_call_fail(call, SH_TIMEOUT, "no connection was free before the deadline");
    else
        pg_call_fail(call, SH_UNAVAILABLE, expiry->host->why);
    return true;
}

static void expire_conn(struct pg_conn *conn, struct pg_queue *out)
{
    struct pg_call *call;

    if (conn->state == PG_CONN_BUSY) {
        call = pg_conn_abandon(conn);
        pg_call_fail(call, SH_TIMEOUT, "no answer before the deadline");
        call->maybe_done = true;
        pg_queue_push(out, call);
    } else {
        bool connecting = conn->state == PG_CONN_LINKING;
        (void)pg_conn_close(conn); /* in these states it has no call */
        pg_host_lost(conn->host, NULL, connecting,
                     connecting ? "the connection attempt timed out"
                                : "no answer after the statement's deadline");
    }
}

static void expire_host(struct pg_host *host, uint64_t now_ms, struct pg_queue *out)
{
    struct expiry expiry = {host, now_ms};

    for (size_t i = 0; i <= host->pg->max; i++) {
        if (conn_due(&host->conns[i]) <= now_ms)
            expire_conn(&host->conns[i], out);
    }
    pg_silence_look(host, now_ms, out);
    pg_queue_sift(&host->queue, expired, &expiry, out);
}

static void arm(struct pg_host *host)
{
    uint64_t earliest = UINT64_MAX;
    uint64_t due;

    for (const struct pg_call *c = host->queue.first; c; c = c->next) {
        due = call_due(host, c);
        earliest = due < earliest ? due : earliest;
    }
    for (size_t i = 0; i <= host->pg->max; i++) {
        due = conn_due(&host->conns[i]);
        earliest = due < earliest ? due : earliest;
    }
    due = pg_silence_due(host);
    pg_due(host->pg, due < earliest ? due : earliest);
}

static void on_due(uv_timer_t *timer)
{
    struct sh_pg *pg = timer->data;
    struct pg_queue out = {0}; /* callers are told last: they may close the pool */
    struct pg_call *call;
    uint64_t now_ms = sh_now_ms();
    bool late = now_ms > pg->fires_ms + PG_LATE_MS;

    pg->due_ms = UINT64_MAX;
    for (size_t i = 0; i < pg->host_count; i++) {
        if (late) /* what was said meanwhile has not been read yet */
            pg->hosts[i].heard_ms = now_ms;
        expire_host(&pg->hosts[i], now_ms, &out);
    }
    for (size_t i = 0; i < pg->host_count; i++) {
        pg_host_free(&pg->hosts[i]);
        arm(&pg->hosts[i]);
    }
    while ((call = pg_queue_pop(&out)))
        pg_call_finish(call);
}

/* --- the beat --------------------------------------------------------------------- */

static void close_surplus(struct pg_host *host)
{
    uint64_t now = sh_now_ms();

    for (size_t i = 0; i < host->pg->max && pg_host_open(host) > host->pg->min; i++) {
        struct pg_conn *conn = &host->conns[i];
        if (conn->state == PG_CONN_IDLE && now - conn->since_ms > PG_SURPLUS_MS)
            (void)pg_conn_close(conn); /* idle: no call */
    }
}

static void on_beat(uv_timer_t *timer)
{
    struct sh_pg *pg = timer->data;

    for (size_t i = 0; i < pg->host_count; i++) {
        close_surplus(&pg->hosts[i]);
        pg_host_maintain(&pg->hosts[i]);
    }
    pg_probe(pg);
}

static void on_lag_beat(uv_timer_t *timer)
{
    pg_lag_ask(timer->data);
}

/* --- life ------------------------------------------------------------------------- */

static void pg_free(struct sh_pg *pg)
{
    for (size_t h = 0; h < pg->host_count; h++) {
        struct pg_host *host = &pg->hosts[h];
        for (size_t i = 0; host->conns && i <= pg->max; i++)
            pg_conn_free(&host->conns[i]);
        sh_free(host->conns);
        sh_free(host->conninfo);
        sh_free(host->name);
    }
    sh_free(pg->hosts);
    sh_free(pg);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct sh_pg *pg = handle->data;

    if (--pg->timers == 0)
        pg_free(pg);
}

static enum sh_err add_host(struct sh_pg *pg, const struct sh_pg_config *config,
                            const char *read_host)
{
    struct pg_host *host = &pg->hosts[pg->host_count++];
    PQconninfoOption *parsed;

    host->pg = pg;
    host->lost_ms = sh_now_ms();
    host->conninfo = sh_pg_conninfo(config, read_host);
    host->conns = sh_alloc_array(pg->max + 1, sizeof(*host->conns));
    host->name = sh_strdup(read_host ? read_host : "");
    if (!host->conninfo || !host->conns || !host->name)
        return SH_NOMEM;
    (void)snprintf(host->why, sizeof(host->why), "not connected yet");
    for (size_t i = 0; i <= pg->max; i++)
        pg_conn_init(&host->conns[i], host);
    parsed = PQconninfoParse(host->conninfo, NULL);
    PQconninfoFree(parsed);
    return parsed ? SH_OK : SH_INVALID;
}

static enum sh_err add_hosts(struct sh_pg *pg, const struct sh_pg_config *config)
{
    char *list = sh_strdup(config->read_hosts ? config->read_hosts : "");
    size_t most = 2;
    char *rest = NULL;
    enum sh_err err;

    if (!list)
        return SH_NOMEM;
    for (const char *c = list; *c; c++)
        most += *c == ',';
    pg->hosts = sh_alloc_array(most, sizeof(*pg->hosts));
    err = pg->hosts ? add_host(pg, config, NULL) : SH_NOMEM;
    for (char *name = strtok_r(list, ", ", &rest); name && err == SH_OK;
         name = strtok_r(NULL, ", ", &rest))
        err = add_host(pg, config, name);
    sh_free(list);
    return err;
}

enum sh_err sh_pg_create(uv_loop_t *loop, const struct sh_pg_config *config,
                         struct sh_health_check *check, struct sh_pg **out)
{
    struct sh_pg *pg = sh_alloc(sizeof(*pg));
    enum sh_err err;

    if (!pg)
        return SH_NOMEM;
    pg->loop = loop;
    pg->max = config->pool_max ? config->pool_max : 1;
    pg->min = config->pool_min < pg->max ? config->pool_min : pg->max;
    pg->statement_timeout_ms = config->statement_timeout_ms;
    pg->read_lag_ms = config->read_lag_s * 1000;
    pg->check = check;
    pg->due_ms = UINT64_MAX;
    (void)snprintf(pg->options, sizeof(pg->options),
                   "-c statement_timeout=%u -c idle_in_transaction_session_timeout=60000 "
                   "-c TimeZone=UTC -c DateStyle=ISO",
                   pg->statement_timeout_ms);
    err = add_hosts(pg, config);
    if (err != SH_OK) {
        pg_free(pg);
        return err;
    }
    sh_series_add(sh_series(&pool_size, NULL), (double)sh_pg_most(pg));
    pg->due.data = pg->beat.data = pg->lag_beat.data = pg;
    pg->timers = 3;
    (void)uv_timer_init(loop, &pg->due);
    (void)uv_timer_init(loop, &pg->beat);
    (void)uv_timer_init(loop, &pg->lag_beat);
    if (pg->read_lag_ms > 0 && pg->host_count > 1)
        (void)uv_timer_start(&pg->lag_beat, on_lag_beat, 0, PG_LAG_BEAT_MS);
    (void)uv_timer_start(&pg->beat, on_beat, PG_BEAT_MS, PG_BEAT_MS);
    for (size_t i = 0; i < pg->host_count; i++)
        pg_host_maintain(&pg->hosts[i]);
    *out = pg;
    return SH_OK;
}

static void cancel_host(struct pg_host *host, struct pg_queue *out)
{
    struct pg_call *call;

    for (size_t i = 0; i <= host->pg->max; i++) {
        struct pg_conn *conn = &host->conns[i];
        if (conn->state != PG_CONN_DOWN && (call = pg_conn_close(conn))) {
            call->maybe_done = true;
            pg_queue_push(out, call);
        }
    }
    while ((call = pg_queue_pop(&host->queue)))
        pg_queue_push(out, call);
}

void sh_pg_close(struct sh_pg **pg)
{
    struct sh_pg *self = *pg;
    struct pg_queue out = {0};
    struct pg_call *call;

    *pg = NULL;
    if (!self || self->closing)
        return;
    self->closing = true;
    sh_series_add(sh_series(&pool_size, NULL), -(double)sh_pg_most(self));
    for (size_t i = 0; i < self->host_count; i++)
        cancel_host(&self->hosts[i], &out);
    uv_close((uv_handle_t *)&self->due, on_timer_closed);
    uv_close((uv_handle_t *)&self->beat, on_timer_closed);
    uv_close((uv_handle_t *)&self->lag_beat, on_timer_closed);
    while ((call = pg_queue_pop(&out))) {
        pg_call_fail(call, SH_CANCELED, "the pool is closing");
        pg_call_finish(call);
    }
}

size_t sh_pg_active(const struct sh_pg *pg)
{
    size_t active = 0;

    for (size_t i = 0; i < pg->host_count; i++)
        active +=
            pg->hosts[i].counts[PG_CONN_BUSY] + pg->hosts[i].counts[PG_CONN_DRAINING];
    return active;
}

size_t sh_pg_most(const struct sh_pg *pg)
{
    return pg->max * pg->host_count;
}

size_t sh_pg_size(const struct sh_pg *pg)
{
    size_t size = 0;

    for (size_t i = 0; i < pg->host_count; i++)
        size += pg_host_open(&pg->hosts[i]);
    return size;
}
