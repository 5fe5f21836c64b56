#include "shared/pg.h"

#include <stdio.h>
#include <stdlib.h>

#include "backoff.h"
#include "pg_pool.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"

/* A call that libpq cannot send (too large for memory) must not wear out connections. */
enum { UNSENT_MAX = 2 };

static struct sh_family depth = {.kind = SH_GAUGE,
                                 .name = "cairn_pg_queue_depth",
                                 .help = "Calls that wait for a connection"};

static const struct sh_pg_statement probe = {"cairn_probe", "SELECT 1"};

/* --- health ----------------------------------------------------------------------- */

static void report(struct sh_pg *pg, enum sh_health_state state, double seconds,
                   const char *message)
{
    char detail[128];

    if (!pg->check || pg->closing)
        return;
    (void)snprintf(detail, sizeof(detail),
                   "{\"pool_size\":%zu,\"open_connections\":%zu,"
                   "\"active_connections\":%zu}",
                   sh_pg_most(pg), sh_pg_size(pg), sh_pg_active(pg));
    sh_health_set(pg->check, state, seconds, message, detail);
}

static void on_probed(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_pg *pg = arg;
    double seconds = (double)(sh_now_us() - pg->probed_us) / 1e6;

    pg->probing = false;
    if (reply->err == SH_OK)
        report(pg, SH_HEALTHY, seconds, "");
    else if (reply->err != SH_CANCELED)
        report(pg, SH_UNHEALTHY, seconds,
               *pg->hosts->why ? pg->hosts->why : reply->message);
}

void pg_probe(struct sh_pg *pg)
{
    const struct sh_pg_step step = {.statement = &probe};
    const struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = sh_now_ms() + PG_BEAT_MS};

    if (!pg->check || pg->probing)
        return;
    pg->probed_us = sh_now_us();
    pg->probing = sh_pg_run(pg, &call, on_probed, pg) == SH_OK;
}

/* --- the queue -------------------------------------------------------------------- */

static void count_depth(const struct sh_pg *pg)
{
    size_t waiting = 0;

    for (size_t i = 0; i < pg->host_count; i++)
        waiting += pg->hosts[i].queue.count;
    sh_series_set(sh_series(&depth, NULL), (double)waiting);
}

/* The one that was used last, so that surplus ones stay unused and can go. */
static struct pg_conn *idle_conn(struct pg_host *host)
{
    struct pg_conn *best = NULL;

    if (host->counts[PG_CONN_IDLE] == 0)
        return NULL;
    for (size_t i = 0; i < host->pg->max; i++) {
        struct pg_conn *conn = &host->conns[i];
        if (conn->state == PG_CONN_IDLE && (!best || conn->since_ms > best->since_ms))
            best = conn;
    }
    return best;
}

static struct pg_conn *down_conn(struct pg_host *host)
{
    for (size_t i = 0; i < host->pg->max; i++) {
        if (host->conns[i].state == PG_CONN_DOWN)
            return &host->conns[i];
    }
    return NULL;
}

/* One connection is tried while there is none; when it works, as many as are wanted. */
void pg_host_maintain(struct pg_host *host)
{
    size_t busy = host->counts[PG_CONN_BUSY] + host->counts[PG_CONN_DRAINING];
    size_t open = pg_host_open(host);
    size_t want = busy + host->queue.count;
    struct pg_conn *conn;

    if (host->pg->closing)
        return;
    if (host->next_try_ms > sh_now_ms()) {
        pg_due(host->pg, host->next_try_ms);
        return;
    }
    want = want < host->pg->min ? host->pg->min : want;
    want = want > host->pg->max ? host->pg->max : want;
    if (open == 0)
        want = 1;
    while (open + host->counts[PG_CONN_LINKING] < want &&
           host->next_try_ms <= sh_now_ms() && (conn = down_conn(host)))
        pg_conn_open(conn);
}

static void dispatch(struct pg_host *host)
{
    struct pg_conn *conn;
    struct pg_call *call;

    pg_silence_make_way(host);
    while (host->queue.first && !host->queue.first->doomed && (conn = idle_conn(host))) {
        call = pg_queue_pop(&host->queue);
        if (!pg_conn_start(conn, call)) {
            call->doomed = call->unsent++ == UNSENT_MAX;
            pg_queue_push_front(&host->queue, call);
            pg_due(host->pg, 0);
            pg_host_lost(host, NULL, false, host->why);
        }
    }
    pg_host_maintain(host);
    count_depth(host->pg);
}

static struct pg_host *choose_host(struct sh_pg *pg, bool read_only)
{
    for (size_t i = 1; read_only && i < pg->host_count; i++) {
        struct pg_host *host =
            &pg->hosts[1 + pg->next_read_host++ % (pg->host_count - 1)];
        if (pg_host_open(host) > 0 && pg_lag_ok(host))
            return host;
    }
    return &pg->hosts[0];
}

static void enqueue(struct pg_host *host, struct pg_call *call, bool first)
{
    if (first)
        pg_queue_push_front(&host->queue, call);
    else
        pg_queue_push(&host->queue, call);
    pg_due(host->pg, call->deadline_ms);
    if (pg_host_open(host) == 0)
        pg_due(host->pg, call->queued_ms + PG_DOWN_WAIT_MS);
    dispatch(host);
}

void pg_host_run(struct pg_host *host, struct pg_call *call)
{
    enqueue(host, call, false);
}

void pg_host_first(struct pg_host *host, struct pg_call *call)
{
    enqueue(host, call, true);
}

static enum sh_err run(struct sh_pg *pg, const struct sh_pg_call *call, bool ad_hoc,
                       sh_pg_done_fn *done, void *arg)
{
    struct pg_call *copy;
    size_t waiting = 0;
    enum sh_err err;

    if (pg->closing)
        return SH_CANCELED;
    for (size_t i = 0; i < pg->host_count; i++)
        waiting += pg->hosts[i].queue.count;
    if (waiting >= PG_QUEUE_MAX)
        return SH_BUSY;
    err = pg_call_copy(call, done, arg, &copy);
    if (err != SH_OK)
        return err;
    copy->ad_hoc = ad_hoc;
    enqueue(choose_host(pg, call->read_only), copy, false);
    return SH_OK;
}

enum sh_err sh_pg_run(struct sh_pg *pg, const struct sh_pg_call *call,
                      sh_pg_done_fn *done, void *arg)
{
    return run(pg, call, false, done, arg);
}

enum sh_err sh_pg_run_ad_hoc(struct sh_pg *pg, const struct sh_pg_call *call,
                             sh_pg_done_fn *done, void *arg)
{
    return run(pg, call, true, done, arg);
}

/* --- what connections tell -------------------------------------------------------- */

void pg_host_up(struct pg_host *host)
{
    bool first = pg_host_open(host) == 1;

    if (host->failures > 0)
        sh_info(NULL, "postgresql: connected again");
    host->failures = 0;
    host->next_try_ms = 0;
    if (first && host == host->pg->hosts) {
        report(host->pg, SH_HEALTHY, -1, "");
        pg_probe(host->pg);
    }
    dispatch(host);
}

void pg_host_free(struct pg_host *host)
{
    if (!host->pg->closing)
        dispatch(host);
}

void pg_host_again(struct pg_host *host, struct pg_call *call)
{
    struct sh_pg *pg = host->pg;

    pg_call_reset(call);
    if (pg->closing) {
        pg_call_fail(call, SH_CANCELED, "closing");
        pg_call_finish(call);
        return;
    }
    enqueue(pg_host_open(host) > 0 ? host : choose_host(pg, call->read_only), call, true);
}

static void back_off(struct pg_host *host)
{
    host->next_try_ms = sh_now_ms() + backoff_ms(host->failures++);
    pg_due(host->pg, host->next_try_ms);
}

/* Nothing may wait at a host for reads that is down: the primary has the same. */
static void hand_over(struct pg_host *host)
{
    struct pg_call *call;

    while ((call = pg_queue_pop(&host->queue)))
        enqueue(&host->pg->hosts[0], call, false);
}

static void after_loss(struct pg_host *host, bool connecting)
{
    struct sh_pg *pg = host->pg;

    if (!connecting) {
        host->lost_ms = sh_now_ms();
        pg_due(pg, host->lost_ms + PG_DOWN_WAIT_MS);
    }
    if (host != pg->hosts)
        hand_over(host);
    else
        report(pg, SH_UNHEALTHY, -1, host->why);
}

void pg_host_lost(struct pg_host *host, struct pg_call *call, bool connecting,
                  const char *why)
{
    struct sh_pg *pg = host->pg;

    if (why != host->why)
        (void)snprintf(host->why, sizeof(host->why), "%s", why);
    sh_warning(NULL, "postgresql: %s", host->why);
    if (connecting && !pg->no_options && strstr(why, "unsupported startup parameter")) {
        pg->no_options = true; /* a pooler: set the timeout in each call instead */
        host->next_try_ms = 0;
    } else if (connecting) {
        back_off(host);
    }
    if (pg_host_open(host) == 0) {
        host->fresh_ms = 0; /* who knows what comes back */
        after_loss(host, connecting);
    }
    if (call && call->read_only && call->broken_retries++ < 1) {
        pg_host_again(host, call);
    } else if (call) {
        pg_call_fail(call, SH_UNAVAILABLE, host->why);
        call->maybe_done = true;
        pg_call_finish(call);
    }
    pg_host_maintain(host);
}
