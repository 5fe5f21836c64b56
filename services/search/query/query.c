#include "services/search/query/query.h"

#include "services/search/ingest/embed.h"
#include "services/search/query/degraded.h"
#include "services/search/rerank/reorder.h"
#include "shared/bytes.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/metrics.h"

enum { EMBED_MS = 1000, RESULTS_MAX = 1000, ANSWER_MS = 20 };
enum { MODE_HYBRID, MODE_VECTOR, MODE_TEXT };

static struct sh_family queries_total = {
    .kind = SH_COUNTER,
    .name = "cairn_search_queries_total",
    .help = "Queries answered, by mode and outcome.",
    .labels = {"mode", "status"},
};
static struct sh_family query_seconds = {
    .kind = SH_HISTOGRAM,
    .name = "cairn_search_query_duration_seconds",
    .help = "What queries take: embedding the question, searching the view, "
            "re-ranking, in all.",
    .labels = {"leg"},
};
static struct sh_family vectors_total = {
    .kind = SH_COUNTER,
    .name = "cairn_search_query_vectors_total",
    .help =
        "Vectors of questions, by where they came from: kept from an earlier query, or "
        "embedded.",
    .labels = {"from"},
};

struct running {
    struct querier *querier;
    struct sh_rpc_call *call;
    struct search_query query;
    struct search_query wanted; /* of the backend */
    uint64_t started_us;
    uint64_t leg_us;     /* when the present leg began */
    uint64_t generation; /* of what is searched */
    struct model model;  /* that the question is embedded by */
    uint64_t embed_id;
    bool embedding;
    bool again; /* it was embedded by the model of a view that was replaced meanwhile */
    float *vector;
    struct sh_bytes fingerprint;
    struct held_glossary *glossary; /* NULL: none */
    struct rerank_job rerank;
    size_t reranked;       /* so many of the first results are; 0: not wanted */
    struct search_job job; /* its arena holds vector and fingerprint, too */
};

static const char *const mode_names[] = {"hybrid", "vector", "text"};

static void observe(const char *leg, uint64_t since_us)
{
    sh_series_observe(sh_series(&query_seconds, (const char *[]){leg}),
                      (double)(sh_now_us() - since_us) / 1e6);
}

/* --- the end ---------------------------------------------------------------------- */

static void end(struct running *run, enum sh_err err)
{
    sh_yield_leave(run->querier->yield);
    sh_count(&queries_total, mode_names[run->query.mode], sh_err_code(err));
    observe("total", run->started_us);
    glossary_release(run->glossary);
    sh_arena_free(&run->job.arena);
    sh_free(run);
}

static void fail(struct running *run, enum sh_err err, const char *field,
                 const char *message)
{
    sh_rpc_fail(run->call, err, NULL, field, "%s", message);
    end(run, err);
}

/* --- re-ranking ------------------------------------------------------------------- */

/* Re-ranking looks at the first results whichever page is asked for, so that pages fit
 * together. One that lies behind them is as the backend has it. */
static void plan_rerank(struct running *run)
{
    const struct search_query *query = &run->query;
    const struct reranker *reranker = run->querier->reranker;
    size_t top = reranker != NULL ? reranker_options(reranker)->top : 0;
    size_t end = (size_t)query->offset + query->max_results;

    run->wanted = *query;
    if (query->offset >= top || query->max_results == 0 || end > RESULTS_MAX)
        return;
    run->reranked = top;
    run->wanted.offset = 0;
    run->wanted.max_results = (uint32_t)(end > top ? end : top);
}

static void answer(struct running *run)
{
    struct search_results *results = &run->job.results;

    results->duration_us = sh_now_us() - run->started_us;
    results->generation = run->generation;
    degraded_count(results);
    if (run->querier->shadow != NULL && !run->querier->closing)
        shadow_offer(run->querier->shadow, &run->job.ask); /* the reply ends the query */
    sh_rpc_reply(run->call, search_results_desc(), results);
    end(run, SH_OK);
}

/* The page, in whatever order there is. */
static void answer_page(struct running *run, bool reranked)
{
    enum sh_err err = SH_OK;

    if (!reranked && run->query.require_complete) {
        fail(run, SH_UNAVAILABLE, NULL,
             "the search is incomplete: the re-ranking endpoint is out");
        return;
    }
    if (!reranked)
        err = reorder_degraded(&run->job.results, "rerank", &run->job.arena);
    if (err != SH_OK) {
        fail(run, err, NULL, sh_err_text(err));
        return;
    }
    reorder_page(&run->job.results, run->query.offset, run->query.max_results);
    answer(run);
}

static void on_reranked(struct rerank_job *job, enum sh_err err)
{
    struct running *run = SH_CONTAINER_OF(job, struct running, rerank);
    const struct boosts usual = boosts_default();
    const struct boosts *boosts = run->querier->boosts ? run->querier->boosts : &usual;

    observe("rerank", run->leg_us);
    if (atomic_load(&run->job.canceled)) {
        fail(run, SH_CANCELED, NULL, sh_err_text(SH_CANCELED));
        return;
    }
    if (err == SH_OK)
        err = reorder_hits(&run->job.results, job->scores, job->question.count,
                           boosts->score, run->query.explain, &run->job.arena);
    answer_page(run, err == SH_OK);
}

static enum sh_err start_rerank(struct running *run)
{
    const struct search_results *results = &run->job.results;
    size_t count =
        results->hits_count < run->reranked ? results->hits_count : run->reranked;
    struct sh_bytes *texts = sh_arena_array(&run->job.arena, count, sizeof(*texts));
    double *scores = sh_arena_array(&run->job.arena, count, sizeof(*scores));
    uint64_t deadline_ms = run->job.ask.deadline_ms;

    if (texts == NULL || scores == NULL)
        return SH_NOMEM;
    for (size_t i = 0; i < count; i++)
        texts[i] = results->hits[i].text;
    run->leg_us = sh_now_us();
    run->rerank = (struct rerank_job){
        .question = {run->query.query, texts, count},
        .scores = scores,
        .deadline_ms = deadline_ms > ANSWER_MS ? deadline_ms - ANSWER_MS : 0,
        .trace = run->job.trace,
        .done = on_reranked};
    return reranker_start(run->querier->reranker, &run->rerank);
}

static void rerank(struct running *run)
{
    bool needed = run->job.results.hits_count > 1;
    bool can = !run->querier->closing && run->querier->reranker != NULL;

    if (!needed)
        answer_page(run, true);
    else if (!can || start_rerank(run) != SH_OK)
        answer_page(run, false);
}

/* --- searching -------------------------------------------------------------------- */

static void searched(struct search_job *job, enum sh_err err)
{
    struct running *run = SH_CONTAINER_OF(job, struct running, job);
    const struct view_problem *problem = &job->problem;

    if (err != SH_OK) {
        fail(run, err, problem->field[0] ? problem->field : NULL,
             problem->message[0] ? problem->message : sh_err_text(err));
        return;
    }
    observe("search", run->leg_us);
    if (run->reranked > 0)
        rerank(run);
    else
        answer(run);
}

/* `missing`: why there is no vector although the mode wants one, or NULL. */
static void search(struct running *run, const char *missing)
{
    const struct search_backend *backend = &run->querier->backend;
    enum sh_err err;

    if (run->querier->closing) {
        fail(run, SH_DRAINING, NULL, sh_err_text(SH_DRAINING));
        return;
    }
    if (missing != NULL && run->query.mode == MODE_VECTOR) {
        fail(run, SH_UNAVAILABLE, NULL, "the embedder is not available");
        return;
    }
    plan_rerank(run);
    run->job.ask = (struct view_query){.query = &run->wanted,
                                       .caller = sh_rpc_call_caller(run->call),
                                       .vector = run->vector,
                                       .dimension = run->model.dimension,
                                       .fingerprint = run->fingerprint,
                                       .vector_missing = missing,
                                       .boosts = run->querier->boosts,
                                       .deadline_ms = sh_rpc_call_deadline_ms(run->call)};
    if (run->querier->glossary != NULL) {
        run->glossary = glossary_hold(run->querier->glossary);
        run->job.ask.glossary = run->glossary->glossary;
    }
    run->job.trace = sh_rpc_call_trace(run->call);
    run->job.done = searched;
    run->generation = run->querier->generation;
    run->leg_us = sh_now_us();
    err = backend->start(backend->self, &run->job);
    if (err != SH_OK)
        fail(run, err, NULL, sh_err_text(err));
}

/* --- embedding the question ------------------------------------------------------- */

/* The vector, copied into the arena. */
static enum sh_err take_vector(struct running *run,
                               const struct sh_rpc_response *response)
{
    struct embed_reply reply;
    const uint8_t *vector = NULL;
    enum sh_err err = response->err;

    if (err == SH_OK)
        err = embed_decode(response, 1, &run->job.arena, &reply, &vector);
    if (err == SH_OK && reply.failures_count > 0)
        err =
            sh_bytes_is(reply.failures[0].code, "empty_text") ? SH_INVALID : SH_UPSTREAM;
    if (err != SH_OK)
        return err;
    if (!sh_bytes_is(reply.fingerprint, run->model.fingerprint) ||
        reply.dimension != run->model.dimension)
        return SH_CONFLICT;
    run->fingerprint = sh_arena_copy(&run->job.arena, reply.fingerprint);
    run->vector = sh_arena_alloc(&run->job.arena, response->payload.len);
    if (run->vector == NULL || run->fingerprint.data == NULL) {
        run->vector = NULL;
        return SH_NOMEM;
    }
    memcpy(run->vector, vector, response->payload.len);
    query_vectors_keep(run->querier->vectors, run->fingerprint, run->query.query,
                       run->vector, reply.dimension);
    return SH_OK;
}

/* One that was asked for before. While the embedder is out none is taken: what a search
 * says of it is then the same for every question. */
static bool take_kept_vector(struct running *run)
{
    const struct model *model = run->querier->model;
    struct sh_bytes fingerprint = sh_bytes_of(model->fingerprint);
    size_t size = model->dimension * sizeof(float);
    const float *vector = query_vectors_find(run->querier->vectors, fingerprint,
                                             run->query.query, model->dimension);

    if (vector == NULL || size == 0 || sh_rpc_client_ready(run->querier->embedder) == 0)
        return false;
    run->fingerprint = sh_arena_copy(&run->job.arena, fingerprint);
    run->vector = sh_arena_alloc(&run->job.arena, size);
    if (run->fingerprint.data == NULL || run->vector == NULL) {
        run->vector = NULL;
        return false;
    }
    memcpy(run->vector, vector, size);
    run->model = *model;
    return true;
}

static enum sh_err ask_embedder(struct running *run);

/* Another generation's view answers by now: the question needs that model's vector. */
static bool ask_again(struct running *run)
{
    struct querier *querier = run->querier;

    if (run->again || querier->closing || model_same(&run->model, querier->model))
        return false;
    run->again = true;
    run->vector = NULL;
    run->embedding = ask_embedder(run) == SH_OK;
    return run->embedding;
}

/* The model works, and knows no word of the question: its words are all there is. */
static void search_by_text(struct running *run)
{
    if (run->query.mode == MODE_VECTOR) {
        fail(run, SH_INVALID, "query", "the model knows no word of the query");
        return;
    }
    run->query.mode = MODE_TEXT;
    search(run, NULL);
}

static void on_vector(void *arg, const struct sh_rpc_response *response)
{
    struct running *run = arg;
    enum sh_err err = take_vector(run, response);

    run->embedding = false;
    observe("embed", run->leg_us);
    if (ask_again(run))
        return;
    if (err == SH_INVALID) {
        search_by_text(run);
        return;
    }
    if (embed_lost_model(err) && !run->querier->closing)
        run->querier->other_model(run->querier->arg);
    if (err != SH_OK)
        sh_warning(sh_rpc_call_trace(run->call), "the query has no vector: %s %s",
                   sh_err_text(err), response->err ? response->message : "");
    search(run, run->vector != NULL ? NULL : "embedding");
}

static enum sh_err ask_embedder(struct running *run)
{
    struct sh_buffer payload = {0};
    uint64_t now = sh_now_ms();
    uint64_t half = sh_left_ms(sh_rpc_call_deadline_ms(run->call)) / 2;
    enum sh_err err;

    run->leg_us = sh_now_us();
    run->model = *run->querier->model;
    if (run->model.dimension == 0 || sh_rpc_client_ready(run->querier->embedder) == 0)
        return SH_UNAVAILABLE;
    err = embed_encode(&run->model, &run->query.query, 1, EMBED_QUERY, &payload);
    if (err == SH_OK) {
        struct sh_rpc_request request = {.method = METHOD_EMBEDDER_EMBED,
                                         .kind = SH_RPC_READ,
                                         .payload = sh_buffer_bytes(&payload),
                                         .deadline_ms =
                                             now + (half < EMBED_MS ? half : EMBED_MS),
                                         .trace = sh_rpc_call_trace(run->call)};
        err =
            sh_rpc_send(run->querier->embedder, &request, on_vector, run, &run->embed_id);
    }
    sh_buffer_free(&payload);
    return err;
}

/* --- the beginning ---------------------------------------------------------------- */

static void on_cancel(void *arg)
{
    struct running *run = arg;

    atomic_store(&run->job.canceled, true);
    if (!run->embedding) { /* the backend sees it */
        reranker_cancel(&run->rerank);
        return;
    }
    sh_rpc_cancel(run->querier->embedder, run->embed_id);
    fail(run, SH_CANCELED, NULL, sh_err_text(SH_CANCELED));
}

static bool has_text(struct sh_bytes text)
{
    const char *bytes = text.data;

    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)bytes[i] > ' ')
            return true;
    return false;
}

void query_handle(void *arg, struct sh_rpc_call *call)
{
    struct search_query query;
    struct running *run;

    if (sh_rpc_call_decode(call, search_query_desc(), &query) != SH_OK)
        return;
    run = has_text(query.query) ? sh_alloc(sizeof(*run)) : NULL;
    if (run == NULL) {
        bool blank = !has_text(query.query);
        sh_rpc_fail(call, blank ? SH_INVALID : SH_NOMEM, NULL, blank ? "query" : NULL,
                    blank ? "must not be empty" : "out of memory");
        return;
    }
    run->querier = arg;
    run->call = call;
    run->query = query;
    run->started_us = sh_now_us();
    sh_yield_enter(run->querier->yield);
    sh_rpc_call_on_cancel(call, on_cancel, run);
    if (query.mode == MODE_TEXT) {
        search(run, NULL);
        return;
    }
    if (take_kept_vector(run)) {
        sh_count(&vectors_total, "kept");
        search(run, NULL);
        return;
    }
    sh_count(&vectors_total, "embedder");
    enum sh_err err = ask_embedder(run);
    run->embedding = err == SH_OK;
    if (err != SH_OK)
        search(run, "embedding");
}
