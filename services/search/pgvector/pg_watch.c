#include "services/search/pgvector/pg_watch.h"

#include <inttypes.h>
#include <stdio.h>

#include "shared/clock.h"
#include "shared/metrics.h"

enum { EVERY_MS = 5000, ANSWER_MS = 4000 };

#define GAUGE(variable, name_, help_)                                                    \
    static struct sh_family variable = {                                                 \
        .kind = SH_GAUGE, .name = (name_), .help = (help_)}

GAUGE(documents_gauge, "cairn_search_documents", "Documents in the view.");
GAUGE(chunks_gauge, "cairn_search_chunks", "Passages in the view.");
GAUGE(vectors_gauge, "cairn_search_vectors", "Passages in the view that have a vector.");
GAUGE(pending_gauge, "cairn_search_pending_embeddings",
      "Passages that wait for a vector.");

/* What PostgreSQL's full-text search and the backend cannot do, for /health. */
#define LACKS "[\"bm25\",\"spelling\",\"word_weights\"]"

static const struct sh_pg_statement figures = {
    "pgvector_figures",
    "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM search_words), "
    "(SELECT count(*) FROM search_vectors WHERE fingerprint = $1), "
    "(SELECT count(*) FROM pending_embeddings), "
    "coalesce((SELECT title FROM documents WHERE title <> '' AND chunk_count > 0 LIMIT "
    "1), '')"};
enum { DOCUMENTS, CHUNKS, VECTORS, PENDING, SAMPLE };

struct pg_watch {
    struct pg_watch_options options;
    struct sh_health_check *database;
    struct sh_health_check *index;
    struct sh_health_check *embedder;
    struct sh_health_check *self_test;
    uint64_t counts[SAMPLE];
    uint64_t asked_us;
    bool asking;  /* the database */
    bool testing; /* a search of our own */
    bool closing;
    char sample[257];
    char looked_for[257]; /* by the search under way */
    uint64_t test_us;
    struct caller caller;
    struct search_query query;
    struct search_job job;
    uv_timer_t timer;
};

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

/* True when closing: the caller returns at once. */
static bool over(struct pg_watch *self)
{
    if (self->closing && !self->asking && !self->testing)
        uv_close((uv_handle_t *)&self->timer, on_closed);
    return self->closing;
}

/* --- the index and the embedder ----------------------------------------------------- */

static void tell_index(struct pg_watch *self)
{
    const struct backend_pgvector *backend = self->options.backend;
    const struct model *model = backend->model;
    bool indexed = model->dimension <= backend_pgvector_dimensions(backend->type);
    const char *problem = pg_keeper_problem(self->options.keeper);
    char detail[384];

    (void)snprintf(detail, sizeof(detail),
                   "{\"backend\":\"pgvector\",\"version\":\"%s\",\"type\":\"%s\","
                   "\"indexed\":%s,\"loaded\":%s,\"current\":%s,\"documents\":%" PRIu64
                   ",\"chunks\":%" PRIu64 ",\"vectors\":%" PRIu64 ",\"pending\":%" PRIu64
                   ",\"lacks\":" LACKS "}",
                   pg_keeper_version(self->options.keeper), backend->type,
                   indexed ? "true" : "false", backend->ready ? "true" : "false",
                   *problem == '\0' ? "true" : "false", self->counts[DOCUMENTS],
                   self->counts[CHUNKS], self->counts[VECTORS], self->counts[PENDING]);
    if (!backend->ready)
        sh_health_set(self->index, SH_UNHEALTHY, -1, problem, detail);
    else
        sh_health_set(self->index, *problem == '\0' ? SH_HEALTHY : SH_DEGRADED, -1,
                      problem, detail);
    sh_series_set(sh_series(&documents_gauge, NULL), (double)self->counts[DOCUMENTS]);
    sh_series_set(sh_series(&chunks_gauge, NULL), (double)self->counts[CHUNKS]);
    sh_series_set(sh_series(&vectors_gauge, NULL), (double)self->counts[VECTORS]);
    sh_series_set(sh_series(&pending_gauge, NULL), (double)self->counts[PENDING]);
}

static void tell_embedder(struct pg_watch *self)
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

static void on_tested(struct search_job *job, enum sh_err err)
{
    struct pg_watch *self = SH_CONTAINER_OF(job, struct pg_watch, job);
    size_t hits = err == SH_OK ? job->results.hits_count : 0;
    char detail[128];

    sh_arena_free(&job->arena);
    self->testing = false;
    if (over(self))
        return;
    (void)snprintf(detail, sizeof(detail),
                   "{\"results_returned\":%zu,\"end_to_end_functional\":%s}", hits,
                   err == SH_OK ? "true" : "false");
    sh_health_set(self->self_test, err == SH_OK ? SH_HEALTHY : SH_UNHEALTHY,
                  (double)(sh_now_us() - self->test_us) / 1e6,
                  err == SH_OK ? "" : sh_err_text(err), detail);
}

static void test(struct pg_watch *self)
{
    struct search_backend backend = backend_pgvector(self->options.backend);
    enum sh_err err;

    if (self->testing)
        return;
    self->caller = (struct caller){
        .role = sh_bytes_of("service"), .clearance = 5, .all_departments = true};
    (void)snprintf(self->looked_for, sizeof(self->looked_for), "%s",
                   *self->sample ? self->sample : "cairn");
    self->query = (struct search_query){.query = sh_bytes_of(self->looked_for),
                                        .mode = 2,
                                        .max_results = 1,
                                        .vector_weight = -1};
    self->job = (struct search_job){.ask = {.query = &self->query,
                                            .caller = &self->caller,
                                            .deadline_ms = sh_now_ms() + ANSWER_MS},
                                    .done = on_tested};
    self->test_us = sh_now_us();
    err = backend.start(backend.self, &self->job);
    self->testing = err == SH_OK;
    if (err != SH_OK)
        sh_health_set(self->self_test, err == SH_BUSY ? SH_DEGRADED : SH_UNHEALTHY, -1,
                      sh_err_text(err), NULL);
}

/* --- the database ------------------------------------------------------------------- */

static void on_figures(void *arg, const struct sh_pg_reply *reply)
{
    struct pg_watch *self = arg;
    char detail[256];

    self->asking = false;
    if (over(self))
        return;
    for (int i = 0; reply->err == SH_OK && i < SAMPLE; i++)
        self->counts[i] = sh_pg_u64(reply->results[0], 0, i);
    if (reply->err == SH_OK)
        (void)snprintf(self->sample, sizeof(self->sample), "%s",
                       PQgetvalue(reply->results[0], 0, SAMPLE));
    (void)snprintf(detail, sizeof(detail),
                   "{\"chunk_count\":%" PRIu64 ",\"document_count\":%" PRIu64
                   ",\"entry_count\":%" PRIu64
                   ",\"pool_size\":%zu,\"active_connections\":%zu}",
                   self->counts[CHUNKS], self->counts[DOCUMENTS], self->counts[DOCUMENTS],
                   sh_pg_size(self->options.pg), sh_pg_active(self->options.pg));
    sh_health_set(self->database, reply->err == SH_OK ? SH_HEALTHY : SH_UNHEALTHY,
                  (double)(sh_now_us() - self->asked_us) / 1e6,
                  reply->err == SH_OK ? "" : sh_err_text(reply->err), detail);
    tell_index(self);
}

static void ask(struct pg_watch *self)
{
    const struct model *model = model_current(self->options.model);
    struct sh_pg_param param = {sh_bytes_of(model->fingerprint), false};
    struct sh_pg_step step = {&figures, &param, 1, false};
    struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = sh_now_ms() + ANSWER_MS};

    if (self->asking || !self->options.backend->ready)
        return;
    self->asked_us = sh_now_us();
    self->asking = sh_pg_run(self->options.pg, &call, on_figures, self) == SH_OK;
}

/* --- life --------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    struct pg_watch *self = timer->data;

    tell_index(self);
    ask(self);
    test(self);
    tell_embedder(self);
}

void pg_watch_refresh(struct pg_watch *self)
{
    if (self != NULL)
        uv_timer_start(&self->timer, on_timer, 0, EVERY_MS);
}

enum sh_err pg_watch_create(uv_loop_t *loop, const struct pg_watch_options *options,
                            struct pg_watch **out)
{
    struct pg_watch *self = sh_alloc(sizeof(*self));

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

void pg_watch_close(struct pg_watch **watch)
{
    struct pg_watch *self = *watch;

    *watch = NULL;
    if (self == NULL)
        return;
    uv_timer_stop(&self->timer);
    self->closing = true;
    (void)over(self);
}
