#include "services/search/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/search/store/statements.h"
#include "shared/bytes.h"
#include "shared/clock.h"
#include "shared/metrics.h"

enum { EVERY_MS = 5000, ANSWER_MS = 4000 };

#define GAUGE(variable, name_, help_)                                                    \
    static struct sh_family variable = {                                                 \
        .kind = SH_GAUGE, .name = (name_), .help = (help_)}

GAUGE(documents_gauge, "cairn_search_documents", "Documents in the view.");
GAUGE(chunks_gauge, "cairn_search_chunks", "Passages in the view.");
GAUGE(vectors_gauge, "cairn_search_vectors", "Passages in the view that have a vector.");
GAUGE(bytes_gauge, "cairn_search_view_bytes", "Memory that the view holds, estimated.");
GAUGE(pending_gauge, "cairn_search_pending_embeddings",
      "Passages that wait for a vector.");
GAUGE(lag_gauge, "cairn_search_view_lag_seconds",
      "Age of the oldest committed change that the view does not show yet.");

struct watch {
    struct watch_options options;
    struct sh_health_check *database;
    struct sh_health_check *index;
    struct sh_health_check *embedder;
    struct sh_health_check *self_test;
    uint64_t pending; /* as last counted */
    uint64_t asked_us;
    bool ever_current;
    bool asking; /* the database */
    bool closing;
    /* the search of our own */
    bool testing;
    struct sh_work work;
    struct held_view *view;
    struct sh_arena arena;
    char sample[257];
    uint64_t test_us;
    enum sh_err tested;
    size_t hits;
    uv_timer_t timer;
};

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

/* True when closing: the caller returns at once. */
static bool over(struct watch *self)
{
    if (!self->closing)
        return false;
    if (!self->asking && !self->testing)
        uv_close((uv_handle_t *)&self->timer, on_closed);
    return true;
}

static struct view_stats stats_of(struct watch *self)
{
    struct held_view *held = feed_hold(self->options.feed);
    struct view_stats stats;

    view_stats(held->view, &stats);
    held_release(held);
    return stats;
}

/* --- the index and the embedder ----------------------------------------------------- */

static void tell_index(struct watch *self)
{
    struct view_stats stats = stats_of(self);
    bool current = feed_current(self->options.feed);
    struct keeper_state kept = feed_snapshots(self->options.feed);
    char detail[512];

    self->ever_current = self->ever_current || current;
    (void)snprintf(detail, sizeof(detail),
                   "{\"loaded\":%s,\"current\":%s,\"documents\":%zu,\"chunks\":%zu,"
                   "\"vectors\":%zu,\"pending\":%" PRIu64
                   ",\"snapshot\":{\"start\":\"%s\",\"load_seconds\":%.3f,"
                   "\"saved_at\":%.0f,\"save_seconds\":%.3f,\"failures\":%" PRIu64 "}}",
                   feed_loaded(self->options.feed) ? "true" : "false",
                   current ? "true" : "false", stats.documents, stats.chunks,
                   stats.vectors, self->pending, kept.loaded, kept.load_s, kept.saved_at,
                   kept.save_s, kept.failures);
    /* Once loaded it serves, even while it is loaded anew or the database is away. */
    if (!self->ever_current)
        sh_health_set(self->index, SH_UNHEALTHY, -1, "the view is being loaded", detail);
    else if (!current)
        sh_health_set(self->index, SH_DEGRADED, -1, "the view is being loaded again",
                      detail);
    else
        sh_health_set(self->index, SH_HEALTHY, -1, "", detail);
    sh_series_set(sh_series(&documents_gauge, NULL), (double)stats.documents);
    sh_series_set(sh_series(&chunks_gauge, NULL), (double)stats.chunks);
    sh_series_set(sh_series(&vectors_gauge, NULL), (double)stats.vectors);
    sh_series_set(sh_series(&bytes_gauge, NULL), (double)stats.bytes);
}

static void tell_embedder(struct watch *self)
{
    size_t ready = sh_rpc_client_ready(self->options.embedder);
    const struct model *model = model_current(self->options.model);
    char detail[128];

    (void)snprintf(detail, sizeof(detail),
                   "{\"embedding_length\":%u,\"replicas_ready\":%zu}",
                   (unsigned)model->dimension, ready);
    if (ready == 0)
        sh_health_set(self->embedder, SH_UNHEALTHY, -1, "no embedder is ready", detail);
    else if (!model_confirmed(self->options.model))
        sh_health_set(self->embedder, SH_DEGRADED, -1, "its model is not known yet",
                      detail);
    else
        sh_health_set(self->embedder, SH_HEALTHY, -1, "", detail);
}

/* --- a search of our own ------------------------------------------------------------ */

static void run_test(struct sh_work *work)
{
    struct watch *self = SH_CONTAINER_OF(work, struct watch, work);
    struct caller caller = {
        .role = sh_bytes_of("service"), .clearance = 5, .all_departments = true};
    struct search_query query = {.query = sh_bytes_of(self->sample),
                                 .mode = 2,
                                 .max_results = 1,
                                 .vector_weight = -1};
    struct view_query ask = {
        .query = &query, .caller = &caller, .deadline_ms = sh_now_ms() + ANSWER_MS};
    struct search_results results = {0};
    struct view_problem problem = {0};

    self->tested = view_search(self->view->view, &ask, &self->arena, &results, &problem);
    self->hits = results.hits_count;
}

static void on_tested(struct sh_work *work, enum sh_err err)
{
    struct watch *self = SH_CONTAINER_OF(work, struct watch, work);
    bool works = err == SH_OK && self->tested == SH_OK;
    char detail[128];

    held_release(self->view);
    sh_arena_free(&self->arena);
    self->testing = false;
    if (over(self))
        return;
    (void)snprintf(detail, sizeof(detail),
                   "{\"results_returned\":%zu,\"end_to_end_functional\":%s}",
                   works ? self->hits : 0, works ? "true" : "false");
    sh_health_set(self->self_test, works ? SH_HEALTHY : SH_UNHEALTHY,
                  (double)(sh_now_us() - self->test_us) / 1e6,
                  works ? "" : sh_err_text(err != SH_OK ? err : self->tested), detail);
}

static void test(struct watch *self)
{
    const char *sample = feed_sample(self->options.feed);

    if (self->testing || !feed_loaded(self->options.feed))
        return;
    (void)snprintf(self->sample, sizeof(self->sample), "%s",
                   sample[0] ? sample : "cairn");
    self->work = (struct sh_work){.run = run_test, .done = on_tested};
    self->test_us = sh_now_us();
    self->view = feed_hold(self->options.feed); /* before a worker may look */
    self->testing = sh_workers_submit(self->options.workers, &self->work) == SH_OK;
    if (!self->testing) {
        held_release(self->view);
        sh_health_set(self->self_test, SH_DEGRADED, -1, "too busy to test itself", NULL);
    }
}

/* --- the database ------------------------------------------------------------------- */

static void on_figures(void *arg, const struct sh_pg_reply *reply)
{
    struct watch *self = arg;
    struct view_stats stats;
    char detail[256];

    self->asking = false;
    if (over(self))
        return;
    if (reply->err == SH_OK) {
        self->pending = sh_pg_u64(reply->results[0], 0, 0);
        sh_series_set(sh_series(&pending_gauge, NULL), (double)self->pending);
        sh_series_set(sh_series(&lag_gauge, NULL),
                      strtod(PQgetvalue(reply->results[0], 0, 1), NULL));
    }
    stats = stats_of(self);
    (void)snprintf(detail, sizeof(detail),
                   "{\"chunk_count\":%zu,\"document_count\":%zu,\"entry_count\":%zu,"
                   "\"pool_size\":%zu,\"active_connections\":%zu}",
                   stats.chunks, stats.documents, stats.documents,
                   sh_pg_size(self->options.pg), sh_pg_active(self->options.pg));
    sh_health_set(self->database, reply->err == SH_OK ? SH_HEALTHY : SH_UNHEALTHY,
                  (double)(sh_now_us() - self->asked_us) / 1e6,
                  reply->err == SH_OK ? "" : sh_err_text(reply->err), detail);
    tell_index(self);
}

static void ask(struct watch *self)
{
    struct sh_changefeed_position position = feed_position(self->options.feed);
    char xid[24];
    char seq[24];
    struct sh_pg_param params[2] = {0};
    struct sh_pg_step step = {&store_figures, params, 2, false};
    struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = sh_now_ms() + ANSWER_MS};

    if (self->asking)
        return;
    (void)snprintf(xid, sizeof(xid), "%" PRIu64, position.xid);
    (void)snprintf(seq, sizeof(seq), "%" PRIu64, position.seq);
    params[0].value = sh_bytes_of(xid);
    params[1].value = sh_bytes_of(seq);
    self->asked_us = sh_now_us();
    self->asking = sh_pg_run(self->options.pg, &call, on_figures, self) == SH_OK;
}

/* --- life --------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    struct watch *self = timer->data;

    ask(self);
    test(self);
    tell_embedder(self);
}

void watch_refresh(struct watch *self)
{
    if (self == NULL)
        return;
    tell_index(self);
    tell_embedder(self);
    if (feed_loaded(self->options.feed))
        uv_timer_start(&self->timer, on_timer, 0, EVERY_MS);
}

enum sh_err watch_create(uv_loop_t *loop, const struct watch_options *options,
                         struct watch **out)
{
    struct watch *self = sh_alloc(sizeof(*self));

    if (self == NULL)
        return SH_NOMEM;
    self->options = *options;
    self->database = sh_health_add(options->health, "database", false);
    self->index = sh_health_add(options->health, "index", true);
    self->embedder = sh_health_add(options->health, "embedding_service", false);
    self->self_test = sh_health_add(options->health, "search_functionality", false);
    if (!self->database || !self->index || !self->embedder || !self->self_test) {
        sh_free(self);
        return SH_NOMEM;
    }
    uv_timer_init(loop, &self->timer); /* cannot fail */
    self->timer.data = self;
    uv_timer_start(&self->timer, on_timer, 0, EVERY_MS);
    *out = self;
    return SH_OK;
}

void watch_close(struct watch **watch)
{
    struct watch *self = *watch;

    *watch = NULL;
    if (self == NULL)
        return;
    uv_timer_stop(&self->timer);
    self->closing = true;
    (void)over(self);
}
