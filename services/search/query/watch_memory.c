#include "services/search/query/watch_memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/search/store/statements.h"
#include "shared/clock.h"
#include "shared/metrics.h"

enum { PENDING, LAG }; /* columns of store_figures */

static struct sh_family bytes_gauge = {.kind = SH_GAUGE,
                                       .name = "cairn_search_view_bytes",
                                       .help = "Memory that the view holds, estimated."};
static struct sh_family lag_gauge = {
    .kind = SH_GAUGE,
    .name = "cairn_search_view_lag_seconds",
    .help = "Age of the oldest committed change that the view does not show yet."};

static struct view_stats stats_of(struct feed *feed)
{
    struct held_view *held = feed_hold(feed);
    struct view_stats stats;

    view_stats(held->view, &stats);
    held_release(held);
    return stats;
}

static unsigned ask(void *arg, struct sh_pg_param params[WATCH_PARAMETERS])
{
    struct watch_memory *self = arg;
    struct sh_changefeed_position position = feed_position(self->feed);

    (void)snprintf(self->xid, sizeof(self->xid), "%" PRIu64, position.xid);
    (void)snprintf(self->seq, sizeof(self->seq), "%" PRIu64, position.seq);
    params[0].value = sh_bytes_of(self->xid);
    params[1].value = sh_bytes_of(self->seq);
    return 2;
}

static void read_figures(void *arg, const PGresult *figures)
{
    struct watch_memory *self = arg;

    self->pending = sh_pg_u64(figures, 0, PENDING);
    self->lag_s = strtod(PQgetvalue(figures, 0, LAG), NULL);
    sh_series_set(sh_series(&lag_gauge, NULL), self->lag_s);
}

/* The record did not answer: how far the view is behind is not known any more. */
static void forget(void *arg)
{
    ((struct watch_memory *)arg)->lag_s = (double)NAN;
    sh_series_set(sh_series(&lag_gauge, NULL), (double)NAN);
}

/* As JSON; what is not known is null. */
static const char *number_or_null(double value, char text[static 32])
{
    if (!isfinite(value))
        return "null";
    (void)snprintf(text, 32, "%.4f", value);
    return text;
}

/* Once loaded it serves, even while it is loaded anew or the database is away. */
static void judge(struct watch_memory *self, bool current, struct watch_index *out)
{
    self->ever_current = self->ever_current || current;
    if (current)
        out->state = SH_HEALTHY;
    else
        out->state = self->ever_current ? SH_DEGRADED : SH_UNHEALTHY;
    if (!current)
        out->why = self->ever_current ? "the view is being loaded again"
                                      : "the view is being loaded";
}

static void write_detail(const struct watch_memory *self, const struct view_stats *stats,
                         bool current, char out[static WATCH_DETAIL_MAX])
{
    struct sh_keeper_state kept = feed_snapshots(self->feed);
    uint64_t checks;
    double recall = recent_recall_mean(self->recall, sh_now_us(), &checks);
    char lag[32], ratio[32];

    (void)snprintf(out, WATCH_DETAIL_MAX,
                   "{\"loaded\":%s,\"current\":%s,\"documents\":%zu,\"chunks\":%zu,"
                   "\"vectors\":%zu,\"pending\":%" PRIu64
                   ",\"lag_seconds\":%s,\"recall\":%s,\"recall_checks\":%" PRIu64
                   ",\"snapshot\":{\"start\":\"%s\",\"load_seconds\":%.3f,"
                   "\"saved_at\":%.0f,\"save_seconds\":%.3f,\"failures\":%" PRIu64 "}}",
                   feed_loaded(self->feed) ? "true" : "false", current ? "true" : "false",
                   stats->documents, stats->chunks, stats->vectors, self->pending,
                   number_or_null(self->lag_s, lag), number_or_null(recall, ratio),
                   checks, kept.loaded, kept.load_s, kept.saved_at, kept.save_s,
                   kept.failures);
}

static void look(void *arg, struct watch_index *out)
{
    struct watch_memory *self = arg;
    struct view_stats stats = stats_of(self->feed);
    bool current = feed_current(self->feed);

    judge(self, current, out);
    out->documents = stats.documents;
    out->chunks = stats.chunks;
    out->vectors = stats.vectors;
    out->pending = self->pending;
    write_detail(self, &stats, current, out->detail);
    sh_series_set(sh_series(&bytes_gauge, NULL), (double)stats.bytes);
}

static const char *sample(void *arg)
{
    const struct watch_memory *self = arg;

    return feed_sample(self->feed);
}

/* Before the view is loaded nothing is known; the index check says why. */
static enum sh_health_state refused(enum sh_err err, const char **why)
{
    if (err == SH_DRAINING)
        return SH_UNKNOWN;
    *why = "too busy to test itself";
    return SH_DEGRADED;
}

struct watch_source watch_memory(struct watch_memory *self)
{
    forget(self);
    return (struct watch_source){.self = self,
                                 .figures = &store_figures,
                                 .ask = ask,
                                 .read = read_figures,
                                 .forget = forget,
                                 .look = look,
                                 .sample = sample,
                                 .refused = refused};
}
