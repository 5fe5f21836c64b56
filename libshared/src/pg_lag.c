#include <stdlib.h>

#include "pg_pool.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/metrics.h"

/* How far a read host lags, in time and without trusting any clock but our own: every
 * second the primary tells how far its log reaches. A replica that has replayed as far as
 * one of these samples shows all that the primary had when it was asked for. (A replica's
 * own time of the last replayed transaction says nothing while nothing is written.) */

enum { ASK_MS = 5000 };

static const struct sh_pg_statement reached = {
    "cairn_wal_reached", "SELECT CASE WHEN pg_is_in_recovery() THEN "
                         "pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END"};
/* NULL: no replica of this kind, so nothing to compare. */
static const struct sh_pg_statement replayed = {
    "cairn_wal_replayed",
    "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() END"};

static struct sh_family lag = {
    .kind = SH_GAUGE,
    .name = "cairn_pg_read_lag_seconds",
    .help = "How long ago the primary had what a read host shows now, at most",
    .labels = {"host"}};

/* "16/B374D848" */
static bool read_lsn(const PGresult *result, uint64_t *lsn)
{
    char *slash;
    uint64_t high;

    if (PQgetisnull(result, 0, 0))
        return false;
    high = strtoul(PQgetvalue(result, 0, 0), &slash, 16);
    if (*slash != '/')
        return false;
    *lsn = high << 32 | strtoul(slash + 1, NULL, 16);
    return true;
}

/* --- the primary ------------------------------------------------------------------ */

static void on_reached(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_pg *pg = arg;
    struct pg_sample sample = {.at_ms = pg->sampled_ms};

    pg->sampling = false;
    if (reply->err == SH_OK && read_lsn(reply->results[0], &sample.lsn))
        pg->samples[pg->sample_count++ % PG_LAG_SAMPLES] = sample;
}

/* --- read hosts ------------------------------------------------------------------- */

/* When the primary was no further than this; 0: longer ago than is known. */
static uint64_t time_of(const struct sh_pg *pg, uint64_t lsn)
{
    size_t known = pg->sample_count < PG_LAG_SAMPLES ? pg->sample_count : PG_LAG_SAMPLES;
    uint64_t newest = 0;

    for (size_t i = 0; i < known; i++) {
        if (pg->samples[i].lsn <= lsn && pg->samples[i].at_ms > newest)
            newest = pg->samples[i].at_ms;
    }
    return newest;
}

static void tell(struct pg_host *host)
{
    bool ok = pg_lag_ok(host);

    if (host->fresh_ms > 0)
        sh_series_set(sh_series(&lag, (const char *[]){host->name}),
                      (double)(sh_now_ms() - host->fresh_ms) / 1000);
    if (ok != host->was_read)
        sh_info(NULL, "postgresql: the replica %s %s", host->name,
                ok ? "is read from" : "lags and is not read from");
    host->was_read = ok;
}

static void on_replayed(void *arg, const struct sh_pg_reply *reply)
{
    struct pg_host *host = arg;
    uint64_t lsn;
    uint64_t fresh;

    host->asking_lag = false;
    /* What waited at a host that went away was answered by the primary. */
    if (reply->err != SH_OK || pg_host_open(host) == 0)
        return;
    fresh = read_lsn(reply->results[0], &lsn) ? time_of(host->pg, lsn) : sh_now_ms();
    host->fresh_ms = fresh > host->fresh_ms ? fresh : host->fresh_ms;
    tell(host);
}

/* --- both ------------------------------------------------------------------------- */

static bool ask(struct pg_host *host, const struct sh_pg_statement *statement,
                sh_pg_done_fn *done, void *arg)
{
    const struct sh_pg_step step = {.statement = statement};
    const struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = sh_now_ms() + ASK_MS};
    struct pg_call *copy;

    if (pg_host_open(host) == 0 || pg_call_copy(&call, done, arg, &copy) != SH_OK)
        return false;
    pg_host_run(host, copy);
    return true;
}

void pg_lag_ask(struct sh_pg *pg)
{
    if (pg->closing)
        return;
    if (!pg->sampling) {
        pg->sampled_ms = sh_now_ms();
        pg->sampling = ask(&pg->hosts[0], &reached, on_reached, pg);
    }
    for (size_t i = 1; i < pg->host_count; i++) {
        struct pg_host *host = &pg->hosts[i];
        if (!host->asking_lag)
            host->asking_lag = ask(host, &replayed, on_replayed, host);
    }
}

/* While the primary is away nothing is written, and nobody else can be asked. */
bool pg_lag_ok(const struct pg_host *host)
{
    const struct sh_pg *pg = host->pg;

    if (pg->read_lag_ms == 0 || pg_host_open(&pg->hosts[0]) == 0)
        return true;
    return host->fresh_ms > 0 && sh_now_ms() - host->fresh_ms <= pg->read_lag_ms;
}
