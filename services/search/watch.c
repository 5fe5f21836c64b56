#include "services/search/watch.h"

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

struct watch {
    struct watch_options options;
    struct sh_health_check *database;
    struct sh_health_check *index;
    struct sh_health_check *embedder;
    struct sh_health_check *self_test;
    uint64_t asked_us;
    bool asking;  /* the database */
    bool testing; /* a search of our own */
    bool closing;
    char sample[257]; /* what the search under way looks for */
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
static bool over(struct watch *self)
{
    if (self->closing && !self->asking && !self->testing)
        uv_close((uv_handle_t *)&self->timer, on_closed);
    return self->closing;
}

/* --- the index and the embedder --------------------------------------------------- */

static struct watch_index look(struct watch *self)
{
    struct watch_index index = {.why = ""};

    self->options.source.look(self->options.source.self, &index);
    return index;
}

static void tell_index(struct watch *self, const struct watch_index *index)
{
    sh_health_set(self->index, index->state, -1, index->why, index->detail);
    sh_series_set(sh_series(&documents_gauge, NULL), (double)index->documents);
    sh_series_set(sh_series(&chunks_gauge, NULL), (double)index->chunks);
    sh_series_set(sh_series(&vectors_gauge, NULL), (double)index->vectors);
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

/* --- a search of our own ---------------------------------------------------------- */

static void on_tested(struct search_job *job, enum sh_err err)
{
    struct watch *self = SH_CONTAINER_OF(job, struct watch, job);
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

static void prepare_test(struct watch *self)
{
    const char *sample = self->options.source.sample(self->options.source.self);

    (void)snprintf(self->sample, sizeof(self->sample), "%s", *sample ? sample : "cairn");
    self->caller = (struct caller){
        .role = sh_bytes_of("service"), .clearance = 5, .all_departments = true};
    self->query = (struct search_query){.query = sh_bytes_of(self->sample),
                                        .mode = 2,
                                        .max_results = 1,
                                        .vector_weight = -1};
    self->job = (struct search_job){.ask = {.query = &self->query,
                                            .caller = &self->caller,
                                            .deadline_ms = sh_now_ms() + ANSWER_MS},
                                    .done = on_tested};
}

static void test(struct watch *self)
{
    const struct search_backend *backend = &self->options.backend;
    enum sh_health_state state;
    const char *why = "";
    enum sh_err err;

    if (self->testing)
        return;
    prepare_test(self);
    self->test_us = sh_now_us();
    err = backend->start(backend->self, &self->job);
    self->testing = err == SH_OK;
    if (err == SH_OK)
        return;
    state = self->options.source.refused(err, &why);
    sh_health_set(self->self_test, state, -1, why, NULL);
}

/* --- the database ----------------------------------------------------------------- */

static void tell_database(struct watch *self, enum sh_err err,
                          const struct watch_index *index)
{
    char detail[256];

    (void)snprintf(
        detail, sizeof(detail),
        "{\"chunk_count\":%" PRIu64 ",\"document_count\":%" PRIu64
        ",\"entry_count\":%" PRIu64 ",\"pool_size\":%zu,\"open_connections\":%zu,"
        "\"active_connections\":%zu}",
        index->chunks, index->documents, index->documents, sh_pg_most(self->options.pg),
        sh_pg_size(self->options.pg), sh_pg_active(self->options.pg));
    sh_health_set(self->database, err == SH_OK ? SH_HEALTHY : SH_UNHEALTHY,
                  (double)(sh_now_us() - self->asked_us) / 1e6,
                  err == SH_OK ? "" : sh_err_text(err), detail);
}

static void forget(struct watch *self)
{
    const struct watch_source *source = &self->options.source;

    if (source->forget != NULL)
        source->forget(source->self);
}

static void on_figures(void *arg, const struct sh_pg_reply *reply)
{
    struct watch *self = arg;
    const struct watch_source *source = &self->options.source;
    struct watch_index index;

    self->asking = false;
    if (over(self))
        return;
    if (reply->err == SH_OK)
        source->read(source->self, reply->results[0]);
    else
        forget(self);
    index = look(self);
    if (reply->err == SH_OK)
        sh_series_set(sh_series(&pending_gauge, NULL), (double)index.pending);
    tell_database(self, reply->err, &index);
    tell_index(self, &index);
}

static void ask(struct watch *self)
{
    const struct watch_source *source = &self->options.source;
    struct sh_pg_param params[WATCH_PARAMETERS] = {{.binary = false}};
    struct sh_pg_step step = {source->figures, params, 0, false};
    struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = sh_now_ms() + ANSWER_MS};

    if (self->asking)
        return;
    step.count = source->ask(source->self, params);
    if (step.count == 0)
        return;
    self->asked_us = sh_now_us();
    self->asking = sh_pg_run(self->options.pg, &call, on_figures, self) == SH_OK;
    if (!self->asking)
        forget(self);
}

/* --- life ------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    struct watch *self = timer->data;
    struct watch_index index = look(self);

    tell_index(self, &index);
    ask(self);
    test(self);
    tell_embedder(self);
}

void watch_refresh(struct watch *self)
{
    struct watch_index index;

    if (self == NULL)
        return;
    index = look(self);
    tell_index(self, &index);
    tell_embedder(self);
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
